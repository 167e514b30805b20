//===- CudaAbiTest.cpp - our declarations of the driver against cuda.h --------------------------------------------===//
//
// Winnow declares what it uses of the driver by itself. Where the toolkit's header is at hand, the two are compared.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "winnow/Runtime/Driver.h"

#include <gtest/gtest.h>

#include <cstddef>

#if __has_include(<cuda.h>)
#include <cuda.h>

namespace ours = winnow::rt::cuda;

// cuda.h maps names to versions of them by macros, so what follows may only use Driver.h's table, not its members.
namespace winnow::rt {

/// Sizes of result and parameters: what the calling convention depends on, for there are no floating-point parameters.
template <typename R, typename... Parameters> static std::vector<size_t> signatureOf(R (*)(Parameters...)) {
  return {sizeof(R), sizeof(Parameters)...};
}

TEST(CudaAbi, EntryPointsTakeTheSameParameters) {
#define COMPARE(name, symbol, parameters)                                                                              \
  EXPECT_EQ(signatureOf(static_cast<decltype(&::symbol)>(nullptr)),                                                    \
            signatureOf(static_cast<cuda::Code(*) parameters>(nullptr)))                                               \
      << #symbol;
  WINNOW_CUDA_ENTRY_POINTS(COMPARE)
#undef COMPARE
}

} // namespace winnow::rt

TEST(CudaAbi, StructsHaveTheSameLayout) {
  EXPECT_EQ(sizeof(ours::LaunchConfig), sizeof(CUlaunchConfig));
  EXPECT_EQ(offsetof(ours::LaunchConfig, blockX), offsetof(CUlaunchConfig, blockDimX));
  EXPECT_EQ(offsetof(ours::LaunchConfig, sharedBytes), offsetof(CUlaunchConfig, sharedMemBytes));
  EXPECT_EQ(offsetof(ours::LaunchConfig, stream), offsetof(CUlaunchConfig, hStream));
  EXPECT_EQ(offsetof(ours::LaunchConfig, attributes), offsetof(CUlaunchConfig, attrs));
  EXPECT_EQ(offsetof(ours::LaunchConfig, attributeCount), offsetof(CUlaunchConfig, numAttrs));
  EXPECT_EQ(sizeof(ours::LaunchAttribute), sizeof(CUlaunchAttribute));
  EXPECT_EQ(offsetof(ours::LaunchAttribute, id), offsetof(CUlaunchAttribute, id));
  EXPECT_EQ(offsetof(ours::LaunchAttribute, value), offsetof(CUlaunchAttribute, value));
  EXPECT_EQ(sizeof(ours::LaunchAttribute::value),
            sizeof(CUlaunchAttributeValue::programmaticStreamSerializationAllowed));
  EXPECT_EQ(sizeof(ours::EncodedTensorMap), sizeof(CUtensorMap));
  EXPECT_GE(alignof(ours::EncodedTensorMap), alignof(CUtensorMap));
}

TEST(CudaAbi, ConstantsHaveTheSameValues) {
  const std::pair<int, int> constants[] = {
      {ours::kProgrammaticSerialization, CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION},
      {ours::kStubLibrary, CUDA_ERROR_STUB_LIBRARY},
      {ours::kNoDevice, CUDA_ERROR_NO_DEVICE},
      {ours::kMultiprocessorCount, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT},
      {ours::kComputeCapabilityMajor, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR},
      {ours::kComputeCapabilityMinor, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR},
      {ours::kMaxSharedBytesPerBlockOptin, CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN},
      {ours::kMaxDynamicSharedBytes, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES},
      {ours::kErrorLogBuffer, CU_JIT_ERROR_LOG_BUFFER},
      {ours::kErrorLogBufferSizeBytes, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES},
      {ours::kNonBlockingStream, CU_STREAM_NON_BLOCKING},
      {ours::kCaptureThisThread, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL},
      {ours::kMapU8, CU_TENSOR_MAP_DATA_TYPE_UINT8},
      {ours::kMapI32, CU_TENSOR_MAP_DATA_TYPE_INT32},
      {ours::kMapF16, CU_TENSOR_MAP_DATA_TYPE_FLOAT16},
      {ours::kMapF32, CU_TENSOR_MAP_DATA_TYPE_FLOAT32},
      {ours::kMapBF16, CU_TENSOR_MAP_DATA_TYPE_BFLOAT16},
      {ours::kInterleaveNone, CU_TENSOR_MAP_INTERLEAVE_NONE},
      {ours::kSwizzleNone, CU_TENSOR_MAP_SWIZZLE_NONE},
      {ours::kSwizzle128, CU_TENSOR_MAP_SWIZZLE_128B},
      {ours::kPromoteNone, CU_TENSOR_MAP_L2_PROMOTION_NONE},
      {ours::kPromoteL2To256, CU_TENSOR_MAP_L2_PROMOTION_L2_256B},
      {ours::kFillZero, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE},
  };
  for (size_t i = 0; i < std::size(constants); ++i)
    EXPECT_EQ(constants[i].first, constants[i].second) << "constant " << i;
}

#else

TEST(CudaAbi, MatchesTheHeader) { GTEST_SKIP() << "needs cuda.h of the CUDA toolkit"; }

#endif
