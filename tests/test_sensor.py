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
                assert r["SrcWorkload"] == "node/HostProcess/updater" and r["SrcUnit"] == "updater.service"
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


def test_names_requests_and_hellos_have_their_pod(world, tmp_path):
    pod = world.pod("shop", "cart-1", ("Deployment", "cart"))
    world.write_pods()
    out = tmp_path / "spool"
    sensor = world.sensor(SENSOR, out)
    wait_for([world.talk(pod, "dns", "Evil.Example"), world.talk(pod, "http", "meta.example:8088", "/a?u=http%3A%2F%2F169.254.169.254%2F", "/second"),
              world.talk(pod, "tls", "c2.example")])
    time.sleep(0.3)
    stop(sensor)
    rows = read_rows(out)
    mine = [r for r in rows if r.get("SrcPodName") == "cart-1" and r.get("SrcWorkload") == "shop/Deployment/cart"]
    dns = [r for r in mine if r["Type"] == "ASimDnsActivityLogs"]
    assert {(r["DnsQuery"], r["NetworkProtocol"]) for r in dns} == {("evil.example", "UDP"), ("tcp.evil.example", "TCP")}
    for r in dns:
        assert r["EventSubType"] == "response" and r["Answers"] == ["203.0.113.50"] and r["DnsAnswerTtl"] == 60
        assert r["SrcIpAddr"] == pod.address and r["DstIpAddr"] == OUTSIDE and "python" in r["SrcProcessName"] and r["SrcNode"] == world.node
    web = [r for r in mine if r["Type"] == "ASimWebSessionLogs"]
    http = [r for r in web if r["NetworkApplicationProtocol"] == "HTTP"]
    assert [r["Url"] for r in http] == ["/a?u=http%3A%2F%2F169.254.169.254%2F", "/second"]
    assert all((r["HttpRequestMethod"], r["DstHostname"], r["HttpUserAgent"], r["Direction"]) == ("GET", "meta.example", "talk/1", "outbound") for r in http)
    (tls,) = [r for r in web if r["NetworkApplicationProtocol"] == "TLS"]
    assert (tls["DstHostname"], tls["TlsVersion"], tls["TlsAlpn"]) == ("c2.example", "TLSv1.3", "h2,http/1.1") and len(tls["TlsJa3"]) == 32
    # The name that the answers gave is on the flows to the address.
    processes = [r for r in mine if r["Type"] == "ASimProcessEventLogs"]
    assert any("sensor_talk.py dns Evil.Example" in r["TargetProcessCommandLine"] and r["ActingProcessName"] for r in processes)


def test_a_pod_of_a_moment_is_named(world, tmp_path):
    """It exists for a tenth of a second; only its bundle says its name, and that goes with it."""
    world.write_pods([])
    out = tmp_path / "spool"
    sensor = world.sensor(SENSOR, out)
    pod = world.pod("batch", "once-x7k2p", ("Job", "once"))  # the sensor sees its cgroup made before anything names it: too early
    shutil.rmtree(world.bundles)
    world.bundles.mkdir()
    pod.cgroup.rmdir()
    pod.cgroup.parent.rmdir()
    bundle = world.bundles / pod.container
    bundle.mkdir()
    (bundle / "config.json").write_text(json.dumps(pod.bundle()))
    pod.cgroup.mkdir(parents=True)
    began = time.monotonic()
    wait_for([world.start(["bash", "-c", f"exec 3<>/dev/tcp/{OUTSIDE}/8088; echo hi >&3; exec 3>&-"], pod.netns, pod.cgroup)])
    shutil.rmtree(bundle)
    for _ in range(200):
        try:
            pod.cgroup.rmdir()
            pod.cgroup.parent.rmdir()
            break
        except OSError:
            time.sleep(0.001)
    lived = time.monotonic() - began
    time.sleep(0.5)
    stop(sensor)
    flows = [r for r in read_rows(out) if r["Type"] == "ASimNetworkSessionLogs" and r["DstPortNumber"] == 8088]
    assert flows, "the connection is missing"
    for r in flows:
        assert (r["SrcOwnerKind"], r["SrcNamespace"], r["SrcPodName"], r["SrcContainer"]) == ("Pod", "batch", "once-x7k2p", "main"), lived
        assert r["SrcOwnerReason"] == "no source says who owns the pod" and "SrcWorkload" not in r


