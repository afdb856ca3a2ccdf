"""What every end-to-end test shares: the binary under test, and running it."""
import json
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
EGRET = os.environ.get("EGRET", str(ROOT / "build" / "release" / "egret"))
SHARED = pathlib.Path(os.environ.get("EGRET_SHARED", ROOT.parent / "shared"))


class Result:
    def __init__(self, process):
        self.code = process.returncode
        self.out = process.stdout
        self.err = process.stderr

    def json(self):
        assert self.code == 0, f"exit {self.code}: {self.err}"
        return json.loads(self.out)


@pytest.fixture
def egret(tmp_path):
    """egret(*args, stdin=None, timeout=120) runs the binary with a data folder and home of the test's own."""
    env = dict(os.environ, HOME=str(tmp_path), XDG_DATA_HOME=str(tmp_path / "share"), NO_COLOR="1")

    def run(*args, stdin=None, timeout=120, cwd=None):
        process = subprocess.run([EGRET, *map(str, args)], input=stdin, capture_output=True, text=True, timeout=timeout, env=env, cwd=cwd)
        assert process.returncode >= 0, f"egret died of signal {-process.returncode}: {process.stderr}"
        return Result(process)

    return run


@pytest.fixture(scope="session")
def shared():
    assert SHARED.is_dir(), f"{SHARED} is not there: set EGRET_SHARED to the folder with sample data"
    return SHARED
