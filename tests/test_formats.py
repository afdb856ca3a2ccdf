"""Formats and wrappings that a folder of evidence may hold: zip archives, resolvers' query logs, OTLP, named time zones."""
import datetime as dt
import io
import json
import struct
import zipfile

import pytest
import world


def rows(egret, data, query):
    out = egret("query", query, "--data", data, "--format", "ndjson").out
    return [json.loads(line) for line in out.splitlines()]


def question(second, name):
    return f"2026-01-02T03:04:{second:02d}.000000000Z stdout F [INFO] 10.244.1.5:5353 - {second} \"A IN {name}. udp 40 false 512\" NOERROR qr,rd,ra 70 0.001s\n"


def load(egret, tmp_path, *more):
    result = egret("ingest", tmp_path / "in", "--data", tmp_path / "data", *more)
    assert result.code == 0, result.err
    return result


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


def zipped(files, method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as z:
        for name, content in files.items():
            z.writestr(name, content)
    return out.getvalue()


def test_zip_archives(egret, tmp_path, folder):
    inner = zipped({"dns.log": question(3, "three.example")}, zipfile.ZIP_STORED)
    (folder / "export.zip").write_bytes(zipped({
        "prod/kube-system/coredns.log": question(1, "one.example"), "prod\\more.log": question(2, "two.example"), "prod/inner.zip": inner,
        "__MACOSX/prod/._more.log": "x", "prod/empty/": ""}))
    result = load(egret, tmp_path, "--format", "json").json()
    assert result["errors"] == 0, result
    assert sorted(f["file"] for f in result["files"] if f["format"] == "coredns") == [
        "export.zip/prod/inner.zip/dns.log", "export.zip/prod/kube-system/coredns.log", "export.zip/prod/more.log"]
    found = rows(egret, tmp_path / "data", "ASimDnsActivityLogs | project DnsQuery, Cluster | sort by DnsQuery asc")
    assert [r["DnsQuery"] for r in found] == ["one.example", "three.example", "two.example"]
    assert {r["Cluster"] for r in found} == {"prod"}


def test_zip_archives_that_are_damaged_or_hostile(egret, tmp_path, folder):
    good = zipped({"a.log": question(1, "one.example"), "b.log": question(2, "two.example")})
    (folder / "cut.zip").write_bytes(good[:-30])
    broken = bytearray(good)
    broken[40] ^= 0xFF  # in the packed bytes of the first member
    (folder / "broken.zip").write_bytes(bytes(broken))
    # A hundred members that are one: the directory names the same bytes again and again.
    bomb = zipped({"zeros": b"\0" * 30_000_000})
    entry = bomb[bomb.index(b"PK\x01\x02"):bomb.index(b"PK\x05\x06")]
    body = bomb[:bomb.index(b"PK\x01\x02")]
    many = entry * 100
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 100, 100, len(many), len(body), 0)
    (folder / "bomb.zip").write_bytes(body + many + end)
    result = load(egret, tmp_path, "--format", "json").json()
    reasons = {f["file"]: list(f["errors"]) for f in result["files"] if f["errors"]}
    assert reasons["cut.zip"] == ["the zip archive has no directory: it ends early"]
    assert any("a.log" in r for r in reasons["broken.zip"]), reasons
    assert any("overlap" in r or "times its size" in r for r in reasons["bomb.zip"]), reasons
    names = [r["DnsQuery"] for r in rows(egret, tmp_path / "data", "ASimDnsActivityLogs | project DnsQuery")]
    assert "two.example" in names  # the good member of the broken archive


BIND = """01-Apr-2022 06:14:09.123 queries: info: client @0x7f62b80115d0 10.244.1.7#55575 (docs.example.com): query: docs.example.com IN AAAA +E(0)K (10.0.0.10)
01-Apr-2022 06:14:10.000 queries: info: client @0x7f62b80115d0 10.244.1.7#55576 (x.example.com): view inside: query: x.example.com IN A +T (10.0.0.10)
01-Apr-2022 06:14:11.000 query-errors: info: client @0x7f62b80115d0 10.244.1.7#55577 (bad.example): query failed (timed out) for bad.example/IN/A at query.c:7841
01-Apr-2022 06:14:12.000 general: info: zone example.com/IN: loaded serial 7
"""

