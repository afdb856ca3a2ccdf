#pragma once
// How every fallible function of Egret returns: a value, or an Error that says what happened, where, and what to do next.
// A user's mistake and an outside failure are Errors; a bug is an assert; exceptions never leave a room.
#include <expected>
#include <string>
#include <utility>

namespace egret {

// The four kinds decide the exit code of the command line (see src/cli/main.cc).
enum class ErrorKind {
  kUsage,        // the user's mistake: wrong option, wrong query, wrong content file
  kNotFound,     // a named thing does not exist
  kUnavailable,  // something outside was not reachable or refused (file, lock, network)
  kInternal,     // a bug that was caught before it did harm
};

struct Error {
  ErrorKind kind = ErrorKind::kInternal;
  std::string message;    // one sentence, without final stop
  std::string hint = {};  // the next step, may be empty
};

template <typename T>
struct [[nodiscard]] Result : std::expected<T, Error> {
  using std::expected<T, Error>::expected;
};

inline std::unexpected<Error> usage_error(std::string message, std::string hint = {}) {
  return std::unexpected(Error{ErrorKind::kUsage, std::move(message), std::move(hint)});
}
inline std::unexpected<Error> not_found(std::string message, std::string hint = {}) {
  return std::unexpected(Error{ErrorKind::kNotFound, std::move(message), std::move(hint)});
}
inline std::unexpected<Error> unavailable(std::string message, std::string hint = {}) {
  return std::unexpected(Error{ErrorKind::kUnavailable, std::move(message), std::move(hint)});
}
inline std::unexpected<Error> internal_error(std::string message, std::string hint = {}) {
  return std::unexpected(Error{ErrorKind::kInternal, std::move(message), std::move(hint)});
}

}  // namespace egret

#define EGRET_CONCAT_(a, b) a##b
#define EGRET_CONCAT(a, b) EGRET_CONCAT_(a, b)
// TRY(auto x, f()) binds the value or returns the error; TRY_VOID(f()) for Result<void>.
#define TRY_IMPL_(tmp, declaration, ...)                    \
  auto tmp = (__VA_ARGS__);                                 \
  if (!tmp) return std::unexpected(std::move(tmp).error()); \
  declaration = *std::move(tmp)
#define TRY(declaration, ...) TRY_IMPL_(EGRET_CONCAT(try_result_, __LINE__), declaration, __VA_ARGS__)
#define TRY_VOID(...) \
  if (auto try_void_result = (__VA_ARGS__); !try_void_result) return std::unexpected(std::move(try_void_result).error())
