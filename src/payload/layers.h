#pragma once
// The layers of encoding that hide a URL from a filter. Each function undoes one layer everywhere in the text at once and gives
// nothing when there was none; undoing them in turn until nothing is left is `decode` (payload.h).
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace egret::payload {

struct Layer {
  std::string_view name;  // as a reader is told: "percent-encoding"
  std::optional<std::string> (*undo)(std::string_view text);
};

// In the order in which they are tried.
std::span<const Layer> layers();

std::optional<std::string> undo_percent(std::string_view text);           // %41; %u0041 as IIS reads it
std::optional<std::string> undo_overlong(std::string_view text);          // 0xC0 0xAE: ASCII in more bytes than it needs
std::optional<std::string> undo_entities(std::string_view text);          // &#46; &#x2e; &colon;
std::optional<std::string> undo_escapes(std::string_view text);           // \u002e \x2e \/
std::optional<std::string> undo_look_alikes(std::string_view text);       // fullwidth, enclosed, mathematical letters and digits
std::optional<std::string> undo_ignored_controls(std::string_view text);  // tab, line ends, zero-width: clients skip them in a URL
std::optional<std::string> undo_base64(std::string_view text);            // runs that decode to text with a URL in it
std::optional<std::string> undo_hexadecimal(std::string_view text);       // likewise, two digits a byte

}  // namespace egret::payload
