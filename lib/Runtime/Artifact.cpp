//===- Artifact.cpp - a program as a file -------------------------------------------------------------------------===//
//
// Layout, all numbers little-endian:
//   8 bytes   magic
//   u32       format version
//   u64       length of the whole file
//   …         the program: texts that all plans share, the distinct images, then every specialization, with numbers in
//             place of images; fields in the order of the headers; sequences as a u64 count and the elements
//   32 bytes  SHA-256 of all that precedes
// `encode` takes each struct apart by structured bindings, so that a new field does not compile until it is stored
// here.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "winnow/Runtime/Artifact.h"

#include "winnow/Runtime/PlanVerifier.h"
#include "winnow/Support/ByteStream.h"
#include "winnow/Support/File.h"
#include "winnow/Support/Sha256.h"

#include <fmt/format.h>

#include <algorithm>

using namespace winnow;
using namespace winnow::rt;

static constexpr char kMagic[8] = {'W', 'I', 'N', 'N', 'O', 'W', '\r', '\n'};
static constexpr uint32_t kFormatVersion = 4;
static constexpr size_t kHeaderBytes = sizeof(kMagic) + sizeof(uint32_t) + sizeof(uint64_t);

//===--------------------------------------------------------------------------------------------------------------===//
// Writing
//===--------------------------------------------------------------------------------------------------------------===//

template <typename T, typename EncodeElement>
static void encodeAll(ByteWriter &out, const std::vector<T> &elements, EncodeElement encodeElement) {
  out.number(uint64_t(elements.size()));
  for (const T &element : elements)
    encodeElement(out, element);
}

static void encode(ByteWriter &out, const Extent &value) {
  const auto &[divisor, factor, addend] = value;
  out.number(divisor);
  out.number(factor);
  out.number(addend);
}

static void encode(ByteWriter &out, const Buffer &value) {
  const auto &[name, kind, element, shape, bytes, isWeight, contents, layout, sparseAxis, panel, stage, stageResult] =
      value;
  out.text(name);
  out.number(uint8_t(kind));
  out.number(uint8_t(element));
  encodeAll(out, shape, [](ByteWriter &out, int64_t extent) { out.number(extent); });
  encode(out, bytes);
  out.flag(isWeight);
  out.blob(contents.data(), contents.size());
  out.number(uint8_t(layout));
  out.number(sparseAxis);
  out.number(panel);
  out.number(stage);
  out.number(stageResult);
}

static void encode(ByteWriter &out, const Kernel &value) {
  const auto &[name, image, threads, sharedBytes] = value;
  out.text(name);
  out.number(image);
  out.number(threads);
  out.number(sharedBytes);
}

static void encode(ByteWriter &out, const Argument &value) {
  const auto &[kind, index, extent] = value;
  out.number(uint8_t(kind));
  out.number(index);
  encode(out, extent);
}

static void encode(ByteWriter &out, const TensorMap &value) {
  const auto &[buffer, element, extents, strides, box, swizzle128] = value;
  auto encodeExtent = [](ByteWriter &out, const Extent &extent) { encode(out, extent); };
  out.number(buffer);
  out.number(uint8_t(element));
  encodeAll(out, extents, encodeExtent);
  encodeAll(out, strides, encodeExtent);
  encodeAll(out, box, [](ByteWriter &out, uint32_t extent) { out.number(extent); });
  out.flag(swizzle128);
}

static void encode(ByteWriter &out, const Launch &value) {
  const auto &[kind, kernel, arguments, tensorMaps, tiles, persistent, cluster, overlaps, buffer, source] = value;
  out.number(uint8_t(kind));
  out.number(kernel);
  encodeAll(out, arguments, [](ByteWriter &out, const Argument &argument) { encode(out, argument); });
  encodeAll(out, tensorMaps, [](ByteWriter &out, const TensorMap &map) { encode(out, map); });
  encode(out, tiles);
  out.flag(persistent);
  out.number(cluster);
  out.flag(overlaps);
  out.number(buffer);
  out.number(source);
}