UNBOUND = """[1648793649] unbound[17265:0] info: 10.244.1.7 ifconfig.co. A IN
[1648793649] unbound[17265:0] reply: 10.244.1.7 ifconfig.co. A IN NOERROR 0.017445 0 51
[1648793650] unbound[17265:1] reply: 10.244.1.8 nowhere.example. AAAA IN NXDOMAIN 0.001 1 40
[1648793651] unbound[17265:0] info: server stats for thread 0: 11982 queries, 9074 answers from cache
"""


def test_resolver_logs(egret, tmp_path, folder):
    (folder / "bind.log").write_text(BIND)
    (folder / "unbound.log").write_text(UNBOUND)
    result = load(egret, tmp_path, "--time-zone", "Europe/Berlin", "--format", "json").json()
    assert result["errors"] == 0, result
    found = rows(egret, tmp_path / "data", "ASimDnsActivityLogs | project TimeGenerated, EventProduct, EventSubType, SrcIpAddr, SrcPortNumber, DnsQuery, "
                 "DnsQueryTypeName, EventResultDetails, NetworkProtocol | sort by EventProduct asc, TimeGenerated asc")
    assert [(r["EventProduct"], r["EventSubType"], r["SrcIpAddr"], r["DnsQuery"], r["DnsQueryTypeName"], r["EventResultDetails"]) for r in found] == [
        ("BIND", "request", "10.244.1.7", "docs.example.com", "AAAA", "NA"),
        ("BIND", "request", "10.244.1.7", "x.example.com", "A", "NA"),
        # Unbound's questions are left out where it logs the replies.
        ("Unbound", "response", "10.244.1.7", "ifconfig.co", "A", "NOERROR"),
        ("Unbound", "response", "10.244.1.8", "nowhere.example", "AAAA", "NXDOMAIN"),
    ]
    assert found[0]["TimeGenerated"].startswith("2022-04-01T04:14:09.123")  # summer time of Berlin
    assert found[2]["TimeGenerated"].startswith("2022-04-01T06:14:09")
    assert found[1]["NetworkProtocol"] == "TCP" and found[0]["SrcPortNumber"] == 55575


def attribute(key, value):
    return {"key": key, "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}}


def test_otlp(egret, tmp_path, folder):
    resource = {"attributes": [attribute("service.name", "api"), attribute("service.namespace", "shop"), attribute("k8s.pod.name", "api-7f9-x"),
                               attribute("k8s.namespace.name", "shop"), attribute("k8s.cluster.name", "prod")]}
    spans = [
        {"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174", "name": "GET /export", "kind": 2, "startTimeUnixNano": "1648793649000000000",
         "endTimeUnixNano": "1648793649250000000", "status": {"code": 2},
         "attributes": [attribute("http.request.method", "GET"), attribute("url.scheme", "https"), attribute("server.address", "api.example.com"),
                        attribute("url.path", "/export"), attribute("url.query", "source=http%3A%2F%2F2852039166%2F"), attribute("http.response.status_code", 502),
                        attribute("client.address", "203.0.113.9")]},
        {"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "aaa19b7ec3c1b174", "parentSpanId": "eee19b7ec3c1b174", "name": "GET", "kind": "SPAN_KIND_CLIENT",
         "startTimeUnixNano": 1648793649100000000, "endTimeUnixNano": 1648793649200000000,
         "attributes": [attribute("http.request.method", "GET"), attribute("url.full", "http://169.254.169.254/"), attribute("server.address", "169.254.169.254")]},
        {"spanId": "bbb19b7ec3c1b174", "name": "no time"}]
    log = {"timeUnixNano": "1648793650000000000", "severityText": "INFO", "body": {"stringValue": "hello"}}
    (folder / "traces.json").write_text(json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}]}) + "\n" +
                                        json.dumps({"resourceMetrics": []}) + "\n")
    (folder / "logs.json").write_text(json.dumps({"resource_logs": [
        {"resource": resource, "scope_logs": [{"log_records": [log]}]},
        {"scope_logs": [{"log_records": [{"observed_time_unix_nano": "1648793651000000000", "severity_number": 17, "body": {"string_value": "bad"}}]}]}]}))
    result = load(egret, tmp_path, "--format", "json").json()
    assert result["errors"] == 1, result
    data = tmp_path / "data"
    request, = rows(egret, data, "AppRequests | project Url, ResultCode, Success, DurationMs, ClientIP, AppRoleName, AppRoleInstance, Cluster, OperationId")
    assert request == {"Url": "https://api.example.com/export?source=http%3A%2F%2F2852039166%2F", "ResultCode": "502", "Success": False, "DurationMs": 250.0,
                       "ClientIP": "203.0.113.9", "AppRoleName": "[shop]/api", "AppRoleInstance": "api-7f9-x", "Cluster": "prod",
                       "OperationId": "5b8efff798038103d269b633813fc60c"}
    call, = rows(egret, data, "AppDependencies | project Target, DependencyType, Data, ParentId, Success")
    assert call == {"Target": "169.254.169.254", "DependencyType": "HTTP", "Data": "http://169.254.169.254/", "ParentId": "eee19b7ec3c1b174", "Success": True}
    line, = rows(egret, data, "ContainerLogV2 | project PodNamespace, PodName, LogMessage, LogLevel, Cluster")
    assert line == {"PodNamespace": "shop", "PodName": "api-7f9-x", "LogMessage": "hello", "LogLevel": "info", "Cluster": "prod"}
    trace, = rows(egret, data, "AppTraces | project Message, SeverityLevel")
    assert trace == {"Message": "bad", "SeverityLevel": 3}


