"""Evidence from a real cluster: what a user exports with kubectl and from the audit log, and what Egret makes of it.

One story for all tests here: a Deployment with two releases, a DaemonSet that makes one contact when it starts, a hostNetwork DaemonSet,
a static pod, a CronJob, and a node that joins later. Each talks to an address of its own, so the internet's log says who it was.
"""
import datetime as dt
import json

import exports
import internet
import pytest
import workloads as w

AGENT_ASKS = {"ods.monitor.example": "203.0.113.60", "ifconfig.co": "172.64.80.1"}  # nothing listens at its own endpoint's port
AGENT, WEB, HELPER, REPORT, EDGE = AGENT_ASKS["ifconfig.co"], "203.0.113.20", "203.0.113.30", "203.0.113.40", "203.0.113.50"
OWNERS = {AGENT: "monitoring/DaemonSet/agent", WEB: "shop/Deployment/web", HELPER: "kube-system/DaemonSet/node-helper",
          REPORT: "shop/CronJob/report", EDGE: "kube-system/StaticPod/edge", internet.RESOLVER[0]: "kube-system/Deployment/coredns"}
SPACES = ("shop", "monitoring", "kube-system")
EVERYWHERE = {"tolerations": [{"operator": "Exists"}]}


@pytest.fixture(scope="module")
def story(cluster):
    """The story has run to its end."""
    cluster.answer(AGENT_ASKS)
    cluster.add_dns()
    first = cluster.nodes[0]
    first.static_pod("edge", {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "edge", "namespace": "kube-system", "labels": {"app": "edge"}},
                              "spec": w.pod_spec(w.every(3, f"http://{EDGE}:443/"), hostNetwork=True)})
    cluster.apply(
        w.namespace("shop"), w.namespace("monitoring"),
        w.cron_job("shop", "report", "* * * * *", w.pod_spec(f"wget -q -O /dev/null http://{REPORT}:443/")),
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web", "namespace": "shop"}, "data": {"upstream": WEB}},
        w.workload("Deployment", "shop", "web", w.pod_spec(w.every(2, f"http://{WEB}:8080/"), image="registry.example/shop/web:1.0.0",
                                                           volumes=[{"name": "c", "configMap": {"name": "web"}}]), replicas=3),
        w.workload("DaemonSet", "monitoring", "agent", w.pod_spec(
            w.once_then_wait("http://ods.monitor.example:9999/", "http://ifconfig.co/ip"), image="registry.example/monitor/agent:3.1.17")),
        w.workload("DaemonSet", "kube-system", "node-helper", w.pod_spec(w.every(5, f"http://{HELPER}/"), hostNetwork=True, **EVERYWHERE)))
    cluster.kubectl("-n", "shop", "rollout", "status", "deployment/web", "--timeout=90s")
    cluster.kubectl("-n", "monitoring", "rollout", "status", "daemonset/agent", "--timeout=90s")
    cluster.wait("a contact of the first release", lambda: any(c["destination"] == WEB for c in cluster.contacts()))
    cluster.kubectl("-n", "shop", "set", "image", "deployment/web", "main=registry.example/shop/web:1.1.0")
    cluster.kubectl("-n", "shop", "rollout", "status", "deployment/web", "--timeout=90s")
    assert "2" in cluster.kubectl("-n", "shop", "rollout", "history", "deployment/web")
    joined = cluster.add_node()
    cluster.wait("the agent's contact from the node that joined",
                 lambda: any(c["destination"] == AGENT and c["source"] == joined.address for c in cluster.contacts()))
    cluster.wait("the CronJob's contact", lambda: any(c["destination"] == REPORT for c in cluster.contacts()), 100)
    # From here on nothing changes, so that what is exported a moment later is the same.
    cluster.kubectl("-n", "shop", "patch", "cronjob", "report", "-p", '{"spec":{"suspend":true}}')
    cluster.wait("pods to come to rest", lambda: all(
        p["status"]["phase"] == ("Succeeded" if p["metadata"]["name"].startswith("report-") else "Running") and "deletionTimestamp" not in p["metadata"]
        for p in cluster.get("-n", "shop", "pods")["items"]))
    yield cluster
    first.end_static_pod("edge")
    cluster.kubectl("delete", "namespace", "shop", "monitoring", "--wait=false")
    cluster.kubectl("-n", "kube-system", "delete", "daemonset", "node-helper", "--wait=false")