static void encode(ByteWriter &out, const Image &value) {
  const auto &[name, cubin, ptx, source] = value;
  out.text(name);
  out.blob(cubin.data(), cubin.size());
  out.text(ptx);
  out.text(source);
}

namespace {
/// Distinct images, in the order of their first use.
class ImageTable {
public:
  /// The numbers of a plan's images, each another one.
  std::vector<uint32_t> add(const Plan &plan) {
    std::vector<uint32_t> numbers;
    for (const Image &image : plan.images) {
      size_t number = 0;
      while (number < images.size() && (!areEqual(*images[number], image) || isIn(numbers, number)))
        ++number;
      if (number == images.size())
        images.push_back(&image);
      numbers.push_back(static_cast<uint32_t>(number));
    }
    return numbers;
  }

  std::vector<const Image *> images;

private:
  static bool areEqual(const Image &a, const Image &b) {
    return a.name == b.name && a.cubin == b.cubin && a.ptx == b.ptx && a.source == b.source;
  }
  static bool isIn(const std::vector<uint32_t> &numbers, size_t number) {
    return std::find(numbers.begin(), numbers.end(), number) != numbers.end();
  }
};
} // namespace

/// All of a plan but the texts that the plans of a program share.
static void encode(ByteWriter &out, const Plan &value, ImageTable &table) {
  const auto &[name, target, compiler, spec, buffers, kernels, launches, images, maxTokens] = value;
  encodeAll(out, buffers, [](ByteWriter &out, const Buffer &buffer) { encode(out, buffer); });
  encodeAll(out, kernels, [](ByteWriter &out, const Kernel &kernel) { encode(out, kernel); });
  encodeAll(out, launches, [](ByteWriter &out, const Launch &launch) { encode(out, launch); });
  encodeAll(out, table.add(value), [](ByteWriter &out, uint32_t number) { out.number(number); });
  out.number(maxTokens);
}

static void encode(ByteWriter &out, const Specialization &value, ImageTable &table) {
  const auto &[lastTokens, decidedFor, summary, plan] = value;
  out.number(lastTokens);
  out.number(decidedFor);
  out.text(summary);
  encode(out, plan, table);
}

static void encode(ByteWriter &out, const Program &program) {
  ImageTable table;
  ByteWriter plans;
  encodeAll(plans, program.specializations,
            [&](ByteWriter &out, const Specialization &specialization) { encode(out, specialization, table); });
  const Plan none, &any = program.specializations.empty() ? none : program.specializations.front().plan;
  for (const std::string *text : {&any.name, &any.target, &any.compiler, &any.spec})
    out.text(*text);
  encodeAll(out, table.images, [](ByteWriter &out, const Image *image) { encode(out, *image); });
  out.append(plans.bytes.data(), plans.bytes.size());
}

std::vector<uint8_t> winnow::rt::serialize(const Program &program) {
  ByteWriter body;
  encode(body, program);

  ByteWriter out;
  out.bytes.reserve(kHeaderBytes + body.bytes.size() + Sha256::kDigestBytes);
  out.append(kMagic, sizeof(kMagic));
  out.number(kFormatVersion);
  out.number(uint64_t(kHeaderBytes + body.bytes.size() + Sha256::kDigestBytes));
  out.append(body.bytes.data(), body.bytes.size());
  Sha256::Digest digest = Sha256::hash(out.bytes.data(), out.bytes.size());
  out.append(digest.data(), digest.size());
  return std::move(out.bytes);
}

//===--------------------------------------------------------------------------------------------------------------===//
// Reading
//===--------------------------------------------------------------------------------------------------------------===//

// The least number of bytes that an encoded element takes, so that a count cannot ask for more memory than the file
// backs.
static constexpr size_t kExtentBytes = 24, kLeastBytes = 8;

