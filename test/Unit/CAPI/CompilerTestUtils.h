//===- CompilerTestUtils.h - owners and specs for the tests of the C API ------------------------------------------===//

#ifndef WINNOW_TEST_UNIT_CAPI_COMPILERTESTUTILS_H
#define WINNOW_TEST_UNIT_CAPI_COMPILERTESTUTILS_H

#include "winnow-c/Winnow.h"

#include <memory>
#include <string>
#include <vector>

namespace winnow::test {

template <auto destroy> struct Destroy {
  template <typename T> void operator()(T *object) const { destroy(object); }
};
using Context = std::unique_ptr<winnow_context, Destroy<winnow_context_destroy>>;
using Module = std::unique_ptr<winnow_module, Destroy<winnow_module_destroy>>;
using Program = std::unique_ptr<winnow_program, Destroy<winnow_program_destroy>>;
using Bytes = std::unique_ptr<winnow_bytes, Destroy<winnow_bytes_destroy>>;

/// Text of an error, which is destroyed; "" for success.
inline std::string take(winnow_error *error) {
  std::string text = winnow_error_message(error);
  winnow_error_destroy(error);
  return text;
}

inline Context makeContext() {
  winnow_context *context = nullptr;
  take(winnow_context_create(&context));
  return Context(context);
}

/// The module, or null and `*error`.
inline Module parse(winnow_context *context, const std::string &text, std::string *error = nullptr) {
  winnow_module *module = nullptr;
  std::string message = take(winnow_module_parse(context, text.data(), text.size(), "spec.mlir", &module));
  if (error)
    *error = message;
  return Module(module);
}

inline std::string print(const winnow_module *module) {
  winnow_bytes *bytes = nullptr;
  take(winnow_module_print(module, &bytes));
  Bytes owner(bytes);
  return std::string(winnow_bytes_data(bytes), winnow_bytes_size(bytes));
}

/// y = relu(x), 4 features.
inline constexpr const char *kRelu = R"(func.func @forward(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %y = ffn.relu %x : tensor<?x4xf32> -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
)";

/// A sparse bf16 forward, and another function beside it.
inline constexpr const char *kForward = R"(
func.func @forward(%x: tensor<?x64xbf16>, %w1: tensor<128x64xbf16> {ffn.weight}, %w2: tensor<64x128xbf16> {ffn.weight})
    -> tensor<?x64xbf16> {
  %y1 = ffn.matmul %x, %w1 {transpose_rhs} : (tensor<?x64xbf16>, tensor<128x64xbf16>) -> tensor<?x128xbf16>
  %y2 = ffn.relu2 %y1 {ffn.sparsity = #ffn.sparsity<density = 0.08, max_drop = 0.05>}
      : tensor<?x128xbf16> -> tensor<?x128xbf16>
  %y3 = ffn.matmul %y2, %w2 {transpose_rhs} : (tensor<?x128xbf16>, tensor<64x128xbf16>) -> tensor<?x64xbf16>
  return %y3 : tensor<?x64xbf16>
}
func.func @scales(%s: tensor<f32>, %q: tensor<8x16xf8E4M3FN>) -> (tensor<8x16xf8E4M3FN>, tensor<f32>) {
  return %q, %s : tensor<8x16xf8E4M3FN>, tensor<f32>
}
)";

} // namespace winnow::test

#endif // WINNOW_TEST_UNIT_CAPI_COMPILERTESTUTILS_H
