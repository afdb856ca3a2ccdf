"""Attribution over a sample of rendered worlds; bench/attribution/run.py does the same over hundreds."""
import importlib.util
import os
import pathlib

import conftest

ROOT = pathlib.Path(__file__).resolve().parent.parent
spec = importlib.util.spec_from_file_location("attribution", ROOT / "bench" / "attribution" / "run.py")
attribution = importlib.util.module_from_spec(spec)
spec.loader.exec_module(attribution)

WORLDS = int(os.environ.get("EGRET_WORLDS", "20"))


def test_owner_first_where_it_can_be_known_and_ignorance_stated_where_not(capsys):
    results = attribution.sample(conftest.EGRET, WORLDS, first_seed=500, progress=False, hours=4)  # short windows: quicker, and no easier
    with capsys.disabled():
        attribution.report(results)
    assert [r for r in results if "error" in r] == []
    known = [r for r in results if r["knowable"]]
    dark = [r for r in results if not r["knowable"]]
    assert not any(r["malicious_called_benign"] for r in results)
    # The goal over hundreds is 97 and 90 of a hundred; of a sample of twenty, one may miss on either side.
    assert sum(r["first"] for r in known) >= len(known) - 1
    assert sum(r["ignorance"] for r in dark) >= len(dark) - 1


def test_an_alert_about_a_name_accuses_who_asked_for_it_not_another_caller_of_the_address():
    result = attribution.world(conftest.EGRET, "fronted-command", "everything", 3005, None, hours=4)
    assert result.get("error") is None and result["first"] and result["p_top"] > 0.9, result
