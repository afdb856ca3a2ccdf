#include "sensor/requests.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "capture/http_request.h"
#include "capture/tls_hello.h"

namespace egret::sensor {

namespace {

capture::Bytes bytes_of(const PayloadEvent& e) { return {e.data, std::min<size_t>(e.length, kPayloadBytes)}; }

}  // namespace

void Requests::on_payload(const PayloadEvent& e) {
  if (!c_.owners->of(e.owner).ours) return;
  if (e.shape == kPayloadTls) hello(e);
  if (e.shape == kPayloadHttp) request(e);
}

Row Requests::begin(const PayloadEvent& e, std::string_view protocol) const {
  Row row("ASimWebSessionLogs", c_.clock.wall(e.header.time));
  row.text("EventVendor", "Egret").text("EventProduct", "sensor").number("EventCount", 1);
  row.text("NetworkApplicationProtocol", protocol).text("NetworkProtocol", protocol_name(e.protocol));
  const Endpoint& from = e.inbound ? e.remote : e.local;
  const Endpoint& to = e.inbound ? e.local : e.remote;
  row.text("SrcIpAddr", address_of(from).to_string()).number("SrcPortNumber", from.port);
  row.text("DstIpAddr", address_of(to).to_string()).number("DstPortNumber", to.port);
  row.text("Direction", e.inbound ? "inbound" : "outbound").text("NetworkDirection", e.inbound ? "Inbound" : "Outbound");
  return row;
}

void Requests::finish(Row& row, const PayloadEvent& e) const {
  const Process& process = c_.processes->of(e.owner);
  add_owner(row, c_, c_.owners->of(e.owner), process.name);
  if (e.owner.pid)
    row.text("SrcProcessName", process.path.empty() ? process.name : process.path).text("SrcProcessId", fmt::format("{}", e.owner.pid));
  c_.out->add(row);
}

void Requests::hello(const PayloadEvent& e) {
  capture::TlsClientHello hello;
  const capture::TlsParse parsed = capture::parse_client_hello(bytes_of(e), hello);
  if (parsed == capture::TlsParse::kNotTls) {
    ++malformed_;
    return;
  }
  Row row = begin(e, "TLS");
  row.text("EventType", "NetworkSession").text("EventResult", "NA").text("DstHostname", hello.server_name);
  row.text("TlsVersion", capture::tls_version_name(hello.highest_version)).text("TlsAlpn", join(hello.alpn, ","));
  // A hello that did not fit into what was copied has a fingerprint of its beginning only, which would be another program's.
  if (parsed == capture::TlsParse::kDone && !hello.ja3.empty()) row.text("TlsJa3", hello.ja3_hash());
  if (!hello.server_name.empty() && !e.inbound) c_.names.learn(e.owner.netns, address_of(e.remote), hello.server_name);
  finish(row, e);
}

void Requests::request(const PayloadEvent& e) {
  capture::HttpRequest request;
  const capture::Bytes bytes = bytes_of(e);
  const std::string_view text = capture::as_text(bytes);
  if (capture::parse_http_request(text, request) == capture::HttpParse::kNotHttp || request.method.empty()) {
    ++malformed_;
    return;
  }
  const std::string host = to_lower(capture::http_host_name(request));
  Row row = begin(e, "HTTP");
  row.text("EventType", "HTTPsession").text("EventResult", "NA").text("DstHostname", host);
  row.text("HttpRequestMethod", request.method).text("HttpVersion", request.version).text("Url", request.target);
  row.text("HttpUserAgent", request.user_agent).text("HttpReferrer", request.referer);
  row.text("HttpRequestXff", request.forwarded_for).text("HttpHost", request.host);
  if (!host.empty() && !e.inbound && !IpAddress::parse(host)) c_.names.learn(e.owner.netns, address_of(e.remote), host);
  finish(row, e);
}

}  // namespace egret::sensor
