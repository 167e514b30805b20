//===- PlanVerifier.cpp - is a plan well formed? ------------------------------------------------------------------===//

#include "winnow/Runtime/PlanVerifier.h"

#include <fmt/format.h>

using namespace winnow;
using namespace winnow::rt;

namespace {

/// No extent, and no sum of 2^16 of them, overflows 64 bits below this.
constexpr int64_t kGreatestExtent = int64_t(1) << 46;
constexpr int64_t kGreatestDivisor = int64_t(1) << 31;
constexpr uint32_t kGreatestCta = 1024;
/// cuTensorMapEncodeTiled.
constexpr size_t kGreatestRank = 5;
constexpr uint32_t kGreatestCluster = 16; ///< CTAs that a kernel may ask for (CUDA, "Thread block clusters")
constexpr uint32_t kGreatestBox = 256;
constexpr int64_t kStrideAlignment = 16;
constexpr int64_t kSwizzleBytes = 128;
/// Of a packed24 buffer: what one warpgroup's wgmma.sp reads at once.
constexpr uint32_t kRowsPerBlock = 64;

class Verifier {
public:
  explicit Verifier(const Plan &plan) : plan(plan) {}

  Status run() {
    if (plan.maxTokens < 1 || plan.maxTokens > INT32_MAX)
      return fail("the plan", "maxTokens", fmt::format("1 to {}", INT32_MAX), plan.maxTokens);
    if (plan.target.empty())
      return fail("the plan", "target", "a name such as sm_90a", "nothing");
    for (size_t i = 0; i < plan.buffers.size(); ++i)
      if (Status status = verifyBuffer(i); !status)
        return status;
    for (size_t i = 0; i < plan.kernels.size(); ++i)
      if (Status status = verifyKernel(i); !status)
        return status;
    for (size_t i = 0; i < plan.launches.size(); ++i)
      if (Status status = verifyLaunch(i); !status)
        return status;
    return {};
  }

private:
  template <typename Expected, typename Got>
  static Status fail(const std::string &where, const std::string &what, const Expected &expected, const Got &got) {
    return Error{fmt::format("{} is malformed: {}: expected {}, got {}", where, what, expected, got)};
  }

  std::string bufferName(size_t index) const {
    return fmt::format("buffer {} ('{}')", index, plan.buffers[index].name);
  }

  /// The extent is at least `least` and free of overflow for every token count from 1 to maxTokens.
  Status verifyExtent(const Extent &extent, int64_t least, const std::string &where, const std::string &what) const {
    if (extent.divisor < 0 || extent.divisor > kGreatestDivisor)
      return fail(where, what + ": divisor", fmt::format("0 to {}", kGreatestDivisor), extent.divisor);
    if (extent.factor < 0 || extent.factor > kGreatestExtent)
      return fail(where, what + ": factor", fmt::format("0 to {}", kGreatestExtent), extent.factor);
    if (extent.addend < -kGreatestExtent || extent.addend > kGreatestExtent)
      return fail(where, what + ": addend", fmt::format("-{0} to {0}", kGreatestExtent), extent.addend);
    // The factor is not negative, so the extent is least at one token and greatest at maxTokens.
    if (int64_t first = extent.evaluate(1); first < least)
      return fail(where, what + " at 1 token", fmt::format("at least {}", least), first);
    if (extent.isConstant())
      return {};
    int64_t product = 0;
    int64_t steps = (plan.maxTokens + extent.divisor - 1) / extent.divisor;
    if (__builtin_mul_overflow(steps, extent.factor, &product) || product + extent.addend > kGreatestExtent)
      return fail(where, fmt::format("{} at {} tokens", what, plan.maxTokens),
                  fmt::format("at most {}", kGreatestExtent), "more");
    return {};
  }

