#pragma once
// An HTTP/1.1 server for the roles that are hosts: a thread per connection, plain and TLS ports, bodies by Content-Length.
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "labpod/log.h"
#include "labpod/net.h"
#include "labpod/roles.h"

namespace egret::labpod {

struct HttpRequest {
  std::string method, target;                  // target as sent: path and query
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  Endpoint client, server;
  std::string path() const;                             // decoded once
  std::string query(std::string_view parameter) const;  // decoded once; empty where there is none
};
struct HttpResponse {
  int status = 200;
  std::string type = "text/plain", body;
};
using HttpHandler = std::function<HttpResponse(const HttpRequest&)>;

// Options common to all: --bind ADDRESS, --http PORT…, --tls PORT… with --certificate and --key, --log FILE. Returns only when it fails.
int serve_http(const Arguments& arguments, const HttpHandler& handler);

// A request and its whole answer over an open connection.
struct HttpReply {
  int status = 0;
  std::string body;
};
Result<HttpReply> http_exchange(Connection& connection, const std::string& request);

}  // namespace egret::labpod
