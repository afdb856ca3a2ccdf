// Connections seen on the node before translation, where the pod's own address still stands: Zeek's conn.log.
#include <fmt/format.h>

#include "drill/stages.h"
#include "drill/writers.h"

namespace egret::drill {

void write_pod_flows(Pen& pen, uint32_t index) {
  const World& world = pen.world;
  if (forms_of(world).hubble) return write_hubble(pen, index);
  const Cluster& c = world.clusters[index];
  Random random = pen.random.fork("zeek conn");
  const bool json = Random(world.seed).fork("zeek form").chance(0.4);
  const auto [gap_from, gap_to] = pen.gap(c, "zeek conn");
  Output::File file(pen.out, "zeek-conn", fmt::format("{}/zeek/conn.log", c.name));
  if (!json)
    file.text() += fmt::format(
        "#separator "
        "\\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n#open\t{}\n#fields\tts\tuid\tid.orig_h\tid.orig_"
        "p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\tlocal_orig\tlocal_resp\tmissed_"
        "bytes\thistory\torig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes\ttunnel_parents\n#"
        "types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\tinterval\tcount\tcount\tstring\tbool\tbool\tcount\tstring\tcount\tcount"
        "\tcount\tcount\tset[string]\n",
        iso(world.from).substr(0, 10));
  for (uint32_t i = 0; i < c.contacts.size(); ++i) {
    const Contact& k = c.contacts[i];
    if (k.dns_only || (k.at >= gap_from && k.at < gap_to)) continue;
    const bool host = k.pod == kHostProcess || world.workload_of(c, c.pods[k.pod]).host_network;
    const Ip source = k.pod == kHostProcess ? c.nodes[k.node].ip : c.pods[k.pod].ip;
    pen.ledger.contacts[index][i] |= host ? kHostRow : kPodRow;
    const Micros t = k.at + c.skew;
    const std::string uid = "C" + random.kube_suffix(17);
    const uint64_t out_packets = 3 + k.out / 1100, in_packets = 3 + k.in / 1100;
    const std::string_view service = k.port == 443 ? "ssl" : k.port == 80 ? "http" : "-";
    if (json) {
      fmt::format_to(std::back_inserter(file.text()),
                     R"({{"ts":{}.{:06},"uid":"{}","id.orig_h":"{}","id.orig_p":{},"id.resp_h":"{}","id.resp_p":{},"proto":"tcp",)",
                     t / kSecond, t % kSecond, uid, ip_text(source), k.src_port, ip_text(k.address), k.port);
      if (service != "-") fmt::format_to(std::back_inserter(file.text()), R"("service":"{}",)", service);
      fmt::format_to(
          std::back_inserter(file.text()),
          R"("duration":{:.6f},"orig_bytes":{},"resp_bytes":{},"conn_state":"SF","local_orig":true,"local_resp":false,"missed_bytes":0,"history":"ShADadFf","orig_pkts":{},"orig_ip_bytes":{},"resp_pkts":{},"resp_ip_bytes":{}}})",
          k.duration_ms / 1000.0, k.out, k.in, out_packets, k.out + out_packets * 40, in_packets, k.in + in_packets * 40);
    } else {
      fmt::format_to(std::back_inserter(file.text()),
                     "{}.{:06}\t{}\t{}\t{}\t{}\t{}\ttcp\t{}\t{:.6f}\t{}\t{}\tSF\tT\tF\t0\tShADadFf\t{}\t{}\t{}\t{}\t-", t / kSecond,
                     t % kSecond, uid, ip_text(source), k.src_port, ip_text(k.address), k.port, service, k.duration_ms / 1000.0, k.out,
                     k.in, out_packets, k.out + out_packets * 40, in_packets, k.in + in_packets * 40);
    }
    file.text() += '\n';
    file.row();
  }
  if (!json) file.text() += fmt::format("#close\t{}\n", iso(world.to).substr(0, 10));
  pen.ledger.sources.insert("zeek-conn");
}

}  // namespace egret::drill