  Status verifyBuffer(size_t index) const {
    const Buffer &buffer = plan.buffers[index];
    std::string where = bufferName(index);
    if (buffer.kind > BufferKind::constant)
      return fail(where, "kind", "0 to 3", unsigned(buffer.kind));
    if (buffer.element > ElementType::u8)
      return fail(where, "element type", "0 to 7", unsigned(buffer.element));
    auto group = [](BufferKind kind) { return kind == BufferKind::input ? 0 : kind == BufferKind::output ? 1 : 2; };
    if (index > 0 && group(buffer.kind) < group(plan.buffers[index - 1].kind))
      return fail(where, "order", "inputs, then outputs, then the rest", "another order");
    for (int64_t extent : buffer.shape)
      if (extent < -1 || extent > kGreatestExtent)
        return fail(where, "shape", fmt::format("-1 to {}", kGreatestExtent), extent);
    if (Status status = verifyExtent(buffer.bytes, 0, where, "size"); !status)
      return status;
    if (Status status = verifyLayout(buffer, where); !status)
      return status;
    if (buffer.kind == BufferKind::constant) {
      if (!buffer.bytes.isConstant())
        return fail(where, "size", "the same for every token count", "one that depends on it");
      if (static_cast<int64_t>(buffer.contents.size()) != buffer.bytes.addend)
        return fail(where, "contents", fmt::format("{} bytes", buffer.bytes.addend), buffer.contents.size());
    } else if (!buffer.contents.empty()) {
      return fail(where, "contents", "none, for it is no constant", fmt::format("{} bytes", buffer.contents.size()));
    }
    return {};
  }

  static Status verifyLayout(const Buffer &buffer, const std::string &where) {
    if (buffer.layout > Layout::packed24)
      return fail(where, "layout", "0 to 2", unsigned(buffer.layout));
    if (buffer.stage < -1)
      return fail(where, "stage", "at least -1", buffer.stage);
    if (buffer.layout != Layout::packed24)
      return {};
    if (buffer.sparseAxis > 1)
      return fail(where, "sparse axis", "0 or 1", unsigned(buffer.sparseAxis));
    if (buffer.panel == 0 || buffer.panel % kRowsPerBlock != 0)
      return fail(where, "panel", fmt::format("a multiple of {} rows", kRowsPerBlock), buffer.panel);
    if (buffer.shape.size() != 2)
      return fail(where, "rank", "2, for it is compressed", buffer.shape.size());
    return {};
  }

  Status verifyKernel(size_t index) const {
    const Kernel &kernel = plan.kernels[index];
    std::string where = fmt::format("kernel {} ('{}')", index, kernel.name);
    if (kernel.name.empty())
      return fail(where, "name", "a symbol", "nothing");
    if (kernel.image >= plan.images.size())
      return fail(where, "image", fmt::format("less than {}", plan.images.size()), kernel.image);
    if (kernel.threads < 1 || kernel.threads > kGreatestCta)
      return fail(where, "threads", fmt::format("1 to {}", kGreatestCta), kernel.threads);
    if (kernel.sharedBytes > INT32_MAX)
      return fail(where, "shared memory", fmt::format("at most {} bytes", INT32_MAX), kernel.sharedBytes);
    return {};
  }

  Status verifyLaunch(size_t index) const {
    const Launch &launch = plan.launches[index];
    std::string where = fmt::format("launch {}", index);
    switch (launch.kind) {
    case Launch::Kind::kernel:
      return verifyKernelLaunch(launch, where);
    case Launch::Kind::fillZero:
      return verifyWritten(launch.buffer, where);
    case Launch::Kind::copy:
      return verifyCopy(launch, where);
    }
    return fail(where, "kind", "0 to 2", unsigned(launch.kind));
  }

  Status verifyIndex(uint32_t buffer, const std::string &where, const char *what) const {
    if (buffer >= plan.buffers.size())
      return fail(where, what, fmt::format("less than {}", plan.buffers.size()), buffer);
    return {};
  }

  Status verifyWritten(uint32_t buffer, const std::string &where) const {
    if (Status status = verifyIndex(buffer, where, "buffer"); !status)
      return status;
    BufferKind kind = plan.buffers[buffer].kind;
    if (kind != BufferKind::output && kind != BufferKind::workspace)
      return fail(where, "buffer", "an output or workspace to write to", bufferName(buffer));
    return {};
  }

  Status verifyCopy(const Launch &launch, const std::string &where) const {
    if (Status status = verifyWritten(launch.buffer, where); !status)
      return status;
    if (Status status = verifyIndex(launch.source, where, "source"); !status)
      return status;
    if (launch.source == launch.buffer)
      return fail(where, "source", "another buffer than the one written", bufferName(launch.source));
    const Extent &from = plan.buffers[launch.source].bytes, &to = plan.buffers[launch.buffer].bytes;
    for (int64_t tokens : {int64_t(1), plan.maxTokens})
      if (from.evaluate(tokens) != to.evaluate(tokens))
        return fail(where, fmt::format("source at {} tokens", tokens), fmt::format("{} bytes", to.evaluate(tokens)),
                    from.evaluate(tokens));
    return {};
  }

