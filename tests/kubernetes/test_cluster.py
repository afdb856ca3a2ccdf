"""The cluster itself: two real nodes, cut off from the machine's network; and the machine as it was before, afterwards."""
import json
import os
import pathlib
import signal
import subprocess
import sys

import fabric
import machine
import workloads as w

HERE = pathlib.Path(__file__).resolve().parent


def test_two_nodes_are_ready_and_run_pods(cluster):
    assert list(cluster.node_states().values())[:2] == ["True", "True"]
    cluster.apply(w.namespace("first"), w.workload("Deployment", "first", "two", w.pod_spec("while :; do sleep 1; done"), replicas=4))
    cluster.kubectl("-n", "first", "rollout", "status", "deployment/two", "--timeout=60s")
    pods = cluster.get("-n", "first", "pods")["items"]
    assert len({p["spec"]["nodeName"] for p in pods}) >= 2
    assert len({p["status"]["podIP"] for p in pods}) == 4
    cluster.kubectl("delete", "namespace", "first", "--wait=false")


def test_the_internet_sees_only_nodes(cluster):
    cluster.apply(w.namespace("masked"), w.job("masked", "ask", w.pod_spec("wget -q -O - http://203.0.113.99/")))
    cluster.kubectl("-n", "masked", "wait", "--for=condition=complete", "job/ask", "--timeout=60s")
    contacts = [c for c in cluster.contacts() if c["destination"] == "203.0.113.99"]
    said = cluster.kubectl("-n", "masked", "logs", "job/ask").strip()
    assert said in {n.address for n in cluster.nodes}
    assert [c["source"] for c in contacts] == [said]


def test_nothing_is_joined_to_the_machines_network(cluster):
    inside = json.loads(machine.run(*fabric.enter(fabric.ROUTER), "ip", "-json", "link"))
    assert {link["ifname"] for link in inside} >= {"nodes", "control", "internet"}
    # A cable that left the namespaces would show its other end here, marked with the namespace that it leads to.
    outside = json.loads(machine.run("ip", "-json", "link"))
    assert not [link["ifname"] for link in outside if "link_netnsid" in link and link["ifname"] in {port["ifname"] for port in inside}]


def test_a_killed_start_leaves_nothing_once_cleaned(tmp_path):
    """In a state folder of its own kind this would need a second cluster: the reservation is what is looked at, with a process in a cgroup."""
    program = f"""
import sys; sys.path.insert(0, {str(HERE)!r})
import machine, pathlib, os, time
machine.STATE = pathlib.Path({str(tmp_path / "state")!r}); machine.PREFIX = "egkt-"; machine.MARK = "EGRET_KUBERNETES_SELFTEST"; machine.LOCK = {str(tmp_path / "lock")!r}
with machine.reserved():
    if sys.argv[1] == "again":
        sys.exit(0)
    machine.run("ip", "netns", "add", "egkt-a")
    machine.start("sleeper", ["sleep", "1000"], "/egkt-a/pod")
    pathlib.Path("/proc/sys/kernel/panic").write_text("7")
    print("up", flush=True)
    time.sleep(1000)
"""
    panic = pathlib.Path("/proc/sys/kernel/panic").read_text()
    first = subprocess.Popen([sys.executable, "-c", program, "up"], stdout=subprocess.PIPE, text=True)
    assert first.stdout.readline() == "up\n"
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    assert pathlib.Path("/run/netns/egkt-a").exists()
    subprocess.run([sys.executable, "-c", program, "again"], check=True, timeout=60)
    assert not pathlib.Path("/run/netns/egkt-a").exists()
    assert not [h for h in machine.hierarchies() if (h / "egkt-a").exists()]
    assert not [p for p in pathlib.Path("/proc").glob("[0-9]*/environ") if b"EGRET_KUBERNETES_SELFTEST" in read(p)]
    assert pathlib.Path("/proc/sys/kernel/panic").read_text() == panic
    assert not (tmp_path / "state").exists()


def read(path):
    try:
        return path.read_bytes()
    except OSError:
        return b""
