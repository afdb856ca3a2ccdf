"""Capture files as a user reads them. Zeek's own traces and what Zeek says of them; damaged files; files in a folder of logs."""
import gzip
import json
import pathlib
import random
import struct
import subprocess

import pytest

DATA = pathlib.Path(__file__).parent / "data" / "pcap"
PROTOCOLS = {"tcp": "TCP", "udp": "UDP", "icmp": "ICMP"}
# Where Egret and Zeek differ, and why: docs/zeek.md. (trace, client port, what): what Egret says.
DIFFERENT = {
    # The baseline is older than the letter for a gap.
    ("ftp/bigtransfer.pcap", 59764, "history"): "ShAdgfFa",
    # What is missing at the very end is known to be so when the connection is over.
    ("tcp/miss_end_data.pcap", 60648, "history"): "ShADafFg",
}
# Bodies in gzip: Zeek counts them unpacked, Egret as transferred.
PACKED = {("http/pipelined-requests.pcap", "/style/enhanced.css"): 946, ("http/pipelined-requests.pcap", "/script/urchin.js"): 6716}


@pytest.fixture(scope="session")
def traces(shared, tmp_path_factory):
    folder = tmp_path_factory.mktemp("traces")
    subprocess.run(["tar", "--zstd", "-xf", shared / "data" / "pcap" / "zeek-traces.tar.zst", "-C", folder], check=True)
    return folder / "zeek-traces"


def expected(name):
    """{trace: [fields of a row]} of a file of tests/data/pcap."""
    found, trace = {}, None
    for line in (DATA / name).read_text().splitlines():
        if line.startswith("#") or not line.strip():
            continue
        if line.startswith(" "):
            found[trace].append(line.split())
        else:
            trace = line.strip()
            found[trace] = []
    return found


def read(egret, path, table):
    r = egret("pcap", "read", "--format", "ndjson", "--table", table, path)
    assert r.code == 0, r.err
    return [json.loads(line) for line in r.out.splitlines()]


def endpoints(row):
    return row["SrcIpAddr"], row["SrcPortNumber"], row["DstIpAddr"], row["DstPortNumber"]


def seconds(a, b):
    def ticks(t):
        whole, _, fraction = t.rstrip("Z").partition(".")
        h, m, s = whole.split("T")[1].split(":")
        return (int(h) * 3600 + int(m) * 60 + int(s)) * 10**7 + int(fraction.ljust(7, "0") or 0)
    return (ticks(b) - ticks(a)) / 1e7


@pytest.mark.parametrize("trace", sorted(expected("zeek-conn.txt")))
def test_flows_agree_with_zeek(egret, traces, trace):
    rows = read(egret, traces / trace, "flows")
    wrong = []
    for client, cport, server, sport, protocol, service, duration, sent, received, state, history, cpackets, spackets in expected("zeek-conn.txt")[trace]:
        icmp = protocol == "icmp"
        want = (client, int(cport), server, int(sport))
        if history == "H":  # a SYN's answer alone: Zeek before 3.0 took its sender for the client, Egret (and Zeek since, with ^) does not
            want = (server, int(sport), client, int(cport))
            history, cpackets, spackets = "^h", spackets, cpackets
        match = [r for r in rows if r["NetworkProtocol"] == PROTOCOLS[protocol] and
                 ((r["SrcIpAddr"], int(r["NetworkIcmpType"] or -1), r["DstIpAddr"], r["NetworkIcmpCode"]) if icmp else endpoints(r)) == want]
        if len(match) != 1:
            wrong.append(f"{want} is {len(match)} flows")
            continue
        r = match[0]
        got = {"state": r["EventOriginalResultDetails"], "packets": (r["SrcPackets"], r["DstPackets"])}
        say = {"state": state, "packets": (int(cpackets), int(spackets))}
        if not icmp:
            got["history"], say["history"] = r["NetworkConnectionHistory"], history
        if duration != "-":
            got["duration"], say["duration"] = round(seconds(r["EventStartTime"], r["EventEndTime"]), 5), round(float(duration), 5)
            got["bytes"], say["bytes"] = (r["SrcBytes"], r["DstBytes"]), (int(sent), int(received))
        # Egret names fewer services; those that it names are the same.
        known = {"http": "HTTP", "dns": "DNS", "ssl": "TLS", "ssh": "SSH", "ntp": "NTP", "smtp": "SMTP", "ftp": "FTP"}
        for s in service.split(","):
            if s in known and (s, trace) not in {("smtp", "http/connect-with-smtp.pcap")}:
                got[s], say[s] = known[s] in r["NetworkApplicationProtocol"].split(","), True
        say |= {k: DIFFERENT[(trace, int(cport), k)] for k in say if (trace, int(cport), k) in DIFFERENT}
        wrong += [f"{want} {k}: Zeek says {say[k]}, Egret {got[k]}" for k in say if got[k] != say[k]]
    if trace == "tcp/miss_end_data.pcap":
        assert rows[0]["MissedBytes"] == 2902  # as Zeek's missed_bytes
    assert not wrong, "\n".join(wrong)
    assert len(rows) == len(expected("zeek-conn.txt")[trace]), rows


