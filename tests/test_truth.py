"""What the sensors wrote down against what happened: fifty pods connect by scripts, each client writes down what it did, and the border of
the lab's internet, which shares no code with the sensor, writes down what left the nodes.

EGRET_TRUTH_CONNECTIONS sets how many (default 1,000). The full size, about a minute:
    EGRET_TRUTH_CONNECTIONS=10000 python -m pytest -s tests/test_truth.py"""
import collections
import json
import os
import pathlib
import random
import subprocess
import time

import pytest

from conftest import EGRET
from test_lab import lab, leftovers, status  # noqa: F401

CONNECTIONS = int(os.environ.get("EGRET_TRUTH_CONNECTIONS", "1000"))
POD_PROGRAM = str(pathlib.Path(EGRET).parent / "egret-lab-pod")


def endpoint(text):
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def kinds_of_step(names, rng, sidecar):
    """(weight, words) of what a pod does. A proxy takes TCP over IPv4 only, and answers itself for a port that nobody listens on."""
    name = rng.choice(names)
    size = f"out={rng.randrange(1, 3000)} in={rng.randrange(1, 20000)}"
    return [(6, f"name={name} port=80 {size}"), (4, f"name={name} port=443 tls=1 {size}"), (3, f"name={name} port=4500 udp=1 out={rng.randrange(20, 1300)}"),
            (3, f"name={name} port=80 six=1 {size}"), (0 if sidecar else 1, f"name={name} port=81"), (1, f"name={name} port=4500 udp=1 six=1 out={rng.randrange(20, 1300)}")]


