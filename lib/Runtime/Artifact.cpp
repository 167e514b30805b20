//===- Artifact.cpp - a plan as a file ----------------------------------------------------------------------------===//
//
// Layout, all numbers little-endian:
//   8 bytes   magic
//   u32       format version
//   u64       length of the whole file
//   …         the plan: fields in the order of Plan.h; sequences as a u64 count and the elements
//   32 bytes  SHA-256 of all that precedes
// `encode` and `decode` name every field once, in the same order.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "winnow/Runtime/Artifact.h"

#include "ByteStream.h"
#include "winnow/Runtime/PlanVerifier.h"
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

static void encode(ByteWriter &out, const Extent &extent) {
  out.number(extent.divisor);
  out.number(extent.factor);
  out.number(extent.addend);
}

static void encode(ByteWriter &out, const Buffer &buffer) {
  out.text(buffer.name);
  out.number(uint8_t(buffer.kind));
  out.number(uint8_t(buffer.element));
  encodeAll(out, buffer.shape, [](ByteWriter &out, int64_t extent) { out.number(extent); });
  encode(out, buffer.bytes);
  out.flag(buffer.isWeight);
  out.blob(buffer.contents.data(), buffer.contents.size());
}

static void encode(ByteWriter &out, const Kernel &kernel) {
  out.text(kernel.name);
  out.number(kernel.image);
  out.number(kernel.threads);
  out.number(kernel.sharedBytes);
}

static void encode(ByteWriter &out, const Argument &argument) {
  out.number(uint8_t(argument.kind));
  out.number(argument.index);
  encode(out, argument.extent);
}

static void encode(ByteWriter &out, const TensorMap &map) {
  auto encodeExtent = [](ByteWriter &out, const Extent &extent) { encode(out, extent); };
  out.number(map.buffer);
  out.number(uint8_t(map.element));
  encodeAll(out, map.extents, encodeExtent);
  encodeAll(out, map.strides, encodeExtent);
  encodeAll(out, map.box, [](ByteWriter &out, uint32_t extent) { out.number(extent); });
  out.flag(map.swizzle128);
}

static void encode(ByteWriter &out, const Launch &launch) {
  out.number(uint8_t(launch.kind));
  out.number(launch.kernel);
  encodeAll(out, launch.arguments, [](ByteWriter &out, const Argument &argument) { encode(out, argument); });
  encodeAll(out, launch.tensorMaps, [](ByteWriter &out, const TensorMap &map) { encode(out, map); });
  encode(out, launch.tiles);
  out.flag(launch.persistent);
  out.number(launch.buffer);
  out.number(launch.source);
}

static void encode(ByteWriter &out, const Image &image) {
  out.text(image.name);
  out.blob(image.cubin.data(), image.cubin.size());
  out.text(image.ptx);
  out.text(image.source);
}

std::vector<uint8_t> winnow::rt::serialize(const Plan &plan) {
  ByteWriter body;
  body.text(plan.name);
  body.text(plan.target);
  body.text(plan.compiler);
  body.text(plan.spec);
  encodeAll(body, plan.buffers, [](ByteWriter &out, const Buffer &buffer) { encode(out, buffer); });
  encodeAll(body, plan.kernels, [](ByteWriter &out, const Kernel &kernel) { encode(out, kernel); });
  encodeAll(body, plan.launches, [](ByteWriter &out, const Launch &launch) { encode(out, launch); });
  encodeAll(body, plan.images, [](ByteWriter &out, const Image &image) { encode(out, image); });
  body.number(plan.maxTokens);

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

Result<Plan> winnow::rt::deserialize(const uint8_t *data, size_t size, const std::string &origin) {
  auto fail = [&](const std::string &reason) { return Error{fmt::format("cannot load '{}': {}", origin, reason)}; };
  if (size < sizeof(kMagic) || std::memcmp(data, kMagic, sizeof(kMagic)) != 0)
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
