//===- Recording.cpp - streams, and what is recorded on them ------------------------------------------------------===//

#include "Recording.h"

#include <algorithm>
#include <mutex>

using namespace emulator;

namespace {
thread_local int recordings = 0;

/// All streams of the process; one at a time does something.
struct Streams {
  std::recursive_mutex mutex;
  std::vector<Stream *> all;
};
Streams &streams() {
  static Streams *const streams = new Streams; // outlives every other static
  return *streams;
}
Stream &defaultStream() {
  static Stream *const stream = new Stream;
  return *stream;
}

/// Brings the kernels of a stream to their end.
std::string finishStream(Stream &stream) {
  Before held = std::move(stream.held);
  stream.held = nullptr;
  return held ? held() : "";
}

Outcome carryOut(Stream &stream, const Step &step) {
  if (step.launch && step.overlaps && stream.held) {
    stream.held = [launch = step.launch, before = std::move(stream.held)] { return launch(before); };
    return {};
  }
  if (std::string wrong = finishStream(stream); !wrong.empty())
    return {0, wrong};
  if (!step.launch)
    return {step.act(), ""};
  stream.held = [launch = step.launch] { return launch(nullptr); };
  return {};
}
} // namespace

Stream::Stream() {
  std::lock_guard<std::recursive_mutex> lock(streams().mutex);
  streams().all.push_back(this);
}
Stream::~Stream() {
  std::lock_guard<std::recursive_mutex> lock(streams().mutex);
  std::vector<Stream *> &all = streams().all;
  all.erase(std::find(all.begin(), all.end(), this));
}

Outcome emulator::enqueue(Stream *stream, Step step) {
  std::lock_guard<std::recursive_mutex> lock(streams().mutex);
  Stream &used = stream ? *stream : defaultStream();
  if (!used.recording)
    return carryOut(used, step);
  used.recording->push_back(std::move(step));
  return {};
}

Outcome emulator::finish() {
  std::lock_guard<std::recursive_mutex> lock(streams().mutex);
  Outcome outcome;
  for (Stream *stream : streams().all)
    if (std::string wrong = finishStream(*stream); outcome.wrong.empty())
      outcome.wrong = wrong;
  return outcome;
}

bool emulator::beginRecording(Stream &stream) {
  if (stream.recording)
    return false;
  stream.recording = std::make_unique<Recording>();
  ++recordings;
  return true;
}

std::unique_ptr<Recording> emulator::endRecording(Stream &stream) {
  if (stream.recording)
    --recordings;
  return std::move(stream.recording);
}

bool emulator::isRecording() { return recordings > 0; }

Outcome emulator::replay(const Recording &recording, Stream *stream) {
  std::lock_guard<std::recursive_mutex> lock(streams().mutex);
  for (const Step &step : recording)
    if (Outcome outcome = carryOut(stream ? *stream : defaultStream(), step); outcome.code || !outcome.wrong.empty())
      return outcome;
  return {};
}
