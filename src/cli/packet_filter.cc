#include "cli/packet_filter.h"

#include <fmt/format.h>
#include <pcap/pcap.h>

#include <memory>

namespace egret::cli {

Result<std::vector<sock_filter>> compile_packet_filter(const std::string& filter, int link_type, uint32_t snap_length) {
  const std::unique_ptr<pcap_t, void (*)(pcap_t*)> handle(
      pcap_open_dead(link_type == 101 ? DLT_RAW : link_type, static_cast<int>(snap_length)), pcap_close);
  if (!handle) return internal_error("libpcap could not be started");
  bpf_program program{};
  if (pcap_compile(handle.get(), &program, filter.c_str(), 1, PCAP_NETMASK_UNKNOWN) != 0)
    return usage_error(fmt::format("the filter '{}' cannot be read: {}", filter, pcap_geterr(handle.get())),
                       "the language is tcpdump's, for example: tcp port 443 and not host 10.0.0.10");
  std::vector<sock_filter> out(program.bf_len);
  for (unsigned i = 0; i < program.bf_len; ++i)
    out[i] = {program.bf_insns[i].code, program.bf_insns[i].jt, program.bf_insns[i].jf, program.bf_insns[i].k};
  pcap_freecode(&program);
  return out;
}

}  // namespace egret::cli
