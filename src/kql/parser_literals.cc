// Literals that a name introduces: datetime(…), guid(…), long(null), dynamic({…}).
#include "kql/parser.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "base/json.h"
#include "base/text.h"

namespace egret::kql {

// datetime(2022-04-01 06:14), guid(…), long(null), real(1e3) …; null when `name` is no type or what follows is an expression.
Syntax* Parser::typed_literal_call(const Token& name) {
  const auto type = model::type_from_name(name.text);
  if (!type || *type == model::Type::kString || peek().match == 0) return nullptr;
  const uint32_t close = peek().match;
  const std::string_view inside = trim(text_.substr(peek().end(), tokens_[close].offset - peek().end()));
  std::string_view raw = inside;
  if (raw.size() >= 2 && (raw.front() == '"' || raw.front() == '\'') && raw.back() == raw.front())
    raw = trim(raw.substr(1, raw.size() - 2));
  Typed::Value value;
  bool ok = iequals(raw, "null");
  if (!ok) {
    switch (*type) {
      case model::Type::kDatetime:
        // KQL's own forms beyond ISO go through the function of the same meaning.
        if (const auto t = parse_iso_datetime(raw)) {
          value = *t;
          ok = true;
        } else if (!raw.empty()) {
          Syntax* c = node(Kind::kCall, name.offset);
          c->text = "todatetime";
          at_ = close + 1;
          c->args.push_back(literal(model::Type::kString, std::string(raw), name.offset));
          return finish(c);
        }
        break;
      case model::Type::kGuid: {
        value = to_lower(raw);
        ok = raw.size() == 36 || raw.size() == 32;
        break;
      }
      case model::Type::kBool:
        ok = iequals(raw, "true") || iequals(raw, "false") || raw == "1" || raw == "0";
        value = iequals(raw, "true") || raw == "1";
        break;
      case model::Type::kTimespan: {
        const size_t unit = raw.find_first_not_of("0123456789.-");
        double number = 0;
        int64_t ticks = 0;
        if (unit != std::string_view::npos && raw[unit] != ':' && (ticks = timespan_unit(trim(raw.substr(unit)))) != 0 &&
            std::from_chars(raw.data(), raw.data() + unit, number).ec == std::errc()) {
          value = static_cast<int64_t>(std::llround(number * static_cast<double>(ticks)));
          ok = true;
        } else {
          Syntax* c = node(Kind::kCall, name.offset);
          c->text = "totimespan";
          at_ = close + 1;
          c->args.push_back(literal(model::Type::kString, std::string(raw), name.offset));
          return finish(c);
        }
        break;
      }
      case model::Type::kReal:
      case model::Type::kDecimal: {
        double v = 0;
        const auto r = std::from_chars(raw.data(), raw.data() + raw.size(), v);
        ok = r.ec == std::errc() && r.ptr == raw.data() + raw.size();
        if (raw == "+inf" || raw == "inf") v = INFINITY, ok = true;
        if (raw == "-inf") v = -INFINITY, ok = true;
        if (raw == "nan") v = NAN, ok = true;
        value = v;
        break;
      }
      case model::Type::kInt:
      case model::Type::kLong: {
        int64_t v = 0;
        const bool minus = raw.starts_with("-");
        const std::string_view digits = minus ? raw.substr(1) : raw;
        const bool hex = digits.starts_with("0x") || digits.starts_with("0X");
        uint64_t u = 0;
        const auto r = std::from_chars(digits.data() + (hex ? 2 : 0), digits.data() + digits.size(), u, hex ? 16 : 10);
        ok = !digits.empty() && r.ec == std::errc() && r.ptr == digits.data() + digits.size();
        v = minus ? static_cast<int64_t>(0 - u) : static_cast<int64_t>(u);
        value = v;
        break;
      }
      default: break;
    }
  }
  if (!ok) {
    // int(x) and the like over an expression are not of the language, but mean toint(x).
    error_at(name.offset, tokens_[close].end(), fmt::format("'{}' is no {} literal", inside.substr(0, 40), model::type_name(*type)),
             fmt::format("to convert an expression write to{}(…)", *type == model::Type::kReal ? "double" : model::type_name(*type)));
  }
  at_ = close + 1;
  return literal(*type, ok && iequals(raw, "null") ? Typed::Value{} : std::move(value), name.offset);
}

Syntax* Parser::dynamic_literal(const Token& name) {
  take();  // (
  std::string json;
  const size_t errors = diagnostics_.size();
  if (!at(")")) json_value(json, 0);
  if (!expect(")", "after the dynamic literal")) {
    if (diagnostics_.size() > errors)
      diagnostics_.back().hint = "a dynamic literal holds JSON: dynamic([\"a\", 1]) or dynamic({\"key\": true})";
    skip_to_recovery();
    accept(")");
  }
  if (json.empty() || json == "null") return literal(model::Type::kDynamic, {}, name.offset);
  return literal(model::Type::kDynamic, std::move(json), name.offset);
}

bool Parser::json_value(std::string& out, int depth) {
  if (depth > kMaxDepth) {
    error(peek(), "the dynamic literal is nested too deeply");
    return false;
  }
  const Token& t = peek();
  if (t.kind == TokenKind::kString) {
    std::string value;
    while (peek().kind == TokenKind::kString) value += take().value;
    append_json_string(out, value);
    return true;
  }
  if (at("[")) {
    take();
    out += '[';
    bool first = true;
    while (!at("]") && peek().kind != TokenKind::kEnd) {
      if (!first) out += ',';
      first = false;
      if (!json_value(out, depth + 1)) return false;
      if (!accept(",")) break;
    }
    out += ']';
    return expect("]", "after the array");
  }
  if (at("{")) {
    take();
    out += '{';
    bool first = true;
    while (!at("}") && peek().kind != TokenKind::kEnd) {
      if (!first) out += ',';
      first = false;
      if (peek().kind == TokenKind::kString) {
        append_json_string(out, take().value);
      } else if (peek().kind == TokenKind::kName) {
        append_json_string(out, take().text);
      } else {
        expected("a key in quotation marks");
        return false;
      }
      out += ':';
      if (!expect(":", "after the key") || !json_value(out, depth + 1)) return false;
      if (!accept(",")) break;
    }
    out += '}';
    return expect("}", "after the property bag");
  }
  if (at("null") || at("true") || at("false")) {
    out += take().text;
    return true;
  }
  const bool minus = accept("-");
  const Token& n = peek();
  if (n.kind == TokenKind::kLong || n.kind == TokenKind::kReal) {
    if (minus) out += '-';
    take();
    if (n.kind == TokenKind::kLong) {
      out += std::to_string(n.number);
    } else {
      std::string digits = fmt::format("{}", n.real);
      if (digits.find_first_of(".eni") == std::string::npos) digits += ".0";
      out += digits;
    }
    return true;
  }
  if (n.kind == TokenKind::kName && peek(1).is("(")) {
    take();
    Syntax* v = n.is("dynamic") ? dynamic_literal(n) : typed_literal_call(n);
    if (v && v->kind == Kind::kLiteral) {
      if (std::holds_alternative<std::monostate>(v->value)) {
        out += "null";
      } else if (v->type == model::Type::kDynamic) {
        out += std::get<std::string>(v->value);
      } else if (v->type == model::Type::kDatetime) {
        append_json_string(out, format_datetime(std::get<int64_t>(v->value)));
      } else if (v->type == model::Type::kTimespan) {
        append_json_string(out, format_timespan(std::get<int64_t>(v->value)));
      } else if (const auto* i = std::get_if<int64_t>(&v->value)) {
        out += std::to_string(*i);
      } else if (const auto* d = std::get_if<double>(&v->value)) {
        out += fmt::format("{}", *d);
      } else if (const auto* b = std::get_if<bool>(&v->value)) {
        out += *b ? "true" : "false";
      } else if (const auto* s = std::get_if<std::string>(&v->value)) {
        append_json_string(out, *s);
      }
      return true;
    }
  }
  if (n.kind == TokenKind::kTimespan) {
    take();
    append_json_string(out, format_timespan(minus ? -n.number : n.number));
    return true;
  }
  expected("a JSON value");
  return false;
}

}  // namespace egret::kql
