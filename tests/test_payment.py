"""The payment pod: owner, first bad and last good release, verdict, plan in order, credentials; and that it follows the input."""
import pytest

from payment_world import PaymentWorld


@pytest.mark.parametrize("culprit,address,versions", [("payments", "185.220.101.47", ("4.2.0", "4.2.1", "4.3.0")), ("orders", "45.9.148.3", ("1.0.7", "1.1.0", "1.1.1"))])
def test_payment_pod(egret, tmp_path, culprit, address, versions):
    world = PaymentWorld(seed=7, culprit=culprit, address=address, versions=versions)
    answer = egret("investigate", world.write(tmp_path / "logs"), "--format", "json", timeout=300).json()
    c = answer["candidates"][0]
    assert (c["namespace"], c["kind"], c["name"]) == (culprit, "Deployment", culprit), [(x["name"], x["probability"]) for x in answer["candidates"][:5]]
    assert versions[2] in answer["release"]["first_bad"]["image"]
    assert versions[1] in answer["release"]["last_good"]["image"]
    assert answer["verdict"]["classification"] == "TruePositive", answer["verdict"]
    actions = [a["action"] for a in answer["plan"]]
    assert actions.index("block-address") < actions.index("rollback")
    assert any("rotate" in a for a in actions)
    rollback = next(a for a in answer["plan"] if a["action"] == "rollback")
    assert any(culprit in command for command in rollback["apply"])
    reach = " ".join(x["name"] for x in answer["credentials"])
    assert "payments-db" in reach and "gateway-key" in reach
