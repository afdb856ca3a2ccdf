#pragma once
// Which protocol a stream or a datagram speaks, by its content. Ports only break ties.
#include <cstdint>
#include <string_view>

#include "capture/bytes.h"

namespace egret::capture {

struct Guess {
  bool sure = false;          // otherwise more bytes may tell
  std::string_view protocol;  // as NetworkApplicationProtocol has it: "HTTP", "TLS", "DNS", "SSH" …; '' for none
};

// The first bytes of one direction of a TCP stream.
Guess recognise_stream(Bytes head, bool from_client, uint16_t server_port);
// One datagram; '' when it is nothing known.
std::string_view recognise_datagram(Bytes payload, uint16_t client_port, uint16_t server_port);

// Where services listen: tells who is the server in a conversation that was captured from its middle.
bool is_service_port(uint16_t port, bool udp);

}  // namespace egret::capture