def test_a_long_connection_has_rows_while_it_lasts_and_survives_the_sensor(world, tmp_path):
    pod = world.pod("shop", "feed-0", ("StatefulSet", "feed"))
    world.write_pods()
    holder = world.talk(pod, "hold", "9", stdout=subprocess.PIPE, text=True)
    time.sleep(1)
    out = tmp_path / "spool"
    sensor = world.sensor(SENSOR, out)
    time.sleep(3)
    stop(sensor)
    first = sum(r["SrcBytes"] for r in read_rows(out) if r["Type"] == "ASimNetworkSessionLogs")
    assert first > 0
    second_out = tmp_path / "spool2"
    sensor = world.sensor(SENSOR, second_out)
    wait_for([holder])
    time.sleep(0.3)
    stop(sensor)
    rows = read_rows(second_out)
    flows = [r for r in rows if r["Type"] == "ASimNetworkSessionLogs" and r["DstPortNumber"] == 8088]
    assert {r["SrcPodName"] for r in flows} == {"feed-0"}
    assert [r["EventSubType"] for r in flows][-1] == "End" and "Continue" in [r["EventSubType"] for r in flows]
    assert all(r["EventMessage"] == "it was open when the sensor started" for r in flows)
    # Totals of the socket are the kernel's: what the first sensor saw is in them.
    assert sum(r["SrcBytes"] for r in flows) == int(holder.stdout.read())
    kinds = [r["EventType"] for r in rows if r["Type"] == "EgretNodeEvents"]
    assert kinds[:3] == ["NodeBoot", "SensorStart", "Gap"] and kinds[-1] == "SensorStop"
    coverage = [r for r in rows if r["Type"] == "EgretCoverage" and r["Source"] == "sensor"]
    assert coverage and coverage[-1]["Name"] == world.node and coverage[-1]["Completeness"] == 1


def test_many_to_one_destination_are_summed_and_none_is_lost(world, tmp_path):
    pod = world.pod("shop", "cart-1", ("Deployment", "cart"))
    world.write_pods()
    out = tmp_path / "spool"
    sensor = world.sensor(SENSOR, out, "--rows-per-destination", "5")
    wait_for([world.client(pod.netns, pod.cgroup, {"id": "c", "do": [["tcp", 200], ["refused", 200]]}, "c")])
    time.sleep(0.3)
    stop(sensor)
    truth = [json.loads(x) for x in (world.folder / "c.ndjson").read_text().splitlines()]
    flows = [r for r in read_rows(out) if r["Type"] == "ASimNetworkSessionLogs"]
    assert len(flows) < 120
    for port, result in ((8080, "Success"), (8081, "Failure")):
        rows = [r for r in flows if r["DstPortNumber"] == port]
        assert sum(r["EventCount"] for r in rows if r.get("EventSubType", "") != "Start") == 200
        assert {r["EventResult"] for r in rows} == {result}
        assert sum(r["SrcBytes"] for r in rows) == sum(t["sent"] for t in truth if t["target_port"] == port)
        assert sum(r["DstBytes"] for r in rows) == sum(t["received"] for t in truth if t["target_port"] == port)


