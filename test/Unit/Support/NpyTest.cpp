//===- NpyTest.cpp - good and bad .npy files ----------------------------------------------------------------------===//

#include "winnow/Support/Npy.h"

#include <cstring>
#include <dirent.h>
#include <gtest/gtest.h>
#include <string>
#include <unistd.h>

using namespace winnow;
using rt::ElementType;

namespace {

using Bytes = std::vector<uint8_t>;

/// A file with this header text and data, as NumPy would write it.
Bytes makeFile(const std::string &header, const Bytes &data, uint8_t version = 1) {
  Bytes file = {0x93, 'N', 'U', 'M', 'P', 'Y', version, 0, uint8_t(header.size() & 0xFF), uint8_t(header.size() >> 8)};
  if (version > 1)
    file.insert(file.end(), {0, 0});
  file.insert(file.end(), header.begin(), header.end());
  file.insert(file.end(), data.begin(), data.end());
  return file;
}

std::string header(const std::string &descr, const std::string &shape, const char *fortran = "False") {
  return "{'descr': '" + descr + "', 'fortran_order': " + fortran + ", 'shape': " + shape + ", }\n";
}

Bytes floats(const std::vector<float> &values) {
  Bytes bytes(values.size() * 4);
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

std::string errorOf(const Bytes &file, ElementType element, const std::vector<int64_t> &shape) {
  Result<NpyArray> result = parseNpy(file, "x.npy", element, shape);
  return result ? "no error" : result.message();
}

TEST(Npy, ReadsWhatNumPyWrites) {
  for (uint8_t version : {1, 2, 3}) {
    Result<NpyArray> array = parseNpy(makeFile(header("<f4", "(2, 3)"), floats({1, 2, 3, 4, 5, 6}), version), "x.npy",
                                      ElementType::f32, {-1, 3});
    ASSERT_TRUE(array.ok()) << array.message();
    EXPECT_EQ(array->shape, (std::vector<int64_t>{2, 3}));
    EXPECT_EQ(array->bytes, floats({1, 2, 3, 4, 5, 6}));
  }
}

TEST(Npy, ReadsScalarsVectorsAndEmptyArrays) {
  EXPECT_TRUE(parseNpy(makeFile(header("<f4", "()"), floats({1})), "x.npy", ElementType::f32, {}).ok());
  EXPECT_TRUE(parseNpy(makeFile(header("<f4", "(1,)"), floats({1})), "x.npy", ElementType::f32, {1}).ok());
  EXPECT_TRUE(parseNpy(makeFile(header("<f4", "(0, 4)"), {}), "x.npy", ElementType::f32, {-1, 4}).ok());
}

TEST(Npy, ReadsEveryFormOfTheNarrowTypes) {
  for (const char *descr : {"<u2", "<V2", "|V2", "bfloat16"})
    EXPECT_TRUE(parseNpy(makeFile(header(descr, "(1,)"), {0x80, 0x3F}), "x.npy", ElementType::bf16, {1}).ok()) << descr;
  for (const char *descr : {"|u1", "|V1", "<V1", "float8_e4m3fn"})
    EXPECT_TRUE(parseNpy(makeFile(header(descr, "(1,)"), {0x38}), "x.npy", ElementType::f8e4m3, {1}).ok()) << descr;
  for (const char *descr : {"|b1", "|i1", "|u1"})
    EXPECT_TRUE(parseNpy(makeFile(header(descr, "(2,)"), {0, 1}), "x.npy", ElementType::i1, {2}).ok()) << descr;
}

TEST(Npy, TakesF64WhereNothingIsLost) {
  double values[] = {1.5, -2.0};
  Bytes data(sizeof values);
  std::memcpy(data.data(), values, sizeof values);
  Result<NpyArray> array = parseNpy(makeFile(header("<f8", "(2,)"), data), "x.npy", ElementType::f32, {2});
  ASSERT_TRUE(array.ok()) << array.message();
  EXPECT_EQ(array->bytes, floats({1.5f, -2.0f}));
  values[1] = 0.1;
  std::memcpy(data.data(), values, sizeof values);
  EXPECT_EQ(errorOf(makeFile(header("<f8", "(2,)"), data), ElementType::f32, {2}),
            "x.npy: element 1 (f64) is not representable in f32; convert the file with astype('f4')");
}

TEST(Npy, WrongMagicAndVersion) {
  EXPECT_EQ(errorOf({}, ElementType::f32, {}),
            "x.npy: expects a .npy file, got something that does not start with its magic number");
  EXPECT_EQ(errorOf({'P', 'K', 3, 4, 0, 0, 0, 0, 0, 0, 0}, ElementType::f32, {}),
            "x.npy: expects a .npy file, got something that does not start with its magic number");
  EXPECT_EQ(errorOf(makeFile(header("<f4", "()"), floats({1}), 9), ElementType::f32, {}),
            "x.npy: expects .npy format version 1, 2 or 3, got 9");
}

TEST(Npy, WrongElementType) {
  EXPECT_EQ(errorOf(makeFile(header("<i4", "(1,)"), floats({1})), ElementType::f32, {1}),
            "x.npy: expects elements '<f4' or '<f8' for f32, got '<i4'");
  EXPECT_EQ(errorOf(makeFile(header(">f4", "(1,)"), floats({1})), ElementType::f32, {1}),
            "x.npy: expects elements '<f4' or '<f8' for f32, got '>f4'");
  EXPECT_EQ(errorOf(makeFile(header("<f4", "(1,)"), floats({1})), ElementType::bf16, {1}),
            "x.npy: expects elements '<u2' or '<V2' or 'bfloat16' for bf16, got '<f4'");
}

TEST(Npy, WrongShapeAndOrder) {
  EXPECT_EQ(errorOf(makeFile(header("<f4", "(2,)"), floats({1, 2})), ElementType::f32, {-1, 2}),
            "x.npy: expects shape (?, 2), got (2,)");
  EXPECT_EQ(errorOf(makeFile(header("<f4", "(1, 2)", "True"), floats({1, 2})), ElementType::f32, {-1, 2}),
            "x.npy: expects C order (rows contiguous), got Fortran order; save numpy.ascontiguousarray(array)");
  EXPECT_EQ(errorOf(makeFile(header("|i1", "(1,)"), {2}), ElementType::i1, {1}),
            "x.npy: expects 0 and 1 for i1, got 2 at element 0");
}

TEST(Npy, TruncatedAndOverlongData) {
  EXPECT_EQ(errorOf(makeFile(header("<f4", "(2,)"), floats({1})), ElementType::f32, {2}),
            "x.npy: truncated .npy file: expects 8 bytes of data for shape (2,), got 4");
  EXPECT_EQ(errorOf(makeFile(header("<f4", "(1,)"), floats({1, 2})), ElementType::f32, {1}),
            "x.npy: expects 4 bytes of data for shape (1,), got 8");
}

TEST(Npy, EveryTruncationIsAnErrorAndNoFlipCrashes) {
  Bytes good = makeFile(header("<f4", "(2, 2)"), floats({1, 2, 3, 4}));
  for (size_t size = 0; size < good.size(); ++size)
    EXPECT_FALSE(parseNpy(Bytes(good.begin(), good.begin() + size), "x.npy", ElementType::f32, {-1, -1}).ok()) << size;
  for (size_t i = 0; i < good.size() - 16; ++i)
    for (int bit = 0; bit < 8; ++bit) {
      Bytes bad = good;
      bad[i] ^= 1 << bit;
      Result<NpyArray> result = parseNpy(bad, "x.npy", ElementType::f32, {2, 2});
      if (result) { // what is still accepted says the same in other characters
        EXPECT_EQ(result->bytes, floats({1, 2, 3, 4}));
      }
    }
}

TEST(Npy, HostileHeaders) {
  Bytes data = floats({1});
  for (const char *text :
       {"", "{", "{}", "{'descr': '<f4'}", "{'descr': '<f4', 'descr': '<f4'}", "{'descr': [('a', '<f4')], 'shape': ()}",
        "{'descr': '<f4', 'fortran_order': Maybe, 'shape': (1,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999999,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (281474976710656, 281474976710656, 281474976710656)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} trailing", "{'descr': '<f4",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'extra': 1}"})
    EXPECT_FALSE(parseNpy(makeFile(text, data), "x.npy", ElementType::f32, {-1}).ok()) << text;
  Bytes huge = makeFile(header("<f4", "(1,)"), data, 2);
  huge[11] = 0xFF; // a header of 4 GiB
  EXPECT_NE(errorOf(huge, ElementType::f32, {1}).find("truncated .npy file: expects a header of"), std::string::npos);
}

TEST(Npy, RoundTripOfEveryType) {
  for (ElementType element : {ElementType::f32, ElementType::bf16, ElementType::f16, ElementType::f8e4m3,
                              ElementType::f8e5m2, ElementType::i1, ElementType::i32})
    for (const std::vector<int64_t> &shape : {std::vector<int64_t>{}, {4}, {2, 2}}) {
      size_t width = element == ElementType::f32 || element == ElementType::i32    ? 4
                     : element == ElementType::bf16 || element == ElementType::f16 ? 2
                                                                                   : 1;
      Bytes bytes(width * (shape.empty() ? 1 : 4), 1);
      Bytes file = formatNpy(element, shape, bytes);
      EXPECT_EQ((file.size() - bytes.size()) % 64, 0u);
      Result<NpyArray> array = parseNpy(file, "x.npy", element, shape);
      ASSERT_TRUE(array.ok()) << array.message();
      EXPECT_EQ(array->bytes, bytes);
    }
}

TEST(Npy, FilesOnDisk) {
  std::string folder = testing::TempDir() + "winnow-npy-XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  std::string path = folder + "/x.npy";
  Status written = writeNpy(path, ElementType::f32, {2}, floats({1, 2}));
  ASSERT_TRUE(written.ok()) << written.message();
  Result<NpyArray> array = readNpy(path, ElementType::f32, {2});
  ASSERT_TRUE(array.ok()) << array.message();
  EXPECT_EQ(array->bytes, floats({1, 2}));
  EXPECT_EQ(readNpy(folder + "/missing.npy", ElementType::f32, {2}).message(),
            "cannot open '" + folder + "/missing.npy': No such file or directory");
  EXPECT_EQ(readNpy(folder, ElementType::f32, {2}).message(),
            "cannot read '" + folder + "': expected a regular file, got a folder");
  // Renaming onto a folder fails; the temporary file must be gone.
  EXPECT_FALSE(writeNpy(folder, ElementType::f32, {2}, floats({1, 2})).ok());
  EXPECT_EQ(unlink(path.c_str()), 0);
  EXPECT_EQ(rmdir(folder.c_str()), 0);
  EXPECT_EQ(access(folder.c_str(), F_OK), -1);
  EXPECT_FALSE(writeNpy(folder + "/x.npy", ElementType::f32, {2}, floats({1, 2})).ok());
}

} // namespace
