"""egret ingest --follow: rows come in once each, whatever crashes, repeats, rotates or is cut short."""
import gzip
import json
import os
import random
import shutil
import signal
import subprocess
import time

import pytest

from conftest import EGRET

START = 0x5EF1C2B3A4D5E


def segment(folder, number, first, count, node="node-1", start=START):
    """A finished segment, as the sensor leaves it."""
    name = folder / f"{node}.{start:016x}.{number:08d}.ndjson"
    rows = [json.dumps({"Type": "ASimNetworkSessionLogs", "TimeGenerated": "2026-01-02T03:04:05.678Z", "_Sensor": f"{node}.{start:016x}", "_Sequence": n,
                        "Dvc": node, "SrcIpAddr": "10.0.0.1", "DstIpAddr": "203.0.113.7", "DstPortNumber": 443, "SrcBytes": n}, separators=(",", ":"))
            for n in range(first, first + count)]
    part = name.with_suffix(".ndjson.part")
    part.write_text("\n".join(rows) + "\n")
    part.rename(name)
    return name


def counts(egret, data):
    q = "ASimNetworkSessionLogs | summarize Rows = count(), Different = dcount(strcat(Dvc, SrcBytes)), Last = max(SrcBytes) by Dvc | sort by Dvc asc"
    out = egret("query", q, "--data", data, "--format", "ndjson").out
    return {r["Dvc"]: (r["Rows"], r["Different"], r["Last"]) for r in map(json.loads, out.splitlines())}


def follow(tmp_path, *more):
    env = dict(os.environ, HOME=str(tmp_path), NO_COLOR="1")
    return subprocess.Popen([EGRET, "ingest", "--follow", str(tmp_path / "in"), "--data", str(tmp_path / "data"), "--poll", "20", *more],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)


