//===- Error.h - errors that cross the C boundary -----------------------------------------------------------------===//

#ifndef WINNOW_LIB_CAPI_ERROR_H
#define WINNOW_LIB_CAPI_ERROR_H

#include "winnow-c/Runtime.h"

#include "winnow/Support/Result.h"

#include <exception>
#include <new>
#include <string>

struct winnow_error {
  std::string message;
};

namespace winnow::capi {

/// Stands for "out of memory" when not even an error can be allocated; never freed.
winnow_error *outOfMemory();
winnow_error *makeError(std::string message);
inline winnow_error *fromStatus(const Status &status) { return status ? nullptr : makeError(status.message()); }

/// Runs `body`, which returns an error or null; nothing thrown passes the C boundary.
template <typename Body> winnow_error *guarded(Body body) {
  try {
    return body();
  } catch (const std::bad_alloc &) {
    return outOfMemory();
  } catch (const std::exception &exception) {
    return makeError(exception.what());
  } catch (...) {
    return makeError("unknown failure inside Winnow");
  }
}

/// "expected …, got a null pointer".
inline winnow_error *gotNull(const char *expected) {
  return guarded([&] { return makeError(std::string("expected ") + expected + ", got a null pointer"); });
}

} // namespace winnow::capi

#endif // WINNOW_LIB_CAPI_ERROR_H
