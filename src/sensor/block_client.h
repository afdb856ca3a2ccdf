#pragma once
// The control socket's other end. It needs neither a JSON reader nor libbpf: what a static program links that has to start quickly.
#include <sys/un.h>

#include <string>

#include "base/result.h"
#include "sensor/block_protocol.h"

namespace egret::sensor {

std::string write_block_request(const BlockRequest& request);  // with the line's end
Result<sockaddr_un> block_socket_address(const std::string& path);

// Asks the service at this socket and waits: the text for people or the JSON with its line's end, or the service's own error.
Result<std::string> ask_block_service(const std::string& socket, BlockReply reply, const BlockRequest& request, int timeout_ms = 30'000);

}  // namespace egret::sensor
