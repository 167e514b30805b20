//===- Recording.cpp - streams, and what is recorded on them ------------------------------------------------------===//

#include "Recording.h"

using namespace emulator;

namespace {
thread_local int recordings = 0;
}

int emulator::enqueue(Stream *stream, Step step) {
  if (!stream || !stream->recording)
    return step();
  stream->recording->push_back(std::move(step));
  return 0;
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

int emulator::replay(const Recording &recording) {
  for (const Step &step : recording)
    if (int code = step())
      return code;
  return 0;
}
