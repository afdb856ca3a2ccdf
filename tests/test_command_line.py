"""The command line as scripts and people meet it: help, exit codes, near names."""


def test_help_lists_commands(egret):
    r = egret("--help")
    assert r.code == 0
    assert "query" in r.out and "investigate" in r.out and "Exit codes" in r.out


def test_unknown_command_names_a_near_one(egret):
    r = egret("investigat")
    assert r.code == 2
    assert "did you mean 'egret investigate'" in r.err


def test_unknown_option_names_a_near_one(egret):
    r = egret("query", "--formt", "json", "print 1")
    assert r.code == 2
    assert "--format" in r.err


def test_every_command_has_help(egret):
    commands = [line.split()[0] for line in egret("--help").out.splitlines() if line.startswith("  ")]
    assert len(commands) >= 6
    for command in commands:
        if command == "version":
            continue
        r = egret(command, "--help")
        assert r.code == 0, command
        assert "Usage" in r.out or "usage" in r.out, command
