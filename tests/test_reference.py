"""docs/reference is generated: `scripts/reference` writes it, and it must not be stale."""
import pathlib

import pytest

PAGES = pathlib.Path(__file__).resolve().parent.parent / "docs" / "reference"


@pytest.mark.parametrize("page", ["tables", "functions", "formats", "views", "rules", "evidence", "scenarios"])
def test_reference_is_current(egret, page):
    assert (PAGES / f"{page}.md").read_text() == egret("reference", page).out, "run scripts/reference"
