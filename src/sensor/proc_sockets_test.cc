#include "sensor/proc_sockets.h"

#include <gtest/gtest.h>

#include "sensor/context.h"

namespace egret::sensor {
namespace {

TEST(ProcSockets, Lines) {
  ProcSocket s;
  ASSERT_TRUE(parse_proc_socket(
      "   1: 0100007F:8D1E 0200070A:01BB 01 00000000:00000000 00:00000000 00000000  1000        0 45678 1 0000 20 4", false, s));
  EXPECT_EQ(address_of(s.local).to_string(), "127.0.0.1");
  EXPECT_EQ(address_of(s.remote).to_string(), "10.7.0.2");
  EXPECT_EQ(s.remote.port, 443);
  EXPECT_EQ(s.state, 1);
  EXPECT_EQ(s.uid, 1000u);
  EXPECT_EQ(s.inode, 45678u);
  ASSERT_TRUE(parse_proc_socket(
      "   0: B80D0120000000000000000001000000:0016 0000000000000000FFFF0000020011AC:1F90 06 00000000:00000000 00:0 0 0 0 7 1 0", true, s));
  EXPECT_EQ(address_of(s.local).to_string(), "2001:db8::1");
  EXPECT_EQ(address_of(s.remote).to_string(), IpAddress::v4(0xac110002).to_string());
  for (const std::string_view bad :
       {"", "  sl  local_address rem_address   st tx_queue", "1: 0:0 0:0 01 a b c d e f",
        "   1: 0100007F:8D1E 0200070A:01BB 01 00000000:00000000", "   1: 0100007G:8D1E 0200070A:01BB 01 a b c 0 0 1 1"})
    EXPECT_FALSE(parse_proc_socket(bad, false, s)) << bad;
}

}  // namespace
}  // namespace egret::sensor