@pytest.fixture
def rows(egret, tmp_path):
    """rows(folder, query): ingests the folder once and gives the query's rows as dictionaries."""
    data = tmp_path / "data"

    def ask(folder, query):
        if not data.exists():
            egret("ingest", folder, "--data", data, "--format", "json").json()
            errors = egret("query", "EgretIngestErrors | project File, Line, Reason", "--data", data, "--format", "json").json()["rows"]
            assert errors == []
        answer = egret("query", query, "--data", data, "--format", "json").json()
        return [dict(zip((c["name"] for c in answer["columns"]), row)) for row in answer["rows"]]
    return ask


def test_collected_objects_give_pods_nodes_and_owners(story, egret, rows, tmp_path):
    commands = exports.collect(egret, story, tmp_path / "evidence")
    assert len(commands) >= 7
    truth = {(p["metadata"]["namespace"], p["metadata"]["name"]): p for p in story.get("pods", "-A")["items"] if p["metadata"]["namespace"] in SPACES}
    pods = {(r["Namespace"], r["Pod"]): r for r in rows(tmp_path / "evidence", "EgretPods")}
    assert set(truth) <= set(pods)
    for key, pod in truth.items():
        row = pods[key]
        assert row["Cluster"] == story.name
        assert (row["Node"], row["Ip"], row["HostNetwork"]) == (pod["spec"]["nodeName"], pod["status"]["podIP"], pod["spec"].get("hostNetwork", False)), key
        assert row["Workload"] in OWNERS.values(), key
        assert instant(row["From"]) == instant(pod["metadata"]["creationTimestamp"]), key
    nodes = {r["Node"]: r for r in rows(tmp_path / "evidence", "EgretNodes")}
    assert {n: r["Ip"] for n, r in nodes.items()} == {n.name: n.address for n in story.nodes}
    for node in story.get("nodes")["items"]:
        assert instant(nodes[node["metadata"]["name"]]["Created"]) == instant(node["metadata"]["creationTimestamp"])
    clusters = rows(tmp_path / "evidence", "EgretClusters | where isnotempty(Region) | distinct Cluster, Region")
    assert clusters == [{"Cluster": story.name, "Region": "canadacentral"}]


def test_a_finished_pod_has_an_end(story, egret, rows, tmp_path):
    exports.collect(egret, story, tmp_path / "evidence")
    done = [p for p in story.get("-n", "shop", "pods")["items"] if p["status"]["phase"] == "Succeeded"]
    assert done
    pods = {r["Pod"]: r for r in rows(tmp_path / "evidence", "EgretPods | where Kind == 'CronJob'")}
    for pod in done:
        ended = pod["status"]["containerStatuses"][0]["state"]["terminated"]["finishedAt"]
        assert instant(pods[pod["metadata"]["name"]]["To"]) == instant(ended)