template <typename T, typename DecodeElement>
static void decodeAll(ByteReader &in, std::vector<T> &elements, size_t elementBytes, DecodeElement decodeElement) {
  size_t count = in.count(elementBytes);
  for (size_t i = 0; i < count && !in.failed(); ++i)
    elements.push_back(decodeElement(in));
}

static Extent decodeExtent(ByteReader &in) {
  Extent extent;
  extent.divisor = in.number<int64_t>();
  extent.factor = in.number<int64_t>();
  extent.addend = in.number<int64_t>();
  return extent;
}

static Buffer decodeBuffer(ByteReader &in) {
  Buffer buffer;
  buffer.name = in.text();
  buffer.kind = in.enumerator(BufferKind::constant);
  buffer.element = in.enumerator(ElementType::u8);
  decodeAll(in, buffer.shape, sizeof(int64_t), [](ByteReader &in) { return in.number<int64_t>(); });
  buffer.bytes = decodeExtent(in);
  buffer.isWeight = in.flag();
  buffer.contents = in.blob();
  buffer.layout = in.enumerator(Layout::packed24);
  buffer.sparseAxis = in.number<uint8_t>();
  buffer.panel = in.number<uint32_t>();
  buffer.stage = in.number<int32_t>();
  buffer.stageResult = in.number<uint32_t>();
  return buffer;
}

static Kernel decodeKernel(ByteReader &in) {
  Kernel kernel;
  kernel.name = in.text();
  kernel.image = in.number<uint32_t>();
  kernel.threads = in.number<uint32_t>();
  kernel.sharedBytes = in.number<uint32_t>();
  return kernel;
}

static Argument decodeArgument(ByteReader &in) {
  Argument argument;
  argument.kind = in.enumerator(Argument::Kind::tensorMap);
  argument.index = in.number<uint32_t>();
  argument.extent = decodeExtent(in);
  return argument;
}

static TensorMap decodeTensorMap(ByteReader &in) {
  TensorMap map;
  map.buffer = in.number<uint32_t>();
  map.element = in.enumerator(ElementType::u8);
  decodeAll(in, map.extents, kExtentBytes, decodeExtent);
  decodeAll(in, map.strides, kExtentBytes, decodeExtent);
  decodeAll(in, map.box, sizeof(uint32_t), [](ByteReader &in) { return in.number<uint32_t>(); });
  map.swizzle128 = in.flag();
  return map;
}

static Launch decodeLaunch(ByteReader &in) {
  Launch launch;
  launch.kind = in.enumerator(Launch::Kind::copy);
  launch.kernel = in.number<uint32_t>();
  decodeAll(in, launch.arguments, kExtentBytes, decodeArgument);
  decodeAll(in, launch.tensorMaps, kExtentBytes, decodeTensorMap);
  launch.tiles = decodeExtent(in);
  launch.persistent = in.flag();
  launch.cluster = in.number<uint32_t>();
  launch.overlaps = in.flag();
  launch.buffer = in.number<uint32_t>();
  launch.source = in.number<uint32_t>();
  return launch;
}

static Image decodeImage(ByteReader &in) {
  Image image;
  image.name = in.text();
  image.cubin = in.blob();
  image.ptx = in.text();
  image.source = in.text();
  return image;
}

/// The image of the next number. A plan may use each once, so that no file can ask for much more memory than it backs.
static Image takeImage(ByteReader &in, const std::vector<Image> &images, std::vector<bool> &taken) {
  auto index = in.number<uint32_t>();
  if (in.failed() || index >= images.size() || taken[index]) {
    in.fail();
    return {};
  }
  taken[index] = true;
  return images[index];
}

