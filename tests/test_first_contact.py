"""What a new user meets who points Egret at something that is not quite right: each gives a clear next step."""
import gzip

from world import World


def test_empty_folder(egret, tmp_path):
    (tmp_path / "logs").mkdir()
    r = egret("investigate", tmp_path / "logs")
    assert r.code == 2
    assert "no file" in r.err.lower() or "empty" in r.err.lower()
    assert "egret collect" in r.err


def test_no_such_folder(egret, tmp_path):
    r = egret("investigate", tmp_path / "nowhere")
    assert r.code == 2 and "nowhere" in r.err


def test_unknown_format_is_named(egret, tmp_path):
    logs = World(2).write(tmp_path / "logs")
    (logs / "notes.bin").write_bytes(bytes(range(256)) * 40)
    data = tmp_path / "data"
    r = egret("ingest", logs, "--data", data)
    assert r.code == 0
    assert "notes.bin" in r.out + r.err
    rows = egret("query", "EgretIngestErrors | project File, Reason", "--data", data, "--format", "json").json()["rows"]
    assert any("notes.bin" in row[0] for row in rows)


def test_half_written_gzip_keeps_the_good_part(egret, tmp_path):
    logs = World(2).write(tmp_path / "logs")
    log = logs / "aks-canadacentral" / "coredns.log"
    text = log.read_bytes()
    log.unlink()
    whole = gzip.compress(text)
    (logs / "aks-canadacentral" / "coredns.log.gz").write_bytes(whole[: len(whole) * 2 // 3])
    data = tmp_path / "data"
    r = egret("ingest", logs, "--data", data)
    assert r.code == 0
    count = egret("query", "ASimDnsActivityLogs | where Cluster == 'aks-canadacentral' | count", "--data", data, "--format", "json").json()["rows"][0][0]
    assert 0 < count < text.count(b"\n")
    errors = egret("query", "EgretIngestErrors | where File has 'coredns'", "--data", data, "--format", "json").json()["rows"]
    assert errors


def test_coredns_without_a_clock_says_how_to_export_it_again(egret, tmp_path):
    logs = tmp_path / "logs" / "aks-one"
    logs.mkdir(parents=True)
    (logs / "coredns.log").write_text('[INFO] 10.244.0.5:40312 - 4021 "A IN ifconfig.co. udp 29 false 512" NOERROR qr,rd,ra 72 0.002s\n')
    data = tmp_path / "data"
    egret("ingest", tmp_path / "logs", "--data", data)
    rows = egret("query", "EgretIngestErrors | project Reason, Hint", "--data", data, "--format", "json").json()["rows"]
    assert rows and "--timestamps" in rows[0][1]


def test_query_typo_has_a_caret_and_a_near_name(egret):
    r = egret("query", "SecurityAlert | where AlertNam == 'x' | sumarize count()")
    assert r.code == 2
    assert "^" in r.err
    assert "AlertName" in r.err and "summarize" in r.err


def test_no_alert_at_all_detects_by_itself(egret, tmp_path):
    logs = World(4).write(tmp_path / "logs", alert="none")
    (logs / "bad-addresses.txt").write_text("# reputation list\n172.64.80.1\n198.51.100.200\n")
    answer = egret("investigate", logs, "--format", "json", timeout=300).json()
    assert answer["alert"]["entities"]["address"] == "172.64.80.1"
    assert answer["candidates"][0]["name"] == "ama-logs"


def test_two_alerts(egret, tmp_path):
    one = World(6)
    logs = one.write(tmp_path / "logs")
    import json
    second = dict(one.alert_row(), SystemAlertId="other-2", TableName="PrimaryResult", AlertName="Something else", DisplayName="Something else", AlertSeverity="Low",
                  Entities=json.dumps([{"$id": "1", "Address": "203.0.113.12", "Type": "ip"}]), ExtendedProperties="{}")
    (logs / "alerts2.json").write_text(json.dumps([second]))
    r = egret("investigate", logs, timeout=300)
    assert r.code == 0
    assert "other-2" in r.out + r.err or "--alert" in r.out + r.err
    answer = egret("investigate", logs, "--alert", "other-2", "--format", "json", timeout=300).json()
    assert answer["alert"]["id"] == "other-2"


def test_answer_follows_its_schema(egret, tmp_path):
    import json
    import pathlib

    import jsonschema
    logs = World(8).write(tmp_path / "logs")
    answer = egret("investigate", logs, "--format", "json", timeout=300).json()
    schema = json.loads((pathlib.Path(__file__).parent.parent / "docs" / "answer.schema.json").read_text())
    jsonschema.validate(answer, schema)


def test_ledger_queries_run_as_printed(egret, tmp_path):
    logs = World(8).write(tmp_path / "logs", answers=True)
    data = tmp_path / "data"
    answer = egret("investigate", logs, "--format", "json", "--data", data, timeout=300).json()
    evidence = answer["candidates"][0]["evidence"]
    assert evidence
    for e in evidence:
        r = egret("query", e["query"], "--data", data, "--format", "json")
        assert r.code == 0, r.err
        assert r.json()["rows"], e["test"]
