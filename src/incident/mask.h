#pragma once
// What a report must not carry outside: secrets and personal data in values that come from logs.
#include <string>
#include <string_view>

namespace egret::incident {

// Tokens, passwords and keys in URLs, headers, connection strings and JSON become "[secret]"; e-mail addresses keep their domain
// ("[person]@example.com"). Hashes and image digests stay: they are evidence.
std::string mask(std::string_view text);

}  // namespace egret::incident
