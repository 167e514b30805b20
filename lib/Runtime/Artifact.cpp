//===- Artifact.cpp - a plan as a file ----------------------------------------------------------------------------===//
//
// Layout, all numbers little-endian:
//   8 bytes   magic
//   u32       format version
//   u64       length of the whole file
//   …         the plan: fields in the order of Plan.h; sequences as a u64 count and the elements
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

using namespace winnow;
using namespace winnow::rt;

static constexpr char kMagic[8] = {'W', 'I', 'N', 'N', 'O', 'W', '\r', '\n'};
static constexpr uint32_t kFormatVersion = 1;
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
  const auto &[kind, kernel, arguments, tensorMaps, tiles, persistent, buffer, source] = value;
  out.number(uint8_t(kind));
  out.number(kernel);
  encodeAll(out, arguments, [](ByteWriter &out, const Argument &argument) { encode(out, argument); });
  encodeAll(out, tensorMaps, [](ByteWriter &out, const TensorMap &map) { encode(out, map); });
  encode(out, tiles);
  out.flag(persistent);
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

static void encode(ByteWriter &out, const Plan &value) {
  const auto &[name, target, compiler, spec, buffers, kernels, launches, images, maxTokens] = value;
  out.text(name);
  out.text(target);
  out.text(compiler);
  out.text(spec);
  encodeAll(out, buffers, [](ByteWriter &out, const Buffer &buffer) { encode(out, buffer); });
  encodeAll(out, kernels, [](ByteWriter &out, const Kernel &kernel) { encode(out, kernel); });
  encodeAll(out, launches, [](ByteWriter &out, const Launch &launch) { encode(out, launch); });
  encodeAll(out, images, [](ByteWriter &out, const Image &image) { encode(out, image); });
  out.number(maxTokens);
}

std::vector<uint8_t> winnow::rt::serialize(const Plan &plan) {
  ByteWriter body;
  encode(body, plan);

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
static constexpr size_t kExtentBytes = 24;

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

static Plan decodePlan(ByteReader &in) {
  static constexpr size_t kLeastBytes = 8;
  Plan plan;
  plan.name = in.text();
  plan.target = in.text();
  plan.compiler = in.text();
  plan.spec = in.text();
  decodeAll(in, plan.buffers, kLeastBytes, decodeBuffer);
  decodeAll(in, plan.kernels, kLeastBytes, decodeKernel);
  decodeAll(in, plan.launches, kLeastBytes, decodeLaunch);
  decodeAll(in, plan.images, kLeastBytes, decodeImage);
  plan.maxTokens = in.number<int64_t>();
  return plan;
}

bool winnow::rt::isArtifact(const uint8_t *data, size_t size) {
  return size >= sizeof(kMagic) && std::memcmp(data, kMagic, sizeof(kMagic)) == 0;
}

Result<Plan> winnow::rt::deserialize(const uint8_t *data, size_t size, const std::string &origin) {
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
  Plan plan = decodePlan(in);
  if (in.failed() || in.remaining() != 0)
    return fail("malformed artifact: a field has a length or value that does not fit; compile the spec again");
  if (Status status = verify(plan); !status)
    return fail("malformed artifact: " + status.message());
  return plan;
}

Status winnow::rt::writeArtifact(const Plan &plan, const std::string &path) {
  if (Status status = verify(plan); !status)
    return Error{fmt::format("cannot write '{}': {}", path, status.message())};
  std::vector<uint8_t> bytes = serialize(plan);
  Result<bool> published = publishFile(path, bytes.data(), bytes.size());
  return published ? Status() : Status(published.error());
}

Result<Plan> winnow::rt::readArtifact(const std::string &path) {
  Result<std::vector<uint8_t>> bytes = readFile(path);
  if (!bytes)
    return bytes.error();
  return deserialize(bytes->data(), bytes->size(), path);
}
