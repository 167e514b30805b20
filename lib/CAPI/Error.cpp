//===- Error.cpp - errors that cross the C boundary ---------------------------------------------------------------===//

#include "Error.h"

winnow_error *winnow::capi::outOfMemory() {
  static winnow_error error{"out of memory"};
  return &error;
}

winnow_error *winnow::capi::makeError(std::string message) {
  auto *error = new (std::nothrow) winnow_error{std::move(message)};
  return error ? error : outOfMemory();
}

extern "C" {

const char *winnow_error_message(const winnow_error *error) { return error ? error->message.c_str() : ""; }

void winnow_error_destroy(winnow_error *error) {
  if (error != winnow::capi::outOfMemory())
    delete error;
}

} // extern "C"
