"""The sensor on real nodes: pods, pods of the host's network, pods that live for a moment, a program that is no pod, a node that joins.

The internet's log is the other side of each connection, after translation; and each workload has a destination of its own, so that
the log says who it was.
"""
import collections
import json
import os
import pathlib
import signal
import subprocess
import threading

import machine
import pytest
import workloads as w

SENSOR = pathlib.Path(os.environ.get("EGRET", pathlib.Path(__file__).resolve().parents[2] / "build" / "release" / "egret")).parent / "egret-sensor"
MANY, ON_HOST, UPDATER, AGENT, SHORT = "203.0.113.120", "203.0.113.121", "203.0.113.122", "203.0.113.123", [f"203.0.113.{130 + i}" for i in range(6)]
EACH = 10  # connections of each pod of MANY and ON_HOST


class Sensors:
    """One on each node, and a file of pods that is kept up to date for them, as whatever feeds them would."""

    def __init__(self, cluster, folder):
        self.cluster, self.folder, self.running = cluster, folder, {}
        self.pods, self.ended = folder / "pods.json", threading.Event()
        self._write_pods()
        self.feeder = threading.Thread(target=self._feed)
        self.feeder.start()

    def _write_pods(self):
        written = self.folder / "pods.new"
        written.write_text(self.cluster.kubectl("get", "pods", "-A", "-o", "json"))
        written.rename(self.pods)

    def _feed(self):
        while not self.ended.wait(0.5):
            self._write_pods()

    def start(self, node):
        process = subprocess.Popen([str(word) for word in [
            *node.enter(), SENSOR, "--out", self.folder / "spool" / node.name, "--cluster", self.cluster.name, "--node", node.name,
            "--cgroup-root", f"{unified()}{node.cgroup}", "--pods", self.pods, "--rows-per-destination", "100000", "--segment-time", "1s"]],
            stderr=subprocess.PIPE, text=True)
        self.running[node.name] = process
        line = process.stderr.readline()  # it says when it is ready
        assert process.poll() is None, line + process.stderr.read()

    def stop(self):
        codes = {}
        for name, process in self.running.items():
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)
            codes[name] = process.returncode
        self.ended.set()
        self.feeder.join()
        return codes

    def rows(self):
        return [json.loads(line) for f in sorted(self.folder.glob("spool/*/*.ndjson")) for line in f.read_text().splitlines()]


def unified():
    return "/sys/fs/cgroup/unified" if os.path.isdir("/sys/fs/cgroup/unified") else "/sys/fs/cgroup"


def asks(url, times):
    return f"hostname; i=0; while [ $i -lt {times} ]; do wget -q -O /dev/null {url}; i=$((i+1)); done"


@pytest.fixture(scope="module")
def watched(cluster, tmp_path_factory):
    """Sensors watched all of it: (folder of segments, rows, the internet's log, owner by destination)."""
    folder = tmp_path_factory.mktemp("sensors")
    sensors = Sensors(cluster, folder)
    try:
        for node in cluster.nodes:
            sensors.start(node)
        many, on_host = w.job("watched", "many", w.pod_spec(asks(f"http://{MANY}/", EACH))), w.job("watched", "on-host", w.pod_spec(asks(f"http://{ON_HOST}/", EACH), hostNetwork=True))
        for j in (many, on_host):
            j["spec"].update(completions=4, parallelism=4)
        cluster.apply(w.namespace("watched"), many, on_host,
                      *[w.job("watched", f"short-{i}", w.pod_spec(f"wget -q -O /dev/null http://{address}/")) for i, address in enumerate(SHORT)],
                      w.workload("DaemonSet", "watched", "agent", w.pod_spec(f"wget -q -O /dev/null http://{AGENT}/; while :; do sleep 3600 & wait $!; done")))
        first = cluster.nodes[0]
        first.run("sh", "-c", f"echo $$ > {machine_cgroup(first, 'updater.service')}/cgroup.procs; exec busybox wget -q -O /dev/null http://{UPDATER}/")
        joined = cluster.add_node(first=sensors.start)
        cluster.kubectl("-n", "watched", "wait", "--for=condition=complete", "job", "--all", "--timeout=120s")
        cluster.wait("the agent's contact from every node",
                     lambda: {c["source"] for c in cluster.contacts() if c["destination"] == AGENT} == {n.address for n in cluster.nodes})
        written = [name for name in cluster.kubectl("-n", "watched", "logs", "-l", "app=many", "--tail=-1").split() if name.startswith("many-")]
        sensors._write_pods()
        codes = sensors.stop()
    finally:
        sensors.stop()
    assert set(codes.values()) == {0}
    owners = {MANY: "watched/Job/many", ON_HOST: "watched/Job/on-host", UPDATER: "node/HostProcess/updater", AGENT: "watched/DaemonSet/agent",
              **{address: f"watched/Job/short-{i}" for i, address in enumerate(SHORT)}}
    Watched = collections.namedtuple("Watched", "folder rows contacts owners pods joined")
    return Watched(folder / "spool", sensors.rows(), [c for c in cluster.contacts() if c["destination"] in owners], owners, written, joined)


