//===- Nvrtc.h - CUDA C++ to PTX and machine code -----------------------------------------------------------------===//
//
// NVRTC, found at run time (NVRTC reference, CUDA 12 and 13). Knows nothing of LLVM.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef WINNOW_JIT_NVRTC_H
#define WINNOW_JIT_NVRTC_H

#include "winnow/Support/Environment.h"
#include "winnow/Support/Result.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace winnow::jit {

/// One compiled source.
struct CompiledImage {
  std::vector<uint8_t> cubin; ///< ELF for the architecture asked for
  std::string ptx;
  std::string log; ///< warnings, and what ptxas says of every kernel

  bool operator==(const CompiledImage &other) const {
    return cubin == other.cubin && ptx == other.ptx && log == other.log;
  }
};

/// What ptxas says of one kernel.
struct KernelResources {
  std::string kernel;
  int registers = 0;  ///< per thread
  int barriers = 0;   ///< named barriers
  int stackBytes = 0; ///< per thread
  int spillStoreBytes = 0, spillLoadBytes = 0;

  bool spills() const { return spillStoreBytes > 0 || spillLoadBytes > 0; }
};

/// A compilation log, read.
struct CompileReport {
  std::vector<KernelResources> kernels;
  /// The notes C7510 to C7519: wgmma instructions that ptxas made wait for one another, each a large loss of speed.
  std::vector<std::string> serialisations;
};
CompileReport readLog(const std::string &log);

/// The NVRTC library. Immutable once loaded; any number of threads may compile at once.
class Nvrtc {
public:
  /// Where NVRTC may be, best first. WINNOW_NVRTC, where set, alone; else the dynamic linker's choice, $CUDA_HOME,
  /// /usr/local/cuda, and the pip wheels nvidia-cuda-nvrtc of $VIRTUAL_ENV, of the python3 on $PATH, of ~/.local and of
  /// the system. A search pattern that finds nothing stands for itself, so that a message lists it.
  static std::vector<std::string> candidates(const Environment &environment);

  /// What `load(candidates(environment))` depends on, without opening anything, which takes ten milliseconds and more:
  /// for every place where NVRTC may be what file is there (device, inode, size, time of its last change), and when the
  /// dynamic linker's own list was made. Another library, or one more, gives another text.
  static std::string fingerprint(const Environment &environment);

  /// Opens the first candidate that opens. The error names each and why it did not serve.
  static Result<std::shared_ptr<const Nvrtc>> load(const std::vector<std::string> &candidates);
  static Result<std::shared_ptr<const Nvrtc>> load() { return load(candidates(Environment::read())); }

  /// Path of the library that was opened.
  const std::string &library() const { return openedLibrary; }
  /// "13.0".
  const std::string &version() const { return versionText; }

  /// The options that every compilation for `target` ("sm_90a") starts with; part of a cache key.
  std::vector<std::string> baseOptions(const std::string &target) const;

  /// Compiles `source`, which includes nothing, to PTX and machine code. `name` stands for the file in messages. An
  /// error holds NVRTC's log.
  Result<CompiledImage> compile(const std::string &source, const std::string &name, const std::string &target,
                                const std::vector<std::string> &extraOptions = {}) const;

private:
  struct EntryPoints;
  Nvrtc() = default;

  std::shared_ptr<const EntryPoints> entryPoints;
  std::string openedLibrary, versionText;
  int majorVersion = 0, minorVersion = 0;
};

} // namespace winnow::jit

#endif // WINNOW_JIT_NVRTC_H
