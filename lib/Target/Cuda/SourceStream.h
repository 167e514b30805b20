//===- SourceStream.h - indented source text ----------------------------------------------------------------------===//

#ifndef WINNOW_LIB_TARGET_CUDA_SOURCESTREAM_H
#define WINNOW_LIB_TARGET_CUDA_SOURCESTREAM_H

#include "llvm/ADT/Twine.h"
#include "llvm/Support/raw_ostream.h"

#include <string>

namespace winnow::cuda {

/// Collects lines at the current indentation.
class SourceStream {
public:
  /// One line; an empty one is not indented.
  void line(const llvm::Twine &text = "") {
    std::string rendered = text.str();
    if (!rendered.empty())
      buffer.append(2 * depth, ' ');
    buffer += rendered + "\n";
  }
  std::string take() { return std::move(buffer); }

  /// Writes `open`, indents until destroyed, then writes `close`.
  class Scope {
  public:
    Scope(SourceStream &stream, const llvm::Twine &open, std::string close) : stream(stream), close(std::move(close)) {
      stream.line(open);
      ++stream.depth;
    }
    ~Scope() {
      --stream.depth;
      stream.line(close);
    }
    Scope(const Scope &) = delete;
    Scope &operator=(const Scope &) = delete;

  private:
    SourceStream &stream;
    std::string close;
  };

private:
  std::string buffer;
  unsigned depth = 0;
};

} // namespace winnow::cuda

#endif // WINNOW_LIB_TARGET_CUDA_SOURCESTREAM_H
