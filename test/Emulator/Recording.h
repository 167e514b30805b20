//===- Recording.h - streams, and what is recorded on them --------------------------------------------------------===//
//
// Launches may overlap: a kernel that is allowed to begin before the one before it has ended does so, as early as it
// can be. Nothing of a kernel happens before it is known that no such kernel follows; when one does, it begins first,
// and the one before it is carried out where it waits for it.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef WINNOW_TEST_EMULATOR_RECORDING_H
#define WINNOW_TEST_EMULATOR_RECORDING_H

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace emulator {

/// Carries out kernels. Returns what went wrong, or "".
using Before = std::function<std::string()>;

/// A kernel, or anything else.
struct Step {
  std::function<int()> act;                                ///< its result is a CUresult
  std::function<std::string(const Before &before)> launch; ///< a kernel, which carries out what it overlaps
  bool overlaps = false;
};
/// In the order in which it was enqueued.
using Recording = std::vector<Step>;

/// Work is done when it is enqueued, but for kernels, and unless the stream is being recorded.
struct Stream {
  std::unique_ptr<Recording> recording; ///< null unless it is being recorded
  Before held;                          ///< kernels that have not begun

  Stream();
  ~Stream();
};

/// What became of the kernels that a call brought to an end, and of the call itself.
struct Outcome {
  int code = 0;
  std::string wrong; ///< of kernels
};

/// Carries out `step`, or records it. `stream` may be null: the default stream, which cannot be recorded.
Outcome enqueue(Stream *stream, Step step);
/// Brings all kernels on all streams to their end.
Outcome finish();
/// From now on what is enqueued is recorded; false if it is already.
bool beginRecording(Stream &stream);
/// Ends it; null if nothing was begun.
std::unique_ptr<Recording> endRecording(Stream &stream);
/// Whether the calling thread records on any stream: what would wait or allocate is an error then.
bool isRecording();
/// Up to the first that fails.
Outcome replay(const Recording &recording, Stream *stream);

} // namespace emulator

#endif // WINNOW_TEST_EMULATOR_RECORDING_H
