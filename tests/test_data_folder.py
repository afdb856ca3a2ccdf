"""Data folders over time: one of an older version, and one that is fed in small pieces."""
import json
import tarfile

from conftest import ROOT

# Made by the last version that wrote format 1: 25 connections of a Zeek log whose last line is broken.
FORMAT_1 = ROOT / "tests" / "data" / "store" / "format-1.tar.xz"
SUMS = "ASimNetworkSessionLogs | summarize Rows = count(), Bytes = sum(SrcBytes), Ids = dcount(_RowId), Ports = sum(SrcPortNumber)"

ZEEK = ("#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n"
        "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tduration\torig_bytes\tresp_bytes\tconn_state\n"
        "#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tinterval\tcount\tcount\tstring\n")


def conn_log(first, rows):
    return ZEEK + "".join(f"{1717236000 + n}.000000\tC{n:x}\t10.0.0.{n % 200}\t{n % 50000 + 1000}\t203.0.113.{n % 7}\t443\ttcp\t1.5\t{n}\t7\tSF\n"
                          for n in range(first, first + rows))


def sums(egret, data):
    return json.loads(egret("query", SUMS, "--data", data, "--format", "ndjson").out)


def test_a_folder_of_format_1_is_read_and_taken_over(egret, tmp_path):
    data = tmp_path / "data"
    with tarfile.open(FORMAT_1) as tar:
        tar.extractall(data)
    assert (data / "FORMAT").read_text() == "egret-data 1\n"
    before = sums(egret, data)
    assert before["Rows"] == before["Ids"] == 25
    assert (data / "FORMAT").read_text() == "egret-data 1\n", "a reader leaves it as it is"
    errors = egret("query", "EgretIngestErrors | project Reason, File", "--data", data, "--format", "ndjson").out
    assert json.loads(errors) == {"Reason": "1 fields where #fields names 21: the file is cut off here", "File": "prod-ca/conn.log"}

    (tmp_path / "conn.log").write_text(conn_log(0, 10000))  # enough for a sealed file, which format 1 did not have
    assert egret("ingest", tmp_path / "conn.log", "--data", data).code == 0
    assert (data / "FORMAT").read_text() == "egret-data 2\n"
    assert list((data / "parquet").rglob("*.parquet"))
    after = sums(egret, data)
    assert after == {"Rows": 10025, "Ids": 10025, "Bytes": before["Bytes"] + sum(range(10000)),
                     "Ports": before["Ports"] + sum(n + 1000 for n in range(10000))}
    old = egret("query", "ASimNetworkSessionLogs | where Cluster == 'prod-ca' | summarize min(_RowId), max(_RowId), count()", "--data", data)
    assert old.code == 0 and "25" in old.out


def test_what_comes_in_small_pieces_ends_in_sealed_files(egret, tmp_path):
    """Rounds of following that are each too small to be sealed: none of their rows stays in the hot file for good."""
    data, folder = tmp_path / "data", tmp_path / "in"
    folder.mkdir()
    rows, step = 40000, 5000
    with (folder / "conn.log").open("w") as log:
        log.write(conn_log(0, step))
        for first in range(step, rows + 1, step):
            log.flush()
            done = egret("ingest", "--follow", folder, "--once", "--data", data)
            assert done.code == 0, done.err
            log.write(conn_log(first, step).removeprefix(ZEEK))
    assert sums(egret, data) == {"Rows": rows, "Ids": rows, "Bytes": sum(range(rows)), "Ports": sum(n % 50000 + 1000 for n in range(rows))}
    assert list((data / "parquet" / "ASimNetworkSessionLogs").rglob("*.parquet"))
