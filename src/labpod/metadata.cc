// The metadata service of a virtual machine at 169.254.169.254, as Azure's: only who sends `Metadata: true` gets an answer, and a
// token of the machine's identity is one of them. The token is worth nothing.
#include <fmt/format.h>

#include "labpod/http_server.h"

namespace egret::labpod {

int metadata(const Arguments& arguments) {
  const std::string identity = arguments.text("identity", "lab");
  return serve_http(arguments, [identity](const HttpRequest& q) {
    const auto asked = q.headers.find("metadata");
    if (asked == q.headers.end() || asked->second != "true")
      return HttpResponse{400, "application/json",
                          R"({"error":"invalid_request","error_description":"Required metadata header not specified"})"};
    const std::string path = q.path();
    if (path == "/metadata/identity/oauth2/token")
      return HttpResponse{
          200, "application/json",
          fmt::format(R"({{"access_token":"lab.{}.{}","client_id":"{}","expires_in":"86399","resource":"{}","token_type":"Bearer"}})",
                      identity, now_nanoseconds(), identity, q.query("resource"))};
    if (path.starts_with("/metadata/instance"))
      return HttpResponse{200, "application/json",
                          fmt::format(R"({{"compute":{{"azEnvironment":"AzurePublicCloud","name":"{}"}}}})", q.client.address.to_string())};
    return HttpResponse{404, "application/json", R"({"error":"Not found"})"};
  });
}

}  // namespace egret::labpod
