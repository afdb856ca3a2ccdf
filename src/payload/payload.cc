#include "payload/payload.h"

#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "payload/host.h"
#include "payload/layers.h"

namespace egret::payload {
namespace {

constexpr std::string_view kBackslashes = "backslashes";

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_slash(char c) { return c == '/' || c == '\\'; }
bool in_scheme(char c) { return is_alpha(c) || is_digit(c) || c == '+' || c == '-' || c == '_'; }
bool is_web(std::string_view scheme) {
  return scheme == "http" || scheme == "https" || scheme == "ftp" || scheme == "ws" || scheme == "wss";
}
bool is_local(std::string_view scheme) { return scheme == "file" || scheme == "netdoc"; }

std::string cut(std::string_view s) {
  if (s.size() <= kLongestStep) return std::string(s);
  size_t n = kLongestStep;
  while (n > 0 && (static_cast<unsigned char>(s[n]) & 0xc0) == 0x80) --n;
  return std::string(s.substr(0, n)) + "…";
}

bool contains_ignoring_case(std::string_view text, std::string_view part) {
  const auto same = [](char a, char b) { return (a | (is_alpha(a) ? 32 : 0)) == (b | (is_alpha(b) ? 32 : 0)); };
  return std::search(text.begin(), text.end(), part.begin(), part.end(), same) != text.end();
}

std::string url_of(const Target& t) {
  std::string url;
  if (!t.scheme.empty()) url += t.scheme + ':';
  if (!t.scheme.empty() || t.relative) url += "//";
  url += t.address && !t.address->is_v4() ? '[' + t.host + ']' : t.host;
  if (t.port) url += ':' + std::to_string(*t.port);
  return url + t.path;
}

// The table's own text of a layer's name, which outlives the value.
std::string_view layer_name(std::string_view what) {
  for (const Layer& layer : layers())
    if (layer.name == what) return layer.name;
  return {};
}

// One value: what was sent, every layer, and the URLs in the innermost.
class Value {
 public:
  Value(Place place, std::string_view parameter, std::string_view sent, std::vector<Target>& out)
      : place_(place), parameter_(parameter), out_(out), first_(out.size()) {
    layers_.push_back({"as sent", std::string(sent)});
    for (int n = 0; n < kMostLayers && peel(); ++n) {
    }
    text_ = layers_.back().text;
  }

  void scan() {
    if (place_ == Place::kParameter || place_ == Place::kText) value_start();
    for (size_t colon = text_.find(':'); colon != std::string_view::npos; colon = text_.find(':', colon + 1)) {
      if (out_.size() >= kMostTargets) return;
      at_colon(colon);
    }
  }

  // The text is an absolute URL: only where it leads itself.
  void scan_itself() { at_colon(text_.find(':')); }

 private:
  bool peel() {
    for (const Layer& layer : layers()) {
      // The lines of a text are lines; in one value a line end is nothing but a way to part a word.
      if (place_ == Place::kText && layer.undo == undo_ignored_controls) continue;
      if (auto plain = layer.undo(layers_.back().text)) {
        layers_.push_back({std::string(layer.name), *std::move(plain)});
        return true;
      }
    }
    return false;
  }

  // scheme: before the colon, an authority after it.
  void at_colon(size_t colon) {
    size_t begin = colon;
    while (begin > 0 && in_scheme(text_[begin - 1])) --begin;
    while (begin < colon && !is_alpha(text_[begin])) ++begin;
    if (colon - begin < 2 || colon - begin > 24) return;
    const std::string scheme = to_lower(text_.substr(begin, colon - begin));
    size_t at = colon + 1;
    size_t slashes = 0;
    const bool lenient = is_web(scheme) || is_local(scheme);
    while (at < text_.size() && (text_[at] == '/' || (lenient && text_[at] == '\\'))) ++at, ++slashes;
    if (is_local(scheme)) {
      if (slashes == 0) return;
      // file:///x and file:/x name no host, file://host/x one.
      const size_t host_at = colon + 3;
      if (slashes == 2) return authority(scheme, host_at);
      return without_host(scheme, at - 1);
    }
    if (slashes < 2) {
      // Clients complete http:host and http:/host; elsewhere than at the beginning of a value such text is no URL.
      const bool starts = begin == 0 || (place_ == Place::kPath && text_[begin - 1] == '/');
      if (!is_web(scheme) || !starts) return;
    } else if (!is_web(scheme)) {
      at = colon + 3;
    }
    authority(scheme, at);
  }

