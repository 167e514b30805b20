//===- Result.h - a value or an error message ---------------------------------------------------------------------===//
//
// For code that knows nothing of LLVM. An error says what was expected, what was found, where, and what to do.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef WINNOW_SUPPORT_RESULT_H
#define WINNOW_SUPPORT_RESULT_H

#include <string>
#include <utility>
#include <variant>

namespace winnow {

struct Error {
  std::string message;
};

template <typename T> class [[nodiscard]] Result {
public:
  Result(T value) : state(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state.index() == 0; }
  explicit operator bool() const { return ok(); }
  T &operator*() { return std::get<0>(state); }
  const T &operator*() const { return std::get<0>(state); }
  T *operator->() { return &std::get<0>(state); }
  const T *operator->() const { return &std::get<0>(state); }
  const Error &error() const { return std::get<1>(state); }
  const std::string &message() const { return error().message; }

private:
  std::variant<T, Error> state;
};

/// Success, or an error: what a function without a value returns.
class [[nodiscard]] Status {
public:
  Status() = default;
  Status(Error error) : failed(true), failure(std::move(error)) {}

  bool ok() const { return !failed; }
  explicit operator bool() const { return ok(); }
  const Error &error() const { return failure; }
  const std::string &message() const { return failure.message; }

private:
  bool failed = false;
  Error failure;
};

} // namespace winnow

#endif // WINNOW_SUPPORT_RESULT_H
