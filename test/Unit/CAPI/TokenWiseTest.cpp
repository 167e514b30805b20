//===- TokenWiseTest.cpp - which functions compute every token by itself ------------------------------------------===//

#include "CompilerTestUtils.h"

#include <gtest/gtest.h>

using namespace winnow::test;

namespace {

struct Case {
  const char *name, *text;
  bool tokenWise;
};
void PrintTo(const Case &c, std::ostream *out) { *out << c.name; }

class TokenWise : public testing::TestWithParam<Case> {};

TEST_P(TokenWise, IsKnownOrDenied) {
  Context context = makeContext();
  std::string error;
  Module module = parse(context.get(), std::string("func.func @f") + GetParam().text, &error);
  ASSERT_NE(module, nullptr) << error;
  EXPECT_EQ(winnow_module_is_token_wise(module.get(), 0), GetParam().tokenWise);
}

const Case kCases[] = {
    {"RowScalesAndTwoProducts", R"((%x: tensor<?x64xbf16>, %w1: tensor<128x64xf8E4M3FN>, %s1: tensor<128xf32>,
         %w2: tensor<64x128xbf16>) -> tensor<?x64xbf16> {
      %q, %s = ffn.quantize %x by row : (tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<?xf32>)
      %y = ffn.matmul %q scaled %s, %w1 scaled %s1 {transpose_rhs}
         : (tensor<?x64xf8E4M3FN>, tensor<?xf32>, tensor<128x64xf8E4M3FN>, tensor<128xf32>) -> tensor<?x128xbf16>
      %r = ffn.relu2 %y : tensor<?x128xbf16> -> tensor<?x128xbf16>
      %v, %m = ffn.sparsify %r along 1 : (tensor<?x128xbf16>) -> (tensor<?x128xbf16>, tensor<?x128xi1>)
      %c = ffn.compress %v, %m
         : (tensor<?x128xbf16>, tensor<?x128xi1>) -> !ffn.sparse24<?x128xbf16, axis = 1>
      %z = ffn.matmul %c, %w2 {transpose_rhs}
         : (!ffn.sparse24<?x128xbf16, axis = 1>, tensor<64x128xbf16>) -> tensor<?x64xbf16>
      return %z : tensor<?x64xbf16>
    })",
     true},
    {"GivenScales", R"((%x: tensor<?x64xbf16>, %t: tensor<f32>, %c: tensor<64xf32>, %r: tensor<?xf32>)
        -> (tensor<?x64xf8E4M3FN>, tensor<?x64xf8E4M3FN>, tensor<?x64xf8E4M3FN>) {
      %a = ffn.quantize %x scaled %t by tensor : (tensor<?x64xbf16>, tensor<f32>) -> tensor<?x64xf8E4M3FN>
      %b = ffn.quantize %x scaled %c by column : (tensor<?x64xbf16>, tensor<64xf32>) -> tensor<?x64xf8E4M3FN>
      %d = ffn.quantize %x scaled %r by row : (tensor<?x64xbf16>, tensor<?xf32>) -> tensor<?x64xf8E4M3FN>
      return %a, %b, %d : tensor<?x64xf8E4M3FN>, tensor<?x64xf8E4M3FN>, tensor<?x64xf8E4M3FN>
    })",
     true},
    {"NoTokens", R"((%a: tensor<8x64xbf16>, %b: tensor<64x16xbf16>) -> tensor<8x16xbf16> {
      %y = ffn.matmul %a, %b : (tensor<8x64xbf16>, tensor<64x16xbf16>) -> tensor<8x16xbf16>
      return %y : tensor<8x16xbf16>
    })",
     true},
    {"WeightHandedThrough", R"((%x: tensor<?x64xbf16>, %w: tensor<f32>) -> (tensor<?x64xbf16>, tensor<f32>) {
      return %x, %w : tensor<?x64xbf16>, tensor<f32>
    })",
     true},
    {"UnusedMixture", R"((%x: tensor<?x64xbf16>) -> tensor<?x64xbf16> {
      %q, %s = ffn.quantize %x by tensor : (tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<f32>)
      return %x : tensor<?x64xbf16>
    })",
     true},
    {"DynamicTensorScale", R"((%x: tensor<?x64xbf16>) -> tensor<?x64xf8E4M3FN> {
      %q, %s = ffn.quantize %x by tensor : (tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<f32>)
      return %q : tensor<?x64xf8E4M3FN>
    })",
     false},
    {"DynamicColumnScale", R"((%x: tensor<?x64xbf16>) -> tensor<?x64xf8E4M3FN> {
      %q, %s = ffn.quantize %x by column : (tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<64xf32>)
      return %q : tensor<?x64xf8E4M3FN>
    })",
     false},
    {"ScaleOfAllTokensGivenToEach", R"((%x: tensor<?x64xbf16>) -> tensor<?x64xf8E4M3FN> {
      %s = ffn.dynamic_scale %x by tensor to f8E4M3FN : (tensor<?x64xbf16>) -> tensor<f32>
      %q = ffn.quantize %x scaled %s by tensor : (tensor<?x64xbf16>, tensor<f32>) -> tensor<?x64xf8E4M3FN>
      return %q : tensor<?x64xf8E4M3FN>
    })",
     false},
    {"SelectionAlongTheTokens", R"((%x: tensor<?x64xbf16>) -> tensor<?x64xbf16> {
      %v, %m = ffn.sparsify %x along 0 : (tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
      return %v : tensor<?x64xbf16>
    })",
     false},
    {"SumOverTheTokens", R"((%x: tensor<?x64xbf16>, %d: tensor<?x32xbf16>) -> tensor<64x32xbf16> {
      %y = ffn.matmul %x, %d {transpose_lhs} : (tensor<?x64xbf16>, tensor<?x32xbf16>) -> tensor<64x32xbf16>
      return %y : tensor<64x32xbf16>
    })",
     false},
    {"TokensAgainstTokens", R"((%x: tensor<?x64xbf16>) -> tensor<?x?xbf16> {
      %y = ffn.matmul %x, %x {transpose_rhs} : (tensor<?x64xbf16>, tensor<?x64xbf16>) -> tensor<?x?xbf16>
      return %y : tensor<?x?xbf16>
    })",
     false},
    {"TokensAsColumns", R"((%x: tensor<64x?xbf16>) -> tensor<64x?xbf16> {
      %y = ffn.relu %x : tensor<64x?xbf16> -> tensor<64x?xbf16>
      return %y : tensor<64x?xbf16>
    })",
     false},
};
INSTANTIATE_TEST_SUITE_P(Functions, TokenWise, testing::ValuesIn(kCases),
                         [](const auto &info) { return info.param.name; });

TEST(TokenWiseNull, IsDenied) { EXPECT_EQ(winnow_module_is_token_wise(nullptr, 0), 0); }

} // namespace
