#pragma once
// All decoders, and the choice among them.
#include <span>
#include <string_view>
#include <vector>

#include "ingest/decoder.h"

namespace egret::ingest {

std::span<const Decoder* const> decoders();
const Decoder* find_decoder(std::string_view name);  // null when there is none

struct Guess {
  const Decoder* decoder;
  int score;
};
// Those that recognise the content, surest first; the earlier in the table on a tie.
std::vector<Guess> recognise(std::string_view bytes, std::string_view path);
// Below this the file counts as unknown.
inline constexpr int kSureEnough = 40;

}  // namespace egret::ingest
