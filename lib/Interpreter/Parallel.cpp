//===- Parallel.cpp - a loop over the cores -----------------------------------------------------------------------===//

#include "winnow/Interpreter/Reference.h"

#include <algorithm>
#include <system_error>
#include <thread>

namespace winnow::interp {

void parallelFor(int64_t count, int64_t grain, const std::function<void(int64_t, int64_t)> &body) {
  int64_t cores = std::max<int64_t>(1, std::thread::hardware_concurrency());
  int64_t pieces = std::clamp<int64_t>(count / std::max<int64_t>(grain, 1), 1, cores);
  auto begin = [&](int64_t piece) { return count * piece / pieces; };
  std::vector<std::thread> threads;
  int64_t started = 1; // this thread takes piece 0, and whatever could not be started
  for (; started < pieces; ++started) {
    try {
      threads.emplace_back(body, begin(started), begin(started + 1));
    } catch (const std::system_error &) {
      break;
    }
  }
  body(begin(0), begin(1));
  if (started < pieces)
    body(begin(started), count);
  for (std::thread &thread : threads)
    thread.join();
}

} // namespace winnow::interp
