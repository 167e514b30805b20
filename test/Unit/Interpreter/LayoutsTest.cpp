//===- LayoutsTest.cpp - the kernels' memory layouts, there and back ----------------------------------------------===//

#include "winnow/Interpreter/Layouts.h"
#include "winnow/Interpreter/Reference.h"

#include <gtest/gtest.h>

#include <random>

using namespace winnow;
using namespace winnow::interp;

static Tensor randomTensor(rt::ElementType element, std::vector<int64_t> shape, uint64_t seed) {
  Tensor tensor(element, std::move(shape));
  std::mt19937_64 random(seed);
  for (int64_t i = 0; i < tensor.count(); ++i)
    tensor.set(i, static_cast<float>(static_cast<int>(random() % 17) - 8));
  return tensor;
}

static Tensor compressed(rt::ElementType element, std::vector<int64_t> shape, int axis) {
  Tensor wide = randomTensor(rt::ElementType::f32, shape, 7);
  Result<Sparsified> sparse = sparsify(wide, axis, nullptr);
  EXPECT_TRUE(sparse);
  Tensor narrow(element, shape);
  for (int64_t i = 0; i < narrow.count(); ++i)
    narrow.set(i, sparse->values.get(i));
  Result<Tensor> tensor = compress(narrow, sparse->mask, axis);
  EXPECT_TRUE(tensor) << tensor.message();
  return *tensor;
}

static rt::Buffer bufferOf(rt::ElementType element, std::vector<int64_t> shape, rt::Layout layout) {
  rt::Buffer buffer;
  buffer.name = "b";
  buffer.element = element;
  buffer.shape = std::move(shape);
  buffer.layout = layout;
  return buffer;
}

TEST(Layouts, TransposedPutsColumnsAtAPitchOf128Rows) {
  rt::Buffer buffer = bufferOf(rt::ElementType::bf16, {-1, 3}, rt::Layout::transposed);
  Tensor tensor = randomTensor(rt::ElementType::bf16, {130, 3}, 1);
  EXPECT_EQ(layoutBytes(buffer, {130, 3}), 256 * 3 * 2);
  Result<std::vector<uint8_t>> bytes = encode(buffer, 130, tensor);
  ASSERT_TRUE(bytes);
  // Element (129, 2).
  EXPECT_EQ((*bytes)[(2 * 256 + 129) * 2], tensor.bytes()[(129 * 3 + 2) * 2]);
  Result<Tensor> back = decode(buffer, 130, *bytes);
  ASSERT_TRUE(back) << back.message();
  EXPECT_EQ(back->bytes(), tensor.bytes());

  (*bytes)[(256 + 131) * 2] = 1;
  Result<Tensor> dirty = decode(buffer, 130, *bytes);
  ASSERT_FALSE(dirty);
  EXPECT_EQ(dirty.message(), "buffer 'b': expected zero padding after row 129 of column 1, got byte 1");
}

/// Every element type, axis and a shape that fills neither panels nor slabs.
class Packed : public testing::TestWithParam<std::tuple<rt::ElementType, int, int64_t, int64_t, uint32_t>> {};

TEST_P(Packed, DecodesWhatItEncodes) {
  auto [element, axis, rows, columns, panel] = GetParam();
  rt::Buffer buffer = bufferOf(element, {rows, columns}, rt::Layout::packed24);
  buffer.sparseAxis = static_cast<uint8_t>(axis);
  buffer.panel = panel;
  Tensor tensor = compressed(element, {rows, columns}, axis);
  Result<std::vector<uint8_t>> bytes = encode(buffer, 1, tensor);
  ASSERT_TRUE(bytes) << bytes.message();
  EXPECT_EQ(static_cast<int64_t>(bytes->size()), layoutBytes(buffer, {rows, columns}));
  Result<Tensor> back = decode(buffer, 1, *bytes);
  ASSERT_TRUE(back) << back.message();
  EXPECT_EQ(back->sparseAxis, axis);
  EXPECT_EQ(back->bytes(), tensor.bytes());
  EXPECT_EQ(back->keepMask, tensor.keepMask);
}

INSTANTIATE_TEST_SUITE_P(Shapes, Packed,
                         testing::Values(std::make_tuple(rt::ElementType::f8e4m3, 1, 3, 256, 64u),
                                         std::make_tuple(rt::ElementType::f8e4m3, 1, 300, 140, 256u),
                                         std::make_tuple(rt::ElementType::f8e5m2, 0, 7, 70, 64u),
                                         std::make_tuple(rt::ElementType::f8e4m3, 0, 257, 130, 128u),
                                         std::make_tuple(rt::ElementType::bf16, 1, 65, 128, 128u),
                                         std::make_tuple(rt::ElementType::f16, 0, 130, 66, 64u),
                                         std::make_tuple(rt::ElementType::bf16, 0, 5, 3, 64u)));

