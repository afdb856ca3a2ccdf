#pragma once
// One access-log line of a web server: ingress-nginx (its default log-format-upstream, and that of versions before 0.26), and the
// "common" and "combined" formats of Apache, nginx and those that write as they do (gunicorn, Jetty, Caddy …), with whatever fields
// somebody put behind them.
// Formats: https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/log-format/,
// https://httpd.apache.org/docs/current/logs.html
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace egret::ingest {

struct AccessLine {
  Ticks logged = 0;                   // when the answer was sent; whole seconds
  std::string client;                 // address or name
  std::string method, path, version;  // empty where what came was no request
  int64_t status = 0, sent = 0;       // bytes of the answer's body
  std::string referrer, agent;
  bool ingress = false;                    // what follows is there
  int64_t received = 0, milliseconds = 0;  // bytes of the request, its duration
  std::string upstream_name;               // NAMESPACE-SERVICE-PORT
  std::string upstream, request_id;        // address:port of the last one tried, empty: none was
};

enum class AccessKind { kAccess, kOther, kMalformed, kNo };  // kOther: nginx's error log

AccessKind parse_access(std::string_view line, AccessLine& access, std::string& reason);

}  // namespace egret::ingest