def test_named_time_zones(egret, tmp_path, folder):
    table = "TimeGenerated,Computer,SyslogMessage\n2022-01-15 12:00:00,n1,winter\n2022-07-15 12:00:00,n1,summer\n"
    for name in ("berlin", "offset", "plain"):
        (folder / f"{name}.csv").write_text(table.replace("n1", name))
    (folder / "evidence.yaml").write_text("files:\n- path: '*.csv'\n  kind: Syslog\n- path: berlin.csv\n  time_zone: Europe/Berlin\n- path: offset.csv\n  utc_offset: '-05:00'\n")
    load(egret, tmp_path, "--time-zone", "Asia/Kolkata")
    found = {(r["Computer"], r["SyslogMessage"]): r["T"] for r in rows(egret, tmp_path / "data", "Syslog | project Computer, SyslogMessage, T = format_datetime(TimeGenerated, 'HH:mm')")}
    assert found == {("berlin", "winter"): "11:00", ("berlin", "summer"): "10:00", ("offset", "winter"): "17:00", ("offset", "summer"): "17:00",
                     ("plain", "winter"): "06:30", ("plain", "summer"): "06:30"}
    (folder / "evidence.yaml").write_text("files:\n- path: '*.csv'\n  time_zone: Europe/Berlim\n")
    wrong = egret("ingest", folder, "--data", tmp_path / "data")
    assert wrong.code == 2 and "did you mean 'Europe/Berlin'" in wrong.err
    assert egret("ingest", folder / "plain.csv", "--data", tmp_path / "data", "--time-zone", "CET+99").code == 2


NGINX = ('203.0.113.9 - - [10/Nov/2025:08:03:{0:02d} +0000] "GET /fetch?url=http%3A%2F%2F169.254.169.254%2F HTTP/1.1" 200 512 "-" "curl/7.88" '
         '321 0.105 [payments-payment-api-80] [] 10.244.1.17:8080 512 0.104 200 8f2d{0:02d}')


@pytest.mark.parametrize("wrap", [
    lambda line, s: line,
    lambda line, s: f"2025-11-10T08:03:{s:02d}.100000000Z {line}",
    lambda line, s: f"2025-11-10T08:03:{s:02d}.100000000Z stdout F {line}",
    lambda line, s: json.dumps({"log": line + "\n", "stream": "stdout", "time": f"2025-11-10T08:03:{s:02d}.1Z"}),
    lambda line, s: json.dumps({"TimeGenerated": f"2025-11-10T08:03:{s:02d}.1Z", "PodNamespace": "ingress-nginx", "ContainerName": "controller",
                                "PodName": "ingress-nginx-controller-0", "LogSource": "stdout", "LogMessage": line}),
], ids=["bare", "kubectl", "cri", "docker", "ContainerLogV2"])
def test_ingress_nginx(egret, tmp_path, folder, wrap):
    (folder / "cc").mkdir()
    (folder / "cc" / "ingress.log").write_text("".join(wrap(NGINX.format(s), s) + "\n" for s in (11, 12, 13)))
    load(egret, tmp_path)
    got = rows(egret, tmp_path / "data", "ASimWebSessionLogs | order by TimeGenerated asc | project SrcIpAddr, DstIpAddr, Url, HttpStatusCode, Direction, UpstreamCluster, SrcPodName")
    assert got == [{"SrcIpAddr": "203.0.113.9", "DstIpAddr": "10.244.1.17", "Url": "/fetch?url=http%3A%2F%2F169.254.169.254%2F", "HttpStatusCode": 200,
                    "Direction": "inbound", "UpstreamCluster": "payments-payment-api-80", "SrcPodName": ""}] * 3
    assert not rows(egret, tmp_path / "data", "EgretIngestErrors")
    # The forged address in it is seen for what it is.
    assert rows(egret, tmp_path / "data", "EgretPayloads | project Target = Decoded, Strong") == [{"Target": "http://169.254.169.254/", "Strong": True}] * 3


