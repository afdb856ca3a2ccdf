"""`egret pcap capture` in a network namespace that the test makes: one pod's packets, bounded, with the pod's name in the file. Needs root."""
import json
import os
import pathlib
import subprocess
import time
import uuid

import pytest

from conftest import EGRET

CONTAINER = "c0ffee" + "0" * 58
SERVER = """
import http.server, socketserver
class H(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = b"x" * (200_000 if self.path.startswith("/big") else 5)
        self.send_response(200); self.send_header("Content-Length", str(len(body))); self.end_headers(); self.wfile.write(body)
    def log_message(self, *a): pass
socketserver.ThreadingTCPServer.allow_reuse_address = True
print("up", flush=True)
socketserver.ThreadingTCPServer(("10.77.0.2", 8080), H).serve_forever()
"""


def run(*args, **kw):
    return subprocess.run(list(map(str, args)), check=True, capture_output=True, text=True, **kw)


def cgroup_folder():
    """A hierarchy in which a process can be put: version 1's pids, or the unified one."""
    for folder in (pathlib.Path("/sys/fs/cgroup/pids"), pathlib.Path("/sys/fs/cgroup")):
        if (folder / "cgroup.procs").exists():
            return folder
    raise AssertionError("no cgroup hierarchy is mounted below /sys/fs/cgroup")


@pytest.fixture(scope="module")
def pod(tmp_path_factory):
    assert os.geteuid() == 0, "captures need root: run the tests as root"
    tag = f"egcap{os.getpid()}"
    inside, outside = f"{tag}-pod", f"{tag}-peer"
    uid = str(uuid.uuid4())
    top = cgroup_folder() / tag
    place = top / "kubepods" / "besteffort" / f"pod{uid}" / CONTAINER
    processes = []
    try:
        for n in (inside, outside):
            run("ip", "netns", "add", n)
            run("ip", "-n", n, "link", "set", "lo", "up")
        run("ip", "link", "add", "eth0", "netns", inside, "type", "veth", "peer", "name", "peer0", "netns", outside)
        for n, link, address in ((inside, "eth0", "10.77.0.1/24"), (outside, "peer0", "10.77.0.2/24")):
            run("ip", "-n", n, "addr", "add", address, "dev", link)
            run("ip", "-n", n, "link", "set", link, "up")
        server = subprocess.Popen(["nsenter", f"--net=/run/netns/{outside}", "python3", "-c", SERVER], stdout=subprocess.PIPE, text=True)
        processes.append(server)
        assert server.stdout.readline() == "up\n"
        sleeper = subprocess.Popen(["nsenter", f"--net=/run/netns/{inside}", "sleep", "600"])
        processes.append(sleeper)
        place.mkdir(parents=True)
        (place / "cgroup.procs").write_text(str(sleeper.pid))
        pods = tmp_path_factory.mktemp("pods") / "pods.json"
        pods.write_text(json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {
            "name": "pay-7c9d-x2k4f", "namespace": "payment", "uid": uid, "labels": {"pod-template-hash": "7c9d"},
            "ownerReferences": [{"kind": "ReplicaSet", "name": "pay-7c9d", "controller": True}]},
            "spec": {"nodeName": "aks-node-3"}, "status": {"containerStatuses": [
                {"name": "app", "image": "registry.example/pay:1.4.2", "imageID": "registry.example/pay@sha256:" + "ab" * 32, "containerID": "containerd://" + CONTAINER}]}}))
        yield {"netns": f"/run/netns/{inside}", "pods": pods, "uid": uid, "pid": sleeper.pid}
    finally:
        for p in processes:
            p.kill()
            p.wait()
        for folder in sorted(top.rglob("*"), reverse=True) if top.exists() else []:
            if folder.is_dir():
                for _ in range(50):
                    try:
                        folder.rmdir()
                        break
                    except OSError:
                        time.sleep(0.05)
        if top.exists():
            top.rmdir()
        for n in (inside, outside):
            subprocess.run(["ip", "netns", "del", n], capture_output=True)


def capture(pod, out, *args, traffic=(), until="started"):
    """Starts a capture; when it says that it runs, makes the requests; waits for its end."""
    process = subprocess.Popen([EGRET, "pcap", "capture", "--out", str(out), *map(str, args)], stderr=subprocess.PIPE, text=True)
    first = process.stderr.readline()
    if "capturing on" not in first:
        return process.wait(), first + process.stderr.read()
    for url in traffic:
        run("nsenter", f"--net={pod['netns']}", "curl", "-s", "-o", "/dev/null", "--max-time", "10", url)
    if until == "stopped":
        time.sleep(0.2)
        process.terminate()
    rest = process.stderr.read()
    return process.wait(), first + rest


