//===- HeldSignalsTest.cpp - interrupts kept away from code that cannot bear them ---------------------------------===//

#include "winnow/Support/HeldSignals.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <optional>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace winnow;
using namespace std::chrono_literals;

namespace {

/// Handlers count, one for the host and one for a library that takes the signal over for a while.
std::atomic<int> hostCalls, libraryCalls;
void hostHandler(int) { ++hostCalls; }
void libraryHandler(int) { ++libraryCalls; }

/// Each test runs in a process of its own, without threads but those that it starts.
int inChild(const std::function<bool()> &body) {
  pid_t child = ::fork();
  if (child == 0) {
    ::alarm(20);
    ::_exit(body() ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void interrupt() { ::kill(::getpid(), SIGINT); }

} // namespace

TEST(HeldSignals, ReachTheHostsHandlerAtTheEnd) {
  for (bool waits : {false, true})
    EXPECT_EQ(inChild([&] {
                ::signal(SIGINT, hostHandler);
                {
                  HeldSignals signals;
                  ::signal(SIGINT, libraryHandler);
                  interrupt();
                  if (waits)
                    signals.wait(10s);
                  std::thread([] { std::this_thread::sleep_for(5ms); }).join();
                  ::signal(SIGINT, hostHandler);
                  if (hostCalls + libraryCalls > 0)
                    return false;
                }
                return hostCalls == 1 && libraryCalls == 0;
              }),
              0)
        << waits;
}

TEST(HeldSignals, AreHeldFromThreadsStartedMeanwhile) {
  EXPECT_EQ(inChild([] {
              ::signal(SIGTERM, hostHandler);
              std::atomic<bool> stop{false};
              std::optional<HeldSignals> signals(std::in_place);
              std::thread thread([&] {
                while (!stop)
                  std::this_thread::sleep_for(1ms);
              });
              ::kill(::getpid(), SIGTERM);
              std::this_thread::sleep_for(20ms);
              bool held = hostCalls == 0;
              signals.reset();
              bool sent = hostCalls == 1;
              stop = true;
              thread.join();
              return held && sent;
            }),
            0);
}

TEST(HeldSignals, NestWithoutLosingOne) {
  EXPECT_EQ(inChild([] {
              ::signal(SIGINT, hostHandler);
              {
                HeldSignals outer;
                {
                  HeldSignals inner;
                  interrupt();
                  inner.wait(10s);
                }
                if (hostCalls != 0)
                  return false;
              }
              return hostCalls == 1;
            }),
            0);
}

TEST(HeldSignals, EndAProcessThatDoesNotHandleThemAtOnce) {
  // A library's handler is in place when the signal comes: what counts is what the host had.
  for (int signal : {SIGINT, SIGTERM})
    EXPECT_EQ(inChild([&] {
                ::signal(signal, SIG_DFL); // The test's own runner may ignore it.
                HeldSignals signals;
                ::signal(signal, libraryHandler);
                ::kill(::getpid(), signal);
                signals.wait(10s);
                return false;
              }),
              128 + signal);
}

TEST(HeldSignals, LeaveAloneWhatIsIgnored) {
  EXPECT_EQ(inChild([] {
              ::signal(SIGINT, SIG_IGN);
              HeldSignals signals;
              interrupt();
              auto start = std::chrono::steady_clock::now();
              signals.wait(20ms);
              return std::chrono::steady_clock::now() - start >= 19ms;
            }),
            0);
}
