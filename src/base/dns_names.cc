#include "base/dns_names.h"

#include <charconv>

#include "base/text.h"

namespace egret {
namespace {

struct Entry {
  int number;
  std::string_view name;
};

// IANA, those that are seen in practice.
constexpr Entry kTypes[] = {{1, "A"},      {28, "AAAA"},   {5, "CNAME"},  {12, "PTR"},     {33, "SRV"},   {16, "TXT"},   {15, "MX"},
                            {2, "NS"},     {6, "SOA"},     {65, "HTTPS"}, {64, "SVCB"},    {255, "ANY"},  {13, "HINFO"}, {35, "NAPTR"},
                            {43, "DS"},    {48, "DNSKEY"}, {46, "RRSIG"}, {47, "NSEC"},    {50, "NSEC3"}, {257, "CAA"},  {52, "TLSA"},
                            {10, "NULL"},  {41, "OPT"},    {99, "SPF"},   {39, "DNAME"},   {44, "SSHFP"}, {29, "LOC"},   {251, "IXFR"},
                            {252, "AXFR"}, {249, "TKEY"},  {250, "TSIG"}, {256, "URI"},    {17, "RP"},    {18, "AFSDB"}, {24, "SIG"},
                            {25, "KEY"},   {32, "NB"},     {59, "CDS"},   {60, "CDNSKEY"}, {255, "*"}};
constexpr Entry kCodes[] = {{0, "NOERROR"},  {1, "FORMERR"},  {2, "SERVFAIL"},  {3, "NXDOMAIN"}, {4, "NOTIMP"},
                            {5, "REFUSED"},  {6, "YXDOMAIN"}, {7, "YXRRSET"},   {8, "NXRRSET"},  {9, "NOTAUTH"},
                            {10, "NOTZONE"}, {16, "BADVERS"}, {23, "BADCOOKIE"}};

}  // namespace

std::optional<int> dns_type_number(std::string_view name) {
  for (const Entry& e : kTypes)
    if (e.name == name) return e.number;
  if (name.starts_with("TYPE")) {
    int n = 0;
    const auto [end, ec] = std::from_chars(name.data() + 4, name.data() + name.size(), n);
    if (ec == std::errc{} && end == name.data() + name.size() && n >= 0 && n < 65536) return n;
  }
  return {};
}

std::string_view dns_type_name(int number) {
  for (const Entry& e : kTypes)
    if (e.number == number) return e.name;
  return {};
}

std::optional<int> dns_code_number(std::string_view name) {
  for (const Entry& e : kCodes)
    if (e.name == name) return e.number;
  return {};
}

std::string_view dns_code_name(int number) {
  for (const Entry& e : kCodes)
    if (e.number == number) return e.name;
  return {};
}

std::string dns_name(std::string_view name) {
  if (name.size() > 1 && name.back() == '.') name.remove_suffix(1);
  return to_lower(name);
}

}  // namespace egret