def test_the_spool_is_bounded_and_says_what_it_dropped(world, tmp_path):
    pod = world.pod("shop", "cart-1", ("Deployment", "cart"))
    world.write_pods()
    out = tmp_path / "spool"
    sensor = world.sensor(SENSOR, out, "--rows-per-destination", "1000000", "--spool-mb", "1", segment="100ms")
    wait_for([world.client(pod.netns, pod.cgroup, {"id": "c", "do": [["tcp", 1500]]}, "c")])
    time.sleep(1.5)
    sensor.send_signal(signal.SIGKILL)  # what is not finished stays as a part
    sensor.wait()
    (out / f".{world.node}.00000000000000aa.00000001.ndjson.part").write_text('{"Type":"EgretNodeEvents","_Sensor":"x","_Sequence":1}\n{"Type":"cut')
    sensor = world.sensor(SENSOR, out, "--spool-mb", "1")
    stop(sensor)
    segments = sorted(out.glob("*.ndjson"))
    assert sum(s.stat().st_size for s in segments) < 3 << 20
    assert not list(out.glob(".*.part"))
    rows = [json.loads(x) for s in segments for x in s.read_text().splitlines()]
    lost = [r for r in rows if r.get("EventType") == "Lost"]
    assert lost and lost[0]["What"] == "rows" and lost[0]["Count"] > 0 and "oldest segments" in lost[0]["Message"]


def test_two_sensors_for_one_node_are_refused_by_name(world, tmp_path):
    world.write_pods()
    sensor = world.sensor(SENSOR, tmp_path / "spool")
    other = subprocess.run([SENSOR, "--out", str(tmp_path / "spool"), "--node", world.node], capture_output=True, text=True, timeout=30)
    stop(sensor)
    assert other.returncode == 3 and "another sensor writes for node node-1" in other.stderr and "--node" in other.stderr


@pytest.mark.parametrize("culprit", ["kube-system/DaemonSet/agent", "node/HostProcess/updater"])
def test_the_sensors_row_decides_who_it_was(world, tmp_path, egret, culprit):
    """The alert knows the node's address and the destination; the sensor's segments know the pod, or the unit of the node."""
    pods = [world.pod("shop", f"cart-{i}", ("Deployment", "cart")) for i in range(2)] + [world.pod("kube-system", "agent-x1", ("DaemonSet", "agent"))]
    world.pod("kube-system", "proxy-x1", ("DaemonSet", "proxy"), host_network=True)  # has the node's address as well
    service = world.root / "system.slice" / "updater.service"
    service.mkdir(parents=True)
    place = (pods[2].netns, pods[2].cgroup) if culprit.endswith("agent") else (world.node_ns, service)
    world.write_pods()
    evidence = tmp_path / "evidence" / "test"
    evidence.mkdir(parents=True)
    sensor = world.sensor(SENSOR, evidence / "spool")
    for p in pods[:2]:
        wait_for([world.talk(p, "http", "fine.example", "/")])
    code = "import socket; s = socket.create_connection(('203.0.113.50', 443), timeout=9); s.sendall(b'x' * 300); s.shutdown(1); s.recv(9)"
    wait_for([world.start(["python3", "-c", code], *place)])
    time.sleep(0.3)
    stop(sensor)
    shutil.copy(world.pods_file, evidence / "pods.json")
    row = next(r for r in read_rows(evidence / "spool") if r.get("DstIpAddr") == "203.0.113.50")
    when = row["EventStartTime"]
    (tmp_path / "evidence" / "alerts.json").write_text(json.dumps([{
        "TableName": "PrimaryResult", "Type": "SecurityAlert", "TimeGenerated": when, "StartTime": when, "EndTime": when,
        "AlertName": "Network communication with a malicious machine detected", "DisplayName": "Network communication with a malicious machine detected",
        "AlertSeverity": "Medium", "ProviderName": "Azure Security Center", "SystemAlertId": "a-1", "VendorOriginalId": "a-1",
        "Entities": json.dumps([{"$id": "1", "Type": "ip", "Address": "203.0.113.50"}, {"$id": "2", "Type": "ip", "Address": world.address}]),
        "ExtendedProperties": "{}", "CompromisedEntity": world.node}]))
    answer = egret("investigate", tmp_path / "evidence", "--format", "json").json()
    best = answer["candidates"][0]
    assert f"{best['namespace']}/{best['kind']}/{best['name']}" == culprit, answer["candidates"]
    assert best["probability"] > 0.95
    decisive = max(best["evidence"], key=lambda e: e["weight"])
    assert decisive["test"] == "pod-identity" and "sensor" in decisive["reason"], best["evidence"]


