//===- NotedInterrupt.cpp - Ctrl-C as a question ------------------------------------------------------------------===//

#include "NotedInterrupt.h"

using namespace winnow::tool;

/// A handler reaches nothing but what is static.
static volatile std::sig_atomic_t noted = 0;

NotedInterrupt::NotedInterrupt() {
  noted = 0;
  struct sigaction action = {};
  action.sa_handler = [](int) { noted = 1; };
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  ::sigaction(SIGINT, &action, &previous);
}

NotedInterrupt::~NotedInterrupt() { ::sigaction(SIGINT, &previous, nullptr); }

bool NotedInterrupt::arrived() { return noted != 0; }
