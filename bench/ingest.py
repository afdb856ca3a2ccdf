#!/usr/bin/env python3
"""Ingest rate beside DuckDB's own readers: one VNet flow log blob and one Zeek conn.log, made here, read by both, in turn.

Both sides end with the same rows in a table on disk (compared by count and by the sums of ports and bytes). DuckDB is told the exact
shape of the file, so that it does not spend time on guessing it."""
import argparse
import json
import os
import pathlib
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time

import duckdb

EGRET = os.environ["EGRET"]


def write_vnet(path, rows, rng):
    """One PT1H.json as Azure writes it: records per minute, each with flow groups of comma-separated tuples."""
    records, left, minute = [], rows, 0
    while left > 0:
        tuples = []
        for _ in range(min(left, max(1, rows // 60))):
            ms = 1717236000000 + minute * 60000 + rng.randrange(60000)
            tuples.append(f"{ms},10.240.{rng.randrange(4)}.{rng.randrange(4, 250)},{rng.randrange(1, 223)}.{rng.randrange(256)}.{rng.randrange(256)}."
                          f"{rng.randrange(1, 255)},{rng.randrange(1024, 65535)},443,6,O,{rng.choice('BCE')},NX,{rng.randrange(1, 50)},"
                          f"{rng.randrange(60, 90000)},{rng.randrange(1, 50)},{rng.randrange(60, 900000)}")
        left -= len(tuples)
        records.append({"time": f"2024-06-01T10:{minute % 60:02}:00.0Z", "flowLogVersion": 4, "flowLogGUID": "66aa66aa-bb77-cc88-dd99-00ee00ee00ee",
                        "macAddress": "0022487C2D1A", "category": "FlowLogFlowEvent",
                        "flowLogResourceID": "/SUBSCRIPTIONS/0000/RESOURCEGROUPS/NETWORKWATCHERRG/PROVIDERS/MICROSOFT.NETWORK/FLOWLOGS/AKS",
                        "targetResourceID": "/subscriptions/0000/resourceGroups/MC_rg_aks-bench_canadacentral/providers/Microsoft.Network/virtualNetworks/aks-vnet",
                        "operationName": "FlowLogFlowEvent",
                        "flowRecords": {"flows": [{"aclID": "00000000-1234-abcd-ef00-c1c2c3c4c5c6",
                                                   "flowGroups": [{"rule": "DefaultRule_AllowInternetOutBound", "flowTuples": tuples}]}]}})
        minute += 1
    path.write_text(json.dumps({"records": records}, separators=(",", ":")))


def write_zeek(path, rows, rng):
    fields = ("ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto service duration orig_bytes resp_bytes conn_state local_orig local_resp "
              "missed_bytes history orig_pkts orig_ip_bytes resp_pkts resp_ip_bytes tunnel_parents").split()
    types = "time string addr port addr port enum string interval count count string bool bool count string count count count count set[string]".split()
    with path.open("w") as f:
        f.write("#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n#open\t2024-06-01-10-00-00\n")
        f.write("#fields\t" + "\t".join(fields) + "\n#types\t" + "\t".join(types) + "\n")
        for i in range(rows):
            ob, rb = rng.randrange(60, 90000), rng.randrange(60, 900000)
            f.write(f"{1717236000 + i * 0.001:.6f}\tC{rng.randrange(1 << 60):x}\t10.244.{rng.randrange(4)}.{rng.randrange(4, 250)}\t{rng.randrange(1024, 65535)}\t"
                    f"{rng.randrange(1, 223)}.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(1, 255)}\t443\ttcp\tssl\t{rng.random() * 9:.6f}\t{ob}\t{rb}\tSF\tT\tF\t0\t"
                    f"ShADadFf\t{rng.randrange(1, 50)}\t{ob + 400}\t{rng.randrange(1, 50)}\t{rb + 400}\t-\n")
        f.write("#close\t2024-06-01-11-00-00\n")


VNET_SQL = """
CREATE TABLE flows AS
WITH r AS (SELECT unnest(records) AS r FROM read_json('{path}', columns={{records: 'STRUCT("time" VARCHAR, "macAddress" VARCHAR, "targetResourceID" VARCHAR,
  "flowRecords" STRUCT("flows" STRUCT("aclID" VARCHAR, "flowGroups" STRUCT("rule" VARCHAR, "flowTuples" VARCHAR[])[])[]))[]'}}, maximum_object_size=2147483647)),
f AS (SELECT r.macAddress AS mac, r.targetResourceID AS target, unnest(r.flowRecords.flows) AS f FROM r),
g AS (SELECT mac, target, unnest(f.flowGroups) AS g FROM f),
t AS (SELECT mac, target, g.rule AS rule, string_split(unnest(g.flowTuples), ',') AS t FROM g)
SELECT mac, target, rule, t[1]::BIGINT AS ms, t[2] AS src, t[3] AS dst, t[4]::INT AS sport, t[5]::INT AS dport, t[6] AS proto, t[7] AS direction,
  t[8] AS state, t[9] AS encryption, t[10]::BIGINT AS opkts, t[11]::BIGINT AS obytes, t[12]::BIGINT AS rpkts, t[13]::BIGINT AS rbytes FROM t"""
ZEEK_SQL = """
CREATE TABLE flows AS SELECT ts, uid, src, sport, dst, dport, proto, service, duration, obytes, rbytes, state, history, opkts, rpkts FROM read_csv('{path}',
  delim='\t', comment='#', header=false, nullstr='-', quote='', escape='', auto_detect=false, columns={{ts: 'DOUBLE', uid: 'VARCHAR', src: 'VARCHAR', sport: 'INT', dst: 'VARCHAR', dport: 'INT',
  proto: 'VARCHAR', service: 'VARCHAR', duration: 'DOUBLE', obytes: 'BIGINT', rbytes: 'BIGINT', state: 'VARCHAR', lo: 'VARCHAR', lr: 'VARCHAR', missed: 'BIGINT',
  history: 'VARCHAR', opkts: 'BIGINT', oip: 'BIGINT', rpkts: 'BIGINT', rip: 'BIGINT', tunnels: 'VARCHAR'}})"""


def cpu():
    a, b = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return a.ru_utime + a.ru_stime + b.ru_utime + b.ru_stime


def timed(what):
    wall, used = time.monotonic(), cpu()
    value = what()
    return time.monotonic() - wall, cpu() - used, value


def egret_side(work, log):
    data = work / "data"
    shutil.rmtree(data, ignore_errors=True)
    subprocess.run([EGRET, "ingest", str(log), "--data", str(data)], check=True, capture_output=True)
    return data


def egret_sums(data):
    query = "ASimNetworkSessionLogs | summarize count(), sum(tolong(DstPortNumber)), sum(tolong(SrcPortNumber)), sum(SrcBytes), sum(DstBytes)"
    out = subprocess.run([EGRET, "query", query, "--data", str(data), "--format", "json"], check=True, capture_output=True, text=True).stdout
    return [int(v) for v in json.loads(out)["rows"][0]]


def duckdb_side(work, log, sql):
    file = work / "peer.duckdb"
    file.unlink(missing_ok=True)
    con = duckdb.connect(str(file))
    con.execute("SET threads=2")
    con.execute(sql.format(path=log))
    con.execute("CHECKPOINT")
    return [int(v) for v in con.execute("SELECT count(*), sum(dport), sum(sport), sum(obytes), sum(rbytes) FROM flows").fetchone()]


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("--rows", type=int, default=1_000_000)
    ap.add_argument("--runs", type=int, default=3)
    a = ap.parse_args()
    print(f"{'file':<10} {'rows':>9} {'MB':>6}  {'egret rows/s':>13} {'MB/s':>6} {'cpu s':>6}  {'duckdb rows/s':>13} {'MB/s':>6} {'cpu s':>6}  {'wall ratio':>10} {'cpu ratio':>9}  same")
    with tempfile.TemporaryDirectory() as tmp:
        work = pathlib.Path(tmp)
        for name, write, sql in (("vnet-flow", write_vnet, VNET_SQL), ("zeek-conn", write_zeek, ZEEK_SQL)):
            log = work / ("PT1H.json" if name == "vnet-flow" else "conn.log")
            write(log, a.rows, random.Random(1))
            mb = log.stat().st_size / 1e6
            ours, peers = [], []
            for _ in range(a.runs):  # in turn, so that load on the machine meets both
                ours.append(timed(lambda: egret_side(work, log)))
                peers.append(timed(lambda: duckdb_side(work, log, sql)))
            same = egret_sums(ours[-1][2]) == peers[-1][2]
            w, c = min(o[0] for o in ours), min(o[1] for o in ours)
            pw, pc = min(p[0] for p in peers), min(p[1] for p in peers)
            print(f"{name:<10} {a.rows:>9} {mb:>6.0f}  {a.rows / w:>13,.0f} {mb / w:>6.1f} {c:>6.2f}  {a.rows / pw:>13,.0f} {mb / pw:>6.1f} {pc:>6.2f}  "
                  f"{pw / w:>9.2f}x {pc / c:>8.2f}x  {'yes' if same else 'NO'}")


if __name__ == "__main__":
    sys.exit(main())