def machine_cgroup(node, service):
    machine.make_cgroup(f"{node.cgroup}/system.slice/{service}")
    return f"{unified()}{node.cgroup}/system.slice/{service}"


def connections(rows):
    """The rows of each connection together, by its tuple after translation, which is what the other side saw."""
    found = collections.defaultdict(list)
    for r in rows:
        if r["Type"] == "ASimNetworkSessionLogs":
            found[(r.get("SrcNatIpAddr") or r["SrcIpAddr"], r.get("SrcNatPortNumber") or r["SrcPortNumber"], r["DstIpAddr"], r["DstPortNumber"])].append(r)
    return found


def test_every_connection_has_its_owner_bytes_and_translation(watched):
    found = connections(watched.rows)
    assert len(watched.contacts) >= 8 * EACH + len(SHORT) + 1
    wrong = []
    for c in watched.contacts:
        rows = found.get((c["source"], c["source_port"], c["destination"], c["port"]), [])
        said = ({r["SrcWorkload"] for r in rows}, sum(r["SrcBytes"] for r in rows), sum(r["DstBytes"] for r in rows))
        if said != ({watched.owners[c["destination"]]}, c["received"], c["sent"]):
            wrong.append((c, said))
    assert wrong == []


def test_each_pod_made_what_it_wrote_down(watched):
    by_pod = collections.Counter(rows[0]["SrcPodName"] for rows in connections(watched.rows).values() if rows[0]["DstIpAddr"] == MANY)
    assert len(watched.pods) == 4
    assert by_pod == {pod: EACH for pod in watched.pods}


def test_kinds_of_owners_are_told_apart(watched):
    kinds = {rows[0]["DstIpAddr"]: {r["SrcOwnerKind"] for r in rows} for rows in connections(watched.rows).values()}
    assert (kinds[MANY], kinds[ON_HOST], kinds[UPDATER]) == ({"Pod"}, {"HostNetworkPod"}, {"HostProcess"})


def test_rows_are_taken_in_and_name_the_owner(watched, egret, tmp_path):
    """Nothing but the sensors' segments, and the address: the owner is the DaemonSet, also on the node that joined."""
    data = tmp_path / "data"
    egret("ingest", watched.folder, "--data", data, "--format", "json").json()
    answer = egret("query", f"EgretFlows | where DstIp == '{AGENT}' | distinct Node, Workload", "--data", data, "--format", "json").json()
    assert [watched.joined.name, watched.owners[AGENT]] in answer["rows"]
    assert {row[1] for row in answer["rows"]} == {watched.owners[AGENT]}
    verdict = egret("investigate", watched.folder, "--address", AGENT, "--format", "json", timeout=300).json()
    best = verdict["candidates"][0]
    assert (best["kind"], best["namespace"], best["name"]) == ("DaemonSet", "watched", "agent"), json.dumps(verdict["candidates"])[:2000]
    assert best["probability"] > 0.9
