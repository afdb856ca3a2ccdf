#include <cstddef>

#include "capture/bytes.h"
#include "capture/http_request.h"
#include "capture/http_response.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace egret::capture;
  const std::string_view text = as_text({data, size});
  looks_like_http_request(text);
  looks_like_http_response(text);
  HttpRequest request;
  parse_http_request(text, request);
  http_host_name(request);
  HttpResponse response;
  parse_http_response(text, response);
  return 0;
}
