// A command-and-control host as an implant meets it: every check-in gets the next task, whatever is posted is taken.
#include <fmt/format.h>

#include <atomic>

#include "labpod/http_server.h"

namespace egret::labpod {

int c2(const Arguments& arguments) {
  return serve_http(arguments, [tasks = std::make_shared<std::atomic<int>>(0)](const HttpRequest& q) {
    if (q.method == "POST" || q.method == "PUT")
      return HttpResponse{200, "application/json", fmt::format(R"({{"taken":{}}})", q.body.size())};
    return HttpResponse{200, "application/json", fmt::format(R"({{"task":{},"do":"sleep"}})", ++*tasks)};
  });
}

}  // namespace egret::labpod
