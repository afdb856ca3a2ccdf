// Zeek's logs: TSV with its header, and JSON lines. conn, dns, http and ssl give rows; Zeek's other logs are known and not used.
#include <bit>
#include <charconv>
#include <cstring>
#include <deque>
#include <vector>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/text.h"
#include "ingest/decoder.h"
#include "ingest/json_dom.h"
#include "ingest/zeek_rows.h"

namespace egret::ingest {
namespace {

using js::Element;

// The header's lines in force; they may change within a file (rotated logs put together).
struct Header {
  char separator = '\t';
  std::string set_separator = ",", empty = "(empty)", unset = "-";
  std::string path;
  ZeekLog log = ZeekLog::kOther;
  size_t columns = 0;
  std::vector<int> slot;  // of each column in the record, or -1
};

std::string log_of_file(std::string_view path) {
  std::string_view file = path.substr(path.rfind('/') + 1);
  return std::string(file.substr(0, file.find('.')));
}

void header_line(Header& h, std::string_view line) {
  const size_t end = line.find_first_of(" \t");
  if (end == std::string_view::npos) return;
  const std::string_view name = line.substr(0, end);
  std::string_view value = line.substr(end + 1);
  if (name == "#separator") {
    unsigned v = 0;
    if (value.starts_with("\\x") && std::from_chars(value.data() + 2, value.data() + value.size(), v, 16).ec == std::errc{} && v < 128)
      h.separator = static_cast<char>(v);
  } else if (name == "#set_separator") {
    h.set_separator = value;
  } else if (name == "#empty_field") {
    h.empty = value;
  } else if (name == "#unset_field") {
    h.unset = value;
  } else if (name == "#path") {
    h.path = value;
    h.log = zeek_log(value);
  } else if (name == "#fields") {
    const auto wanted = zeek_fields(h.log);
    const std::vector<std::string> names = split(value, h.separator);
    h.columns = names.size();
    h.slot.assign(names.size(), -1);
    for (size_t i = 0; i < names.size(); ++i)
      for (size_t k = 0; k < wanted.size(); ++k)
        if (wanted[k] == names[i]) h.slot[i] = static_cast<int>(k);
  }
}

// Splits one line: the record's texts, and the number of columns. Returns the line's end (a '\n' or the text's end).
class Splitter {
 public:
  explicit Splitter(const Header& h) : h_(h) {}

  const char* line(const char* p, const char* const end, ZeekRecord& r, size_t& columns) {
    r.fill({});
    const char* field = p;
    size_t n = 0;
    const auto finish = [&](const char* to) {
      if (n < h_.columns && h_.slot[n] >= 0) {
        const std::string_view v(field, static_cast<size_t>(to - field));
        if (!is(v, h_.unset) && !is(v, h_.empty)) r[static_cast<size_t>(h_.slot[n])] = v;
      }
      ++n;
      field = to + 1;
    };
#if defined(__SSE2__)
    const __m128i tab = _mm_set1_epi8(h_.separator), newline = _mm_set1_epi8('\n');
    while (end - p >= 16) {
      const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
      const unsigned newlines = static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(block, newline)));
      unsigned tabs = static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(block, tab)));
      if (newlines) tabs &= (newlines & -newlines) - 1;
      for (; tabs; tabs &= tabs - 1) finish(p + std::countr_zero(tabs));
      if (newlines) return last(p + std::countr_zero(newlines), field, finish, n, columns);
      p += 16;
    }
#endif
    for (; p < end && *p != '\n'; ++p)
      if (*p == h_.separator) finish(p);
    return last(p, field, finish, n, columns);
  }

 private:
  template <typename F>
  static const char* last(const char* at, const char* field, F& finish, size_t& n, size_t& columns) {
    finish(at > field && at[-1] == '\r' ? at - 1 : at);
    columns = n;
    return at;
  }
  static bool is(std::string_view v, std::string_view word) {
    return v.size() == word.size() && (v.empty() || (v[0] == word[0] && v == word));
  }
  const Header& h_;
};

void decode_tsv(const Source& source, Sink& sink, ZeekRows& rows) {
  Header h;
  Splitter splitter(h);
  ZeekRecord record;
  uint64_t number = 0;
  const char* p = source.bytes.data();
  const char* const end = p + source.bytes.size();
  while (p < end) {
    ++number;
    if (*p == '#') {
      const char* stop = static_cast<const char*>(std::memchr(p, '\n', static_cast<size_t>(end - p)));
      if (!stop) stop = end;
      std::string_view line(p, static_cast<size_t>(stop - p));
      if (line.ends_with('\r')) line.remove_suffix(1);
      header_line(h, line);
      p = stop + 1;
      continue;
    }
    const char* const start = p;
    size_t columns = 0;
    p = splitter.line(p, end, record, columns) + 1;
    const std::string_view line(start, static_cast<size_t>(p - 1 - start));
    if (line.empty() || line == "\r" || h.log == ZeekLog::kOther) continue;
    if (columns != h.columns) {
      sink.error(number,
                 std::to_string(columns) + " fields where #fields names " + std::to_string(h.columns) +
                     (p >= end ? ": the file is cut off here" : ""),
                 line);
      continue;
    }
    if (const char* why = rows.add(h.log, record)) sink.error(number, why, line);
  }
}