  Status verifyKernelLaunch(const Launch &launch, const std::string &where) const {
    if (launch.kernel >= plan.kernels.size())
      return fail(where, "kernel", fmt::format("less than {}", plan.kernels.size()), launch.kernel);
    std::string named = fmt::format("{} ('{}')", where, plan.kernels[launch.kernel].name);
    if (Status status = verifyExtent(launch.tiles, 1, named, "tiles"); !status)
      return status;
    if (launch.cluster < 1 || launch.cluster > kGreatestCluster)
      return fail(named, "cluster", fmt::format("1 to {} CTAs", kGreatestCluster), launch.cluster);
    if (launch.tiles.factor % launch.cluster != 0 || launch.tiles.addend % launch.cluster != 0)
      return fail(named, "tiles", fmt::format("whole clusters of {}", launch.cluster),
                  fmt::format("multiples of {} and {}", launch.tiles.factor, launch.tiles.addend));
    for (size_t i = 0; i < launch.arguments.size(); ++i)
      if (Status status = verifyArgument(launch, launch.arguments[i], fmt::format("{}, argument {}", named, i));
          !status)
        return status;
    for (size_t i = 0; i < launch.tensorMaps.size(); ++i)
      if (Status status = verifyTensorMap(launch.tensorMaps[i], fmt::format("{}, tensor map {}", named, i)); !status)
        return status;
    return {};
  }

  Status verifyArgument(const Launch &launch, const Argument &argument, const std::string &where) const {
    switch (argument.kind) {
    case Argument::Kind::pointer:
      return verifyIndex(argument.index, where, "buffer");
    case Argument::Kind::extent:
      return verifyExtent(argument.extent, INT32_MIN, where, "value");
    case Argument::Kind::tensorMap:
      if (argument.index >= launch.tensorMaps.size())
        return fail(where, "tensor map", fmt::format("less than {}", launch.tensorMaps.size()), argument.index);
      return {};
    }
    return fail(where, "kind", "0 to 2", unsigned(argument.kind));
  }

  Status verifyTensorMap(const TensorMap &map, const std::string &where) const {
    if (Status status = verifyIndex(map.buffer, where, "buffer"); !status)
      return status;
    if (map.element != ElementType::u8 && map.element != ElementType::bf16 && map.element != ElementType::f16 &&
        map.element != ElementType::f32 && map.element != ElementType::i32)
      return fail(where, "element type", "u8, i32, bf16, f16 or f32", "another");
    size_t rank = map.extents.size();
    if (rank < 1 || rank > kGreatestRank)
      return fail(where, "rank", fmt::format("1 to {}", kGreatestRank), rank);
    if (map.strides.size() != rank - 1)
      return fail(where, "strides", fmt::format("{}, one less than extents", rank - 1), map.strides.size());
    if (map.box.size() != rank)
      return fail(where, "box extents", fmt::format("{}, as many as extents", rank), map.box.size());
    for (size_t i = 0; i < rank; ++i) {
      if (Status status = verifyExtent(map.extents[i], 1, where, fmt::format("extent {}", i)); !status)
        return status;
      if (map.box[i] < 1 || map.box[i] > kGreatestBox)
        return fail(where, fmt::format("box extent {}", i), fmt::format("1 to {}", kGreatestBox), map.box[i]);
    }
    for (size_t i = 0; i + 1 < rank; ++i) {
      const Extent &stride = map.strides[i];
      if (Status status = verifyExtent(stride, 1, where, fmt::format("stride {}", i)); !status)
        return status;
      if (stride.addend % kStrideAlignment != 0 || (!stride.isConstant() && stride.factor % kStrideAlignment != 0))
        return fail(where, fmt::format("stride {}", i), fmt::format("a multiple of {} bytes", kStrideAlignment),
                    stride.isConstant() ? stride.addend : stride.evaluate(1));
    }
    int64_t inner = map.box[0] * elementBytes(map.element);
    if (inner % kStrideAlignment != 0)
      return fail(where, "inner box extent", fmt::format("a multiple of {} bytes", kStrideAlignment), inner);
    if (map.swizzle128 && inner > kSwizzleBytes)
      return fail(where, "inner box extent", fmt::format("at most {} bytes", kSwizzleBytes), inner);
    return {};
  }

  const Plan &plan;
};

} // namespace

Status winnow::rt::verify(const Plan &plan) { return Verifier(plan).run(); }
