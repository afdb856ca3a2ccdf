#include "sensor/cgroup_path.h"

#include <gtest/gtest.h>

namespace egret::sensor {
namespace {

constexpr std::string_view kUid = "0a1b2c3d-1111-2222-3333-444455556666";
constexpr std::string_view kId = "4f1d2a6b8c9e0f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192";

TEST(CgroupPath, PlacesOfEveryLayout) {
  const std::string id(kId), uid(kUid);
  struct Case {
    std::string path, uid, container, qos, unit;
  };
  const Case cases[] = {
      {"/kubepods/burstable/pod" + uid + "/" + id, uid, id, "burstable", ""},
      {"/kubepods/pod" + uid + "/" + id, uid, id, "guaranteed", ""},
      {"/kubepods/besteffort/pod" + uid, uid, "", "besteffort", ""},
      {"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod0a1b2c3d_1111_2222_3333_444455556666.slice/cri-containerd-" + id +
           ".scope",
       uid, id, "burstable", ""},
      {"/kubepods.slice/kubepods-pod0a1b2c3d_1111_2222_3333_444455556666.slice/cri-containerd-" + id + ".scope/inner.service", uid, id,
       "guaranteed", ""},
      {"/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-besteffort.slice/"
       "kubelet-kubepods-besteffort-pod0a1b2c3d_1111_2222_3333_444455556666.slice/cri-containerd-" +
           id + ".scope",
       uid, id, "besteffort", ""},
      {"/system.slice/containerd.service/kubepods-burstable-pod0a1b2c3d_1111_2222_3333_444455556666.slice:cri-containerd:" + id, uid, id,
       "burstable", ""},
      {"/lab/node-1/kubepods/burstable/pod0123456789abcdef0123456789abcdef/" + id, "0123456789abcdef0123456789abcdef", id, "burstable", ""},
      {"/system.slice/kubelet.service", "", "", "", "kubelet.service"},
      {"/user.slice/user-0.slice/session-3.scope", "", "", "", "session-3.scope"},
      {"/user.slice/user-1000.slice/user@1000.service/app.slice/run-1.scope", "", "", "", "run-1.scope"},
      {"/kubepods", "", "", "", ""},
      {"/", "", "", "", ""},
      {"", "", "", "", ""},
      {"/kubepods/podnothex", "", "", "", ""},
  };
  for (const Case& c : cases) {
    const Place p = place_of(c.path);
    EXPECT_EQ(p.pod_uid, c.uid) << c.path;
    EXPECT_EQ(p.container, c.container) << c.path;
    EXPECT_EQ(p.qos, c.qos) << c.path;
    EXPECT_EQ(p.unit, c.unit) << c.path;
  }
}

}  // namespace
}  // namespace egret::sensor
