"""Data that leaves in the names of questions needs no connection: the questions are the contacts."""
import datetime as dt

import world


def test_questions_below_an_accused_name_are_the_contacts(egret, tmp_path):
    w = world.World(9, culprit="search", trigger="request")
    c = w.affected
    pod = next(p for p in c.pods if p.owner == "search")
    c.flows = [f for f in c.flows if f[2] != w.address]
    c.dns = [d for d in c.dns if d[2] != w.name]
    for i in range(40):
        c.dns.append((w.t0 + dt.timedelta(seconds=37 * i), pod, f"mfrggzdfmztwq2lkn{i:02d}k.evil-lookup.net", "203.0.113.99"))
    w.first_node = lambda: pod.node
    answer = egret("investigate", w.write(tmp_path / "logs"), "--format", "json", "--name", "evil-lookup.net").json()
    top = answer["candidates"][0]
    assert (top["namespace"], top["kind"], top["name"]) == ("search", "Deployment", "search") and top["probability"] > 0.9
    assert len(answer["contacts"]) == 40
    assert answer["verdict"]["classification"] == "TruePositive"
