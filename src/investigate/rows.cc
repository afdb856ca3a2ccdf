#include "investigate/rows.h"

#include <cctype>
#include <charconv>

namespace egret::investigate {

std::vector<int64_t> Rows::ids(std::string_view column, size_t row) const {
  const int c = b_.column(column);
  if (b_.is_null(c, row)) return {};
  const model::Type t = b_.table().columns[static_cast<size_t>(c)].type;
  if (t == model::Type::kLong || t == model::Type::kInt) return {b_.number(c, row)};
  // The numbers of "[1,2,3]", however deep they are nested.
  std::vector<int64_t> out;
  const std::string_view text = b_.text(c, row);
  for (size_t i = 0; i < text.size();) {
    if (!std::isdigit(static_cast<unsigned char>(text[i]))) {
      ++i;
      continue;
    }
    int64_t n = 0;
    const auto [end, error] = std::from_chars(text.data() + i, text.data() + text.size(), n);
    if (error == std::errc{}) out.push_back(n);
    i = static_cast<size_t>(end - text.data());
  }
  return out;
}

}  // namespace egret::investigate
