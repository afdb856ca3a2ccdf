#!/usr/bin/env python3
"""What the sensor costs, in one run: without it, with its hooks attached and doing nothing, and at work; the three take turns, so that what
else the machine does falls on all alike. Root only. Prints one table, or JSON with --json.

Per state: CPU of the sensor, CPU of the load (its kernel work is where hooks run), connect() latency, connections a second; whether every
connection became a row's count; the sensor's memory. And for bulk: CPU seconds per gigabit with and without."""
import argparse
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
from sensor_world import OUTSIDE, World, read_rows  # noqa: E402

TICK = os.sysconf("SC_CLK_TCK")


def cpu_of(pid):
    words = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / TICK


def memory_of(pid):
    status = dict(line.split(":", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) * 1024


def median(rows, key):
    return statistics.median(r[key] for r in rows)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--build", default=ROOT / "build" / "release", type=pathlib.Path)
    p.add_argument("--rate", type=float, default=5000, help="connections a second of the measured rounds (0: as fast as it goes)")
    p.add_argument("--seconds", type=float, default=4, help="of each round")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--json", action="store_true")
    a = p.parse_args()
    load, binary = a.build / "sensor_load", a.build / "egret-sensor"
    folder = pathlib.Path(tempfile.mkdtemp(prefix="egret-bench-sensor-"))
    world = World(folder / "world")
    results = {s: [] for s in ("without", "idle hooks", "at work")}
    bulk = {s: [] for s in results}
    fastest = {s: [] for s in results}
    counted = made = lost = 0
    memory = 0
    try:
        world.up()
        pod = world.pod("shop", "load-0", ("Deployment", "load"))
        world.write_pods()
        server = world.start([load, "serve", 7000], world.outside_ns, stdout=subprocess.PIPE, text=True)
        assert server.stdout.readline() == "ready\n"

        def run(*words):
            process = world.start([load, *words], pod.netns, pod.cgroup, stdout=subprocess.PIPE, text=True)
            out, _ = process.communicate()
            world.processes.remove(process)
            return json.loads(out)

        run("connect", OUTSIDE, 7000, a.rate, 1)
        for number in range(a.rounds):
            for state in results:
                out = folder / f"{state.replace(' ', '-')}-{number}"
                sensor = None
                if state != "without":
                    words = [binary, "--out", out, "--node", world.node, "--cgroup-root", world.root, "--netns", f"/run/netns/{world.node_ns}",
                             "--pods", world.pods_file, *(["--idle"] if state == "idle hooks" else [])]
                    sensor = subprocess.Popen([*map(str, words)], stderr=subprocess.PIPE, text=True)
                    world.processes.append(sensor)
                    line = sensor.stderr.readline()
                    assert "ready on" in line, line
                served, before, mine = cpu_of(server.pid), time.monotonic(), cpu_of(sensor.pid) if sensor else 0
                r = run("connect", OUTSIDE, 7000, a.rate, a.seconds)
                wall = time.monotonic() - before
                r["served"] = cpu_of(server.pid) - served
                r["sensor"] = (cpu_of(sensor.pid) - mine) if sensor else 0.0
                r["per_second"] = r["connections"] / r["wall"]
                r["load_us"] = (r["cpu"] + r["served"]) * 1e6 / r["connections"]
                r["sensor_us"] = r["sensor"] * 1e6 / r["connections"]
                r["share"] = r["sensor"] / wall
                results[state].append(r)
                total = r["connections"]
                f = run("connect", OUTSIDE, 7000, 0, max(1, a.seconds / 2))
                f["per_second"] = f["connections"] / f["wall"]
                fastest[state].append(f)
                total += f["connections"]
                served, mine = cpu_of(server.pid), cpu_of(sensor.pid) if sensor else 0
                b = run("stream", OUTSIDE, 7000, max(1, a.seconds / 2))
                gigabits = b["bytes"] * 8 / 1e9
                b["load"] = (b["cpu"] + cpu_of(server.pid) - served) / gigabits
                b["sensor"] = ((cpu_of(sensor.pid) - mine) if sensor else 0.0) / gigabits
                b["gbits"] = gigabits / b["wall"]
                bulk[state].append(b)
                if sensor:
                    time.sleep(0.5)  # the stream's end is still on its way
                    memory = max(memory, memory_of(sensor.pid))
                    sensor.send_signal(signal.SIGTERM)
                    sensor.wait()
                    world.processes.remove(sensor)
                if state == "at work":
                    time.sleep(0.1)
                    rows = read_rows(out)
                    made += total + 1
                    counted += sum(x["EventCount"] for x in rows if x["Type"] == "ASimNetworkSessionLogs" and x["DstPortNumber"] == 7000
                                   and x.get("EventSubType", "") in ("", "End"))
                    lost += sum(x["Count"] for x in rows if x.get("EventType") == "Lost")
    finally:
        world.down()
        subprocess.run(["rm", "-rf", str(folder)])
    answer = {"rate": a.rate, "seconds": a.seconds, "rounds": a.rounds, "connections_made": made, "connections_counted": counted, "events_lost": lost,
              "memory_bytes": memory, "states": {}}
    for state, rows in results.items():
        answer["states"][state] = {k: median(rows, k) for k in ("per_second", "load_us", "sensor_us", "share", "p50_us", "p99_us")}
        answer["states"][state] |= {"fastest_per_second": median(fastest[state], "per_second"), "gbits": median(bulk[state], "gbits"),
                                    "load_cpu_per_gbit": median(bulk[state], "load"), "sensor_cpu_per_gbit": median(bulk[state], "sensor")}
    if a.json:
        print(json.dumps(answer, indent=1))
        return
    print(f"{'':12} {'conn/s':>8} {'load µs':>8} {'sensor µs':>9} {'sensor CPU':>10} {'p50 µs':>7} {'p99 µs':>8} {'fastest/s':>9} {'Gbit/s':>7} {'CPU ms/Gbit':>12}")
    for state, s in answer["states"].items():
        print(f"{state:12} {s['per_second']:8.0f} {s['load_us']:8.1f} {s['sensor_us']:9.2f} {s['share'] * 100:9.2f}% {s['p50_us']:7.1f} {s['p99_us']:8.1f} "
              f"{s['fastest_per_second']:9.0f} {s['gbits']:7.2f} {s['load_cpu_per_gbit'] * 1e3:8.2f}+{s['sensor_cpu_per_gbit'] * 1e3:.2f}")
    work = answer["states"]["at work"]
    print(f"\nCPU of the sensor's process per 1,000 connections a second: {work['sensor_us'] / 10:.2f} % of a core"
          f"\nconnections made {made}, counted in rows {counted}, events lost {lost}; memory at most {memory / 1e6:.1f} MB; medians of {a.rounds} rounds")


if __name__ == "__main__":
    main()