def test_every_connection_is_there_with_its_owner_bytes_and_translation(lab, tmp_path):  # noqa: F811
    up = lab("up", "canada-central", "--sensor", "--clusters", "2", "--nodes", "3", "--apps", "6", "--daemons", "5", "--seed", "3", "--format", "json", timeout=300).json()
    home = pathlib.Path(up["folder"])
    pods = [(c, p) for c in up["clusters"] for p in c["pods"] if not p["name"].startswith("coredns")][:50]
    assert len(pods) >= 40 and any(p["hostNetwork"] for _, p in pods)
    rng = random.Random(7)
    each = max(1, CONNECTIONS // len(pods))
    running = []
    for number, (cluster, pod) in enumerate(pods):
        zone = [line.split() for line in (home / "scripts" / cluster["name"] / "zone").read_text().splitlines()]
        names = [words[0] for words in zone if len(words) > 2 and "svc.cluster.local" not in words[0]]
        sidecar = (home / "scripts" / cluster["name"] / f"{pod['name']}.envoy.json").exists()
        lines = []
        for _ in range(each):
            weights, words = zip(*kinds_of_step(names, rng, sidecar))
            lines.append(rng.choices(words, weights)[0] + f" start={rng.uniform(0, max(3.0, CONNECTIONS / 250)):.3f}")
        script, truth = tmp_path / f"{number}.script", tmp_path / f"{number}.truth"
        script.write_text("\n".join(lines) + "\n")
        resolver = "168.63.129.16" if pod["hostNetwork"] else "10.0.0.10"
        command = [EGRET, "lab", "exec", "--id", lab.id, f"{cluster['name']}/{pod['namespace']}/{pod['name']}", "--", POD_PROGRAM, "client", "--once", "1", "--script", str(script),
                   "--truth", str(truth), "--who", pod["name"], "--resolver", resolver]
        running.append((cluster, pod, sidecar, truth, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)))
    for *_, process in running:
        _, err = process.communicate(timeout=300)
        assert process.returncode == 0, err
    ended = time.time()
    time.sleep(8)  # a window of the sensor and a segment

    rows = []
    for path in home.glob("logs/*/sensor/*/*.ndjson"):
        rows += [r for r in map(json.loads, path.read_text().splitlines()) if r["Type"] == "ASimNetworkSessionLogs"]
    seen = collections.defaultdict(list)  # a connection has rows for its begin, its end and each window between; bytes are those since the row before
    for r in rows:
        seen[(r["Cluster"], r["SrcIpAddr"], r.get("SrcPortNumber"), r["DstIpAddr"], r.get("DstPortNumber"), r["NetworkProtocol"])].append(r)
    left = {}  # what left a node, as the border saw it: when it began
    for cluster in up["clusters"]:
        for line in (home / "logs" / cluster["name"] / "border.tsv").read_text().splitlines():
            f = line.split("\t")
            left.setdefault((cluster["name"], f[1], int(f[3]), f[2], int(f[4]), {"6": "TCP", "17": "UDP"}[f[5]]), int(f[0]) / 1000)

    wrong, checked, kinds = [], 0, collections.Counter()
    for cluster, pod, sidecar, truth, _ in running:
        for line in truth.read_text().splitlines():
            t = json.loads(line)
            if not t["remote"]:  # the resolver did not answer in time: there was no connection
                kinds["not resolved"] += 1
                continue
            if not t["local"]:
                kinds["failed"] += 1
                to, port = endpoint(t["remote"])
                if not any(k[0] == cluster["name"] and k[3:5] == (to, port) and any(r.get("SrcPodName") == pod["name"] for r in v) for k, v in seen.items()):
                    wrong.append(("a failed attempt is missing", t))
                continue
            checked += 1
            (source, source_port), (to, port) = endpoint(t["local"]), endpoint(t["remote"])
            kinds[t["protocol"] + ("6" if ":" in to else "") + (", hostNetwork" if pod["hostNetwork"] else "") + (", sidecar" if sidecar else "")] += 1
            found = seen.get((cluster["name"], source, source_port, to, port, t["protocol"]), [])
            if not found:
                wrong.append(("missing", t))
                continue
            last = found[-1]
            if last.get("SrcPodName") != pod["name"] or last.get("SrcWorkload", "").split("/")[1:] != pod["workload"].split("/"):
                wrong.append(("owner", t, last))
            counted = tuple(sum(r.get(side) or 0 for r in found) for side in ("SrcBytes", "DstBytes"))
            if t["result"] == "ok" and counted != (t["sent"], t["received"]):
                wrong.append(("bytes", t, counted))
            if sidecar and t["protocol"] == "TCP" and ":" not in to:
                continue  # what leaves the node is the proxy's own connection
            translated = (last.get("SrcNatIpAddr") or source, last.get("SrcNatPortNumber") or source_port)
            if (cluster["name"], *translated, to, port, t["protocol"]) not in left:
                wrong.append(("translation", t, translated))
    # The other way round, which is how the proxies' own connections are held to it: whatever TCP left a node for the internet has a row, with an owner.
    owners = {}
    for r in rows:
        if r["NetworkProtocol"] == "TCP" and r.get("NetworkDirection") == "Outbound":
            key = (r["Cluster"], r.get("SrcNatIpAddr") or r["SrcIpAddr"], r.get("SrcNatPortNumber") or r.get("SrcPortNumber"), r.get("DstNatIpAddr") or r["DstIpAddr"],
                   r.get("DstNatPortNumber") or r.get("DstPortNumber"))
            owners[key] = r.get("SrcWorkload") or owners.get(key)
    asked = {(cluster["name"], *endpoint(json.loads(line)["remote"])) for cluster, _, _, truth, _ in running for line in truth.read_text().splitlines() if json.loads(line)["remote"]}
    nodes = {(c["name"], n["address"]) for c in up["clusters"] for n in c["nodes"]}
    through = [k[:5] for k, began in left.items() if k[5] == "TCP" and k[:2] in nodes and (k[0], k[3], k[4]) in asked and k[4] != 81 and began < ended]
    kinds["seen to leave"] = len(through)
    wrong += [("left unseen", k) for k in through if not owners.get(k)]
    print(f"{checked} connections, {dict(kinds)}")
    assert through
    assert checked + kinds["failed"] + kinds["not resolved"] == each * len(pods) and kinds["not resolved"] * 50 <= checked
    assert {"TCP", "UDP", "TCP6", "UDP6", "failed", "TCP, hostNetwork", "TCP, sidecar"} <= set(kinds)
    assert not wrong, f"{len(wrong)} of {checked}: {collections.Counter(w[0] for w in wrong)}, such as {wrong[:3]}"
