#pragma once
// The host of a URL as a client's resolver would take it: the ways to write an address that inet_aton, browsers and HTTP libraries
// accept, so that 2852039166, 0xA9.0376.43518, 425.510.425.510 and [::ffff:a9fe:a9fe] all read as 169.254.169.254.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip.h"

namespace egret::payload {

struct Host {
  std::string name;  // lower case, without final dot, brackets and zone; of an address its usual form
  std::optional<IpAddress> address;
  // How it was written where that is not the usual way: "decimal", "hexadecimal", "octal", "short", "overflow", "IPv4-mapped",
  // "IPv4-compatible", "NAT64", "6to4", "zone". Empty for an ordinary name or address.
  std::vector<std::string_view> forms;
  // Addresses that stand in the labels of a name: 10.0.0.1.nip.io, app-127-0-0-1.sslip.io, 7f000001.c0a80001.rbndr.us.
  std::vector<IpAddress> in_name;
};

// `text` is what stands between user and port, percent-decoded. Nothing when no client would take it for a host.
std::optional<Host> read_host(std::string_view text);

}  // namespace egret::payload
