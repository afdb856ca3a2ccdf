#pragma once
// Laying out text for a terminal: wrapping by code points, indentation, and colours that vanish when they are not wanted.
#include <string>
#include <string_view>

namespace egret::investigate {

enum class Tone { kPlain, kBold, kDim, kRed, kGreen, kYellow, kCyan };

class Lines {
 public:
  Lines(int width, bool colours) : width_(width), colours_(colours) {}
  std::string tone(Tone t, std::string_view text) const;
  void blank();
  void heading(std::string_view text);
  // Wraps `text` (log values must be safe already) after `first`; further lines are indented by `indent` columns.
  void text(std::string_view first, std::string_view text, int indent, Tone t = Tone::kPlain);
  void raw(std::string_view line);  // a line that must stay whole: a command
  std::string take() && { return std::move(out_); }

 private:
  std::string out_;
  int width_;
  bool colours_;
};

int columns_of(std::string_view text);  // code points; escapes are not expected in it

}  // namespace egret::investigate
