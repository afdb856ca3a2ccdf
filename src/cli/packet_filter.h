#pragma once
// tcpdump's filter language (pcap-filter(7)) as a program for the kernel, by libpcap.
#include <linux/filter.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace egret::cli {

// link_type as in a capture file: 1 Ethernet, 101 raw IP.
Result<std::vector<sock_filter>> compile_packet_filter(const std::string& filter, int link_type, uint32_t snap_length);

}  // namespace egret::cli
