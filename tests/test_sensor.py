"""The sensor on a node with pods of the test's own making, compared with what the programs in it wrote down."""
import collections
import json
import os
import pathlib
import shutil
import signal
import subprocess
import time

import pytest
from conftest import EGRET
from sensor_world import OUTSIDE, OUTSIDE6, World, read_rows

SENSOR = str(pathlib.Path(EGRET).parent / "egret-sensor")
PODS = int(os.environ.get("EGRET_SENSOR_PODS", "12"))
EACH = int(os.environ.get("EGRET_SENSOR_EACH", "10"))  # connections of each kind and pod


@pytest.fixture
def world(tmp_path):
    assert os.geteuid() == 0, "the sensor's tests need root: they make namespaces and cgroups and load kernel programs"
    w = World(tmp_path / "world")
    try:
        w.up()
        yield w
    finally:
        w.down()


def stop(sensor):
    sensor.send_signal(signal.SIGTERM)
    assert sensor.wait(timeout=30) == 0
    return sensor.stderr.read()


def wait_for(processes, seconds=120):
    deadline = time.monotonic() + seconds
    for p in processes:
        assert p.wait(timeout=max(0.1, deadline - time.monotonic())) == 0


def sessions(rows):
    """Connections by protocol, source port and destination: the counters of their rows added up."""
    found = {}
    for r in rows:
        if r["Type"] != "ASimNetworkSessionLogs":
            continue
        assert r["EventCount"] == 1, "a sum, where every connection was to have a row"
        key = (r["SrcPodUid"] if r["SrcOwnerKind"] == "Pod" else r["SrcOwnerKind"], r["NetworkProtocol"], r.get("SrcPortNumber", 0), r["DstIpAddr"], r["DstPortNumber"])
        s = found.setdefault(key, collections.Counter(rows=0))
        s["rows"] += 1
        s["sent"] += r["SrcBytes"]
        s["received"] += r["DstBytes"]
        s.row = r
        s.states = getattr(s, "states", []) + [r.get("EventSubType", "")]
    return found


def test_every_connection_is_there_with_its_owner_and_its_bytes(world, tmp_path):
    owners = [("Deployment", "cart"), ("DaemonSet", "agent"), ("StatefulSet", "store"), ("Job", "once")]
    pods = [world.pod("shop", f"{owners[i % 4][1]}-{i}", owners[i % 4]) for i in range(PODS)]
    on_host = world.pod("kube-system", "proxy-x1", ("DaemonSet", "proxy"), host_network=True)
    service = world.root / "system.slice" / "updater.service"
    service.mkdir(parents=True)
    world.write_pods()
    out = tmp_path / "spool"
    sensor = world.sensor(SENSOR, out, "--rows-per-destination", "1000000")
    do = [["tcp", EACH], ["tcp6", EACH], ["udp", EACH], ["udp6", EACH], ["refused", EACH], ["refused6", 2], ["unroutable", 1]]
    clients = [world.client(p.netns, p.cgroup, {"id": p.name, "do": do}, p.name) for p in pods]
    clients.append(world.client(world.node_ns, on_host.cgroup, {"id": "host-pod", "do": do}, "host-pod"))
    clients.append(world.client(world.node_ns, service, {"id": "host-unit", "do": do}, "host-unit"))
    wait_for(clients)
    time.sleep(0.5)
    stop(sensor)
    rows = read_rows(out)
    found = sessions(rows)
    seen_outside = {}
    for line in (world.folder / "server.ndjson").read_text().splitlines():
        peer = json.loads(line)
        seen_outside[peer["id"]] = (peer["address"].removeprefix("::ffff:"), peer["port"])

    checked = translated = 0
    who = [(p.name, p, p.uid) for p in pods] + [("host-pod", on_host, "HostNetworkPod"), ("host-unit", None, "HostProcess")]
    for name, pod, key in who:
        for line in (world.folder / f"{name}.ndjson").read_text().splitlines():
            truth = json.loads(line)
            sent_nothing = truth["what"] == "unroutable" and key == "HostNetworkPod" or truth["what"] == "unroutable" and key == "HostProcess"
            port = 0 if sent_nothing else truth["port"]
            s = found.get((key, truth["protocol"], port, truth["target"], truth["target_port"]))
            if truth["what"] == "unroutable":
                # No route at the node: the pod's SYN is answered by an ICMP message, the host's connect() fails before one is made.
                same = [v for k, v in found.items() if k[0] == key and k[3] == truth["target"]]
                assert same and all(v.row["EventResult"] == "Failure" for v in same), truth
                checked += 1
                continue
            assert s is not None, f"missing: {truth}"
            r = s.row
            if pod is None:
                assert r["SrcWorkload"] == f"{world.node}/HostProcess/updater" and r["SrcUnit"] == "updater.service"
            else:
                assert (r["SrcNamespace"], r["SrcPodName"], r["SrcWorkload"]) == (pod.ns, pod.name, pod.workload)
                assert r["SrcContainer"] == "main" and r["SrcImageDigest"] == f"sha256:{pod.container}"
            assert r["SrcAppId"] == str(truth["pid"]) and "python" in r["SrcAppName"]
            assert (s["sent"], s["received"]) == (truth["sent"], truth["received"]), f"{truth} {r}"
            if truth["what"].startswith("refused"):
                assert truth["result"] == "Connection refused" and r["EventResult"] == "Failure" and r["EventResultDetails"] == "refused"
            else:
                assert truth["result"] == "done" and r["EventResult"] == "Success"
                assert (r["SrcNatIpAddr"], r["SrcNatPortNumber"]) == seen_outside[truth["id"]], f"{truth} {r}"
                translated += 1
            checked += 1
    assert checked == (len(pods) + 2) * (5 * EACH + 3)
    assert translated == (len(pods) + 2) * 4 * EACH
    # Nothing that nobody did.
    assert {k[3] for k in found} <= {OUTSIDE, OUTSIDE6, "192.0.2.77"}
    assert not [r for r in rows if r.get("EventType") == "Lost"]
