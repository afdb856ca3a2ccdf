#!/usr/bin/env python3
"""`egret investigate` over a rendered world of many flows: wall, peak memory, and the share of each step (--timings)."""
import argparse
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

EGRET = os.environ["EGRET"]


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("--flows", type=int, default=5_000_000)
    ap.add_argument("--scenario", default="monitoring-agent")
    a = ap.parse_args()
    with tempfile.TemporaryDirectory() as tmp:
        world = pathlib.Path(tmp) / "world"
        began = time.monotonic()
        subprocess.run([EGRET, "drill", "render", a.scenario, "--seed", "1", "--flows", str(a.flows), "--out", str(world)], check=True, capture_output=True)
        size = sum(f.stat().st_size for f in (world / "evidence").rglob("*") if f.is_file())
        print(f"rendered {a.flows:,} flows, {size / 1e6:.0f} MB of logs, in {time.monotonic() - began:.1f} s")
        began = time.monotonic()
        run = subprocess.run([EGRET, "investigate", str(world / "evidence"), "--data", str(pathlib.Path(tmp) / "data"), "--timings"],
                             check=True, capture_output=True, text=True)
        wall = time.monotonic() - began
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(f"investigated in {wall:.1f} s wall, peak memory {peak:.0f} MB")
        print(run.stderr)


if __name__ == "__main__":
    sys.exit(main())