def test_tetragon_processes(egret, tmp_path, folder):
    pod = {"namespace": "monitoring", "name": "agent-x1", "uid": "u", "container": {"id": "containerd://abc", "name": "agent", "image": {"name": "r.io/agent:1.2"}},
           "workload": "agent", "workload_kind": "DaemonSet"}
    process = {"exec_id": "e", "pid": 5001, "uid": 0, "binary": "/usr/bin/curl", "arguments": "-s https://ifconfig.co", "start_time": "2025-11-10T08:03:11.5Z",
               "pod": pod, "docker": "abc"}
    parent = {"exec_id": "p", "pid": 4999, "binary": "/bin/sh"}
    host = {k: v for k, v in process.items() if k not in ("pod", "docker")}
    lines = [{"process_exec": {"process": process, "parent": parent}, "node_name": "n1", "time": "2025-11-10T08:03:11.5Z"},
             {"process_exit": {"process": process, "parent": parent, "signal": "SIGKILL"}, "node_name": "n1", "time": "2025-11-10T08:03:12Z"},
             {"process_exec": {"process": host, "parent": parent}, "node_name": "n1", "time": "2025-11-10T08:03:13Z"},
             {"process_tracepoint": {"process": process, "subsys": "syscalls"}, "node_name": "n1", "time": "2025-11-10T08:03:14Z"}]
    (folder / "tetragon.log").write_text("".join(json.dumps(line) + "\n" for line in lines))
    out = load(egret, tmp_path)
    assert "process_tracepoint" in out.out + out.err
    got = rows(egret, tmp_path / "data", "ASimProcessEventLogs | order by TimeGenerated asc | project EventType, TargetProcessCommandLine, SrcWorkload, SrcOwnerKind, TargetProcessStatusCode")
    assert [r["EventType"] for r in got] == ["ProcessCreated", "ProcessTerminated", "ProcessCreated"]
    assert got[0]["TargetProcessCommandLine"] == "/usr/bin/curl -s https://ifconfig.co"
    assert [r["SrcWorkload"] for r in got] == ["monitoring/DaemonSet/agent", "monitoring/DaemonSet/agent", "node/HostProcess/curl"]
    assert got[1]["TargetProcessStatusCode"] == "SIGKILL" and got[2]["SrcOwnerKind"] == "HostProcess"


def test_falco_tells_of_processes_and_connections(egret, tmp_path, folder):
    fields = {"container.id": "abc", "container.image.repository": "r.io/pay", "container.image.tag": "1", "k8s.ns.name": "pay", "k8s.pod.name": "pay-1",
              "proc.cmdline": "curl 198.51.100.7", "proc.exepath": "/usr/bin/curl", "proc.pid": 4711, "proc.ppid": 1, "proc.pname": "sh", "user.uid": 0}
    alert = {"hostname": "n1", "output": "o", "priority": "Notice", "rule": "r", "time": "2025-11-10T08:03:11.5Z"}
    lines = [{**alert, "output_fields": {**fields, "evt.type": "execve"}},
             {**alert, "output_fields": {**fields, "evt.type": "connect", "fd.sip": "198.51.100.7", "fd.sport": 443, "fd.cip": "10.244.1.5", "fd.cport": 40000, "fd.l4proto": "tcp"}},
             {**alert, "output_fields": {**fields, "evt.type": "openat", "fd.name": "/etc/shadow"}}]
    (folder / "falco.json").write_text("".join(json.dumps(line) + "\n" for line in lines))
    load(egret, tmp_path)
    assert rows(egret, tmp_path / "data", "SecurityAlert | count") == [{"Count": 3}]
    assert rows(egret, tmp_path / "data", "ASimProcessEventLogs | project TargetProcessName, SrcPodName, SrcImage, ActorUserId") == [
        {"TargetProcessName": "/usr/bin/curl", "SrcPodName": "pay-1", "SrcImage": "r.io/pay:1", "ActorUserId": "0"}]
    assert rows(egret, tmp_path / "data", "ASimNetworkSessionLogs | project DstIpAddr, DstPortNumber, SrcIpAddr, SrcPodName, NetworkDirection") == [
        {"DstIpAddr": "198.51.100.7", "DstPortNumber": 443, "SrcIpAddr": "10.244.1.5", "SrcPodName": "pay-1", "NetworkDirection": "Outbound"}]


