"""The false alarm in many shapes: whoever did it, whatever the name, region and export format, the answer follows the input."""
import pytest

from world import World


def top(answer):
    c = answer["candidates"][0]
    return c["cluster"], c["namespace"], c["kind"], c["name"]


def investigate(egret, folder, *more):
    return egret("investigate", folder, "--format", "json", *more, timeout=300).json()


def check(answer, world):
    assert top(answer) == (world.affected.name, "kube-system" if world.culprit in World.DAEMONS else world.culprit,
                           "DaemonSet" if world.culprit in World.DAEMONS else "Deployment", world.culprit), [
        (c["name"], round(c["probability"], 3)) for c in answer["candidates"][:5]]
    assert abs(sum(c["probability"] for c in answer["candidates"]) - 1) < 1e-6
    assert answer["alert"]["entities"]["address"] == world.address


@pytest.mark.parametrize("formats", [
    dict(answers=True),
    dict(alert="csv", flows="nsg", inventory="insights-csv", audit="lines", dns="containerlog"),
    dict(alert="rest", inventory="kubectl-yaml", dns="kubectl", compress=True),
    dict(inventory="insights-cli", audit=None, dns="kubectl", answers=True),
], ids=["kubectl-json", "portal-csv", "yaml-gz", "no-audit"])
def test_formats(egret, tmp_path, formats):
    world = World(seed=3)
    answer = investigate(egret, world.write(tmp_path / "logs", **formats))
    check(answer, world)
    assert answer["candidates"][0]["probability"] >= 0.9
    assert any(n["name"] == "ifconfig.co" for n in answer["cause"]["names"])
    assert answer["cause"]["trigger"]["kind"] == "node-start"
    assert answer["verdict"]["classification"] != "TruePositive"


@pytest.mark.parametrize("culprit,name,address,region,trigger", [
    ("node-exporter", "updates.example.org", "172.64.80.1", "canadacentral", "node-start"),
    ("ama-logs", "ifconfig.co", "104.21.3.9", "westeurope", "node-start"),
    ("falco", "rules.example.org", "104.21.3.9", "eastus2", "node-start"),
    ("reports", "fonts.example.org", "172.64.80.1", "canadacentral", "requests"),
    ("mail", "relay.example.org", "45.60.13.2", "australiaeast", "requests"),
])
def test_another_culprit_name_and_region(egret, tmp_path, culprit, name, address, region, trigger):
    world = World(seed=11, culprit=culprit, name=name, address=address, region=region, trigger=trigger)
    answer = investigate(egret, world.write(tmp_path / "logs", answers=True))
    check(answer, world)
    assert any(n["name"] == name for n in answer["cause"]["names"])
    if trigger != "node-start":
        assert answer["cause"]["trigger"]["kind"] != "node-start"


@pytest.mark.parametrize("ahead", [-20, 5, 40])
def test_clocks_that_differ(egret, tmp_path, ahead):
    """The log of questions is stamped by another clock than the flows: all of them together show by how much."""
    world = World(seed=21)
    world.dns_clock = ahead
    answer = investigate(egret, world.write(tmp_path / "logs"))
    check(answer, world)
    assert answer["candidates"][0]["probability"] >= 0.8
    assert any(n["name"] == world.name for n in answer["cause"]["names"])


def test_without_the_deciding_log_it_says_unknown_or_less(egret, tmp_path):
    """Flows and inventory alone cannot tell one daemonset of a new node from another."""
    world = World(seed=5)
    answer = investigate(egret, world.write(tmp_path / "logs", dns=None))
    assert answer["candidates"][0]["probability"] < 0.9
    assert answer["missing"], "it must say which log would tell"