class JsonLines {
 public:
  JsonLines(const Source& source, Sink& sink, ZeekRows& rows) : sink_(sink), rows_(rows), file_log_(log_of_file(source.path)) {}

  void line(std::string_view text, uint64_t number) {
    Element e;
    if (parser_.parse(text.data(), text.size()).get(e) != simdjson::SUCCESS || !e.is_object())
      return sink_.error(number, "not valid JSON", text);
    const ZeekLog log = kind(e);
    if (log == ZeekLog::kOther) return;
    const auto wanted = zeek_fields(log);
    ZeekRecord r{};
    texts_.clear();
    js::each_member(e, [&](std::string_view key, const Element& v) {
      if (key == "id" && v.is_object()) {
        js::each_member(v, [&](std::string_view k, const Element& x) { put(r, wanted, "id." + std::string(k), x); });
        return;
      }
      if (key.starts_with("id_"))
        put(r, wanted, "id." + std::string(key.substr(3)), v);
      else
        put(r, wanted, key, v);
    });
    if (const char* why = rows_.add(log, r)) sink_.error(number, why, text);
  }

 private:
  ZeekLog kind(const Element& e) const {
    for (const std::string_view key : {"_path", "@stream"})
      if (const auto s = js::text(e, key); !s.empty()) return zeek_log(s);
    if (js::get(e, "conn_state")) return ZeekLog::kConn;
    if (js::get(e, "qtype_name") || js::get(e, "trans_id")) return ZeekLog::kDns;
    if (js::get(e, "trans_depth") || (js::get(e, "method") && js::get(e, "uri"))) return ZeekLog::kHttp;
    if (js::get(e, "server_name") || js::get(e, "cipher")) return ZeekLog::kSsl;
    return zeek_log(file_log_);
  }

  void put(ZeekRecord& r, std::span<const std::string_view> wanted, std::string_view key, const Element& v) {
    for (size_t k = 0; k < wanted.size(); ++k) {
      if (wanted[k] != key) continue;
      if (v.is_string()) {
        r[k] = js::text(v);
      } else if (v.is_array()) {
        std::string joined;
        js::each(v, [&](const Element& x) {
          if (!joined.empty()) joined += ',';
          joined += js::text(x);
        });
        r[k] = keep(std::move(joined));
      } else if (!v.is_null()) {
        r[k] = keep(js::minified(v));
      }
    }
  }
  std::string_view keep(std::string s) { return texts_.emplace_back(std::move(s)); }

  Sink& sink_;
  ZeekRows& rows_;
  std::string file_log_;
  simdjson::dom::parser parser_;
  std::deque<std::string> texts_;  // of numbers and lists; views into it stay valid while it grows
};

void decode(const Source& source, Sink& sink) {
  ZeekRows rows(sink, source.cluster);
  if (trim(source.bytes.substr(0, 4096)).starts_with('{')) {
    JsonLines lines(source, sink, rows);
    uint64_t number = 0;
    for (std::string_view rest = source.bytes; !rest.empty();) {
      const size_t end = rest.find('\n');
      const std::string_view one = trim(rest.substr(0, end));
      rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
      ++number;
      if (!one.empty()) lines.line(one, number);
    }
  } else {
    decode_tsv(source, sink, rows);
  }
  rows.finish();
}

int recognise(std::string_view head, std::string_view path) {
  if (head.starts_with("#separator ")) return head.find("\n#fields") != std::string_view::npos ? 97 : 60;
  if (head.starts_with("#fields\t") || head.starts_with("#path\t")) return 80;
  const std::string_view s = trim(head.substr(0, 8192));
  if (!s.starts_with('{')) return 0;
  const std::string_view line = s.substr(0, s.find('\n'));
  const bool id = line.find("\"id.orig_h\"") != std::string_view::npos || line.find("\"id_orig_h\"") != std::string_view::npos ||
                  line.find("\"orig_h\"") != std::string_view::npos;
  if (line.find("\"ts\":") == std::string_view::npos) return 0;
  if (id && line.find("\"uid\"") != std::string_view::npos) return 95;
  return line.find("\"_path\"") != std::string_view::npos || zeek_log(log_of_file(path)) != ZeekLog::kOther ? 50 : 0;
}

}  // namespace

extern const Decoder kZeek;
const Decoder kZeek{"zeek",
                    "Zeek logs, TSV and JSON: conn, dns, http, ssl; its other logs are known and not used",
                    "ASimNetworkSessionLogs,ASimDnsActivityLogs,ASimWebSessionLogs",
                    recognise,
                    decode,
                    nullptr,
                    true};

}  // namespace egret::ingest
