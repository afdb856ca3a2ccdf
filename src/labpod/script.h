#pragma once
// What a client does, one step a line: `start=2 every=3 name=ifconfig.co port=443 tls=1 out=500 in=2000`. Words are key=value;
// times are seconds, a range is written low..high and drawn anew each time.
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace egret::labpod {

struct Span {
  double low = 0, high = 0;
};

struct Step {
  Span start{0, 0};        // after the client's own start
  Span every{0, 0};        // between repetitions
  bool scattered = false;  // exponential gaps of the middle of `every` instead
  int count = 1;           // 0: until the end
  std::string name;        // asked at the resolver first; an address is not asked for
  std::string address;     // connects here instead of to an answer
  std::string from;        // its own address, where it has several
  uint16_t port = 443;
  std::string when;                            // waits until this file holds the name: a setting that points there
  bool tunnel = false;                         // only asks, with labels that carry data below the name
  bool tls = false, udp = false, six = false;  // six: asks for AAAA
  std::string method = "POST", path = "/";
  Span out{200, 200}, in{200, 200};  // bytes of the bodies
  Span hold{0, 0};                   // keeps the connection so long after the answer
};

Result<std::vector<Step>> parse_script(std::string_view text);
// The script that --script names; no steps without it.
Result<std::vector<Step>> script_from(const class Arguments& arguments);

}  // namespace egret::labpod
