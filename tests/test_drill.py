"""Rendered worlds as a user's folder: what the fleets that log in other ways wrote is read, whole and once."""
import importlib.util
import json
import pathlib

import pytest

import conftest

ROOT = pathlib.Path(__file__).resolve().parent.parent
spec = importlib.util.spec_from_file_location("attribution", ROOT / "bench" / "attribution" / "run.py")
attribution = importlib.util.module_from_spec(spec)
spec.loader.exec_module(attribution)


def rows(egret, data, query):
    result = egret("query", query, "--data", data, "--format", "ndjson")
    assert result.code == 0, result.err
    return [json.loads(line) for line in result.out.splitlines()]


def test_held_out_families_are_in_no_sample_unless_asked_for():
    tuned, held_out = attribution.scenarios(conftest.EGRET), attribution.scenarios(conftest.EGRET, held_out=True)
    assert len(held_out) >= 10 and not set(tuned) & set(held_out)
    plan = attribution.sample.__defaults__
    assert plan[-1] is False, "a sample leaves them out by default"


@pytest.fixture(scope="module")
def worlds(tmp_path_factory):
    """One world for each form that a fleet may have: seeds are gone through until all have been met."""
    import subprocess
    home = tmp_path_factory.mktemp("worlds")
    wanted = {"hubble": "*/hubble/events.log", "dns policy": "*/*[dD][nN][sS][qQ]uery[lL]ogs*", "dns proxy": "*/insights-logs-azfwdnsquery", "portal": "alerts/query_data.csv",
              "graph": "alerts/alerts_v2.json", "logic app": "alerts/workflow-run.json", "late": "*/am-kubepodinventory/**/m=05/PT05M.json"}
    found = {}
    for seed in range(1, 60):
        if len(found) == len(wanted):
            return found
        folder = home / str(seed)
        subprocess.run([conftest.EGRET, "drill", "render", "certificate-renewal", "--seed", str(seed), "--profile", "everything", "--hours", "2", "--clusters", "1", "--out", folder],
                       check=True, capture_output=True)
        for form, pattern in wanted.items():
            if form not in found and any((folder / "evidence").glob(pattern)):
                found[form] = folder
    raise AssertionError(f"not met: {set(wanted) - set(found)}")


def load(egret, tmp_path, world):
    summary = egret("ingest", world / "evidence", "--data", tmp_path / "data", "--format", "json", timeout=300).json()
    assert summary["errors"] == 0, [(f["file"], f["errors"]) for f in summary["files"] if f["errors"]][:3]
    return json.loads((world / "truth.json").read_text())


def test_hubble(egret, tmp_path, worlds):
    truth = load(egret, tmp_path, worlds["hubble"])
    seen = rows(egret, tmp_path / "data", f'ASimNetworkSessionLogs | where EventProduct == "Hubble" and DstIpAddr == "{truth["address"]}" | project SrcWorkload, SrcPodName')
    assert {r["SrcWorkload"] for r in seen} == {"/".join((o["namespace"], o["kind"], o["name"])) for o in truth["owners"]}
    assert {r["SrcPodName"] for r in seen} <= {c["pod"] for c in truth["contacts"]}


def test_resolvers_of_the_network(egret, tmp_path, worlds):
    truth = load(egret, tmp_path / "policy", worlds["dns policy"])
    answered = rows(egret, tmp_path / "policy" / "data", f'ASimDnsActivityLogs | where EventProduct == "Azure DNS" and DnsQuery == "{truth["name"]}" | project Answers, SrcIpAddr')
    assert answered and all(truth["address"] in json.dumps(r["Answers"]) for r in answered)
    truth = load(egret, tmp_path / "proxy", worlds["dns proxy"])
    assert rows(egret, tmp_path / "proxy" / "data", f'ASimDnsActivityLogs | where EventProduct == "Azure Firewall" and DnsQuery == "{truth["name"]}"')


@pytest.mark.parametrize("form", ["portal", "graph", "logic app"])
def test_alerts(egret, tmp_path, worlds, form):
    truth = load(egret, tmp_path, worlds[form])
    alerts = rows(egret, tmp_path / "data", "SecurityAlert | project DisplayName, Entities, StartTime, SystemAlertId")
    assert alerts
    for a in alerts:
        assert truth["address"] in json.dumps(a["Entities"]), a
        assert truth["from"] <= a["StartTime"][:19] + "Z" <= truth["to"]


def test_rows_that_came_late_or_again_are_there_once(egret, tmp_path, worlds):
    world = worlds["late"]
    load(egret, tmp_path, world)
    lines = [json.loads(line) for path in (world / "evidence").glob("*/am-kubepodinventory/**/PT05M.json") for line in path.read_text().splitlines()]
    once = {json.dumps(line, sort_keys=True) for line in lines}
    assert len(once) < len(lines)
    assert rows(egret, tmp_path / "data", "KubePodInventory | count")[0]["Count"] == len(once)
