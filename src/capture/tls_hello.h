#pragma once
// ClientHello and ServerHello out of the first bytes of a TLS stream (RFC 8446, RFC 5246, SSL 3.0), with the fingerprints JA3 and
// JA3S (github.com/salesforce/ja3). Knows nothing of packets: the sensor and the packet reader share it.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "capture/bytes.h"

namespace egret::capture {

enum class TlsParse {
  kNotTls,    // whatever follows, this is no hello
  kNeedMore,  // a hello that is not whole yet; `out` has what these bytes say (a server name often stands in the first packet)
  kDone,
};

struct TlsClientHello {
  uint16_t version = 0;          // legacy_version: 0x0303 in TLS 1.2 and 1.3
  uint16_t highest_version = 0;  // the highest of supported_versions, or legacy_version
  std::string server_name;       // lower case; empty when there is none
  std::vector<std::string> alpn;
  bool encrypted_hello = false;  // an ECH extension: server_name is then the outer one
  bool session = false;          // offers a session, ticket or pre-shared key to go on with
  std::string ja3;               // "771,4865-4866,0-23-65281,29-23,0", without GREASE; its MD5 is the fingerprint (ja3_hash)
  std::string ja3_hash() const;
};

struct TlsServerHello {
  uint16_t version = 0;  // the one chosen: of supported_versions, or the field
  uint16_t cipher = 0;
  std::string alpn;    // TLS 1.3 sends it encrypted
  bool retry = false;  // a HelloRetryRequest: the real ServerHello follows later
  std::string ja3s;
  std::string ja3s_hash() const;
};

// `stream`: one direction's bytes from its very beginning (records with their headers). Handshake messages may be cut over records;
// 16 KiB of a hello are enough for any that exists, beyond that it is kNotTls.
TlsParse parse_client_hello(Bytes stream, TlsClientHello& out);
TlsParse parse_server_hello(Bytes stream, TlsServerHello& out);

// Do these first bytes of a direction begin a TLS record with a handshake (or alert) in it? Needs 6 bytes to say yes.
bool looks_like_tls(Bytes stream);

std::string_view tls_version_name(uint16_t version);  // "TLSv1.2"; '' for one that has no name

}  // namespace egret::capture