  // What needs no scheme where a value begins: //host/, an address, a name with a port or path.
  void value_start() {
    if (text_.size() < 2) return;
    if (is_slash(text_[0]) && is_slash(text_[1])) {
      if (place_ != Place::kParameter) return;
      return authority("", 2, [](const Host& h) { return h.address || h.name.find('.') != std::string::npos || h.name == "localhost"; });
    }
    if (text_.find(' ') != std::string_view::npos) return;
    const size_t end = text_[0] == '[' ? text_.find(']') + 1 : text_.find_first_of(":/?#&,;@");
    const std::string_view name = text_.substr(0, end == 0 ? std::string_view::npos : end);
    const bool literal = name.size() > 2 && (name[0] == '[' || IpAddress::parse(name).has_value());
    if (!literal) {
      if (name != "localhost" && name.find('.') == std::string_view::npos) return;
      const std::string_view top = name.substr(name.rfind('.') + 1);
      if (top.size() < 2 || !std::all_of(top.begin(), top.end(), is_alpha)) return;
      if (end != std::string_view::npos && text_[end] != ':' && text_[end] != '/') return;
      if (end != std::string_view::npos && text_[end] == ':' && !(end + 1 < text_.size() && is_digit(text_[end + 1]))) return;
    }
    authority("", 0, [](const Host&) { return true; });
  }

  // Where the authority that begins at `at` ends, and whether a stricter parser would have ended it before.
  size_t authority_end(size_t at, bool& disputed) const {
    const std::string_view stop = "/\\?#\"'<>`{}|^ &,;()\t\r\n";
    size_t end = at;
    if (end < text_.size() && text_[end] == '[') {
      end = text_.find(']', end);
      if (end == std::string_view::npos) return at;
    }
    for (;;) {
      end = std::min(text_.find_first_of(stop, end), text_.size());
      // Parsers disagree on http://a.com:80# @10.0.0.1/ and http://a.com\@10.0.0.1/: some take what follows the '@'.
      size_t after = end;
      while (after < text_.size() && after - end < 4 && std::string_view(" #&?;\\").find(text_[after]) != std::string_view::npos) ++after;
      if (place_ == Place::kText || after == end || after >= text_.size() || text_[after] != '@') return end;
      disputed = true;
      end = after + 1;
      if (end < text_.size() && text_[end] == '[') end = std::min(text_.find(']', end), text_.size());
    }
  }

  // http://\l\o\c\a\l\h\o\s\t/: a backslash (or two) before each character.
  std::optional<std::string> without_backslashes(size_t& at) const {
    size_t i = at, pairs = 0;
    while (i > 0 && text_[i - 1] == '\\') --i;
    std::string name;
    while (i < text_.size() && (text_[i] == '\\' || text_[i] == '.')) {
      if (text_[i] == '.') {
        name += text_[i++];
        continue;
      }
      while (i < text_.size() && text_[i] == '\\') ++i;
      if (i >= text_.size() || (!is_alpha(text_[i]) && !is_digit(text_[i]))) break;
      name += text_[i++];
      ++pairs;
    }
    if (pairs < 3) return {};
    at = i;
    return name;
  }

  void authority(std::string_view scheme, size_t at, bool (*wanted)(const Host&) = nullptr) {
    if (size_t after = at; const auto name = without_backslashes(after)) {
      if (auto host = read_host(*name)) add(scheme, "", *name, *std::move(host), {}, after, {kBackslashes});
      return;
    }
    bool disputed = false;
    const size_t end = authority_end(at, disputed);
    const std::string_view whole = text_.substr(at, end - at);
    size_t from = 0;
    std::string_view user;
    while (true) {
      const size_t sign = whole.find('@', from);
      // With several '@' the parts between them are hosts to some parsers as well.
      const bool last = sign == std::string_view::npos;
      const std::string_view part = whole.substr(from, last ? sign : sign - from);
      if (last || from > 0 || disputed) host_and_port(scheme, user, part, end, disputed || from > 0, wanted);
      if (last || out_.size() >= kMostTargets) break;
      user = whole.substr(0, sign);
      from = sign + 1;
    }
  }