PLEG = 'I1110 08:03:11.223456     911 kubelet.go:2407] "SyncLoop (PLEG): event for pod" pod="monitoring/agent-x1" event={"ID":"u","Type":"ContainerStarted","Data":"0f1e"}'


@pytest.mark.parametrize("form", ["json", "short-iso"])
def test_journal(egret, tmp_path, folder, form):
    (folder / "cc").mkdir()
    if form == "json":
        text = "".join(json.dumps(e) + "\n" for e in [
            {"__REALTIME_TIMESTAMP": "1762761791223456", "_HOSTNAME": "n1", "SYSLOG_IDENTIFIER": "kubelet", "_PID": "911", "PRIORITY": "6", "MESSAGE": PLEG},
            {"__REALTIME_TIMESTAMP": "1762761791300000", "_HOSTNAME": "n1", "_COMM": "updater", "_PID": "7", "PRIORITY": "3", "MESSAGE": list(b"caf\xe9 failed")},
            {"_HOSTNAME": "n1", "MESSAGE": "no clock"}])
    else:
        text = ("-- Journal begins at Mon 2025-11-10 08:00:00 UTC. --\n"
                f"2025-11-10T08:03:11+0000 n1 kubelet[911]: {PLEG}\n"
                "2025-11-10T08:03:11+00:00 n1 updater[7]: caf failed\n    and its second line\n"
                "what is this\n")
    (folder / "cc" / "journal").write_text(text)
    load(egret, tmp_path)
    got = rows(egret, tmp_path / "data", "Syslog | order by TimeGenerated asc, ProcessID desc | project Computer, ProcessName, ProcessID, SeverityLevel")
    assert [(r["Computer"], r["ProcessName"], r["ProcessID"]) for r in got] == [("n1", "kubelet", 911), ("n1", "updater", 7)]
    assert rows(egret, tmp_path / "data", "EgretIngestErrors | count") == [{"Count": 1}]


def test_release_records_of_helm_and_gitlab(egret, tmp_path, folder):
    (folder / "history.json").write_text(json.dumps([
        {"revision": 1, "updated": "2025-11-01T10:00:00.123456789Z", "status": "superseded", "chart": "payment-1.2.3", "app_version": "1.2.3", "description": "Install complete"},
        {"revision": 2, "updated": "2025-11-10T07:50:00.5Z", "status": "failed", "chart": "payment-1.2.4", "app_version": "1.2.4", "description": "Upgrade failed"}]))
    (folder / "list.json").write_text(json.dumps([
        {"name": "cart", "namespace": "shop", "revision": "2", "updated": "2025-11-10 08:50:00.512345678 +0100 CET", "status": "deployed", "chart": "web-app-v1.2.4", "app_version": ""}]))
    (folder / "history.txt").write_text(
        "REVISION\tUPDATED                 \tSTATUS    \tCHART        \tAPP VERSION\tDESCRIPTION     \n"
        "7       \tSat Nov  1 10:00:00 2025\tdeployed  \tledger-0.9.1\t0.9.1      \tUpgrade complete\n")
    (folder / "gitlab.json").write_text(json.dumps([
        {"id": 41, "iid": 1, "ref": "main", "sha": "99d03678", "created_at": "2025-11-10T07:36:27.357Z", "updated_at": "2025-11-10T07:40:27.357Z", "status": "success",
         "environment": {"id": 9, "name": "production"}, "user": {"username": "root"},
         "deployable": {"finished_at": "2025-11-10T07:40:20.000Z", "started_at": None, "commit": {"title": "Merge"}, "project": {"name": "orders"}}}]))
    load(egret, tmp_path)
    got = rows(egret, tmp_path / "data", "EgretReleases | project Source, WorkloadName, Version, Status, Time = format_datetime(TimeGenerated, 'MM-dd HH:mm:ss'), Namespace | order by WorkloadName asc, Version asc")
    assert got == [
        {"Source": "helm", "WorkloadName": "cart", "Version": "v1.2.4", "Status": "succeeded", "Time": "11-10 07:50:00", "Namespace": "shop"},
        {"Source": "helm", "WorkloadName": "ledger", "Version": "0.9.1", "Status": "succeeded", "Time": "11-01 10:00:00", "Namespace": ""},
        {"Source": "gitlab", "WorkloadName": "orders", "Version": "main", "Status": "succeeded", "Time": "11-10 07:40:20", "Namespace": ""},
        {"Source": "helm", "WorkloadName": "payment", "Version": "1.2.3", "Status": "succeeded", "Time": "11-01 10:00:00", "Namespace": ""},
        {"Source": "helm", "WorkloadName": "payment", "Version": "1.2.4", "Status": "failed", "Time": "11-10 07:50:00", "Namespace": ""}]


