"""Incidents played for real in a lab of this machine: what was logged must lead to who did it."""
import json
import os
import re

import pytest

from conftest import ROOT
from test_lab import leftovers


@pytest.fixture
def live(egret, tmp_path):
    """live(scenario, *options) plays it and returns the parsed result with its evidence kept in live.out."""
    assert os.geteuid() == 0, "live drills need root"
    lab_id = f"d{os.getpid()}"

    def play(scenario, *options, timeout=600):
        result = egret("drill", "run", scenario, "--live", "--id", lab_id, "--out", play.out, "--format", "json", *options, timeout=timeout)
        assert result.code in (0, 1), result.err
        return result.code, json.loads(result.out)

    play.out = tmp_path / "drill"
    yield play
    assert egret("lab", "down", "--id", lab_id).code == 0
    assert leftovers(lab_id) == []


def test_the_false_alarm_without_a_sensor(live):
    code, result = live("canada-central", "--apps", "2", "--seconds", "8")
    assert code == 0 and result["passed"], result["checks"]
    answer = result["answer"]
    best = answer["candidates"][0]
    assert (best["kind"], best["name"]) == ("DaemonSet", "ama-logs")
    assert "sensor" not in {e["test"] for e in best["evidence"]}
    # The network's log knows the nodes only.
    flows = "".join(p.read_text() for p in (live.out / "evidence").rglob("PT1H.json"))
    assert ",172.64.80.1," in flows and "10.244." not in flows
    truth = json.loads((live.out / "truth.json").read_text())
    assert truth["owner"] == "kube-system/DaemonSet/ama-logs" and len(truth["contacts_from"]) >= 1


def test_the_false_alarm_with_sensors(live):
    code, result = live("canada-central", "--sensor", "--apps", "2", "--seconds", "8")
    assert code == 0 and result["passed"], result["checks"]
    best = result["answer"]["candidates"][0]
    assert (best["kind"], best["name"]) == ("DaemonSet", "ama-logs")
    # The sensor's row decides: no other test weighs more.
    deciding = max(best["evidence"], key=lambda e: e["weight"])
    assert deciding["test"] == "pod-identity" and "sensor" in deciding["reason"]


def test_what_does_not_run_live_says_so(egret, tmp_path):
    mine = tmp_path / "content" / "scenarios"
    mine.mkdir(parents=True)
    text = (ROOT / "content" / "scenarios" / "canada-central.yaml").read_text()
    (mine / "shrinking.yaml").write_text(text.replace("id: canada-central", "id: shrinking").replace("do: scale-up, where: others", "do: scale-down, where: others"))
    r = egret("--content", mine.parent, "drill", "run", "shrinking", "--live")
    assert r.code == 2 and "shrinking does not run live" in r.err and "scale-down" in r.err
    listed = {s["id"]: s["live"] for s in egret("--content", mine.parent, "drill", "list", "--format", "json").json()}
    assert "scale-down" in listed["shrinking"] and all(why == "" or why.startswith(f"{name} does not run live: ") for name, why in listed.items())
    for name in ("payment-pod", "boot-agent", "host-updates", "nightly-export", "miner", "dns-tunnel", "settings-switch", "stateful-cache", "two-callers"):
        assert listed[name] == ""
    r = egret("drill", "run", "canada-central")
    assert r.code == 2 and "--live" in r.err


def test_a_job_that_nobody_ordered(live):
    """A Job's pod comes in the middle of it and ends; what it was is known from its object and the kubelet's events."""
    code, result = live("miner", "--apps", "1", "--quiet", "4", "--seconds", "8")
    assert code == 0 and result["passed"], result["checks"]
    assert result["answer"]["candidates"][0]["kind"] == "Job" and result["answer"]["cause"]["trigger"]["kind"] == "container-start"


def test_a_process_of_the_node(live):
    """No pod did it: a sensor says the program's name."""
    code, result = live("host-updates", "--sensor", "--apps", "1", "--quiet", "4", "--seconds", "8")
    assert code == 0 and result["passed"], result["checks"]
    best = result["answer"]["candidates"][0]
    assert (best["kind"], best["name"]) == ("HostProcess", "unattended-upgrade")


def truth_of(live):
    return json.loads((live.out / "truth.json").read_text())


def web_rows(read):
    table = read["tables"]["ASimWebSessionLogs"]
    return [dict(zip([c["name"] for c in table["columns"]], row)) for row in table["rows"]]


def test_the_payment_pod(egret, live, tmp_path):
    """The hole is real: encoded requests go in through the sidecar, the token comes from the metadata service, data leaves for the listed host."""
    code, result = live("payment-pod", "--apps", "1", "--seconds", "8")
    assert code == 0 and result["passed"], result["checks"]
    answer = result["answer"]
    assert answer["release"]["first_bad"] and answer["release"]["last_good"]
    assert any("metadata service" in reason and "Step by step" in reason for reason in answer["verdict"]["reasons"])
    evidence, truth = live.out / "evidence", live.out / "truth"
    access = "".join(p.read_text() for p in evidence.rglob("istio-proxy/*.log"))
    assert "2852039166" in access and "outbound" not in access  # the metadata service's address as one number, in the request that came in
    handed_on = [json.loads(line) for p in truth.glob("attacker-*.jsonl") for line in p.read_text().splitlines()]
    assert any(x["result"] == "ok" for x in handed_on)

    # The capture that was taken on demand holds such a request itself, though no log of the proxy were there.
    captures = {str(p.relative_to(evidence)): p for p in evidence.rglob("*.pcapng")}
    packets = [row for p in captures.values() for row in web_rows(egret("pcap", "read", "--format", "json", p).json())]
    forged = [row for row in packets if row["Direction"] == "inbound" and "0xA9FEA9FE" in row["Url"]]
    assert forged and all(row["SrcWorkload"] == truth_of(live)["owner"] for row in forged)
    # Decoded step by step from there, and in the answer with the file that shows it.
    carried = next(p for p in answer["payloads"] if p["captured"])
    assert carried["file"] in captures and carried["format"] == "packet-capture" and carried["clients"][0].startswith("185.220.101.")
    assert [s["what"] for s in carried["steps"]] == ["as sent", "percent-encoding", "hexadecimal address"]
    assert carried["decoded"].startswith("http://169.254.169.254/metadata/identity/oauth2/token") and carried["asked"].startswith("a token")
    # The same with nothing but packets and Kubernetes' objects: whose they are is in the file.
    for log in [*evidence.rglob("istio-proxy/*.log")]:
        log.unlink()
    page = egret("investigate", evidence)
    assert page.code == 0, page.err
    assert "What the requests carried, decoded" in page.out and ".pcapng" in page.out and "hexadecimal address" in page.out
    report = tmp_path / "report.html"
    assert egret("incident", "report", "1", "--out", report).code == 0
    text = re.sub(r"<[^>]*>", " ", report.read_text())
    decoded = text[text.index("What the requests carried, decoded"):]
    assert "http://169.254.169.254/metadata/identity/oauth2/token" in decoded and carried["file"] in decoded and "hexadecimal address" in decoded
