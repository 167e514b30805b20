//===- PreparedFolder.h - what winnow prepare writes --------------------------------------------------------------===//
//
// A folder with the spec that is left, one .npy file for each prepared tensor, and a manifest, prepared.json:
//
//   {"format": "winnow prepared weights", "version": 1, "build": …, "entry": …,
//    "spec": {"file": …, "bytes": …, "sha256": …},
//    "tensors": [{"name": …, "type": …, "file": …, "bytes": …, "sha256": …}, …]}
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef WINNOW_TOOLS_WINNOW_PREPAREDFOLDER_H
#define WINNOW_TOOLS_WINNOW_PREPAREDFOLDER_H

#include "winnow/Interpreter/Tensor.h"
#include "winnow/Support/Result.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <string>
#include <vector>

namespace winnow::tool {

class ProgressLine;

/// One file of the folder.
struct PreparedFile {
  std::string name; ///< of the argument that takes the tensor; empty for the spec
  std::string type; ///< of the tensor, as "1024x256xf8E4M3FN"
  std::string file; ///< without a folder
  uint64_t bytes = 0;
  std::string sha256; ///< lower-case hexadecimal
};

struct PreparedFolder {
  std::string path;
  std::string build; ///< of the Winnow that wrote it
  std::string entry;
  PreparedFile spec;
  std::vector<PreparedFile> tensors;

  /// Reads the manifest and checks that this version can use it; other files are not looked at.
  static Result<PreparedFolder> open(llvm::StringRef path);
  /// The text of the spec, if it is what was written.
  Result<std::string> readSpec() const;
  /// Whether every tensor's file is what was written. Reads them all.
  Status verify(ProgressLine &progress) const;
  /// The tensors in the form of --inputs: "name=path".
  std::vector<std::string> inputs() const;
};

/// What is to be written; tensors[i] is what the argument names[i] of the spec takes.
struct PreparedContents {
  std::string entry;
  std::string specFile; ///< name of the spec's file
  std::string specText;
  std::vector<std::string> names;
  std::vector<interp::Tensor> tensors;
};

/// Whether `path` may be written: it does not exist or, with `replace`, holds what `winnow prepare` has written and
/// nothing else.
Status checkPreparedTarget(llvm::StringRef path, bool replace);

/// Writes the folder `path` whole or not at all: under a hidden name beside it, which it then changes at once. Replaces
/// what was there only with `replace`.
Status writePreparedFolder(llvm::StringRef path, bool replace, const PreparedContents &contents,
                           ProgressLine &progress);

} // namespace winnow::tool

#endif // WINNOW_TOOLS_WINNOW_PREPAREDFOLDER_H
