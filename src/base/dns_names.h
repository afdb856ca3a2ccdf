#pragma once
// Numbers and names of DNS record types and answer codes, and names as the tables have them.
#include <optional>
#include <string>
#include <string_view>

namespace egret {

std::optional<int> dns_type_number(std::string_view name);  // "AAAA", "TYPE65"
std::string_view dns_type_name(int number);                 // '' when it has none here
std::optional<int> dns_code_number(std::string_view name);  // "NXDOMAIN"
std::string_view dns_code_name(int number);
std::string dns_name(std::string_view name);  // lower case, without the final dot; the root stays "."

}  // namespace egret
