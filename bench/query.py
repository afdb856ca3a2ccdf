#!/usr/bin/env python3
"""Queries over the same rows at rest in three ways: in the hot file, sealed by one large load, and rolled out of many small loads.

A data folder whose path looks like a pattern keeps its rows in the hot file. What a query costs is the CPU
time that it takes beyond `print 1`: these queries are too short for the wall clock of a shared machine."""
import argparse
import os
import pathlib
import random
import resource
import subprocess
import sys
import tempfile

import ingest

EGRET = os.environ["EGRET"]
T = "ASimNetworkSessionLogs"
QUERIES = {
    "count, sum": f"{T} | summarize count(), sum(SrcBytes), sum(DstBytes)",
    "group by source": f"{T} | summarize Bytes = sum(SrcBytes) by SrcIpAddr | top 10 by Bytes",
    "one address": f"{T} | where DstIpAddr == '203.0.113.9' | project TimeGenerated, SrcIpAddr, SrcBytes",
    "range of addresses": f"{T} | where ipv4_is_in_range(DstIpAddr, '20.0.0.0/8') | summarize count() by SrcIpAddr",
    "a minute": f"{T} | where TimeGenerated between (datetime(2024-06-01T10:05:00Z) .. 1m) | summarize sum(DstBytes) by SrcIpAddr",
    "part of a text": f"{T} | where EventOriginalUid has 'Cabc' or NetworkConnectionHistory contains 'xyz' | count",
    "all of 50 rows": f"{T} | sort by TimeGenerated asc | take 50",
}


def cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def cost(data, query):
    before = cpu()
    subprocess.run([EGRET, "query", query, "--data", str(data), "--format", "ndjson"], check=True, capture_output=True)
    return cpu() - before


def load(data, *logs):
    for log in logs:
        subprocess.run([EGRET, "ingest", str(log), "--data", str(data)], check=True, capture_output=True)


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("--rows", type=int, default=1_000_000)
    ap.add_argument("--runs", type=int, default=5)
    a = ap.parse_args()
    with tempfile.TemporaryDirectory() as tmp:
        work = pathlib.Path(tmp)
        ingest.write_zeek(work / "conn.log", a.rows, random.Random(1))
        lines = (work / "conn.log").read_text().splitlines(keepends=True)
        header, rows = [x for x in lines if x.startswith("#")], [x for x in lines if not x.startswith("#")]
        pieces = []
        for i in range(0, a.rows, 8000):
            pieces.append(work / f"conn.{i:08}.log")
            pieces[-1].write_text("".join(header + rows[i:i + 8000]))
        folders = {"hot": work / "hot[]", "sealed": work / "sealed", "rolled": work / "rolled"}
        load(folders["hot"], work / "conn.log")
        load(folders["sealed"], work / "conn.log")
        load(folders["rolled"], *pieces)
        for name, data in folders.items():
            files = list((data / "parquet").rglob("*.parquet"))
            print(f"{name}: {len(files)} sealed files, {sum(f.stat().st_size for f in data.rglob('*') if f.is_file()) / 1e6:.0f} MB")
        print(f"{'query':<20} {'hot ms':>7} {'sealed':>7} {'rolled':>7}  {'sealed/hot':>10} {'rolled/hot':>10}   (CPU)")
        best = {}
        for query in ["print 1", *QUERIES.values()]:
            for _ in range(a.runs):  # in turn, so that load on the machine meets all
                for name, data in folders.items():
                    best[query, name] = min(cost(data, query), best.get((query, name), 1e9))
        took = {q: {n: 1000 * max(best[q, n] - best["print 1", n], 0.001) for n in folders} for q in QUERIES.values()}
        took["all"] = {n: sum(t[n] for t in took.values()) for n in folders}
        for title, query in [*QUERIES.items(), ("together", "all")]:
            h, s, r = (took[query][n] for n in ("hot", "sealed", "rolled"))
            print(f"{title:<20} {h:>7.0f} {s:>7.0f} {r:>7.0f}  {s / h:>9.2f}x {r / h:>9.2f}x")


if __name__ == "__main__":
    sys.exit(main())
