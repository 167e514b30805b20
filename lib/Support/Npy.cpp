//===- Npy.cpp - reading and writing NumPy's .npy files -----------------------------------------------------------===//

#include "winnow/Support/Npy.h"

#include "NpyHeader.h"
#include "winnow/Support/File.h"

#include <cmath>
#include <cstring>

namespace winnow {
namespace {

using rt::ElementType;

constexpr char kMagic[] = "\x93NUMPY";
constexpr size_t kMagicSize = 6;

/// What a file may hold for an element type, NumPy's descriptions without byte order, the one that is written first.
struct Storage {
  ElementType element;
  const char *name;
  size_t bytes;
  std::vector<std::string> descriptions;
};

const Storage *findStorage(ElementType element) {
  static const std::vector<Storage> table = {
      {ElementType::f32, "f32", 4, {"f4", "f8"}},
      {ElementType::f16, "f16", 2, {"f2"}},
      {ElementType::bf16, "bf16", 2, {"u2", "V2", "bfloat16"}},
      {ElementType::f8e4m3, "f8E4M3FN", 1, {"u1", "V1", "float8_e4m3fn"}},
      {ElementType::f8e5m2, "f8E5M2", 1, {"u1", "V1", "float8_e5m2"}},
      {ElementType::i1, "i1", 1, {"b1", "i1", "u1"}},
      {ElementType::i32, "i32", 4, {"i4"}},
      {ElementType::u8, "ui8", 1, {"u1"}},
  };
  for (const Storage &storage : table)
    if (storage.element == element)
      return &storage;
  return nullptr;
}

std::string withByteOrder(const Storage &storage, const std::string &description) {
  if (description.size() > 2) // a name, as ml_dtypes writes it
    return description;
  return (storage.bytes > 1 ? "<" : "|") + description;
}

std::string shapeText(const std::vector<int64_t> &shape) {
  std::string text;
  for (int64_t extent : shape)
    text += (text.empty() ? "" : ", ") + (extent < 0 ? std::string("?") : std::to_string(extent));
  return "(" + text + (shape.size() == 1 ? ",)" : ")");
}

bool shapeFits(const std::vector<int64_t> &expected, const std::vector<int64_t> &actual) {
  if (expected.size() != actual.size())
    return false;
  for (size_t i = 0; i < expected.size(); ++i)
    if (expected[i] >= 0 && expected[i] != actual[i])
      return false;
  return true;
}

/// The description of `descr` that `storage` admits, without byte order; empty if it admits none.
std::string admittedDescription(const Storage &storage, const std::string &descr) {
  bool hasOrder = !descr.empty() && std::strchr("<>=|", descr[0]);
  std::string bare = hasOrder ? descr.substr(1) : descr;
  for (const std::string &description : storage.descriptions)
    if (bare == description && !(hasOrder && descr[0] == '>' && (storage.bytes > 1 || bare == "f8")))
      return bare;
  return {};
}

/// f64 values as f32; fails where one is not representable.
Status narrowDoubles(const uint8_t *data, size_t count, const std::string &name, std::vector<uint8_t> &out) {
  for (size_t i = 0; i < count; ++i) {
    double wide;
    std::memcpy(&wide, data + i * sizeof wide, sizeof wide);
    float narrow = static_cast<float>(wide);
    if (static_cast<double>(narrow) != wide && !std::isnan(wide))
      return Error{name + ": element " + std::to_string(i) +
                   " (f64) is not representable in f32; convert the file with astype('f4')"};
    std::memcpy(out.data() + i * sizeof narrow, &narrow, sizeof narrow);
  }
  return {};
}

} // namespace

Result<NpyArray> parseNpy(const std::vector<uint8_t> &file, const std::string &name, ElementType element,
                          const std::vector<int64_t> &shape) {
  const Storage *storage = findStorage(element);
  if (!storage)
    return Error{name + ": element type has no .npy form"};
  if (file.size() < kMagicSize || std::memcmp(file.data(), kMagic, kMagicSize) != 0)
    return Error{name + ": expects a .npy file, got something that does not start with its magic number"};
  if (file.size() < 10)
    return Error{name + ": truncated .npy file: expects a header, got " + std::to_string(file.size()) +
                 " bytes in all"};
  unsigned version = file[6];
  if (version != 1 && version != 2 && version != 3)
    return Error{name + ": expects .npy format version 1, 2 or 3, got " + std::to_string(version)};
  size_t prefix = version == 1 ? 10 : 12;
  uint64_t headerSize = file[8] | file[9] << 8;
  if (version > 1 && file.size() >= prefix)
    headerSize |= static_cast<uint64_t>(file[10]) << 16 | static_cast<uint64_t>(file[11]) << 24;
  if (file.size() < prefix || headerSize > file.size() - prefix)
    return Error{name + ": truncated .npy file: expects a header of " + std::to_string(headerSize) + " bytes, got " +
                 std::to_string(file.size() < prefix ? 0 : file.size() - prefix)};
  Result<NpyHeader> header =
      parseNpyHeader(std::string_view(reinterpret_cast<const char *>(file.data()) + prefix, headerSize));
  if (!header)
    return Error{name + ": " + header.message()};

  std::string description = admittedDescription(*storage, header->descr);
  if (description.empty()) {
    std::string list;
    for (const std::string &candidate : storage->descriptions)
      list += (list.empty() ? "'" : " or '") + withByteOrder(*storage, candidate) + "'";
    return Error{name + ": expects elements " + list + " for " + storage->name + ", got '" + header->descr + "'"};
  }
  if (!shapeFits(shape, header->shape))
    return Error{name + ": expects shape " + shapeText(shape) + ", got " + shapeText(header->shape)};
  if (header->fortranOrder && header->shape.size() > 1)
    return Error{name + ": expects C order (rows contiguous), got Fortran order; save numpy.ascontiguousarray(array)"};

  size_t width = description == "f8" ? 8 : storage->bytes, available = file.size() - prefix - headerSize, count = 1;
  for (int64_t extent : header->shape) // any product larger than the file is as wrong as the exact one
    count = extent == 0 || count > file.size() * 8 ? count * (extent != 0) : count * static_cast<size_t>(extent);
  if (available != count * width)
    return Error{name + (available < count * width ? ": truncated .npy file: expects " : ": expects ") +
                 std::to_string(count * width) + " bytes of data for shape " + shapeText(header->shape) + ", got " +
                 std::to_string(available)};
  const uint8_t *data = file.data() + prefix + headerSize;
  NpyArray array = {header->shape, std::vector<uint8_t>(count * storage->bytes)};
  if (width == storage->bytes) {
    if (count != 0)
      std::memcpy(array.bytes.data(), data, array.bytes.size());
  } else if (Status status = narrowDoubles(data, count, name, array.bytes); !status) {
    return status.error();
  }
  if (element == ElementType::i1)
    for (size_t i = 0; i < count; ++i)
      if (array.bytes[i] > 1)
        return Error{name + ": expects 0 and 1 for i1, got " + std::to_string(array.bytes[i]) + " at element " +
                     std::to_string(i)};
  return array;
}

Result<NpyArray> readNpy(const std::string &path, ElementType element, const std::vector<int64_t> &shape) {
  Result<std::vector<uint8_t>> file = readFile(path);
  if (!file)
    return file.error();
  return parseNpy(*file, path, element, shape);
}

std::vector<uint8_t> formatNpy(ElementType element, const std::vector<int64_t> &shape,
                               const std::vector<uint8_t> &bytes) {
  const Storage *storage = findStorage(element);
  std::string header = "{'descr': '" + withByteOrder(*storage, storage->descriptions.front()) +
                       "', 'fortran_order': False, 'shape': " + shapeText(shape) + ", }";
  // The data starts at a multiple of 64 bytes, the header ends in a newline.
  header.append(63 - (10 + header.size()) % 64, ' ');
  header += '\n';
  std::vector<uint8_t> file(kMagic, kMagic + kMagicSize);
  file.insert(file.end(), {1, 0, static_cast<uint8_t>(header.size() & 0xFF), static_cast<uint8_t>(header.size() >> 8)});
  file.insert(file.end(), header.begin(), header.end());
  file.insert(file.end(), bytes.begin(), bytes.end());
  return file;
}

Status writeNpy(const std::string &path, ElementType element, const std::vector<int64_t> &shape,
                const std::vector<uint8_t> &bytes) {
  std::vector<uint8_t> contents = formatNpy(element, shape, bytes);
  Result<bool> published = publishFile(path, contents.data(), contents.size());
  return published ? Status() : Status(published.error());
}

} // namespace winnow
