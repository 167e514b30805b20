//===- CacheFile.cpp - one cache entry as bytes -------------------------------------------------------------------===//
//
// Layout, all numbers little-endian: 8 bytes magic, u32 format version, u64 length of the whole file, the fields of
// CacheFile each as a u64 length and its bytes, SHA-256 of all that precedes.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "CacheFile.h"

#include "winnow/Support/ByteStream.h"
#include "winnow/Support/Sha256.h"

#include <fmt/format.h>

using namespace winnow;
using namespace winnow::jit;

static constexpr char kMagic[8] = {'W', 'N', 'W', 'C', 'A', 'C', 'H', 'E'};
static constexpr uint32_t kFormatVersion = 1;
static constexpr size_t kHeaderBytes = sizeof(kMagic) + sizeof(uint32_t) + sizeof(uint64_t);

std::vector<uint8_t> winnow::jit::encodeCacheFile(const CacheFile &file) {
  ByteWriter body;
  for (const std::string *text : {&file.digest, &file.label, &file.target, &file.compiler, &file.build})
    body.text(*text);
  body.blob(file.image.cubin.data(), file.image.cubin.size());
  body.text(file.image.ptx);
  body.text(file.image.log);

  ByteWriter out;
  out.append(kMagic, sizeof(kMagic));
  out.number(kFormatVersion);
  out.number(uint64_t(kHeaderBytes + body.bytes.size() + Sha256::kDigestBytes));
  out.append(body.bytes.data(), body.bytes.size());
  Sha256::Digest hash = Sha256::hash(out.bytes.data(), out.bytes.size());
  out.append(hash.data(), hash.size());
  return std::move(out.bytes);
}

Result<CacheFile> winnow::jit::decodeCacheFile(const std::vector<uint8_t> &bytes, const std::string &digest) {
  if (bytes.size() < kHeaderBytes + Sha256::kDigestBytes)
    return Error{fmt::format("truncated: expected at least {} bytes, got {}", kHeaderBytes + Sha256::kDigestBytes,
                             bytes.size())};
  if (std::memcmp(bytes.data(), kMagic, sizeof(kMagic)) != 0)
    return Error{"not a cache entry"};
  ByteReader header(bytes.data() + sizeof(kMagic), kHeaderBytes - sizeof(kMagic));
  uint32_t version = header.number<uint32_t>();
  uint64_t length = header.number<uint64_t>();
  if (version != kFormatVersion)
    return Error{fmt::format("entry format {} expected, got {}", kFormatVersion, version)};
  if (length != bytes.size())
    return Error{fmt::format("{}: expected {} bytes, got {}", bytes.size() < length ? "truncated" : "corrupt", length,
                             bytes.size())};
  size_t hashed = bytes.size() - Sha256::kDigestBytes;
  Sha256::Digest hash = Sha256::hash(bytes.data(), hashed);
  if (std::memcmp(hash.data(), bytes.data() + hashed, hash.size()) != 0)
    return Error{"corrupt: its contents do not match its SHA-256"};

  ByteReader in(bytes.data() + kHeaderBytes, hashed - kHeaderBytes);
  CacheFile file;
  for (std::string *text : {&file.digest, &file.label, &file.target, &file.compiler, &file.build})
    *text = in.text();
  file.image.cubin = in.blob();
  file.image.ptx = in.text();
  file.image.log = in.text();
  if (in.failed() || in.remaining() != 0)
    return Error{"malformed: a field has a length that does not fit"};
  if (file.digest != digest)
    return Error{"misnamed: it holds the entry " + file.digest};
  return file;
}