TEST(Layouts, PackedF8BlockIsLaidOutAsTheInstructionReadsIt) {
  // One row of 128: every group keeps positions 1 and 3, holding the numbers 1 and 2.
  rt::Buffer buffer = bufferOf(rt::ElementType::f8e4m3, {64, 128}, rt::Layout::packed24);
  buffer.panel = 64;
  Tensor tensor(rt::ElementType::f8e4m3, {64, 128});
  tensor.sparseAxis = 1;
  tensor.keepMask.assign(tensor.count(), 0);
  for (int64_t i = 0; i < tensor.count(); ++i) {
    tensor.keepMask[i] = i % 2;
    if (i / 128 == 9 && i % 2)
      tensor.set(i, i % 4 == 1 ? 1 : 2);
  }
  Result<std::vector<uint8_t>> bytes = encode(buffer, 1, tensor);
  ASSERT_TRUE(bytes);
  ASSERT_EQ(bytes->size(), 5120u);
  // Row 9: second core matrix of eight rows, its second row; 16 bytes of kept values, then 1024 bytes on.
  EXPECT_EQ((*bytes)[128 + 16], toF8E4M3(1));
  EXPECT_EQ((*bytes)[128 + 16 + 1], toF8E4M3(2));
  EXPECT_EQ((*bytes)[1024 + 128 + 16], toF8E4M3(1));
  EXPECT_EQ((*bytes)[0], 0);
  // All metadata words are 1 | 3 << 2 in every nibble.
  for (size_t i = 4096; i < 5120; ++i)
    EXPECT_EQ((*bytes)[i], 0xDD);
}

TEST(Layouts, Packed16BitMetadataOfTwoRowsShareAWord) {
  rt::Buffer buffer = bufferOf(rt::ElementType::bf16, {64, 64}, rt::Layout::packed24);
  buffer.panel = 64;
  Tensor tensor(rt::ElementType::bf16, {64, 64});
  tensor.sparseAxis = 1;
  tensor.keepMask.assign(tensor.count(), 0);
  for (int64_t i = 0; i < tensor.count(); ++i) // row 8 keeps 2 and 3, the others 0 and 1
    tensor.keepMask[i] = i / 64 == 8 ? i % 4 >= 2 : i % 4 < 2;
  Result<std::vector<uint8_t>> bytes = encode(buffer, 1, tensor);
  ASSERT_TRUE(bytes);
  ASSERT_EQ(bytes->size(), 4608u);
  // Rows 0 and 8 belong to threads 0..3: low halves row 0, high halves row 8.
  for (int thread = 0; thread < 4; ++thread) {
    EXPECT_EQ((*bytes)[4096 + 4 * thread], 0x44);
    EXPECT_EQ((*bytes)[4096 + 4 * thread + 1], 0x44);
    EXPECT_EQ((*bytes)[4096 + 4 * thread + 2], 0xEE);
    EXPECT_EQ((*bytes)[4096 + 4 * thread + 3], 0xEE);
  }
  EXPECT_EQ((*bytes)[4096 + 16 + 2], 0x44);
}

TEST(Layouts, RejectsImpossibleContents) {
  rt::Buffer buffer = bufferOf(rt::ElementType::f8e4m3, {-1, 126}, rt::Layout::packed24);
  buffer.panel = 64;
  Result<Tensor> shortOne = decode(buffer, 2, std::vector<uint8_t>(100));
  ASSERT_FALSE(shortOne);
  EXPECT_EQ(shortOne.message(), "buffer 'b': expected 5120 bytes, got 100");
  Result<Tensor> unordered = decode(buffer, 2, std::vector<uint8_t>(5120));
  ASSERT_FALSE(unordered);
  EXPECT_EQ(unordered.message(), "buffer 'b': expected an ordered pair of positions in the metadata of row 0, group at "
                                 "0, got 0, 0");
  std::vector<uint8_t> padding(5120, 0);
  std::fill(padding.begin() + 4096, padding.end(), 0xEE); // positions 2 and 3: the last group of 126 has none
  padding[3 * 1024 + 15] = 0x38;
  Result<Tensor> dirty = decode(buffer, 2, padding);
  ASSERT_FALSE(dirty);
  EXPECT_EQ(dirty.message(), "buffer 'b': expected a zero at position 127 of row 0, which is padding");
}
