#include "investigate/result_row.h"

#include <cmath>

#include "base/text.h"

namespace egret::investigate {

namespace {

bool is_real(model::Type t) { return t == model::Type::kReal || t == model::Type::kDecimal; }
bool is_text(model::Type t) { return t == model::Type::kString || t == model::Type::kDynamic || t == model::Type::kGuid; }

}  // namespace

std::string ResultRow::text(std::string_view column) const {
  const int c = batch_.find_column(column);
  if (c < 0 || batch_.is_null(c, row_)) return {};
  if (is_text(batch_.table().columns[static_cast<size_t>(c)].type)) return std::string(batch_.text(c, row_));
  return batch_.to_text(c, row_);
}

double ResultRow::real(std::string_view column) const {
  const int c = batch_.find_column(column);
  if (c < 0 || batch_.is_null(c, row_)) return 0;
  const auto type = batch_.table().columns[static_cast<size_t>(c)].type;
  const double v = is_real(type) ? batch_.real(c, row_) : is_text(type) ? 0 : static_cast<double>(batch_.number(c, row_));
  return std::isfinite(v) ? v : 0;
}

int64_t ResultRow::number(std::string_view column) const {
  const int c = batch_.find_column(column);
  if (c < 0 || batch_.is_null(c, row_)) return 0;
  const auto type = batch_.table().columns[static_cast<size_t>(c)].type;
  if (is_real(type)) return static_cast<int64_t>(batch_.real(c, row_));
  return is_text(type) ? 0 : batch_.number(c, row_);
}

std::vector<int64_t> ResultRow::rows(std::string_view column) const {
  std::vector<int64_t> out;
  int64_t n = 0;
  bool digits = false;
  const std::string list = text(column) + ",";
  for (const char c : list) {
    if (c >= '0' && c <= '9') {
      n = n * 10 + (c - '0');
      digits = true;
    } else {
      if (digits) out.push_back(n);
      n = 0;
      digits = false;
    }
  }
  return out;
}

std::vector<std::string> ResultRow::texts(std::string_view column) const {
  std::vector<std::string> out;
  std::string all = text(column);
  for (char& c : all) {
    if (c == '[' || c == ']' || c == '"') c = ' ';
  }
  for (const auto& part : split(all, ',')) {
    if (const auto t = trim(part); !t.empty()) out.emplace_back(t);
  }
  return out;
}

}  // namespace egret::investigate
