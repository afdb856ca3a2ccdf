#include <cstddef>

#include "capture/tls_hello.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace egret::capture;
  const Bytes bytes(data, size);
  looks_like_tls(bytes);
  TlsClientHello client;
  parse_client_hello(bytes, client);
  TlsServerHello server;
  parse_server_hello(bytes, server);
  return 0;
}
