#include "sensor/block_protocol.h"

#include <fmt/format.h>
#include <simdjson.h>

#include "base/json.h"
#include "base/text.h"

namespace egret::sensor {

namespace {

using Element = simdjson::dom::element;
using Do = BlockRequest::Do;

Result<std::string> text_of(const Element& value, std::string_view key, size_t longest) {
  std::string_view text;
  if (value.get(text) != simdjson::SUCCESS) return usage_error(fmt::format("\"{}\" is text", key));
  if (text.size() > longest) return usage_error(fmt::format("\"{}\" is longer than {} bytes", key, longest));
  for (const char c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return usage_error(fmt::format("\"{}\" has a control character", key));
  return std::string(text);
}

}  // namespace

std::string block_id(const Cidr& address, std::string_view target) { return fmt::format("{} {}", address.to_string(), target); }

std::string_view block_error_kind(const Error& error) {
  return error.kind == ErrorKind::kUsage ? "usage" : error.kind == ErrorKind::kNotFound ? "not found" : "unavailable";
}

Result<BlockRequest> parse_block_request(std::string_view line) {
  if (line.size() > kBlockLineBytes) return usage_error(fmt::format("a request is at most {} bytes", kBlockLineBytes));
  simdjson::dom::parser parser;
  Element root;
  simdjson::dom::object object;
  if (parser.parse(line.data(), line.size()).get(root) != simdjson::SUCCESS || root.get(object) != simdjson::SUCCESS)
    return usage_error("a request is one JSON object on one line");
  BlockRequest r;
  bool named = false;
  for (const auto field : object) {
    const std::string_view key = field.key;
    if (key == "do") {
      TRY(const std::string name, text_of(field.value, key, 16));
      for (const auto& [known, value] : kBlockVerbs)
        if (known == name) {
          r.what = value;
          named = true;
        }
      if (!named) return usage_error(fmt::format("\"do\" is add, remove, clear, list or status, not \"{}\"", name));
    } else if (key == "version") {
      int64_t version = 0;
      if (field.value.get(version) != simdjson::SUCCESS || version != 1) return usage_error("this service speaks version 1");
    } else if (key == "id") {
      TRY(r.id, text_of(field.value, key, 256));
    } else if (key == "address") {
      TRY(const std::string text, text_of(field.value, key, 64));
      r.address = Cidr::parse(text);
      if (!r.address)
        return usage_error(fmt::format("\"{}\" is no address or range", text), "such as 203.0.113.7, 203.0.113.0/24 or 2001:db8::/32");
    } else if (key == "target") {
      TRY(r.target, text_of(field.value, key, 4096));
    } else if (key == "seconds") {
      if (field.value.get(r.seconds) != simdjson::SUCCESS) return usage_error("\"seconds\" is a whole number");
    } else if (key == "reason") {
      TRY(r.reason, text_of(field.value, key, 1024));
    } else if (key == "wide") {
      if (field.value.get(r.wide) != simdjson::SUCCESS) return usage_error("\"wide\" is true or false");
    } else {
      return usage_error(fmt::format("a request has no \"{}\"", terminal_safe(key.substr(0, 64))));
    }
  }
  if (!named) return usage_error("a request says what to \"do\"");
  if (r.what == Do::kAdd) {
    if (!r.address) return usage_error("add wants an \"address\"");
    if (r.seconds < 1 || r.seconds > kBlockLongestSeconds)
      return usage_error(fmt::format("add wants \"seconds\" from 1 to {}", kBlockLongestSeconds), "a block always ends by itself");
  }
  if (r.what == Do::kRemove && r.id.empty() && !r.address)
    return usage_error("remove wants an \"id\", or an \"address\" and its \"target\"");
  if (r.what == Do::kAdd || r.what == Do::kRemove) TRY_VOID(BlockTarget::parse(r.target));
  return r;
}

std::string write_block_answer(const Result<BlockAnswer>& answer) {
  JsonWriter w;
  w.begin_object();
  w.key("ok").boolean(answer.has_value());
  if (!answer) {
    w.key("kind").string(block_error_kind(answer.error()));
    w.key("error").string(answer.error().message);
    if (!answer.error().hint.empty()) w.key("hint").string(answer.error().hint);
    w.end_object();
    return std::move(w).take() + "\n";
  }
  const auto count = [&](std::string_view name, uint64_t n) { w.key(name).number(static_cast<int64_t>(n)); };
  w.key("entries").begin_array();
  for (const auto& [e, c, remaining] : answer->entries) {
    w.begin_object();
    w.key("id").string(e.id);
    w.key("address").string(e.address.to_string());
    w.key("target").string(e.target);
    if (!e.reason.empty()) w.key("reason").string(e.reason);
    w.key("added").string(format_datetime(e.added));
    w.key("expires").string(format_datetime(e.expires));
    w.key("seconds_left").number(static_cast<double>(remaining) / 1e9);
    w.key("in_flight").boolean(e.in_flight);
    count("refused", c.refused);
    count("packets_out", c.packets_out);
    count("bytes_out", c.bytes_out);
    count("packets_in", c.packets_in);
    count("bytes_in", c.bytes_in);
    w.end_object();
  }
  w.end_array();
  if (answer->existed) w.key("existed").boolean(true);
  if (answer->ended) {
    const auto& e = *answer->ended;
    w.key("ended").begin_object();
    count("sockets", e.sockets);
    count("conntrack", e.conntrack);
    count("namespaces", e.namespaces);
    if (e.destroy_unsupported) w.key("destroy_unsupported").boolean(true);
    if (!e.trouble.empty()) w.key("trouble").string(e.trouble);
    w.end_object();
  }
  if (answer->cgroup_root) {
    w.key("cgroup_root").string(*answer->cgroup_root);
    w.key("netns_in_flight").boolean(answer->netns_in_flight);
  }
  w.end_object();
  return std::move(w).take() + "\n";
}

}  // namespace egret::sensor
