#!/usr/bin/env python3
"""Attribution over many rendered worlds: is the owner first where it can be known, is ignorance stated where it cannot, is nothing
malicious called benign, and are the probabilities worth what they say?

  bench/attribution/run.py --worlds 200 --first-seed 1000

Worlds are scenarios, profiles and seeds taken in turn: three rounds of the scenarios meet every profile once. Seeds below 1000 are for tuning; report those from 1000 on.
Families that a scenario calls held-out are left out: nothing may be tuned on them. --held-out scores those and no others.
Prints a table per profile, the reliability table, and every world that went wrong; --json FILE keeps each world's result."""
import argparse
import collections
import concurrent.futures
import json
import math
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROFILES = ["default", "recommended", "everything"]


def run(command, timeout=600):
    return subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=timeout)


def scenarios(egret, held_out=False):
    return [s["id"] for s in json.loads(run([egret, "drill", "list", "--format", "json"]).stdout) if s["held_out"] == held_out]


def same(candidate, owner):
    # Which process of the node it was is asked only of an answer that names one: most logs name none.
    name = candidate["name"] == owner["name"] or (owner["kind"] == "HostProcess" and candidate["name"] == "unnamed")
    return name and all(candidate[k] == owner[k] for k in ("namespace", "kind"))


def is_owner(candidate, truth):
    return candidate["kind"] != "unknown" and any(same(candidate, o) and candidate["cluster"] in ("", o["cluster"]) for o in truth["owners"])


def judge(truth, answer):
    """One world's result, from truth.json and the answer alone."""
    candidates = answer["candidates"]
    top = candidates[0]
    p_truth = sum(c["probability"] for c in candidates if is_owner(c, truth))
    unknown = sum(c["probability"] for c in candidates if c["kind"] == "unknown")
    second = candidates[1]["probability"] if len(candidates) > 1 else 0
    stated = top["kind"] == "unknown" or top["probability"] < 0.5 or top["probability"] < 1.5 * second
    classification = answer["verdict"]["classification"]
    return {
        "knowable": truth["knowable"], "first": is_owner(top, truth), "ignorance": stated, "p_top": top["probability"], "p_truth": p_truth, "p_unknown": unknown,
        "top": "/".join((top["namespace"], top["kind"], top["name"])), "owners": ["/".join((o["namespace"], o["kind"], o["name"])) for o in truth["owners"]],
        "classification": classification, "truth_classification": truth["classification"],
        "malicious_called_benign": truth["classification"] == "TruePositive" and classification in ("BenignPositive", "FalsePositive"),
        "why": truth.get("why", ""),
    }


