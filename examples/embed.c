/* embed.c - compile and evaluate a feed-forward block from C.
 *
 *   cc -std=c99 -Iinclude examples/embed.c -Lbuild/lib -Wl,-rpath,build/lib -lwinnow -o embed && ./embed
 *
 * Prints what the compiler decided, the kernels it made for an H100, and the result of the CPU reference for two
 * tokens. Needs no GPU, no driver and no NVRTC. */

#include "winnow-c/Winnow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char kSpec[] =
    "func.func @forward(%x: tensor<?x64xf16>, %w1: tensor<1024x64xf16> {ffn.weight},\n"
    "                   %w2: tensor<64x1024xf16> {ffn.weight}) -> tensor<?x64xf32> {\n"
    "  %y1 = ffn.matmul %x, %w1 {transpose_rhs} : (tensor<?x64xf16>, tensor<1024x64xf16>) -> tensor<?x1024xf16>\n"
    "  %y2 = ffn.relu2 %y1 {ffn.sparsity = #ffn.sparsity<density = 0.08, max_drop = 0.05>}\n"
    "      : tensor<?x1024xf16> -> tensor<?x1024xf16>\n"
    "  %y3 = ffn.matmul %y2, %w2 {transpose_rhs} : (tensor<?x1024xf16>, tensor<64x1024xf16>) -> tensor<?x64xf32>\n"
    "  return %y3 : tensor<?x64xf32>\n"
    "}\n";

/* Every failure of this program ends here. */
static void check(winnow_error *error) {
  if (!error)
    return;
  fprintf(stderr, "%s\n", winnow_error_message(error));
  winnow_error_destroy(error);
  exit(1);
}

static void printRemark(const winnow_remark *remark, void *user) {
  (void)user;
  printf("%s: %s: %s\n", remark->location, remark->name, remark->message);
}

static void printKernels(const winnow_module *module) {
  winnow_compile_options options = {sizeof options, "sm_90a", NULL, 4096, 0, 0, NULL};
  winnow_program *program;
  size_t i;
  check(winnow_module_emit_cuda(module, &options, &program));
  for (i = 0; i < winnow_program_image_count(program); ++i) {
    winnow_image image;
    check(winnow_program_image(program, i, &image));
    printf("kernel %s: %s\n", image.name,
           strstr(image.cuda, "wgmma.mma_async.sp") ? "sparse product" : "dense product or element-wise");
  }
  winnow_program_destroy(program);
}

static void evaluate(const winnow_module *module) {
  enum { kTokens = 2, kModel = 64, kHidden = 1024 };
  static const int64_t shapes[4][2] = {{kTokens, kModel}, {kHidden, kModel}, {kModel, kHidden}, {kTokens, kModel}};
  static uint16_t x[kTokens * kModel], w1[kHidden * kModel], w2[kModel * kHidden];
  static float y[kTokens * kModel];
  winnow_host_tensor inputs[3], output;
  int i;
  /* Token t is 1 + t in its first feature; hidden feature 0 reads that, every output reads hidden feature 0. */
  x[0] = 0x3C00;      /* 1.0 */
  x[kModel] = 0x4000; /* 2.0 */
  w1[0] = 0x4200;     /* 3.0 */
  for (i = 0; i < kModel; ++i)
    w2[i * kHidden] = 0x3800; /* 0.5 */
  inputs[0].data = x, inputs[1].data = w1, inputs[2].data = w2;
  for (i = 0; i < 3; ++i)
    inputs[i].element = WINNOW_F16, inputs[i].rank = 2, inputs[i].shape = shapes[i];
  output.element = WINNOW_F32, output.rank = 2, output.shape = shapes[3], output.data = y;
  check(winnow_module_interpret(module, NULL, inputs, 3, &output, 1));
  printf("result %g %g\n", y[0], y[kModel]); /* relu2(3) / 2 = 4.5, relu2(6) / 2 = 18 */
}

int main(void) {
  winnow_context *context;
  winnow_module *module;
  check(winnow_context_create(&context));
  check(winnow_context_set_remark_callback(context, printRemark, NULL));
  check(winnow_module_parse(context, kSpec, strlen(kSpec), "embed.mlir", &module));
  printKernels(module);
  evaluate(module);
  winnow_module_destroy(module);
  winnow_context_destroy(context);
  return 0;
}