def test_without_ebpf_it_says_what_it_cannot_see(world, tmp_path):
    pod = world.pod("shop", "feed-0", ("StatefulSet", "feed"))
    world.write_pods()
    out = tmp_path / "spool"
    words = [SENSOR, "--out", out, "--node", world.node, "--cluster", "test", "--cgroup-root", world.root, "--netns", f"/run/netns/{world.node_ns}",
             "--pods", world.pods_file, "--segment-time", "500ms", "--window", "1s", "--no-ebpf"]
    sensor = subprocess.Popen([*map(str, words)], stderr=subprocess.PIPE, text=True)
    world.processes.append(sensor)
    first = sensor.stderr.readline()
    assert "eBPF is missing" in first and "not seen: connections that begin and end between two looks" in first
    wait_for([world.talk(pod, "hold", "4", stdout=subprocess.DEVNULL)])
    time.sleep(1.5)
    stop(sensor)
    rows = read_rows(out)
    flows = [r for r in rows if r["Type"] == "ASimNetworkSessionLogs" and r["DstPortNumber"] == 8088]
    assert [r["EventSubType"] for r in flows] == ["Start", "End"]
    for r in flows:
        assert (r["SrcOwnerKind"], r["SrcWorkload"], r["SrcPodName"], r["SrcIpAddr"]) == ("Pod", "shop/StatefulSet/feed", "feed-0", pod.address)
        assert r["SrcNatIpAddr"] == world.address and "python" in r["SrcAppName"]
    (degraded,) = [r for r in rows if r.get("EventType") == "Degraded"]
    assert degraded["What"] == "eBPF" and "DNS" in degraded["Message"]
    assert not [r for r in rows if r["Type"] == "EgretCoverage"]


def test_a_hostile_pod_costs_bounded_memory(world, tmp_path):
    """Garbage to port 53, half TLS hellos, HTTP of one endless line, and tens of thousands of destinations from one socket."""
    pod = world.pod("shop", "evil-1", ("Deployment", "evil"))
    world.write_pods()
    out = tmp_path / "spool"
    sensor = world.sensor(SENSOR, out)
    code = """
import os, socket
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(60000):
    try:
        u.sendto(b"x", ("198.51.100.2", 1 + i % 65535))
        if i % 10 == 0:
            u.sendto(os.urandom(40 + i % 400), ("198.51.100.2", 53))
    except OSError:
        pass
for i in range(300):
    s = socket.create_connection(("198.51.100.2", 8088), timeout=9)
    s.sendall([b"\\x16\\x03\\x01\\xff\\xff\\x01" + os.urandom(i), b"GET " + b"a" * (i * 40), b"\\x16\\x03", b"POST / HTTP/1.1\\r\\nHost: \\xff\\x00\\r\\n\\r\\n"][i % 4])
    s.close()
"""
    wait_for([world.start(["python3", "-c", code], pod.netns, pod.cgroup)])
    time.sleep(2.5)
    status = pathlib.Path(f"/proc/{sensor.pid}/status").read_text()
    assert int(status.split("VmHWM:")[1].split()[0]) < 64 << 10
    stop(sensor)
    rows = read_rows(out)
    flows = [r for r in rows if r["Type"] == "ASimNetworkSessionLogs"]
    assert all(r["SrcWorkload"] == "shop/Deployment/evil" for r in flows)
    # What the map of destinations had no room for is a loss by name, and its packets are with the socket.
    lost = {r["What"]: r["Count"] for r in rows if r.get("EventType") == "Lost"}
    assert lost["datagram destinations"] > 0, lost  # how many depends on how often they are swept meanwhile
    assert any("no room to tell apart" in r.get("EventMessage", "") for r in flows)
    web = [r for r in rows if r["Type"] == "ASimWebSessionLogs"]
    assert any(r["HttpRequestMethod"] == "POST" for r in web if r["NetworkApplicationProtocol"] == "HTTP")