def world(egret, scenario, profile, seed, keep, hours=None):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="egret-world-", dir=keep))
    result = {"scenario": scenario, "profile": profile, "seed": seed}
    try:
        r = run([egret, "drill", "render", scenario, "--seed", seed, "--profile", profile, "--out", folder, *(["--hours", hours] if hours else [])])
        if r.returncode:
            return dict(result, error="render: " + r.stderr.strip()[-400:])
        truth = json.loads((folder / "truth.json").read_text())
        begin = time.monotonic()
        r = run([egret, "investigate", folder / "evidence", "--format", "json", "--no-keep", *(["--data", folder / "data"] if keep else [])])
        result["seconds"] = round(time.monotonic() - begin, 2)
        if r.returncode:
            return dict(result, error=r.stderr.strip()[-400:])
        if keep:
            (folder / "answer.json").write_text(r.stdout)
            result["folder"] = str(folder)
        return dict(result, **judge(truth, json.loads(r.stdout)))
    except (subprocess.TimeoutExpired, json.JSONDecodeError, KeyError) as e:
        return dict(result, error=repr(e))
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def report(results, out=sys.stdout):
    p = lambda *a: print(*a, file=out)
    good = [r for r in results if "error" not in r]
    p(f"\n{len(results)} worlds, {len(results) - len(good)} failed")
    p(f"{'profile':<12} {'worlds':>6} {'knowable':>8} {'owner first':>12} {'not knowable':>12} {'stated':>12} {'called benign':>13} {'log-loss':>8} {'seconds':>7}")
    for profile in PROFILES + ["all"]:
        rows = [r for r in good if profile in (r["profile"], "all")]
        if not rows:
            continue
        known = [r for r in rows if r["knowable"]]
        dark = [r for r in rows if not r["knowable"]]
        loss = sum(-math.log(max(r["p_truth"] if r["knowable"] else max(r["p_truth"], r["p_unknown"]), 1e-6)) for r in rows) / len(rows)
        first, stated = sum(r["first"] for r in known), sum(r["ignorance"] for r in dark)
        rate = lambda n, d: f"{n}/{d} {100 * n / d:.1f}%" if d else "-"
        p(f"{profile:<12} {len(rows):>6} {len(known):>8} {rate(first, len(known)):>12} {len(dark):>12} {rate(stated, len(dark)):>12} "
          f"{sum(r['malicious_called_benign'] for r in rows):>13} {loss:>8.3f} {sum(r['seconds'] for r in rows) / len(rows):>7.2f}")
    p("\nreliability: of answers whose first candidate has this probability, how many are right")
    bins = collections.defaultdict(list)
    for r in good:
        if not r["top"].endswith("unknown/unknown") and "/unknown" not in r["top"]:
            bins[min(int(r["p_top"] * 10), 9)].append(r)
    for b in sorted(bins):
        rows = bins[b]
        p(f"  {b / 10:.1f}-{(b + 1) / 10:.1f}  {len(rows):>4} answers  mean {sum(r['p_top'] for r in rows) / len(rows):.3f}  right {sum(r['first'] for r in rows) / len(rows):.3f}")
    p("\nby classification (truth → answer)")
    for (t, a), n in sorted(collections.Counter((r["truth_classification"], r["classification"]) for r in good).items()):
        p(f"  {t:<16} → {a:<16} {n}")
    for r in results:
        if "error" in r:
            p(f"  failed  {r['scenario']} {r['profile']} seed {r['seed']}: {r['error']}")
        elif r["knowable"] and not r["first"]:
            p(f"  wrong   {r['scenario']} {r['profile']} seed {r['seed']}: {r['top']} {r['p_top']:.2f}, truth {', '.join(r['owners'])} {r['p_truth']:.3f} ({r['why']})")
        elif not r["knowable"] and not r["ignorance"]:
            p(f"  claimed {r['scenario']} {r['profile']} seed {r['seed']}: {r['top']} {r['p_top']:.2f}, truth {', '.join(r['owners'])} {r['p_truth']:.3f} ({r['why']})")
    return good


def sample(egret, worlds, first_seed, only=None, profiles=None, keep=None, jobs=1, progress=True, hours=None, held_out=False):
    names = only or scenarios(egret, held_out)
    plan = [(names[i % len(names)], (profiles or PROFILES)[(i + i // len(names)) % len(profiles or PROFILES)], first_seed + i) for i in range(worlds)]
    results = []
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for r in pool.map(lambda w: world(egret, *w, keep, hours), plan):
            results.append(r)
            if progress:
                print(f"\r{len(results)}/{worlds} {r['scenario']} {r['profile']} {r['seed']}        ", end="", file=sys.stderr, flush=True)
    return results


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--egret", default=os.environ.get("EGRET", str(ROOT / "build" / "release" / "egret")))
    a.add_argument("--worlds", type=int, default=200)
    a.add_argument("--first-seed", type=int, default=1000)
    a.add_argument("--scenario", action="append")
    a.add_argument("--held-out", action="store_true", help="the families that are held out")
    a.add_argument("--profile", action="append", choices=PROFILES)
    a.add_argument("--jobs", type=int, default=1)
    a.add_argument("--hours", type=int, help="length of each world's window (default: the scenario's own)")
    a.add_argument("--keep", help="keep the worlds in this folder")
    a.add_argument("--json", help="write each world's result here")
    o = a.parse_args()
    results = sample(o.egret, o.worlds, o.first_seed, o.scenario, o.profile, o.keep, o.jobs, hours=o.hours, held_out=o.held_out)
    report(results)
    if o.json:
        pathlib.Path(o.json).write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
