"""Logs that are worse than they look: the answer must not lean on digits that mean nothing."""
import datetime as dt

import world


class Flushed(world.World):
    """A flow log that writes the rows of a minute with the moment of writing as their time."""

    def flows_nsg(self, c, folder, compress):
        exact = c.flows
        c.flows = [(f[0].replace(second=0, microsecond=0) + dt.timedelta(minutes=1), *f[1:]) for f in exact]
        super().flows_nsg(c, folder, compress)
        c.flows = exact


def first(answer):
    return "/".join(answer["candidates"][0][k] for k in ("namespace", "kind", "name")), answer["candidates"][0]["probability"]


def test_flow_log_by_the_minute_with_questions(egret, tmp_path):
    name, p = first(egret("investigate", Flushed(3).write(tmp_path / "logs", flows="nsg"), "--format", "json").json())
    assert name == "kube-system/DaemonSet/ama-logs" and p > 0.9


def test_flow_log_by_the_minute_without_questions_is_a_tie(egret, tmp_path):
    answer = egret("investigate", Flushed(4).write(tmp_path / "logs", flows="nsg", dns=None), "--format", "json").json()
    assert answer["candidates"][0]["probability"] < 0.5


def test_pods_known_from_a_later_picture_only(egret, tmp_path):
    logs = world.World(6, culprit="cart", trigger="request").write(tmp_path / "logs", audit=None)
    name, p = first(egret("investigate", logs, "--format", "json").json())
    assert name == "cart/Deployment/cart" and p > 0.9
