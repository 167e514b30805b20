//===- JaxProgram.h - what XLA's custom calls run -----------------------------------------------------------------===//
//
// A custom call in an XLA executable names its program by a key, a digest of what was compiled: an address would mean
// something else in the next process, and XLA executables outlive theirs (the persistent compilation cache, export).
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef WINNOW_PYTHON_JAXPROGRAM_H
#define WINNOW_PYTHON_JAXPROGRAM_H

#include "Owners.h"

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace winnow::python {

/// An array of a call: host or device memory, which stays the caller's.
struct CallArray {
  winnow_element_type element;
  std::vector<int64_t> shape;
  void *data;
};

/// A function that runs on the CPU, by the reference, and on CUDA devices, once it has an artifact. May be called by
/// several threads at once. Functions throw Failure.
class JaxProgram {
public:
  /// `text`: the spec. `entry`: its function.
  JaxProgram(const std::string &text, const std::string &entry);
  JaxProgram(const JaxProgram &) = delete;

  /// The compiled kernels. Later ones are ignored: a key stands for one artifact.
  void setArtifact(std::string bytes);

  /// Evaluates the reference. `outputs` are written.
  void runOnCpu(const std::vector<CallArray> &inputs, const std::vector<CallArray> &outputs);
  /// Loads the artifact on a CUDA device, where it is not there yet.
  void load(int device);
  /// Enqueues the kernels on `stream`. `workspace` is memory of the device of `workspaceBytes` bytes, of any alignment;
  /// its first bytes are left out where it is not aligned.
  void runOnCuda(int device, void *stream, const std::vector<CallArray> &inputs, const std::vector<CallArray> &outputs,
                 uint64_t workspace, int64_t workspaceBytes);

  size_t inputCount() const { return inputs; }
  size_t outputCount() const { return signature.size() - inputs; }

private:
  struct Parameter {
    std::string name;
    winnow_element_type element;
    std::vector<int64_t> shape; ///< -1: the token count
  };

  /// The token count of the arrays, which are checked against the signature.
  int64_t checkArrays(const std::vector<CallArray> &given, const std::vector<CallArray> &results) const;
  const winnow_executable *executable(int device);

  std::string entry;
  ContextOwner context;
  ModuleOwner module;
  std::vector<Parameter> signature; ///< inputs, then outputs
  size_t inputs = 0;

  std::mutex mutex; ///< guards what follows
  std::string artifact;
  std::map<int, ExecutableOwner> executables; ///< by device
};

/// The program called `key`, made from `text` and `entry` where there is none yet. Programs live as long as the
/// process, since XLA's executables refer to them by key and do not say when they go; one is the text, its parsed form
/// and, once compiled, some 100 kB of kernels.
std::shared_ptr<JaxProgram> addJaxProgram(const std::string &key, const std::string &text, const std::string &entry);
/// Null where there is none.
std::shared_ptr<JaxProgram> findJaxProgram(const std::string &key);

} // namespace winnow::python

#endif // WINNOW_PYTHON_JAXPROGRAM_H
