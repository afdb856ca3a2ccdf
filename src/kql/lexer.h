#pragma once
// Text to tokens. Never fails: what is no token becomes one of kind kBad, which the parser reports only if it has to read it
// (the inside of datetime(…) is not made of tokens).
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace egret::kql {

enum class TokenKind : uint8_t { kEnd, kName, kQuotedName, kLong, kReal, kTimespan, kString, kPunctuation, kBad };

struct Token {
  TokenKind kind = TokenKind::kEnd;
  uint32_t offset = 0, length = 0;
  uint32_t match = 0;     // of a bracket: index of the token that closes it; 0 when nothing does
  std::string_view text;  // of the source; of a quoted name, what is between the quotes
  std::string value;      // of a string or a bad token: its content, or what is wrong
  int64_t number = 0;     // of a long or a timespan (ticks)
  double real = 0;
  bool is(std::string_view s) const { return text == s && (kind == TokenKind::kPunctuation || kind == TokenKind::kName); }
  uint32_t end() const { return offset + length; }
};

// Ends with a kEnd token. The text must outlive the tokens.
std::vector<Token> tokenize(std::string_view text);

// Ticks of one unit as it stands after a number (1d, 30min, 5 ticks), or 0.
int64_t timespan_unit(std::string_view unit);

}  // namespace egret::kql