static Specialization decodeSpecialization(ByteReader &in, const std::vector<Image> &images) {
  Specialization specialization;
  specialization.lastTokens = in.number<int64_t>();
  specialization.decidedFor = in.number<int64_t>();
  specialization.summary = in.text();
  Plan &plan = specialization.plan;
  decodeAll(in, plan.buffers, kLeastBytes, decodeBuffer);
  decodeAll(in, plan.kernels, kLeastBytes, decodeKernel);
  decodeAll(in, plan.launches, kLeastBytes, decodeLaunch);
  std::vector<bool> taken(images.size());
  decodeAll(in, plan.images, sizeof(uint32_t), [&](ByteReader &in) { return takeImage(in, images, taken); });
  plan.maxTokens = in.number<int64_t>();
  return specialization;
}

static Program decodeProgram(ByteReader &in) {
  std::string name = in.text(), target = in.text(), compiler = in.text(), spec = in.text();
  std::vector<Image> images;
  decodeAll(in, images, kLeastBytes, decodeImage);
  Program program;
  size_t count = in.count(kLeastBytes);
  if (count > Program::kMostSpecializations)
    in.fail();
  for (size_t i = 0; i < count && !in.failed(); ++i) {
    program.specializations.push_back(decodeSpecialization(in, images));
    Plan &plan = program.specializations.back().plan;
    plan.name = name;
    plan.target = target;
    plan.compiler = compiler;
    plan.spec = spec;
  }
  return program;
}

bool winnow::rt::isArtifact(const uint8_t *data, size_t size) {
  return size >= sizeof(kMagic) && std::memcmp(data, kMagic, sizeof(kMagic)) == 0;
}

Result<Program> winnow::rt::deserialize(const uint8_t *data, size_t size, const std::string &origin) {
  auto fail = [&](const std::string &reason) { return Error{fmt::format("cannot load '{}': {}", origin, reason)}; };
  if (!isArtifact(data, size))
    return fail("not a winnow artifact; expected a file written by winnow compile -o");
  ByteReader header(data + sizeof(kMagic), size - sizeof(kMagic));
  uint32_t version = header.number<uint32_t>();
  uint64_t length = header.number<uint64_t>();
  if (size >= sizeof(kMagic) + sizeof(version) && version != kFormatVersion)
    return fail(fmt::format("artifact format {} expected, got {}; compile the spec again with this winnow",
                            kFormatVersion, version));
  if (header.failed() || size < kHeaderBytes + Sha256::kDigestBytes)
    return fail(fmt::format("truncated artifact: expected at least {} bytes, got {}",
                            kHeaderBytes + Sha256::kDigestBytes, size));
  if (size < length)
    return fail(fmt::format("truncated artifact: expected {} bytes, got {}", length, size));
  if (size > length)
    return fail(fmt::format("corrupt artifact: expected {} bytes, got {}", length, size));
  size_t hashed = size - Sha256::kDigestBytes;
  Sha256::Digest digest = Sha256::hash(data, hashed);
  if (std::memcmp(digest.data(), data + hashed, digest.size()) != 0)
    return fail("corrupt artifact: its contents do not match its SHA-256; compile the spec again");

  ByteReader in(data + kHeaderBytes, hashed - kHeaderBytes);
  Program program = decodeProgram(in);
  if (in.failed() || in.remaining() != 0)
    return fail("malformed artifact: a field has a length or value that does not fit; compile the spec again");
  if (Status status = verify(program); !status)
    return fail("malformed artifact: " + status.message());
  return program;
}

Status winnow::rt::writeArtifact(const Program &program, const std::string &path) {
  if (Status status = verify(program); !status)
    return Error{fmt::format("cannot write '{}': {}", path, status.message())};
  std::vector<uint8_t> bytes = serialize(program);
  Result<bool> published = publishFile(path, bytes.data(), bytes.size());
  return published ? Status() : Status(published.error());
}

Result<Program> winnow::rt::readArtifact(const std::string &path) {
  Result<std::vector<uint8_t>> bytes = readFile(path);
  if (!bytes)
    return bytes.error();
  return deserialize(bytes->data(), bytes->size(), path);
}