@pytest.mark.parametrize("form", ["kube-audit", "kube-audit-admin"])
def test_the_audit_log_alone_gives_owners_starts_and_releases(story, rows, tmp_path, form):
    folder = tmp_path / "evidence" / story.name
    folder.mkdir(parents=True)
    if form == "kube-audit":
        exports.kube_audit_blob(story, folder / "PT1H.json")
    else:
        exports.audit_admin_rows(story, folder / "AKSAuditAdmin.json")
    truth = {(p["metadata"]["namespace"], p["metadata"]["name"]): p for p in story.get("pods", "-A")["items"] if p["metadata"]["namespace"] in SPACES}
    pods = {(r["Namespace"], r["Pod"]): r for r in rows(tmp_path / "evidence", "EgretPods")}
    for key, pod in truth.items():
        row = pods[key]
        assert (row["Node"], row["Ip"], row["HostNetwork"]) == (pod["spec"]["nodeName"], pod["status"]["podIP"], pod["spec"].get("hostNetwork", False)), key
        assert row["Workload"] in OWNERS.values(), key
        started = min(s["state"].get("running", s["state"].get("terminated", {}))["startedAt"] for s in pod["status"]["containerStatuses"])
        assert instant(row["Started"]) == instant(started), key
    # Pods of the first release are gone: only the log remembers them, and when they ended.
    gone = [r for k, r in pods.items() if r["Workload"] == "shop/Deployment/web" and k not in truth]
    assert len(gone) == 3 and all(r["To"] for r in gone)
    nodes = {r["Node"]: r for r in rows(tmp_path / "evidence", "EgretNodes")}
    for node in story.get("nodes")["items"]:
        row = nodes[node["metadata"]["name"]]
        ready = next(c["lastTransitionTime"] for c in node["status"]["conditions"] if c["type"] == "Ready")
        assert (instant(row["Created"]), instant(row["Ready"])) == (instant(node["metadata"]["creationTimestamp"]), instant(ready))
    changes = rows(tmp_path / "evidence", "EgretChanges | where Workload == 'shop/Deployment/web' and What in ('created', 'image') | sort by Time asc")
    assert [(r["What"], r["To"]) for r in changes if r["Object"]] == [("created", "registry.example/shop/web:1.0.0"), ("image", "registry.example/shop/web:1.1.0")]
    assert ("image", "registry.example/shop/web:1.1.0", "masterclient") in [(r["What"], r["To"], r["By"]) for r in changes]


def test_both_logs_and_objects_agree(story, egret, rows, tmp_path):
    exports.collect(egret, story, tmp_path / "evidence")
    exports.kube_audit_blob(story, tmp_path / "evidence" / story.name / "PT1H.json")
    twice = rows(tmp_path / "evidence", "EgretPods | summarize Rows = count() by Cluster, Namespace, Pod | where Rows > 1")
    assert twice == []
    owners = {r["Workload"] for r in rows(tmp_path / "evidence", "EgretPods | distinct Workload")}
    assert owners >= set(OWNERS.values())
    starts = rows(tmp_path / "evidence", "EgretStarts | where Workload == 'monitoring/DaemonSet/agent' | summarize Starts = count() by Node")
    assert {r["Node"]: r["Starts"] for r in starts} == {n.name: 1 for n in story.nodes}


def test_the_false_alarm_names_the_daemonset(story, egret, tmp_path):
    """The internet saw the node's address only; the node had joined seconds before."""
    evidence = tmp_path / "evidence"
    exports.collect(egret, story, evidence)
    exports.kube_audit_blob(story, evidence / story.name / "PT1H.json")
    exports.firewall_rows(story, evidence / story.name / "AZFWNetworkRule.json")
    joined = story.nodes[2]
    contact = next(c for c in story.contacts() if c["destination"] == AGENT and c["source"] == joined.address)
    exports.defender_alert(contact, joined, evidence / "alerts.json")
    answer = egret("investigate", evidence, "--format", "json", timeout=300).json()
    best = answer["candidates"][0]
    assert (best["cluster"], best["namespace"], best["kind"], best["name"]) == (story.name, "monitoring", "DaemonSet", "agent"), json.dumps(answer["candidates"], indent=1)[:3000]
    assert best["probability"] > 0.5


def instant(text):
    """Times of two forms, to the second."""
    return dt.datetime.fromisoformat(text[:19]).replace(tzinfo=dt.timezone.utc)
