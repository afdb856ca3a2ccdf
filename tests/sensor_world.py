"""A node with pods and an internet for the sensor's tests: network namespaces, cgroups in kubelet's layout, clients that write down what
they did. Root only. Nothing in it is joined to the machine's own network. Everything is removed by down(), which may be called twice."""
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import uuid

HERE = pathlib.Path(__file__).resolve().parent
OUTSIDE, OUTSIDE6 = "198.51.100.2", "2001:db8:51::2"


def run(*words):
    subprocess.run([*map(str, words)], check=True, capture_output=True, text=True)


def unified_root():
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        before, after = line.split(" - ", 1)
        if after.split()[0] == "cgroup2":
            return pathlib.Path(before.split()[4])
    raise RuntimeError("no cgroup2 file system is mounted")


class Pod:
    def __init__(self, world, number, ns, name, owner, host_network=False):
        self.world, self.ns, self.name, self.owner, self.host_network = world, ns, name, owner, host_network
        self.uid = str(uuid.uuid4())
        self.container = uuid.uuid4().hex + uuid.uuid4().hex
        self.cgroup = world.root / "kubepods" / "burstable" / f"pod{self.uid}" / self.container
        self.netns = world.node_ns if host_network else f"{world.prefix}p{number}"
        self.address = world.address if host_network else f"10.244.{number // 200}.{number % 200 + 2}"
        self.address6 = world.address6 if host_network else f"fd44::{number + 2:x}"

    def as_kubernetes(self):
        kind, name = self.owner
        labels, refs = {"app": name}, [{"kind": kind, "name": name, "controller": True}]
        if kind == "Deployment":
            labels["pod-template-hash"] = "5d9c7b8f6"
            refs = [{"kind": "ReplicaSet", "name": f"{name}-5d9c7b8f6", "controller": True}]
        return {
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": self.name, "namespace": self.ns, "uid": self.uid, "labels": labels, "ownerReferences": refs},
            "spec": {"nodeName": self.world.node, "hostNetwork": self.host_network},
            "status": {"podIP": self.address, "containerStatuses": [{
                "name": "main", "image": f"registry.example/{name}:1.0", "containerID": f"containerd://{self.container}",
                "imageID": f"registry.example/{name}@sha256:{self.container}"}]},
        }

    @property
    def workload(self):
        return f"{self.ns}/{self.owner[0]}/{self.owner[1]}"

    def bundle(self):
        """What containerd keeps on disk of a running container."""
        return {"annotations": {"io.kubernetes.cri.sandbox-namespace": self.ns, "io.kubernetes.cri.sandbox-name": self.name,
                                "io.kubernetes.cri.sandbox-uid": self.uid, "io.kubernetes.cri.container-name": "main",
                                "io.kubernetes.cri.image-name": "registry.example/x:1.0", "io.kubernetes.cri.container-type": "container"}}