def wait_for(what, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


def test_killed_again_and_again_no_row_is_lost_or_doubled(egret, tmp_path, folder):
    """Segments keep coming while the follower is killed at moments of all kinds; removed or kept makes no difference."""
    chance = random.Random(5)
    written = {"node-1": 0, "node-2": 0}
    number = 0
    for kill in range(8):
        for _ in range(12):
            number += 1
            for node in written:
                n = chance.randint(1, 700)
                segment(folder, number, written[node] + 1, n, node)
                written[node] += n
        process = follow(tmp_path, *(["--keep"] if kill % 2 else []))
        time.sleep(chance.uniform(0.02, 0.5))
        process.send_signal(signal.SIGKILL)
        process.communicate()
    result = egret("ingest", "--follow", "--once", folder, "--data", tmp_path / "data")
    assert result.code == 0, result.err
    assert counts(egret, tmp_path / "data") == {node: (n, n, n) for node, n in written.items()}
    assert list(folder.iterdir()) == []
    assert egret("query", "EgretIngestErrors | count", "--data", tmp_path / "data", "--format", "csv").out.split()[-1] == "0"


def test_doubles_and_gaps_of_a_sensor(egret, tmp_path, folder):
    data = tmp_path / "data"
    first = segment(folder, 1, 1, 100)
    copy = tmp_path / "copy"
    shutil.copy(first, copy)
    assert egret("ingest", "--follow", "--once", folder, "--data", data).code == 0
    assert not first.exists()
    # The first again, overlapping rows, and then a gap.
    shutil.copy(copy, first)
    segment(folder, 2, 51, 100)
    segment(folder, 3, 161, 10)
    segment(folder, 1, 1, 5, start=START + 1)  # another start of the node counts anew
    result = egret("ingest", "--follow", "--once", folder, "--data", data)
    assert "150 rows had been taken before" in result.out, result.out
    assert "rows 151 to 160 of sensor" in result.out
    assert counts(egret, data) == {"node-1": (165, 160, 170)}
    sources = egret("query", "EgretSources | project File, Format", "--data", data, "--format", "ndjson").out.splitlines()
    assert len(sources) == 2 and all("sensor-segment" in s for s in sources)


def test_stops_on_a_signal_with_what_is_in_hand(egret, tmp_path, folder):
    process = follow(tmp_path)
    segment(folder, 1, 1, 50)
    wait_for(lambda: not list(folder.iterdir()))
    # Between commits the data folder is free.
    assert counts(egret, tmp_path / "data") == {"node-1": (50, 50, 50)}
    segment(folder, 2, 51, 50)
    wait_for(lambda: not list(folder.iterdir()))
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert "100 rows taken" in out
    assert counts(egret, tmp_path / "data") == {"node-1": (100, 100, 100)}


def question(second, name):
    return f"2026-01-02T03:04:{second:02d}.000000000Z stdout F [INFO] 10.244.1.5:5353 - {second} \"A IN {name}. udp 40 false 512\" NOERROR qr,rd,ra 70 0.001s\n"


def names(egret, data):
    out = egret("query", "ASimDnsActivityLogs | project DnsQuery | sort by DnsQuery asc", "--data", data, "--format", "csv").out.split()
    return out[1:]


def test_a_log_that_grows_and_rotates(egret, tmp_path, folder):
    data = tmp_path / "data"
    log = folder / "coredns.log"
    once = ("ingest", "--follow", "--once", folder, "--data", data)
    log.write_text(question(1, "one.example") + question(2, "two.example"))
    assert egret(*once).code == 0
    assert names(egret, data) == ["one.example", "two.example"]
    with log.open("a") as f:
        f.write(question(3, "three.example"))
    assert egret(*once).code == 0
    assert egret(*once).code == 0
    assert names(egret, data) == ["one.example", "three.example", "two.example"]
    # Rotation by renaming, with lines that came just before it; the old one is packed after that.
    with log.open("a") as f:
        f.write(question(4, "four.example"))
    log.rename(folder / "coredns.log.1")
    log.write_text(question(5, "five.example"))
    assert egret(*once).code == 0
    assert names(egret, data) == ["five.example", "four.example", "one.example", "three.example", "two.example"]
    # By copying and truncating.
    shutil.copy(log, folder / "coredns.log.2")
    log.write_text(question(6, "six.example"))
    assert egret(*once).code == 0
    assert len(names(egret, data)) == 6


def test_a_line_is_taken_when_it_is_whole(egret, tmp_path, folder):
    process = follow(tmp_path)
    log = folder / "coredns.log"
    line = question(2, "two.example")
    log.write_text(question(1, "one.example") + line[:60])
    wait_for(lambda: (tmp_path / "data" / "FORMAT").exists() and "one.example" in egret("query", "ASimDnsActivityLogs | project DnsQuery", "--data", tmp_path / "data").out)
    assert names(egret, tmp_path / "data") == ["one.example"]
    with log.open("a") as f:
        f.write(line[60:])
    wait_for(lambda: "two.example" in egret("query", "ASimDnsActivityLogs | project DnsQuery", "--data", tmp_path / "data").out)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert egret("query", "EgretIngestErrors | count", "--data", tmp_path / "data", "--format", "csv").out.split()[-1] == "0"


def test_a_zeek_log_keeps_its_header(egret, tmp_path, folder):
    data = tmp_path / "data"
    head = ("#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tdns\n"
            "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tquery\n#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\n")
    row = "{}.000000\tC{}\t10.0.0.4\t5353\t10.0.0.2\t53\tudp\t{}\n"
    log = folder / "dns.log"
    log.write_text(head + row.format(1767323045, 1, "one.example"))
    assert egret("ingest", "--follow", "--once", folder, "--data", data).code == 0
    with log.open("a") as f:
        f.write(row.format(1767323046, 2, "two.example"))
    assert egret("ingest", "--follow", "--once", folder, "--data", data).code == 0
    assert names(egret, data) == ["one.example", "two.example"]


def test_whole_files_are_taken_once(egret, tmp_path, folder):
    data = tmp_path / "data"
    (folder / "prod").mkdir()
    (folder / "prod" / "dns.log.gz").write_bytes(gzip.compress((question(1, "one.example") + question(2, "two.example")).encode()))
    (folder / "prod" / "half.json.part").write_text("{")
    for _ in range(2):
        assert egret("ingest", "--follow", "--once", folder, "--data", data).code == 0
    assert names(egret, data) == ["one.example", "two.example"]
    assert "prod" in egret("query", "ASimDnsActivityLogs | distinct Cluster", "--data", data).out


def test_wrong_use_is_explained(egret, tmp_path, folder):
    assert egret("ingest", "--follow", tmp_path / "nothing").code == 2
    assert egret("ingest", "--once", folder).code == 2
    assert "did you mean 'coredns'" in egret("ingest", "--follow", "--once", folder, "--kind", "corednss", "--data", tmp_path / "data").err
