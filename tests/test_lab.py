"""The lab: real namespaces, cgroups and processes of this machine. Every test takes down what it brought up, and looks whether anything stayed."""
import json
import os
import pathlib
import signal
import subprocess
import time

import pytest

from conftest import EGRET

# Every test has a home of its own; Envoy is where scripts/envoy puts it.
os.environ.setdefault("EGRET_ENVOY", str(pathlib.Path(os.environ.get("EGRET_CACHE", pathlib.Path.home() / ".cache" / "egret")) / "envoy-1.40.0" / "envoy"))


def leftovers(lab_id):
    """Whatever of a lab is still on this machine."""
    found = [str(p) for p in pathlib.Path("/sys/fs/cgroup").glob(f"*/egret-lab-{lab_id}")]
    found += [str(p) for p in pathlib.Path("/sys/fs/cgroup").glob(f"egret-lab-{lab_id}")]
    found += [line for line in pathlib.Path("/proc/self/mounts").read_text().splitlines() if f"/{lab_id}/net/" in line]
    for proc in pathlib.Path("/proc").glob("[0-9]*/cgroup"):
        try:
            dead = "\nState:\tZ" in (proc.parent / "status").read_text()  # ended, and its parent has not looked yet
            if f"egret-lab-{lab_id}/" in proc.read_text() and not dead:
                found.append(str(proc))
        except OSError:
            pass
    run = pathlib.Path(os.environ.get("EGRET_LAB_RUN", "/run/egret-lab")) / lab_id
    return found + ([str(run)] if run.exists() else [])


def links_of_this_machine():
    return {line.split(":")[1].strip() for line in subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout.splitlines()}


@pytest.fixture
def lab(egret):
    """lab(*arguments) calls egret lab with an id of the test's own; whatever it made is gone afterwards."""
    assert os.geteuid() == 0, "the lab's tests need root"
    lab_id = f"t{os.getpid()}"

    def call(command, *args, **more):
        return egret("lab", command, "--id", lab_id, *args, **more)

    call.id = lab_id
    yield call
    down = call("down")
    assert down.code == 0, down.err
    assert leftovers(lab_id) == []


def status(lab):
    return lab("status", "--format", "json").json()


def pod_of(cluster, workload):
    return next(p for p in cluster["pods"] if p["workload"].endswith("/" + workload))


def test_up_status_exec_down(lab):
    before = links_of_this_machine()
    up = lab("up", "canada-central", "--apps", "1", "--daemons", "2", "--format", "json").json()
    assert len(up["clusters"]) == 2 and all(len(c["nodes"]) == 2 for c in up["clusters"])
    canada = next(c for c in up["clusters"] if c["region"] == "canadacentral")
    other = next(c for c in up["clusters"] if c["region"] != "canadacentral")

    # A pod sits in kubelet's cgroups, of its node's tree, in every hierarchy.
    pod = pod_of(canada, "ama-logs")
    name = f"{canada['name']}/kube-system/{pod['name']}"
    own = lab("exec", name, "--", "cat", "/proc/self/cgroup").out
    expected = f"{pod['node']}/kubepods/burstable/pod{pod['uid']}/{pod['container']}"
    assert own.count(expected) >= 2 and "0::/egret-lab-" in own

    # The name leads to another address in each region, and the internet sees the node's address.
    assert lab("exec", name, "--", "curl", "-s", "-m", "5", "http://ifconfig.co/").out.strip() == next(n["address"] for n in canada["nodes"] if n["name"] == pod["node"])
    address = {}
    for cluster in (canada, other):
        p = pod_of(cluster, "ama-logs")
        address[cluster["name"]] = lab("exec", f"{cluster['name']}/kube-system/{p['name']}", "--", "getent", "ahostsv4", "ifconfig.co").out.split()[0]
    assert address[canada["name"]] == "172.64.80.1" and address[other["name"]] != "172.64.80.1"

    # What its programs printed and what they did.
    logs = lab("logs", name, "--tail", "3")
    assert logs.code == 0 and '"who":"kube-system/' in logs.out and len(logs.out.splitlines()) <= 9
    resolver = lab("logs", f"{canada['name']}/kube-system/{pod_of(canada, 'coredns')['name']}").out
    assert "ifconfig.co" in resolver and "NOERROR" in resolver
    assert name in lab("logs").out and lab("logs", "nobody").code == 2

    # TLS, the metadata service with and without its header, IPv6, a pod on another node; nothing else is there.
    assert lab("exec", name, "--", "curl", "-sk", "-m", "5", "https://ifconfig.co/").code == 0
    assert lab("exec", name, "--", "curl", "-s", "-m", "5", "http://169.254.169.254/metadata/instance").out.count("header not specified") == 1
    assert "azEnvironment" in lab("exec", name, "--", "curl", "-s", "-m", "5", "-H", "Metadata: true", "http://169.254.169.254/metadata/instance").out
    assert lab("exec", name, "--", "curl", "-6", "-s", "-m", "5", "http://ifconfig.co/").out.startswith("fd00:e:")
    assert lab("exec", name, "--", "curl", "-s", "-m", "3", "http://192.0.2.2/").code != 0

    assert links_of_this_machine() == before  # nothing of it is in this machine's own namespace
    assert lab("down").code == 0
    assert leftovers(lab.id) == []
    assert lab("down").code == 0  # once more is fine


