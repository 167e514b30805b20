//===- FakeNvrtc.h - an NVRTC for tests ---------------------------------------------------------------------------===//

#ifndef WINNOW_TEST_UNIT_JIT_FAKENVRTC_H
#define WINNOW_TEST_UNIT_JIT_FAKENVRTC_H

#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace fakenvrtc {

struct State {
  std::mutex mutex;
  int major = 13, minor = 0;
  std::map<std::string, int> failures; ///< entry point → code it returns
  std::string log = "log of the fake"; ///< of every compilation
  std::string cubin = "cubin of the fake";

  std::vector<std::string> options; ///< of the last compilation
  std::string source, name;         ///< of the last program
  int livePrograms = 0;

  void reset() {
    std::lock_guard<std::mutex> lock(mutex);
    major = 13;
    minor = 0;
    failures.clear();
    log = "log of the fake";
    cubin = "cubin of the fake";
    options.clear();
    livePrograms = 0;
  }
};

} // namespace fakenvrtc

extern "C" fakenvrtc::State *fakeNvrtcState();

#endif // WINNOW_TEST_UNIT_JIT_FAKENVRTC_H
