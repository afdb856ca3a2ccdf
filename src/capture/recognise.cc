#include "capture/recognise.h"

#include <algorithm>

#include "capture/dns_message.h"
#include "capture/http_request.h"
#include "capture/http_response.h"
#include "capture/tls_hello.h"

namespace egret::capture {
namespace {

enum Side : uint8_t { kClient, kServer, kEither };

struct Prefix {
  std::string_view bytes, protocol;
  Side side;
};

using namespace std::string_view_literals;
constexpr Prefix kPrefixes[] = {
    {"PRI * HTTP/2"sv, "HTTP2", kClient},
    {"SSH-"sv, "SSH", kEither},
    {"\xffSMB"sv, "SMB", kEither},
    {"EHLO "sv, "SMTP", kClient},
    {"HELO "sv, "SMTP", kClient},
    {"+OK "sv, "POP3", kServer},
    {"* OK "sv, "IMAP", kServer},
    {"AMQP\0"sv, "AMQP", kEither},
    {"\x13"
     "BitTorrent protocol"sv,
     "BITTORRENT", kEither},
    {"RFB 00"sv, "VNC", kEither},
    {"\0\0\0\x08\x04\xd2\x16\x2f"sv, "POSTGRESQL", kClient},
    {"SIP/2.0 "sv, "SIP", kEither},
    {"RTSP/1.0 "sv, "RTSP", kServer},
    {"INFO {\"server_id\""sv, "NATS", kServer},
};

bool contains_early(std::string_view s, std::string_view what) { return s.substr(0, 512).find(what) != std::string_view::npos; }

bool looks_like_dns_stream(Bytes head) {
  // The length before the message must fit as well: it is a message of its own, or the beginning of a longer one.
  if (head.size() < 14) return false;
  const size_t size = be16(head.data());
  return size >= 17 && looks_like_dns(head.subspan(2, std::min(size, head.size() - 2)));
}

}  // namespace

Guess recognise_stream(Bytes head, bool from_client, uint16_t server_port) {
  if (head.empty()) return {};
  const std::string_view s = as_text(head);
  const size_t n = head.size();
  if (looks_like_tls(head)) return {true, "TLS"};
  if (looks_like_http_request(s) || looks_like_http_response(s)) return {true, "HTTP"};
  for (const Prefix& p : kPrefixes)
    if ((p.side == kEither || (p.side == kClient) == from_client) && s.starts_with(p.bytes)) return {true, p.protocol};
  if (n >= 8 && head[0] == 0 && (s.substr(4, 4) == "\xffSMB"sv || s.substr(4, 4) == "\xfeSMB"sv || s.substr(4, 4) == "\xfdSMB"sv))
    return {true, "SMB"};
  if (from_client && n >= 8 && be32(head.data()) == n && be16(head.data() + 4) == 3 && contains_early(s, "user"))
    return {true, "POSTGRESQL"};
  if (from_client && n >= 12 && head[0] == 0x10 && (s.substr(2, 6) == "\0\4MQTT"sv || s.substr(2, 8) == "\0\6MQIsdp"sv))
    return {true, "MQTT"};
  if (from_client && n >= 11 && head[0] == 3 && head[1] == 0 && be16(head.data() + 2) <= 512 && (head[5] & 0xf0) == 0xe0)
    return {true, "RDP"};
  if (from_client && n >= 8 && head[0] == '*' && head[1] >= '1' && head[1] <= '9' && contains_early(s, "\r\n$")) return {true, "REDIS"};
  if (!from_client && n >= 10 && head[3] == 0 && head[4] == 10 && size_t{head[0]} + (size_t{head[1]} << 8) + 4 == n) return {true, "MYSQL"};
  if (from_client && n >= 16 &&
      (s.starts_with("{\"id\"") || s.starts_with("{\"jsonrpc\"") || s.starts_with("{\"method\"") || s.starts_with("{\"params\"")) &&
      (contains_early(s, "mining.") || contains_early(s, "\"login\"")))
    return {true, "STRATUM"};
  if (!from_client && (s.starts_with("220 ") || s.starts_with("220-"))) {
    if (contains_early(s, "SMTP") || server_port == 25 || server_port == 587) return {true, "SMTP"};
    if (contains_early(s, "FTP") || server_port == 21) return {true, "FTP"};
  }
  if (looks_like_dns_stream(head)) return {true, "DNS"};
  // A first line may still be on its way.
  return {n >= 24 || (n >= 6 && head[0] < 32), {}};
}

std::string_view recognise_datagram(Bytes p, uint16_t client_port, uint16_t server_port) {
  const auto port = [&](uint16_t n) { return client_port == n || server_port == n; };
  if (p.size() < 4) return {};
  if (port(53) || port(5353) || port(5355) || port(137)) {
    if (looks_like_dns(p)) return "DNS";
  }
  if (p.size() > 20 && (p[0] & 0xc0) == 0xc0) {
    const uint32_t version = be32(p.data() + 1);
    if ((version == 1 || version == 0x6b3343cf || version >> 8 == 0xff0000) && p[5] <= 20) return "QUIC";
  }
  if (port(123) && p.size() >= 48 && (p[0] & 7) && ((p[0] >> 3) & 7) <= 4) return "NTP";
  if ((port(67) || port(68)) && p.size() >= 240 && be32(p.data() + 236) == 0x63825363) return "DHCP";
  if (port(161) || port(162)) return p[0] == 0x30 ? "SNMP"sv : ""sv;
  if (p.size() >= 20 && be32(p.data() + 4) == 0x2112a442 && (p[0] & 0xc0) == 0) return "STUN";
  const std::string_view s = as_text(p);
  if (port(5060) && (contains_early(s, "SIP/2.0"))) return "SIP";
  if (p.size() >= 13 && p[0] >= 20 && p[0] <= 23 && p[1] == 0xfe && (p[2] == 0xff || p[2] == 0xfd)) return "DTLS";
  if (port(514) && p[0] == '<' && p.size() > 4) return "SYSLOG";
  if (p.size() >= 148 && be32(p.data()) == 0x01000000 && p.size() == 148) return "WIREGUARD";
  // A question on another port: only one that is whole, of class IN and nothing else in the datagram.
  if (!(p.size() > 16 && (p[2] & 0x80)) && p.size() > 16 && be16(p.data() + 4) == 1 && be16(p.data() + 6) == 0 && be16(p.data() + 8) == 0 &&
      looks_like_dns(p)) {
    DnsMessage m;
    if (parse_dns_message(p, m) && m.complete && m.questions[0].dns_class == 1 && m.opcode == 0 &&
        m.questions[0].name.find('\\') == std::string::npos) {
      // Where the message ends the datagram does (names in questions are not compressed).
      size_t at = 12;
      while (at < p.size() && p[at] != 0) at += 1u + p[at];
      if (m.additional_count > 0 || at + 5 == p.size()) return "DNS";
    }
  }
  return {};
}

bool is_service_port(uint16_t port, bool udp) {
  static constexpr uint16_t kTcp[] = {21,   22,   23,   25,   53,   80,   81,   88,   102,  110,  111,  135,   139,   143,   179,
                                      389,  443,  445,  465,  502,  514,  563,  585,  587,  614,  631,  636,   989,   990,   992,
                                      993,  995,  1080, 1433, 1521, 1883, 2181, 2375, 2376, 2379, 2380, 3000,  3128,  3268,  3306,
                                      3389, 5060, 5061, 5222, 5223, 5269, 5432, 5671, 5672, 5900, 6379, 6443,  6666,  6667,  6668,
                                      6669, 8000, 8080, 8081, 8443, 8883, 8888, 9092, 9093, 9200, 9418, 10250, 15672, 20000, 27017};
  static constexpr uint16_t kUdp[] = {53,   67,   69,   80,   88,   111,  123,  137,  138,  161,  162,  389,
                                      443,  464,  500,  514,  623,  1194, 1434, 1812, 1813, 1985, 3478, 3544,
                                      4500, 4789, 5060, 5061, 5351, 5353, 5355, 6081, 8472, 51820};
  if (udp) return std::find(std::begin(kUdp), std::end(kUdp), port) != std::end(kUdp);
  return std::binary_search(std::begin(kTcp), std::end(kTcp), port);
}

}  // namespace egret::capture
