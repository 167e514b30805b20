//===- Isolation.cpp - checks that survive a crash ----------------------------------------------------------------===//

#include "Isolation.h"

#include <cerrno>
#include <cstring>
#include <sys/wait.h>
#include <unistd.h>

namespace winnow::fuzz {
namespace {

/// The child's side: verdict, line, phase and message through the pipe.
void runChild(Checker &checker, const Program &program, int pipe, unsigned seconds) {
  alarm(seconds);
  Outcome outcome = checker.check(program);
  std::string text = std::to_string(static_cast<int>(outcome.verdict)) + "\n" + std::to_string(outcome.line) + "\n" +
                     outcome.phase + "\n" + outcome.message;
  for (size_t done = 0; done < text.size();) {
    ssize_t size = write(pipe, text.data() + done, text.size() - done);
    if (size <= 0 && errno != EINTR)
      break;
    done += size > 0 ? static_cast<size_t>(size) : 0;
  }
}

std::string readAll(int pipe) {
  std::string text;
  char buffer[4096];
  while (true) {
    ssize_t size = read(pipe, buffer, sizeof buffer);
    if (size < 0 && errno == EINTR)
      continue;
    if (size <= 0)
      return text;
    text.append(buffer, static_cast<size_t>(size));
  }
}

std::string takeLine(std::string &text) {
  size_t end = text.find('\n');
  std::string line = text.substr(0, end);
  text = end == std::string::npos ? "" : text.substr(end + 1);
  return line;
}

} // namespace

Outcome checkIsolated(Checker &checker, const Program &program, unsigned seconds) {
  int ends[2];
  if (pipe(ends) != 0)
    return checker.check(program);
  pid_t child = fork();
  if (child < 0) {
    close(ends[0]);
    close(ends[1]);
    return checker.check(program);
  }
  if (child == 0) {
    close(ends[0]);
    runChild(checker, program, ends[1], seconds);
    _exit(0);
  }
  close(ends[1]);
  std::string text = readAll(ends[0]);
  close(ends[0]);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR)
    ;
  if (WIFSIGNALED(status))
    return {Verdict::crashed, "", std::string("signal: ") + strsignal(WTERMSIG(status))};
  if (text.empty())
    return {Verdict::crashed, "", "the process ended with status " + std::to_string(WEXITSTATUS(status))};
  Outcome outcome;
  outcome.verdict = static_cast<Verdict>(std::atoi(takeLine(text).c_str()));
  outcome.line = static_cast<unsigned>(std::atoi(takeLine(text).c_str()));
  outcome.phase = takeLine(text);
  outcome.message = text;
  return outcome;
}

} // namespace winnow::fuzz