@pytest.mark.parametrize("trace", sorted(expected("zeek-http.txt")))
def test_requests_agree_with_zeek(egret, traces, trace):
    rows = [r for r in read(egret, traces / trace, "web") if r["NetworkApplicationProtocol"] == "HTTP"]
    got = [(*endpoints(r), r["HttpRequestMethod"], r["DstHostname"], r["Url"], r["HttpStatusCode"], r["SrcBytes"], r["DstBytes"]) for r in rows]
    for c, cp, s, sp, method, host, target, status, sent, received in expected("zeek-http.txt")[trace]:
        received = PACKED.get((trace, target), int(received))
        assert (c, int(cp), s, int(sp), method, host, target, int(status), int(sent), received) in got


@pytest.mark.parametrize("trace", sorted(expected("zeek-dns.txt")))
def test_questions_agree_with_zeek(egret, traces, trace):
    rows = read(egret, traces / trace, "dns")
    for c, cp, s, sp, number, kind, query, rcode, answers in expected("zeek-dns.txt")[trace]:
        # The second answer to one question has no question in Zeek's row; Egret reads it from the answer.
        match = [r for r in rows if endpoints(r) == (c, int(cp), s, int(sp)) and int(r["TransactionIdHex"], 16) == int(number)
                 and r["EventSubType"] == "response" and (r["DnsNetworkDuration"] is None if query == "-" else r["DnsQuery"] == query and r["DnsNetworkDuration"] is not None)]
        assert len(match) == 1, (query, rows)
        r = match[0]
        assert r["EventResultDetails"] == rcode
        assert kind == "-" or r["DnsQueryTypeName"] == kind
        got = [(a["data"].replace(" ", "_"), str(a["ttl"])) for a in r["AnswerRecords"] or [] if a["type"] not in ("DNSKEY", "RRSIG")]
        say = [tuple(a.rsplit(":", 1)) for a in answers.split(",")] if answers != "-" else []
        if query == "-":
            got = got[-len(say):]  # and of its answers only those that were not in the first
        # Of a TXT record the baseline has the first string only.
        assert len(got) == len(say) and all(g[1] == w[1] and (g[0] == w[0] or kind == "TXT" and g[0].startswith(w[0])) for g, w in zip(got, say)), (got, say)


@pytest.mark.parametrize("trace", sorted(expected("zeek-tls.txt")))
def test_sessions_agree_with_zeek(egret, traces, trace):
    rows = {endpoints(r): r for r in read(egret, traces / trace, "web") if r["NetworkApplicationProtocol"] == "TLS"}
    for c, cp, s, sp, version, cipher, name, established in expected("zeek-tls.txt")[trace]:
        r = rows[(c, int(cp), s, int(sp))]
        assert (r["TlsVersion"], r["TlsCipher"], r["DstHostname"]) == (version, cipher, name.replace("-", "", name == "-"))
        assert established == "?" or (r["EventResult"] == "Success") == (established == "T")


def test_all_traces_are_read(egret, traces):
    """Hundreds of odd captures: none is refused, none ends the program."""
    files = [p for p in sorted(traces.rglob("*")) if p.name.endswith((".pcap", ".pcapng", ".cap", ".pcap.gz", ".pcapng.gz"))]
    assert len(files) > 700
    r = egret("pcap", "read", "--summary", "--format", "json", *files)
    assert r.code == 0, r.err
    summary = json.loads(r.out)["summary"]
    assert len(summary["files"]) == len(files)
    assert summary["flows"] > 3000 and summary["dns"] > 350 and summary["http"] > 1000 and summary["tls"] > 80


