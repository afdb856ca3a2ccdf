#!/usr/bin/env python3
"""Capture files to flows, DNS, HTTP and TLS: `egret pcap read --summary` (rows are made, not printed) beside ndpiReader and tshark on the same
files, in turn: the 20 largest of Zeek's traces, a process for each, and one large file made of all of them (bench/pcap_file.py), which is
removed afterwards. One thread each. ndpiReader recognises protocols and follows no HTTP connection; tshark dissects every packet."""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import pcap_file

EGRET = os.environ["EGRET"]


def run(command, log):
    """(CPU seconds, wall seconds, largest resident MB) of one process."""
    began = time.monotonic()
    with open(log, "wb") as out:
        pid = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT).pid
        _, status, used = os.wait4(pid, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f"{command[0]} failed: {pathlib.Path(log).read_text(errors='replace')[-500:]}")
    return used.ru_utime + used.ru_stime, time.monotonic() - began, used.ru_maxrss / 1024


TOOLS = {
    "egret": lambda files: [[EGRET, "pcap", "read", "--summary", f] for f in files],
    "ndpiReader": lambda files: [["ndpiReader", "-q", "-i", f] for f in files],
    "tshark": lambda files: [["tshark", "-r", f, "-q", "-z", "conv,tcp", "-z", "conv,udp"] for f in files],
}


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--size", type=float, default=1000, help="MB of the made file (default 1000)")
    a.add_argument("--rounds", type=int, default=3, help="each tool runs so often on the made file; the best counts (tshark once)")
    a.add_argument("--tools", default="egret,ndpiReader,tshark")
    args = a.parse_args()
    archive = pathlib.Path(os.environ["EGRET_SHARED"]) / "data" / "pcap" / "zeek-traces.tar.zst"
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["tar", "--zstd", "-xf", archive, "-C", folder], check=True)
        traces = pathlib.Path(folder) / "zeek-traces"
        ethernet = [f for f in sorted(traces.rglob("*.pcap")) if sum(1 for _ in pcap_file.packets_of(f))]
        largest = sorted(ethernet, key=lambda f: f.stat().st_size)[-20:]
        made = pathlib.Path(folder) / "made.pcap"
        script = [sys.executable, pcap_file.__file__, traces, made, str(args.size * 1e6)]
        packets, size = map(int, subprocess.run(script, check=True, capture_output=True, text=True).stdout.split())
        sets = [("20 largest traces", largest, sum(sum(1 for _ in pcap_file.packets_of(f)) for f in largest), sum(f.stat().st_size for f in largest), 1),
                (f"{size / 1e6:.0f} MB file", [made], packets, size, args.rounds)]
        print(f"{'files':<20} {'tool':<11} {'CPU s':>8} {'wall s':>8} {'MB/s':>8} {'packets/s':>11} {'MB RAM':>8}   (rates by CPU)")
        for name, files, packets, size, rounds in sets:
            best = {}
            for tool in args.tools.split(","):
                for _ in range(1 if tool == "tshark" else rounds):
                    runs = [run(list(map(str, c)), pathlib.Path(folder) / "log") for c in TOOLS[tool](files)]
                    took = (sum(r[0] for r in runs), sum(r[1] for r in runs), max(r[2] for r in runs))
                    best[tool] = min(best.get(tool, took), took)
                cpu, wall, memory = best[tool]
                print(f"{name:<20} {tool:<11} {cpu:8.2f} {wall:8.2f} {size / cpu / 1e6:8.1f} {packets / cpu:11,.0f} {memory:8.0f}", flush=True)
            others = [t for t in best if t != "egret"]
            if "egret" in best and others:
                fastest = min(others, key=lambda t: best[t][0])
                print(f"{name:<20} egret is {best[fastest][0] / best['egret'][0]:.1f} times as fast as {fastest}, the faster of the others, by CPU time")


if __name__ == "__main__":
    main()
