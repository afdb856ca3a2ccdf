#pragma once
// What a text that somebody sent would make a server ask for: every URL or address in it, with the layers of encoding undone one
// after another, so that a reader sees how `source=http%3A%2F%2F2852039166%2F` comes to mean http://169.254.169.254/.
// It says what is there. Whether that is suspicious is a matter of content (content/functions/EgretPayloads.kql).
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip.h"

namespace egret::payload {

enum class Place : uint8_t {
  kItself,     // the text is an absolute URL and this is where it leads
  kPath,       // in the path of a URL
  kParameter,  // in a parameter of its query, or of a form
  kText,       // in any other text: a header, a body
};
std::string_view place_name(Place place);  // "itself", "path", "parameter", "text"

struct Step {
  std::string what;  // "as sent", then the layer that was undone: "percent-encoding", "Base64", "decimal address"
  std::string text;  // what it gave, cut at kLongestStep
};

struct Target {
  Place place = Place::kText;
  std::string parameter;    // its name, percent-decoded
  std::vector<Step> steps;  // never empty; the last is what a client would ask for
  std::string scheme;       // lower case; empty where none was written (//host/, 169.254.169.254)
  bool relative = false;    // //host/: the scheme of whoever asks
  std::string user;         // what stands before '@'
  std::string host;         // lower case; of an address its usual form; empty with file:///
  std::optional<IpAddress> address;
  std::vector<IpAddress> in_name;  // addresses in the labels of the name
  std::optional<uint16_t> port;
  std::string path;                      // with its query
  std::vector<std::string_view> hidden;  // why a reader or a filter would not see this host in what was sent; empty: it is plain
};

inline constexpr size_t kLongestText = 65'536;  // of the text, the rest is not looked at
inline constexpr size_t kLongestStep = 1'000;
inline constexpr size_t kMostTargets = 32;
inline constexpr int kMostLayers = 10;

// Any bytes. `text` is a URL (absolute, or path and query), a form body, or any other text.
std::vector<Target> decode(std::string_view text);

// One line for people: "http%3A%2F%2F2852039166%2F → percent-encoding → http://2852039166/ → decimal address → http://169.254.169.254/".
std::string reading(const Target& target);

// An array of objects: place, parameter, steps [{what, text}], reading, url, scheme, user, host, address, inName, port, path, hidden;
// what is not there is left out.
void append_json(std::string& out, std::span<const Target> targets);

}  // namespace egret::payload
