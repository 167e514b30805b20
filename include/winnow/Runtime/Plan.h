//===- Plan.h - what a compiled FFN is made of --------------------------------------------------------------------===//
//
// Plain data shared by the compiler, which fills it in, and the runtime, which carries it out. Knows nothing of MLIR or
// CUDA headers. The only run-time unknown is the token count T; everything that depends on it is an Extent.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef WINNOW_RUNTIME_PLAN_H
#define WINNOW_RUNTIME_PLAN_H

#include "winnow/Runtime/ElementType.h"

#include <cstdint>
#include <string>
#include <vector>

namespace winnow::rt {

/// ceil(T / divisor) * factor + addend; the constant `addend` where divisor is 0.
struct Extent {
  int64_t divisor = 0;
  int64_t factor = 0;
  int64_t addend = 0;

  static Extent constant(int64_t value) { return {0, 0, value}; }
  static Extent tokens(int64_t factor = 1) { return {1, factor, 0}; }
  bool isConstant() const { return divisor == 0; }
  int64_t evaluate(int64_t tokens) const {
    return divisor == 0 ? addend : (tokens + divisor - 1) / divisor * factor + addend;
  }
};

/// Where a buffer's memory comes from: the caller (input, output), the workspace handed to `execute`, or the plan
/// itself (constant: `Buffer::contents`, copied to the device once, when the plan is loaded; never written by a
/// launch).
enum class BufferKind : uint8_t { input, output, workspace, constant };

/// How a buffer's elements lie in memory (docs/kernels.md, "Buffer layouts").
enum class Layout : uint8_t { rowMajor, transposed, packed24 };

struct Buffer {
  std::string name; ///< argument name for inputs and outputs, for messages
  BufferKind kind = BufferKind::workspace;
  ElementType element = ElementType::u8;
  std::vector<int64_t> shape;    ///< logical; -1 is the token count
  Extent bytes;                  ///< size in memory, padding of the layout included
  bool isWeight = false;         ///< contents do not change from call to call
  std::vector<uint8_t> contents; ///< constant: exactly `bytes` bytes; else empty
  Layout layout = Layout::rowMajor;
  uint8_t sparseAxis = 1;   ///< packed24: compressed along this axis
  uint32_t panel = 0;       ///< packed24: rows per panel
  int32_t stage = -1;       ///< holds a result of this ffn.kernel, counted in order from 0; -1: of none
  uint32_t stageResult = 0; ///< which result of it
};

/// A CUtensorMap to be encoded from a buffer at launch (PTX ISA, "Tensors"; cuTensorMapEncodeTiled).
struct TensorMap {
  uint32_t buffer = 0;
  ElementType element = ElementType::u8; ///< u8 for f8
  std::vector<Extent> extents;           ///< innermost first, in elements
  std::vector<Extent> strides;           ///< of dimensions 1.., in bytes, multiples of 16
  std::vector<uint32_t> box;             ///< innermost first, in elements
  bool swizzle128 = true;                ///< 128-byte swizzle, else none
};

/// One kernel parameter, in declaration order.
struct Argument {
  enum class Kind : uint8_t { pointer, extent, tensorMap } kind = Kind::pointer;
  uint32_t index = 0; ///< pointer: into Plan::buffers; tensorMap: into Launch::tensorMaps
  Extent extent;      ///< extent: an int32 parameter
};

struct Kernel {
  std::string name;         ///< extern "C" symbol in `image`
  uint32_t image = 0;       ///< into Plan::images
  uint32_t threads = 0;     ///< per CTA
  uint32_t sharedBytes = 0; ///< dynamic shared memory
};

struct Launch {
  enum class Kind : uint8_t { kernel, fillZero, copy } kind = Kind::kernel;
  uint32_t kernel = 0; ///< into Plan::kernels
  std::vector<Argument> arguments;
  std::vector<TensorMap> tensorMaps;
  Extent tiles;            ///< CTAs wanted
  bool persistent = false; ///< grid = min(tiles, multiprocessors), whole clusters; else grid = tiles
  uint32_t cluster = 1;    ///< CTAs of a cluster of the kernel
  bool overlaps = false;   ///< may begin before the launch before it has ended: the kernel itself waits for that
  uint32_t buffer = 0;     ///< fillZero, copy: the buffer written, into Plan::buffers
  uint32_t source = 0;     ///< copy: the buffer read, of the same size, into Plan::buffers
};

struct Image {
  std::string name;           ///< of the kernel or kernels inside
  std::vector<uint8_t> cubin; ///< ELF for Plan::target
  std::string ptx;
  std::string source; ///< CUDA C++ it was compiled from
};

/// A compiled function. Equal plans serialise to equal bytes.
struct Plan {
  std::string name;            ///< of the function
  std::string target;          ///< "sm_90a", "cpu", …
  std::string compiler;        ///< Winnow build id
  std::string spec;            ///< the ffn module that was compiled, as MLIR text
  std::vector<Buffer> buffers; ///< inputs in order, outputs in order, then workspace and constants
  std::vector<Kernel> kernels;
  std::vector<Launch> launches;
  std::vector<Image> images;
  int64_t maxTokens = INT32_MAX; ///< greatest token count the kernels can index
};

} // namespace winnow::rt

#endif // WINNOW_RUNTIME_PLAN_H