  void host_and_port(std::string_view scheme, std::string_view user, std::string_view part, size_t end, bool has_user,
                     bool (*wanted)(const Host&)) {
    size_t colon = part.find(':');
    if (part.starts_with("[")) {
      const size_t close = part.find(']');
      if (close == std::string_view::npos) return;
      colon = close + 1 < part.size() && part[close + 1] == ':' ? close + 1 : std::string_view::npos;
      if (colon == std::string_view::npos) part = part.substr(0, close + 1);
    }
    std::string_view name = part.substr(0, colon);
    while (!name.empty() && std::string_view(" #&?;\\").find(name.back()) != std::string_view::npos) name.remove_suffix(1);
    std::optional<uint16_t> port;
    if (colon != std::string_view::npos) {
      uint32_t v = 0;
      size_t n = 0;
      for (size_t i = colon + 1; i < part.size() && n < 5 && is_digit(part[i]); ++i, ++n) v = v * 10 + static_cast<uint32_t>(part[i] - '0');
      if (n > 0 && v < 65'536) port = static_cast<uint16_t>(v);
    }
    auto host = read_host(name);
    if (!host || (wanted && !wanted(*host))) return;
    std::vector<std::string_view> hidden;
    // user:password is honest; a user that reads as a host is there to be taken for one.
    if (has_user && user.find('.') != std::string_view::npos) hidden.push_back("host-like user");
    add(scheme, user, name, *std::move(host), port, end, std::move(hidden));
  }

  void without_host(std::string_view scheme, size_t path) {
    Target t;
    t.scheme = scheme;
    t.path = path_from(path);
    finish(std::move(t), {});
  }

  std::string path_from(size_t at) const {
    const size_t end = text_.find_first_of(place_ == Place::kText ? std::string_view("\"'<>` \r\n\t") : std::string_view("\"<>\r\n"), at);
    return cut(text_.substr(std::min(at, text_.size()), end == std::string_view::npos ? end : end - at));
  }

  void add(std::string_view scheme, std::string_view user, std::string_view written, Host host, std::optional<uint16_t> port, size_t end,
           std::vector<std::string_view> hidden) {
    Target t;
    t.scheme = scheme;
    t.relative = scheme.empty() && !text_.empty() && is_slash(text_[0]);
    t.user = user;
    t.host = std::move(host.name);
    t.address = host.address;
    t.in_name = std::move(host.in_name);
    t.port = port;
    t.path = path_from(end);
    t.hidden = std::move(hidden);
    // Percent-encoding a whole URL is what every client does. Hiding is what makes the host itself unreadable: it stands in what a
    // layer gave and not in what the layer was given.
    std::string_view plain = written;
    if (plain.starts_with("[")) plain = {};
    const bool ascii = std::all_of(plain.begin(), plain.end(), [](char c) { return !(c & 0x80); });
    if (ascii && !plain.empty() && std::find(t.hidden.begin(), t.hidden.end(), kBackslashes) == t.hidden.end()) {
      for (size_t i = 1; i < layers_.size(); ++i)
        if (contains_ignoring_case(layers_[i].text, plain) && !contains_ignoring_case(layers_[i - 1].text, plain))
          t.hidden.push_back(layer_name(layers_[i].what));
    }
    t.hidden.insert(t.hidden.end(), host.forms.begin(), host.forms.end());
    finish(std::move(t), host.forms);
  }

  void finish(Target t, const std::vector<std::string_view>& forms) {
    for (size_t i = first_; i < out_.size(); ++i) {
      const Target& o = out_[i];
      if (o.scheme == t.scheme && o.host == t.host && o.port == t.port && o.path == t.path) return;
    }
    if (out_.size() >= kMostTargets) return;
    t.place = place_;
    t.parameter = parameter_;
    for (const Step& layer : layers_) t.steps.push_back({layer.what, cut(layer.text)});
    // What no layer showed, the address or the name itself, is a last step: the URL as a client would ask for it.
    std::string what;
    for (const std::string_view form : forms) (what += form) += ' ';
    if (!what.empty()) {
      t.steps.push_back({what + "address", url_of(t)});
    } else if (!t.hidden.empty() && t.hidden[0] == kBackslashes) {
      t.steps.push_back({std::string(kBackslashes), url_of(t)});
    }
    out_.push_back(std::move(t));
  }

  Place place_;
  std::string parameter_;
  std::vector<Step> layers_;
  std::string_view text_;
  std::vector<Target>& out_;
  size_t first_;
};

// Nothing in it could begin a URL, in whatever encoding: most values of most requests.
bool is_plain(std::string_view value, Place place) {
  if (value.size() >= 16) return false;
  bool dot = false;
  for (const char c : value) {
    if (c == ':' || c == '%' || c == '\\' || c == '&' || (c & 0x80)) return false;
    dot |= c == '.' || c == '/' || c == '[';
  }
  return !dot || place == Place::kPath ? value != "localhost" : false;
}

void scan_value(Place place, std::string_view parameter, std::string_view value, std::vector<Target>& out) {
  if (value.empty() || is_plain(value, place) || out.size() >= kMostTargets) return;
  Value(place, parameter, value, out).scan();
}

void scan_parameters(std::string_view query, std::vector<Target>& out) {
  while (!query.empty() && out.size() < kMostTargets) {
    const size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    // A URL may stand where a name is expected: ?http://2852039166/
    size_t equals = pair.find('=');
    if (const size_t colon = pair.find("://"); colon != std::string_view::npos && colon < equals) equals = std::string_view::npos;
    if (equals == std::string_view::npos) {
      scan_value(Place::kParameter, "", pair, out);
    } else {
      const auto name = undo_percent(pair.substr(0, equals));
      scan_value(Place::kParameter, name ? std::string_view(*name) : pair.substr(0, equals), pair.substr(equals + 1), out);
    }
    if (end == std::string_view::npos) break;
    query.remove_prefix(end + 1);
  }
}

// name=value with nothing before the '=' that a form would have encoded.
bool is_form(std::string_view text) {
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0 || equals > 100) return false;
  if (text.find_first_not_of('=', equals) == std::string_view::npos) return false;  // the padding of Base64
  return std::all_of(text.begin(), text.begin() + static_cast<ptrdiff_t>(equals),
                     [](char c) { return is_alpha(c) || is_digit(c) || std::string_view("_.-[]%+").find(c) != std::string_view::npos; });
}

bool has_blank(std::string_view s) { return s.find_first_of(" \t\r\n<>\"") != std::string_view::npos; }

}  // namespace

std::string_view place_name(Place place) {
  switch (place) {
    case Place::kItself: return "itself";
    case Place::kPath: return "path";
    case Place::kParameter: return "parameter";
    case Place::kText: return "text";
  }
  return "";
}

std::vector<Target> decode(std::string_view text) {
  std::vector<Target> out;
  text = text.substr(0, kLongestText);
  if (text.empty()) return out;
  size_t scheme = 0;
  while (scheme < text.size() && in_scheme(text[scheme])) ++scheme;
  const bool absolute = scheme > 1 && is_alpha(text[0]) && text.substr(scheme).starts_with("://");
  if ((absolute && !has_blank(text)) || text[0] == '/') {
    size_t path = 0;
    if (absolute) {
      path = std::min(text.find_first_of("/?#", scheme + 3), text.size());
      Value(Place::kItself, "", text.substr(0, path), out).scan_itself();
      // What stands before the parameters belongs to where it leads.
      if (!out.empty()) out.back().path = cut(text.substr(path));
    }
    const size_t query = std::min(text.find('?', path), text.size());
    scan_value(Place::kPath, "", text.substr(path, query - path), out);
    if (query < text.size()) scan_parameters(text.substr(query + 1), out);
  } else if (is_form(text) && !has_blank(text)) {
    scan_parameters(text, out);
  } else {
    scan_value(Place::kText, "", text, out);
  }
  return out;
}

std::string reading(const Target& t) {
  std::string line;
  for (const Step& step : t.steps) {
    if (!line.empty()) line += " → " + step.what + " → ";
    line += step.text;
  }
  return line;
}

void append_json(std::string& out, std::span<const Target> targets) {
  JsonWriter w;
  const auto text = [&](std::string_view key, std::string_view value) {
    if (!value.empty()) w.key(key).string(value);
  };
  w.begin_array();
  for (const Target& t : targets) {
    w.begin_object();
    w.key("place").string(place_name(t.place));
    text("parameter", t.parameter);
    w.key("steps").begin_array();
    for (const Step& step : t.steps) w.begin_object().key("what").string(step.what).key("text").string(step.text).end_object();
    w.end_array();
    w.key("reading").string(reading(t));
    w.key("url").string(url_of(t));
    text("scheme", t.scheme);
    text("user", t.user);
    text("host", t.host);
    if (t.address) w.key("address").string(t.address->to_string());
    if (!t.in_name.empty()) {
      w.key("inName").begin_array();
      for (const IpAddress& a : t.in_name) w.string(a.to_string());
      w.end_array();
    }
    if (t.port) w.key("port").number(int64_t{*t.port});
    text("path", t.path);
    if (!t.hidden.empty()) {
      w.key("hidden").begin_array();
      for (const std::string_view how : t.hidden) w.string(how);
      w.end_array();
    }
    w.end_object();
  }
  w.end_array();
  out += std::move(w).take();
}

}  // namespace egret::payload
