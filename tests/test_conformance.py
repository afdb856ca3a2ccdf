"""KQL conformance: the published cases, through `egret query` as a user types it."""
import collections
import json
import subprocess
import sys

from conftest import EGRET

# Wrong answers that are known, each with its reason. A case not listed here must not answer wrongly.
KNOWN_WRONG = {
    "docs/parseurlfunction#1": "the path keeps its first slash",
    "docs/series-periods-validatefunction#2": "scores are scaled in another way",
}


def test_conformance(shared, tmp_path):
    out = tmp_path / "results.jsonl"
    runner = shared / "kql" / "run_cases.py"
    run = subprocess.run([sys.executable, str(runner), str(shared / "kql" / "conformance-dev.jsonl"), "--cmd", f"{EGRET} query --format json",
                          "--out", str(out), "--no-pages"], capture_output=True, text=True, timeout=900)
    assert run.returncode == 0, run.stderr
    results = [json.loads(line) for line in out.read_text().splitlines()]
    classes = collections.Counter(r["class"] for r in results)
    print(run.stdout[-600:])
    assert len(results) == 394
    assert classes["pass"] >= 0.65 * len(results), classes
    wrong = {r["id"]: r.get("detail", "") for r in results if r["class"] == "fail" and r["id"] not in KNOWN_WRONG}
    assert not wrong, wrong
    unnamed = {r["id"]: r["detail"] for r in results if r["class"] == "error" and not r.get("detail", "").startswith("exit 2: ")}
    assert not unnamed, "what is not supported must fail with a named reason"