def test_a_cut_file_gives_what_is_good(egret, traces, tmp_path):
    whole = (traces / "wikipedia.pcap").read_bytes()
    cut = tmp_path / "cut.pcap"
    cut.write_bytes(whole[:15000])
    r = egret("pcap", "read", "--format", "json", cut)
    answer = r.json()
    (file,) = answer["summary"]["files"]
    assert 60 < file["packets"] < 136
    assert file["damage"] and "cut off" in file["damage"][0]["reason"]
    assert answer["summary"]["dns"] > 10


def test_damage_within_costs_only_what_is_damaged(egret, traces, tmp_path):
    data = bytearray((traces / "wikipedia.pcap").read_bytes())
    at = 24
    for _ in range(20):
        at += 16 + struct.unpack_from("<I", data, at + 8)[0]
    struct.pack_into("<I", data, at + 8, 0x7FFFFFFF)
    broken = tmp_path / "broken.pcap"
    broken.write_bytes(data)
    (file,) = egret("pcap", "read", "--format", "json", broken).json()["summary"]["files"]
    assert file["packets"] == 135
    assert len(file["damage"]) == 1


def test_what_is_no_capture_is_said(egret, tmp_path):
    text = tmp_path / "a.txt"
    text.write_text("hello, this is text\n" * 5)
    r = egret("pcap", "read", text)
    assert r.code == 2 and "no capture file" in r.err
    r = egret("pcap", "read", tmp_path / "nothing.pcap")
    assert r.code == 3 and "cannot be read" in r.err


def test_capture_files_in_a_folder_of_logs(egret, traces, tmp_path):
    folder = tmp_path / "evidence" / "aks-one"
    folder.mkdir(parents=True)
    (folder / "a.pcap").write_bytes((traces / "wikipedia.pcap").read_bytes())
    (folder / "b.bin").write_bytes((traces / "pcapng-multi-interface.pcapng").read_bytes())
    (folder / "cut.pcap").write_bytes((traces / "wikipedia.pcap").read_bytes()[:9000])
    data = tmp_path / "data"
    files = {f["file"]: f for f in egret("ingest", folder.parent, "--data", data, "--format", "json").json()["files"]}
    assert {f["format"] for f in files.values()} == {"packet-capture"}
    names = egret("query", "--data", data, "--format", "json", "ASimDnsActivityLogs | where EventProduct == 'packet capture' | distinct DnsQuery").json()
    assert ["upload.wikimedia.org"] in names["rows"] and ["google.com"] in names["rows"]
    errors = egret("query", "--data", data, "--format", "json", "EgretIngestErrors | project File, Reason").json()["rows"]
    assert len(errors) == 1 and errors[0][0] == "aks-one/cut.pcap" and "cut off" in errors[0][1]
    covered = egret("query", "--data", data, "--format", "json",
                    "EgretCoverage | where Source == 'packet-capture' and TableName == 'ASimNetworkSessionLogs' | summarize sum(Rows), min(StartTime)").json()["rows"]
    flows = egret("query", "--data", data, "--format", "json", "EgretFlows | where Source == 'packet capture' | count").json()["rows"]
    assert covered[0][0] == flows[0][0] > 30 and covered[0][1].startswith("2011-03-18T19:06:07")