class World:
    """node_ns masquerades what pods send to the outside namespace, where the server writes down whom it saw."""

    def __init__(self, folder, node="node-1"):
        self.folder, self.node = pathlib.Path(folder), node
        self.prefix = f"et{os.getpid() % 100000}"
        self.node_ns, self.outside_ns = f"{self.prefix}n", f"{self.prefix}o"
        self.address, self.address6 = "198.51.100.1", "2001:db8:51::1"
        self.root = unified_root() / f"egret-test-{os.getpid()}" / node
        self.pods, self.processes, self.namespaces = [], [], []
        self.pods_file = self.folder / "pods.json"
        self.bundles = self.folder / "bundles"
        self.bundles.mkdir(parents=True, exist_ok=True)
        (self.folder / "pod-logs").mkdir(exist_ok=True)

    def netns(self, name):
        self.namespaces.append(name)
        run("ip", "netns", "add", name)
        run("ip", "-n", name, "link", "set", "lo", "up")

    def up(self):
        self.root.mkdir(parents=True)
        self.netns(self.node_ns)
        self.netns(self.outside_ns)
        n, o = self.node_ns, self.outside_ns
        run("ip", "link", "add", "ext0", "netns", n, "type", "veth", "peer", "name", "ext0", "netns", o)
        for ns, four, six in ((n, self.address, self.address6), (o, OUTSIDE, OUTSIDE6)):
            run("ip", "-n", ns, "addr", "add", f"{four}/24", "dev", "ext0")
            run("ip", "-n", ns, "addr", "add", f"{six}/64", "dev", "ext0", "nodad")
            run("ip", "-n", ns, "link", "set", "ext0", "up")
        run("ip", "-n", o, "addr", "add", "203.0.113.50/32", "dev", "ext0")
        run("ip", "-n", n, "route", "add", "203.0.113.50/32", "via", OUTSIDE)
        run("ip", "-n", n, "link", "add", "cni0", "type", "bridge")
        run("ip", "-n", n, "addr", "add", "10.244.0.1/16", "dev", "cni0")
        run("ip", "-n", n, "addr", "add", "fd44::1/64", "dev", "cni0", "nodad")
        run("ip", "-n", n, "link", "set", "cni0", "up")
        for key in ("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"):
            run("ip", "netns", "exec", n, "sysctl", "-qw", f"{key}=1")
        rules = ("table inet nat { chain out { type nat hook postrouting priority 100; "
                 "oifname ext0 ip saddr 10.244.0.0/16 masquerade; oifname ext0 ip6 saddr fd44::/64 masquerade; }; }")
        run("ip", "netns", "exec", n, "nft", rules)
        self.server = self.start([sys.executable, HERE / "sensor_server.py", self.folder / "server.ndjson"], o)
        deadline = time.monotonic() + 20
        while not (self.folder / "server.ndjson").exists():
            assert time.monotonic() < deadline and self.server.poll() is None, "the server does not start"
            time.sleep(0.05)

    def pod(self, ns, name, owner, host_network=False):
        p = Pod(self, len(self.pods), ns, name, owner, host_network)
        self.pods.append(p)
        p.cgroup.mkdir(parents=True)
        if not host_network:
            self.netns(p.netns)
            v = f"v{len(self.pods)}"
            run("ip", "link", "add", v, "netns", self.node_ns, "type", "veth", "peer", "name", "eth0", "netns", p.netns)
            run("ip", "-n", self.node_ns, "link", "set", v, "master", "cni0", "up")
            run("ip", "-n", p.netns, "addr", "add", f"{p.address}/16", "dev", "eth0")
            run("ip", "-n", p.netns, "addr", "add", f"{p.address6}/64", "dev", "eth0", "nodad")
            run("ip", "-n", p.netns, "link", "set", "eth0", "up")
            run("ip", "-n", p.netns, "route", "add", "default", "via", "10.244.0.1")
            run("ip", "-n", p.netns, "-6", "route", "add", "default", "via", "fd44::1")
        return p

    def write_pods(self, pods=None):
        text = json.dumps({"kind": "PodList", "items": [p.as_kubernetes() for p in (self.pods if pods is None else pods)]})
        fresh = self.pods_file.with_suffix(".new")
        fresh.write_text(text)
        fresh.rename(self.pods_file)

    def start(self, words, netns, cgroup=None, **more):
        def enter():
            if cgroup:
                (cgroup / "cgroup.procs").write_text("0")
        process = subprocess.Popen(["ip", "netns", "exec", netns, *map(str, words)], preexec_fn=enter, start_new_session=True, **more)
        self.processes.append(process)
        return process

    def client(self, netns, cgroup, plan, name):
        """Starts a client with that plan; its truth is in FOLDER/NAME.ndjson."""
        return self.start([sys.executable, HERE / "sensor_client.py", self.folder / f"{name}.ndjson", json.dumps(plan)], netns, cgroup)

    def talk(self, pod, *words, **more):
        return self.start([sys.executable, HERE / "sensor_talk.py", *words], pod.netns, pod.cgroup, **more)

    def sensor(self, binary, out, *more, segment="500ms"):
        words = [binary, "--out", out, "--node", self.node, "--cluster", "test", "--cgroup-root", self.root, "--netns", f"/run/netns/{self.node_ns}",
                 "--pods", self.pods_file, "--pod-logs", self.folder / "pod-logs", "--containerd", self.bundles, "--segment-time", segment,
                 "--window", "1s", *more]
        process = subprocess.Popen([*map(str, words)], stderr=subprocess.PIPE, text=True)
        self.processes.append(process)
        for line in process.stderr:
            assert " is missing (" not in line, line
            if "ready on" in line:
                return process
        raise AssertionError(f"the sensor ended with {process.wait()} before it was ready")

    def down(self):
        for p in self.processes:
            if p.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    p.send_signal(signal.SIGKILL)
            p.wait()
        self.processes.clear()
        for name in self.namespaces:
            subprocess.run(["ip", "netns", "del", name], capture_output=True)
        self.namespaces.clear()
        base = self.root.parent
        if base.exists():
            for _ in range(50):
                for pid in {p for f in base.rglob("cgroup.procs") for p in f.read_text().split()}:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(int(pid), signal.SIGKILL)
                for folder in sorted((d for d in base.rglob("*") if d.is_dir()), reverse=True):
                    with contextlib.suppress(OSError):
                        folder.rmdir()
                try:
                    base.rmdir()
                    break
                except OSError:
                    time.sleep(0.05)


def read_rows(out):
    """Every row of the finished segments, in order; numbers must have no gap within a start."""
    rows = []
    for file in sorted(pathlib.Path(out).glob("*.ndjson")):
        rows += [json.loads(line) for line in file.read_text().splitlines()]
    last = {}
    for r in rows:
        assert r["_Sequence"] == last.get(r["_Sensor"], 0) + 1, f"a gap before {r}"
        last[r["_Sensor"]] = r["_Sequence"]
    return rows