def test_a_hundred_thousand_ports_and_half_handshakes_cost_bounded_memory(world, tmp_path):
    """Refused connections to 100,000 destinations, connections that nobody answers, hellos and DNS messages that stay half, and as many names."""
    pod = world.pod("shop", "evil-1", ("Deployment", "evil"))
    world.write_pods()
    out = tmp_path / "spool"
    sensor = world.sensor(SENSOR, out)
    code = """
import os, resource, socket, struct, time
resource.setrlimit(resource.RLIMIT_NOFILE, (8000, 8000))
refused = 0
for i in range(100_000):  # a destination each: two addresses of the outside, ports that nobody has
    with socket.socket(socket.AF_INET if i < 50_000 else socket.AF_INET6) as s:
        try:
            s.connect(("198.51.100.2" if i < 50_000 else "2001:db8:51::2", 10_000 + i % 50_000))
        except OSError:
            refused += 1
print(refused, flush=True)
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.connect(("198.51.100.2", 53))
u.setblocking(False)
for i in range(40_000):  # names that exist, each once; the answers come
    try:
        name = b"".join(bytes([len(x)]) + x for x in (b"x" * 50, b"%d" % i, b"evil", b"example")) + b"\\0"
        u.send(struct.pack(">HHHHHH", i % 65536, 0x0100, 1, 0, 0, 0) + name + struct.pack(">HH", 1, 1))
        u.recv(1500)
    except OSError:
        pass
held = []
for i in range(3000):
    s = socket.socket()
    s.setblocking(False)
    s.connect_ex(("198.51.100.77", 443))  # nobody has it: half of a handshake
    held.append(s)
for i in range(3000):
    port = (8443, 53, 8088)[i % 3]
    s = socket.create_connection(("198.51.100.2", port), timeout=9)
    # Each says that much more is to come than it ever sends.
    s.sendall((b"\\x16\\x03\\x01\\x40\\x00\\x01\\x00\\x3f\\xfc\\x03\\x03" + os.urandom(1000), b"\\xff\\xff" + os.urandom(1000), b"GET /" + b"a" * 1000)[i % 3])
    held.append(s)
time.sleep(2)
"""
    attacker = world.start(["python3", "-c", code], pod.netns, pod.cgroup, stdout=subprocess.PIPE, text=True)
    refused = int(attacker.stdout.readline())
    wait_for([attacker])
    time.sleep(2.5)
    status = pathlib.Path(f"/proc/{sensor.pid}/status").read_text()
    assert int(status.split("VmHWM:")[1].split()[0]) < 64 << 10
    stop(sensor)
    assert refused == 100_000
    rows = read_rows(out)
    flows = [r for r in rows if r["Type"] == "ASimNetworkSessionLogs"]
    assert all(r["SrcWorkload"] == "shop/Deployment/evil" for r in flows)
    # Each connection is counted: by a row, or by the loss that says so.
    tcp = [r for r in flows if r["NetworkProtocol"] == "TCP" and r["DstPortNumber"] >= 10_000]
    seen = sum(r["EventCount"] for r in tcp if r.get("EventSubType") != "End")
    lost = sum(r["Count"] for r in rows if r.get("EventType") == "Lost")
    assert seen <= 100_000 <= seen + lost, (seen, lost)
    unanswered = [r for r in flows if r["DstIpAddr"] == "198.51.100.77"]
    assert unanswered and all(r["DstBytes"] == 0 for r in unanswered)
    names = {r["DnsQuery"] for r in rows if r["Type"] == "ASimDnsActivityLogs" and r["DnsQuery"].endswith(".evil.example")}
    assert len(names) > 1000, len(names)