def test_network_interfaces_name_the_nodes(egret, tmp_path, folder):
    base = "/subscriptions/0/resourceGroups/MC_rg_cc_canadacentral/providers/Microsoft."
    nics = [{"id": base + f"Network/networkInterfaces/nic{i}", "name": f"nic{i}", "ipConfigurations": [
        {"primary": False, "privateIPAddress": "10.224.0.99"}, {"primary": True, "privateIPAddress": f"10.224.0.{i}"}],
        "virtualMachine": {"id": base + f"Compute/virtualMachineScaleSets/aks-np1-1-vmss/virtualMachines/{i}"}} for i in (4, 35, 36)]
    nics.append({"id": base + "Network/networkInterfaces/pe", "name": "pe", "ipConfigurations": [{"primary": True, "privateIPAddress": "10.224.9.9"}], "virtualMachine": None})
    (folder / "nics.json").write_text(json.dumps(nics))
    out = load(egret, tmp_path)
    assert "1 network interface is of no node" in out.out + out.err
    assert rows(egret, tmp_path / "data", "EgretNodes | project Node, Ip | order by Ip asc") == [
        {"Node": "aks-np1-1-vmss00000z", "Ip": "10.224.0.35"}, {"Node": "aks-np1-1-vmss000010", "Ip": "10.224.0.36"}, {"Node": "aks-np1-1-vmss000004", "Ip": "10.224.0.4"}]


def evidence_of(answer, name):
    return {e["test"]: e for c in answer["candidates"] if c["name"] == name for e in c["evidence"]}


def test_requests_through_an_ingress_and_programs_are_evidence(egret, tmp_path):
    w = world.World(11, culprit="search", trigger="request")
    logs = w.write(tmp_path / "logs", dns=None)
    own = logs / w.affected.name
    lines, programs = [], []
    for t, pod, address, *_ in sorted((f for f in w.affected.flows if f[2] == w.address), key=lambda f: f[0]):
        asked = t - dt.timedelta(milliseconds=900)
        line = (f'203.0.113.9 - - [{asked:%d/%b/%Y:%H:%M:%S} +0000] "GET /q?from=feed HTTP/1.1" 200 512 "-" "curl/7.88" 321 0.105 [search-search-80] [] {pod.ip}:8080 512 0.104 200 8f2d')
        lines.append(f"{asked:%Y-%m-%dT%H:%M:%S.%f}Z stdout F {line}\n")
        programs.append(json.dumps({"process_exec": {"process": {"exec_id": "e", "pid": 5, "binary": "/usr/bin/curl", "arguments": f"-s http://{w.address}/", "start_time": world.iso(t, 6), "docker": "abc",
                                                                 "pod": {"namespace": pod.ns, "name": pod.name}}}, "node_name": pod.node.name, "time": world.iso(t, 6)}) + "\n")
    (own / "ingress-nginx-controller.log").write_text("".join(lines))
    answer = egret("investigate", logs, "--format", "json").json()
    top = answer["candidates"][0]
    assert top["name"] == "search" and "request-before" in evidence_of(answer, "search")
    assert top["probability"] > 0.9
    (own / "tetragon.log").write_text("".join(programs))
    answer = egret("investigate", logs, "--format", "json").json()
    top = answer["candidates"][0]
    assert top["name"] == "search" and top["probability"] > 0.99
    assert "curl" in evidence_of(answer, "search")["process-names-it"]["reason"]
