"""The prompt of `egret query`, through a terminal of its own."""
import os
import pty
import re
import select
import subprocess
import time

import pytest
from conftest import EGRET


class Terminal:
    def __init__(self, home, *args):
        self.parent, child = pty.openpty()
        env = dict(os.environ, HOME=str(home), XDG_DATA_HOME=str(home / "share"), XDG_STATE_HOME=str(home / "state"), NO_COLOR="1", TERM="vt100")
        self.process = subprocess.Popen([EGRET, "query", *args], stdin=child, stdout=child, stderr=child, env=env, start_new_session=True,
                                        preexec_fn=lambda: __import__("fcntl").ioctl(0, __import__("termios").TIOCSCTTY, 0))
        os.close(child)
        self.text = ""

    def wait_for(self, pattern, since=0, timeout=30):
        """What came since, once it has the pattern."""
        end = time.monotonic() + timeout
        while not re.search(pattern, self.text[since:]):
            left = end - time.monotonic()
            assert left > 0, f"no {pattern!r} in {self.text[since:]!r}"
            if select.select([self.parent], [], [], left)[0]:
                try:
                    self.text += os.read(self.parent, 1 << 16).decode(errors="replace")
                except OSError:  # the other end is gone
                    assert re.search(pattern, self.text[since:]), f"it ended without {pattern!r}: {self.text[since:]!r}"
        return self.text[since:]

    def say(self, keys, pattern):
        since = len(self.text)
        os.write(self.parent, keys.encode())
        return self.wait_for(pattern, since)

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(10)
        os.close(self.parent)


@pytest.fixture
def terminal(tmp_path):
    opened = []

    def start(*args):
        t = Terminal(tmp_path, *args)
        opened.append(t)
        t.wait_for("egret> ")
        return t

    yield start
    for t in opened:
        t.end()


def test_queries_of_one_and_of_many_lines(terminal):
    t = terminal()
    out = t.say("print Answer = 41 + 1;\r", r"42[\s\S]*egret> ")
    assert "Answer" in out
    t.say("let x = 20;\r", r"\.\.\.> ")
    t.say("range n from 1 to 3 step 1\r", r"\.\.\.> ")
    t.say("| summarize Total = sum(n) + x\r", r"\.\.\.> ")
    assert "26" in t.say("\r", r"Total[\s\S]*egret> ")


def test_a_mistake_shows_its_place_and_the_prompt_goes_on(terminal):
    t = terminal()
    out = t.say("print 1 | wher x;\r", r"error[\s\S]*egret> ")
    assert "^" in out and "where" in out
    assert "7" in t.say("print 3 + 4;\r", r"print_0[\s\S]*egret> ")


def test_commands(terminal, egret, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "coredns.log").write_text('2026-01-02T03:04:05Z [INFO] 10.244.1.5:5353 - 1 "A IN a.example. udp 40 false 512" NOERROR qr,rd,ra 70 0.001s\n')
    assert egret("ingest", tmp_path / "in", "--data", tmp_path / "data").code == 0
    t = terminal("--data", str(tmp_path / "data"))
    assert "1 row" in t.say(".tables\r", r"ASimDnsActivityLogs[\s\S]*egret> ")
    assert "string" in t.say(".schema ASimDnsActivityLogs\r", r"DnsQuery [\s\S]*egret> ")
    assert "no table or function" in t.say(".schema Nothing\r", r"Nothing[\s\S]*named[\s\S]*egret> ")
    assert ".schema" in t.say(".help\r", r"\.quit[\s\S]*egret> ")
    t.say(".format csv\r", r"egret> ")
    assert "a.example" in t.say("ASimDnsActivityLogs | project DnsQuery;\r", r"DnsQuery\r?\n[\s\S]*egret> ")
    assert "no command" in t.say(".frobnicate\r", r"frobnicate[\s\S]*\.help[\s\S]*egret> ")
    t.say("ASimDnsActi\t", "vityLogs")  # Tab completes
    t.say("\x15.quit\r", "")
    assert t.process.wait(10) == 0


def test_history_is_kept_and_is_the_users_own(terminal, tmp_path):
    t = terminal()
    t.say("print Kept = 'heron';\r", r"─[\s\S]*heron[\s\S]*egret> ")  # the row, not the echo
    os.write(t.parent, b"\x04")
    assert t.process.wait(10) == 0
    history = tmp_path / "state" / "egret" / "query_history"
    assert history.exists() and history.stat().st_mode & 0o077 == 0
    t = terminal()
    t.say("\x1b[A", "heron")  # the arrow up brings it back
    assert "Kept" in t.say("\r", r"Kept\s[\s\S]*egret> ")


def test_ctrl_c_drops_a_line_and_stops_a_query(terminal):
    t = terminal()
    t.say("print 1 +\r", r"\.\.\.> ")
    t.say("\x03", r"\^C[\s\S]*egret> ")
    since = len(t.text)
    os.write(t.parent, b"range a from 1 to 3000000 step 1 | extend k = 1 | join kind=inner (range b from 1 to 3000000 step 1 | extend k = 1) on k | summarize sum(a * b);\r")
    t.wait_for("a \\* b", since)
    time.sleep(1)
    t.say("\x03", r"(?i)(interrupt|stopp)[\s\S]*egret> ")
    assert "9" in t.say("print 4 + 5;\r", r"print_0[\s\S]*egret> ")
    assert t.process.poll() is None


def test_without_a_terminal_standard_input_is_the_query(egret):
    r = egret("query", "--format", "csv", stdin="print 5")
    assert r.code == 0 and "5" in r.out