def pod_capture(path):
    """A capture of one pod as `egret pcap capture` writes it: a question, its answer, and the connection that follows, with a request in it."""
    def block(kind, body):
        body += bytes(-len(body) % 4)
        return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)

    def option(code, value):
        return struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)

    def ip(source, destination, protocol, payload):
        address = [bytes(map(int, a.split("."))) for a in (source, destination)]
        return struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 1, 0, 64, protocol, 0, *address) + payload

    def tcp(a, b, sequence, acknowledged, flags, data=b""):
        return struct.pack(">HHIIBBHHH", a, b, sequence, acknowledged, 0x50, flags, 1000, 0, 0) + data

    pod, server, resolver = "10.244.3.7", "203.0.113.9", "10.0.0.10"
    name = b"\x08collect\x65\x07example\x00"
    question = struct.pack(">HHHHHH", 7, 0x100, 1, 0, 0, 0) + name + struct.pack(">HH", 1, 1)
    answer = struct.pack(">HHHHHH", 7, 0x8180, 1, 1, 0, 0) + name + struct.pack(">HH", 1, 1) + b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + bytes([203, 0, 113, 9])
    request = b"GET /api?url=http%3A%2F%2F169.254.169.254%2F HTTP/1.1\r\nHost: collecte.example\r\nUser-Agent: pay/1.4\r\n\r\n"
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    udp = lambda a, b, d: struct.pack(">HHHH", a, b, 8 + len(d), 0) + d
    n = len(request)
    packets = [ip(pod, resolver, 17, udp(5353 + 40000, 53, question)), ip(resolver, pod, 17, udp(53, 5353 + 40000, answer)),
               ip(pod, server, 6, tcp(40001, 80, 100, 0, 2)), ip(server, pod, 6, tcp(80, 40001, 500, 101, 18)), ip(pod, server, 6, tcp(40001, 80, 101, 501, 16)),
               ip(pod, server, 6, tcp(40001, 80, 101, 501, 24, request)), ip(server, pod, 6, tcp(80, 40001, 501, 101 + n, 24, reply)),
               ip(pod, server, 6, tcp(40001, 80, 101 + n, 501 + len(reply), 17)), ip(server, pod, 6, tcp(80, 40001, 501 + len(reply), 102 + n, 17))]
    comment = (b"Egret capture of one pod\ncluster: aks-one\nnamespace: payment\npod: pay-7c9d-x2k4f\nuid: 1\nworkload: payment/Deployment/pay\n"
               b"node: aks-node-3\naddresses: 10.244.3.7")
    data = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + option(1, comment)) + block(1, struct.pack("<HHI", 101, 0, 0))
    for i, p in enumerate(packets):
        at = (1_700_000_000_000_000 + i * 10_000)
        data += block(6, struct.pack("<IIIII", 0, at >> 32, at & 0xFFFFFFFF, len(p), len(p)) + p)
    path.write_bytes(data)


def test_a_capture_names_the_owner(egret, tmp_path):
    folder = tmp_path / "evidence" / "aks-one"
    folder.mkdir(parents=True)
    pod_capture(folder / "pay.pcapng")
    answer = egret("investigate", folder.parent, "--address", "203.0.113.9", "--format", "json").json()
    best = answer["candidates"][0]
    assert (best["namespace"], best["kind"], best["name"]) == ("payment", "Deployment", "pay")
    assert best["probability"] > 0.9
    assert "collecte.example" in json.dumps(answer["cause"])


@pytest.mark.parametrize("packed", [False, True])
def test_a_large_file_is_read_from_the_disk(egret, tmp_path, packed):
    """Beyond a few megabytes ingest does not hold the file; the rows are those of `pcap read`, cut end and all."""
    record = struct.pack("<IIII", 0, 0, 42 + 1200, 42 + 1200)
    data = bytearray(struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
    for i in range(8000):
        payload = random.Random(i).randbytes(1200)
        ip = struct.pack(">BBHHHBBHII", 0x45, 0, 28 + len(payload), 1, 0, 64, 17, 0, 0x0A000001 + i % 50, 0xC0000201)
        frame = b"\2\0\0\0\0\1\2\0\0\0\0\2\x08\0" + ip + struct.pack(">HHHH", 40000, 40001, 8 + len(payload), 0) + payload
        data += struct.pack("<I", 1_700_000_000 + i // 1000) + record[4:] + frame
    data = data[:-100]
    folder = tmp_path / "in"
    folder.mkdir()
    file = folder / ("big.pcap.gz" if packed else "big.pcap")
    file.write_bytes(gzip.compress(data, 1) if packed else data)
    assert file.stat().st_size > 9_000_000
    store = tmp_path / "data"
    (loaded,) = egret("ingest", folder, "--data", store, "--format", "json").json()["files"]
    assert loaded["format"] == "packet-capture"
    rows = egret("query", "--data", store, "--format", "json", "EgretFlows | summarize Rows = count(), Bytes = sum(BytesOut)").json()["rows"]
    assert rows == [[50, 8000 * 1200]]
    errors = egret("query", "--data", store, "--format", "json", "EgretIngestErrors | project Reason").json()["rows"]
    assert errors == [["the file ends within a packet: it was cut off"]]
    again = egret("ingest", folder, "--data", store, "--format", "json").json()["files"]
    assert [f["format"] for f in again] == ["repeated"]
