//===- FakeNvrtc.cpp - an NVRTC for tests -------------------------------------------------------------------------===//

#include "FakeNvrtc.h"

#include <cstring>

using fakenvrtc::State;

extern "C" State *fakeNvrtcState() {
  static State state;
  return &state;
}

/// The entry point returns at once where the test wants it to fail.
#define ENTER(name)                                                                                                    \
  State &state = *fakeNvrtcState();                                                                                    \
  std::lock_guard<std::mutex> lock(state.mutex);                                                                       \
  if (auto failure = state.failures.find(#name); failure != state.failures.end())                                      \
    return failure->second;

namespace {
struct Program {
  std::string source;
};
} // namespace

extern "C" {

const char *nvrtcGetErrorString(int code) { return code == 6 ? "NVRTC_ERROR_COMPILATION" : "NVRTC_ERROR_OTHER"; }

int nvrtcVersion(int *major, int *minor) {
  ENTER(nvrtcVersion)
  *major = state.major;
  *minor = state.minor;
  return 0;
}
int nvrtcCreateProgram(void **program, const char *source, const char *name, int headers, const char *const *,
                       const char *const *) {
  ENTER(nvrtcCreateProgram)
  state.source = source;
  state.name = name;
  ++state.livePrograms;
  *program = new Program{source};
  return headers == 0 ? 0 : 3;
}
int nvrtcDestroyProgram(void **program) {
  ENTER(nvrtcDestroyProgram)
  --state.livePrograms;
  delete static_cast<Program *>(*program);
  *program = nullptr;
  return 0;
}
int nvrtcCompileProgram(void *, int count, const char *const *options) {
  ENTER(nvrtcCompileProgram)
  state.options.assign(options, options + count);
  return 0;
}
int nvrtcGetPTXSize(void *program, size_t *size) {
  ENTER(nvrtcGetPTXSize)
  *size = 8 + static_cast<Program *>(program)->source.size();
  return 0;
}
int nvrtcGetPTX(void *program, char *text) {
  ENTER(nvrtcGetPTX)
  std::strcpy(text, ("PTX of " + static_cast<Program *>(program)->source).c_str());
  return 0;
}
int nvrtcGetCUBINSize(void *, size_t *size) {
  ENTER(nvrtcGetCUBINSize)
  *size = state.cubin.size();
  return 0;
}
#ifndef FAKE_NVRTC_WITHOUT_CUBIN
int nvrtcGetCUBIN(void *, char *bytes) {
  ENTER(nvrtcGetCUBIN)
  std::memcpy(bytes, state.cubin.data(), state.cubin.size());
  return 0;
}
#endif
int nvrtcGetProgramLogSize(void *, size_t *size) {
  ENTER(nvrtcGetProgramLogSize)
  *size = state.log.size() + 1;
  return 0;
}
int nvrtcGetProgramLog(void *, char *text) {
  ENTER(nvrtcGetProgramLog)
  std::strcpy(text, state.log.c_str());
  return 0;
}

} // extern "C"
