"""Forged requests: what they carry is found and decoded, whoever encodes it; requests of honest callers are left alone."""
import json

import yaml

from conftest import ROOT

DATA = ROOT / "tests" / "data" / "payloads"


def rows(texts):
    return "\n".join(json.dumps({"Type": "ASimWebSessionLogs", "TimeGenerated": "2024-01-01T00:00:00Z", "Direction": "inbound",
                                 "SrcPodName": f"case-{n}", "Url": text}) for n, text in texts)


def payloads(egret, tmp_path, texts):
    """What EgretPayloads says of each numbered text: number → rows."""
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "requests.json").write_text(rows(texts))
    assert egret("ingest", tmp_path / "logs", "--data", tmp_path / "data").code == 0
    answer = egret("query", "EgretPayloads | project Pod, What, Decoded, Reading, Hidden, Strong, Suspicious",
                   "--data", tmp_path / "data", "--format", "ndjson").out
    found = {}
    for row in map(json.loads, answer.splitlines()):
        found.setdefault(int(row["Pod"].removeprefix("case-")), []).append(row)
    return found


def test_forged_requests(egret, tmp_path):
    cases = [line.split("\t") for line in (DATA / "forged.tsv").read_text().splitlines()]
    assert len(cases) > 60
    found = payloads(egret, tmp_path, enumerate(c[0] for c in cases))
    for n, (text, host, what) in enumerate(cases):
        assert n in found, text
        row = found[n][0]
        assert row["What"] == what, (text, row)
        assert row["Suspicious"], (text, row)
        assert host in row["Decoded"], (text, row)
        # The reading begins with what was sent.
        assert row["Reading"].split(" → ")[0] in text, (text, row)


def test_ordinary_requests(egret, tmp_path):
    texts = (DATA / "ordinary.txt").read_text().splitlines()
    assert len(texts) > 40
    found = payloads(egret, tmp_path, enumerate(texts))
    wrong = [(texts[n], row["What"], row["Hidden"]) for n, all_rows in found.items() for row in all_rows if row["Suspicious"]]
    assert wrong == []


def test_core_rule_set_cases(egret, tmp_path, shared):
    """The OWASP Core Rule Set's own cases. Each of those that its rules are to find is found. Of those that its rules leave alone, some
    are forged all the same (another of its rules covers them); what is no URL at all stays alone."""
    wanted, texts = [], []
    for rule in ("934110", "934120"):
        for test in yaml.safe_load((shared / "data" / "ssrf" / f"{rule}.yaml").read_text())["tests"]:
            for stage in test["stages"]:
                request = stage["input"]
                parts = [request["uri"], request.get("data", "")]
                parts += [v for k, v in request.get("headers", {}).items()
                          if k.lower() not in ("host", "user-agent", "content-type", "content-length") and not k.lower().startswith("accept")]
                texts += [(len(wanted), part) for part in parts if part]
                wanted.append((f"{rule}-{test['test_id']}", "expect_ids" in stage["output"]["log"], request["uri"]))
    found = payloads(egret, tmp_path, texts)
    suspicious = {n for n, all_rows in found.items() if any(r["Suspicious"] for r in all_rows)}
    positive = [n for n, (_, hit, _) in enumerate(wanted) if hit]
    assert len(positive) == 55
    assert [wanted[n] for n in positive if n not in suspicious] == []
    # Left alone by the rules: bare numbers say nothing; a metadata address without a scheme, its plain URL, and short or hexadecimal
    # addresses do.
    alone = {wanted[n][0] for n, (_, hit, _) in enumerate(wanted) if not hit and n not in suspicious}
    assert alone == {"934120-13", "934120-14", "934120-15", "934120-16"}
    more = {wanted[n][0] for n, (_, hit, _) in enumerate(wanted) if not hit and n in suspicious}
    assert len(more) == 9


def test_the_alert_shows_each_step(egret, tmp_path):
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "requests.json").write_text(rows([(1, "/x?source=http%253A%252F%252F2852039166%252Fmetadata%252Fidentity%252Foauth2%252Ftoken")]))
    assert egret("ingest", tmp_path / "logs", "--data", tmp_path / "data").code == 0
    assert egret("detect", "--data", tmp_path / "data", "--save").code == 0
    alerts = egret("query", "SecurityAlert | project DisplayName, Description, ExtendedProperties", "--data", tmp_path / "data", "--format", "ndjson").out
    alert = next(a for a in map(json.loads, alerts.splitlines()) if "metadata" in a["DisplayName"])
    assert "decimal address → http://169.254.169.254/metadata/identity/oauth2/token" in alert["Description"]
    assert "a token of the machine's Azure identity" in json.dumps(alert["ExtendedProperties"])
