//===- NotedInterrupt.h - Ctrl-C as a question --------------------------------------------------------------------===//

#ifndef WINNOW_TOOLS_WINNOW_NOTEDINTERRUPT_H
#define WINNOW_TOOLS_WINNOW_NOTEDINTERRUPT_H

#include <csignal>

namespace winnow::tool {

/// While it lives, the first SIGINT is noted, to be asked for; a second one ends the process. One at a time.
class NotedInterrupt {
public:
  NotedInterrupt();
  ~NotedInterrupt();
  NotedInterrupt(const NotedInterrupt &) = delete;
  NotedInterrupt &operator=(const NotedInterrupt &) = delete;

  static bool arrived();

private:
  struct sigaction previous;
};

} // namespace winnow::tool

#endif // WINNOW_TOOLS_WINNOW_NOTEDINTERRUPT_H