def test_one_pod_by_its_name(egret, pod, tmp_path):
    out = tmp_path / "evidence" / "aks-one" / "pay.pcapng"
    out.parent.mkdir(parents=True)
    code, said = capture(pod, out, "--pod", "payment/pay-7c9d-x2k4f", "--pods", pod["pods"], "--for", "60s", "--cluster", "aks-one",
                         traffic=["http://10.77.0.2:8080/fetch?url=http://169.254.169.254/metadata", "http://10.77.0.2:8080/second"], until="stopped")
    assert code == 0, said
    assert "capturing on eth0 of payment/pay-7c9d-x2k4f" in said and "stopped" in said
    assert out.stat().st_mode & 0o777 == 0o600
    info = run("capinfos", out).stdout
    for text in ("namespace: payment", "pod: pay-7c9d-x2k4f", "uid: " + pod["uid"], "node: aks-node-3", "image: registry.example/pay:1.4.2@sha256:", "addresses: 10.77.0.1"):
        assert text in info
    seen = run("tshark", "-r", out, "-Y", "http.request", "-T", "fields", "-e", "http.request.uri").stdout.split()
    assert seen == ["/fetch?url=http://169.254.169.254/metadata", "/second"]

    data = tmp_path / "data"
    assert egret("ingest", tmp_path / "evidence", "--data", data).code == 0
    rows = egret("query", "--data", data, "--format", "json",
                 "ASimWebSessionLogs | project Cluster, SrcNamespace, SrcPodName, SrcWorkload, SrcIpAddr, Url | order by Url asc").json()["rows"]
    pod_of = ["aks-one", "payment", "pay-7c9d-x2k4f", "payment/Deployment/pay", "10.77.0.1"]
    assert rows == [[*pod_of, "/fetch?url=http://169.254.169.254/metadata"], [*pod_of, "/second"]]
    scope = egret("query", "--data", data, "--format", "json", "EgretCoverage | where Source == 'packet-capture' | distinct Scope, Name, Completeness").json()["rows"]
    assert scope == [["pod", "payment/pay-7c9d-x2k4f", 1.0]]


def test_filter_and_end_by_time(egret, pod, tmp_path):
    out = tmp_path / "f.pcapng"
    code, said = capture(pod, out, "--netns", pod["pid"], "--for", "2s", "--filter", "tcp port 9", traffic=["http://10.77.0.2:8080/a"])
    assert code == 0 and "0 packets" in said and "the time is over" in said
    summary = egret("pcap", "read", "--format", "json", out).json()["summary"]
    assert summary["files"][0]["packets"] == 0 and not summary["files"][0]["damage"]


def test_the_size_is_a_bound(egret, pod, tmp_path):
    out = tmp_path / "s.pcapng"
    code, said = capture(pod, out, "--netns", pod["netns"], "--for", "60s", "--max", "100kB", traffic=["http://10.77.0.2:8080/big"] * 3)
    assert code == 0 and "the size is reached" in said
    assert 50_000 < out.stat().st_size <= 100_000
    (file,) = egret("pcap", "read", "--format", "json", out).json()["summary"]["files"]
    assert file["packets"] > 5 and not file["damage"]


def test_a_pod_on_the_nodes_network_is_not_told_from_the_node(egret, pod, tmp_path):
    pods = json.loads(pod["pods"].read_text())
    pods["spec"]["hostNetwork"] = True
    (tmp_path / "pods.json").write_text(json.dumps(pods))
    r = egret("pcap", "capture", "--pod", "payment/pay-7c9d-x2k4f", "--pods", tmp_path / "pods.json", "--out", tmp_path / "x")
    assert r.code == 2 and "the node's own network" in r.err and "--netns" in r.err


def test_mistakes_are_said(egret, pod, tmp_path):
    r = egret("pcap", "capture", "--pod", "payment/pay-7c9d-x2k4", "--pods", pod["pods"], "--out", tmp_path / "x")
    assert r.code != 0 and "did you mean 'payment/pay-7c9d-x2k4f'" in r.err
    r = egret("pcap", "capture", "--netns", pod["netns"], "--filter", "tcp prt 80", "--out", tmp_path / "x")
    assert r.code == 2 and "the filter 'tcp prt 80' cannot be read" in r.err
    r = egret("pcap", "capture", "--netns", pod["netns"], "--interface", "eth9", "--out", tmp_path / "x")
    assert r.code != 0 and "there is no interface eth9" in r.err and "eth0" in r.err
    assert not (tmp_path / "x").exists()
    (tmp_path / "kept").write_text("mine")
    r = egret("pcap", "capture", "--netns", pod["netns"], "--out", tmp_path / "kept")
    assert r.code == 3 and (tmp_path / "kept").read_text() == "mine"
    assert egret("pcap", "capture", "--netns", pod["netns"], "--for", "soon").code == 2
    assert egret("pcap", "capture").code == 2
