//===- Recording.h - streams, and what is recorded on them --------------------------------------------------------===//

#ifndef WINNOW_TEST_EMULATOR_RECORDING_H
#define WINNOW_TEST_EMULATOR_RECORDING_H

#include <functional>
#include <memory>
#include <vector>

namespace emulator {

/// A CUresult of the work itself.
using Step = std::function<int()>;
/// In the order in which it was enqueued.
using Recording = std::vector<Step>;

/// Work is done when it is enqueued, unless the stream is being recorded.
struct Stream {
  std::unique_ptr<Recording> recording; ///< null unless it is being recorded
};

/// Does `step`, or records it. `stream` may be null: the default stream, which cannot be recorded.
int enqueue(Stream *stream, Step step);
/// From now on what is enqueued is recorded; false if it is already.
bool beginRecording(Stream &stream);
/// Ends it; null if nothing was begun.
std::unique_ptr<Recording> endRecording(Stream &stream);
/// Whether the calling thread records on any stream: what would wait or allocate is an error then.
bool isRecording();
/// The first result that is not 0.
int replay(const Recording &recording);

} // namespace emulator

#endif // WINNOW_TEST_EMULATOR_RECORDING_H