def test_a_node_joins(lab):
    up = lab("up", "canada-central", "--apps", "0", "--daemons", "1", "--format", "json").json()
    cluster = next(c for c in up["clusters"] if c["region"] == "canadacentral")
    node = lab("add-node", cluster["name"], "--unreachable").out.strip()
    later = next(c for c in status(lab)["clusters"] if c["name"] == cluster["name"])
    assert node in [n["name"] for n in later["nodes"]]
    agent = next(p for p in later["pods"] if p["node"] == node and p["workload"].endswith("ama-logs"))
    # Its agent could not reach its own endpoint there, and only then asked the public service.
    truth = pathlib.Path(status(lab)["folder"]) / "truth" / cluster["name"]
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        lines = [json.loads(x) for x in (truth / f"{agent['name']}.jsonl").read_text().splitlines()] if (truth / f"{agent['name']}.jsonl").exists() else []
        if any(x["name"] == "ifconfig.co" for x in lines):
            break
        time.sleep(0.2)
    contact = next(x for x in lines if x["name"] == "ifconfig.co")
    assert contact["remote"] == "172.64.80.1:443" and contact["result"] == "ok" and contact["sent"] > 0
    assert any(x["result"] == "refused" for x in lines)
    for old in [p for p in later["pods"] if p["node"] != node and p["workload"].endswith("ama-logs")]:
        assert "ifconfig.co" not in (truth / f"{old['name']}.jsonl").read_text()
    # The border saw the node's address only.
    border = [line.split("\t") for line in (pathlib.Path(status(lab)["folder"]) / "logs" / cluster["name"] / "border.tsv").read_text().splitlines()]
    seen = [b for b in border if b[2] == "172.64.80.1"]
    assert seen and {b[1] for b in seen} == {next(n["address"] for n in later["nodes"] if n["name"] == node)}


@pytest.mark.parametrize("after", [0.15, 0.6, 1.4])
def test_killed_while_it_came_up(lab, after):
    process = subprocess.Popen([EGRET, "lab", "up", "--id", lab.id, "--apps", "1", "--daemons", "2"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(after)
    process.send_signal(signal.SIGKILL)
    process.wait()
    again = lab("up")
    if again.code == 0:  # it was killed before it made anything
        return
    assert "there already" in again.err and "lab down" in again.err
    assert lab("down").code == 0
    assert leftovers(lab.id) == []


def test_refuses_when_it_would_not_be_apart(lab):
    """A link from the lab into this machine's own network: nothing more is started."""
    up = lab("up", "--apps", "0", "--daemons", "0", "--format", "json").json()
    cluster = up["clusters"][0]
    wire = f"egt{os.getpid() % 100000}"
    subprocess.run(["ip", "link", "add", wire, "type", "veth", "peer", "name", "out0", "netns", f"{up['folder']}/net/internet"], check=True)
    try:
        r = lab("add-node", cluster["name"])
        assert r.code == 2
        assert "not apart" in r.err and "out0" in r.err
    finally:
        subprocess.run(["ip", "link", "del", wire], check=True)


def test_mistakes(egret, lab):
    assert lab("status").code == 2 and "lab up" in lab("status").err
    assert lab("up", "payment-pode").code == 2
    r = egret("lab", "up", "--id", "Bad Id")
    assert r.code == 2 and "lower-case" in r.err
    up = lab("up", "--apps", "0", "--daemons", "0", "--clusters", "1", "--nodes", "1", "--format", "json").json()
    assert lab("exec", "nobody", "--", "true").code == 2
    pod = up["clusters"][0]["pods"][0]["name"]
    assert lab("exec", pod, "--", "sh", "-c", "exit 7").code == 7
    assert lab("exec", pod).code == 2
    assert lab("add-node", "nowhere").code == 2
