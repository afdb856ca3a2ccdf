"""A small fleet and its logs, written by hand-sized code that shares nothing with the product: end-to-end tests choose who did it, what name
and region it was, and in which formats the evidence comes, and then look whether the answer follows."""
import csv
import datetime as dt
import gzip
import io
import json
import random

UTC = dt.timezone.utc


def iso(t, digits=0):
    text = t.strftime("%Y-%m-%dT%H:%M:%S")
    return text + (f".{t.microsecond:06d}"[:1 + digits] if digits else "") + "Z"


class Pod:
    def __init__(self, cluster, ns, kind, owner, node, start, host_network=False, image="registry.example.com/app:1", suffix=None, ip=None):
        self.cluster, self.ns, self.kind, self.owner, self.node, self.start = cluster, ns, kind, owner, node, start
        self.host_network, self.image = host_network, image
        rng = cluster.rng
        tail = "".join(rng.choice("bcdfghjklmnpqrstvwxz2456789") for _ in range(5))
        self.hash = "".join(rng.choice("bcdfghjklmnpqrstvwxz2456789") for _ in range(9))
        self.name = f"{owner}-{suffix}" if suffix else (f"{owner}-{self.hash}-{tail}" if kind == "Deployment" else f"{owner}-{tail}")
        self.uid = "%08x-%04x-4%03x-8%03x-%012x" % (rng.getrandbits(32), rng.getrandbits(16), rng.getrandbits(12), rng.getrandbits(12), rng.getrandbits(48))
        self.ip = node.ip if host_network else (ip or cluster.next_pod_ip())
        self.end = None


class Node:
    def __init__(self, cluster, index, created):
        self.name = f"aks-nodepool1-{cluster.number}-vmss{index:06x}"
        self.ip = f"{cluster.vnet}.{10 + index}"
        self.created = created
        self.mac = "00224{:07X}".format(cluster.rng.getrandbits(28))


class Cluster:
    def __init__(self, name, region, vnet, rng):
        self.name, self.region, self.vnet, self.rng = name, region, vnet, rng
        self.number = rng.randrange(10**7, 10**8)
        self.group = f"MC_rg-{name}_{name}_{region}"
        self.id = f"/subscriptions/6b2f1a3c-0000-4000-8000-0123456789ab/resourceGroups/rg-{name}/providers/Microsoft.ContainerService/managedClusters/{name}"
        self.nodes, self.pods, self.flows, self.dns = [], [], [], []
        self.host = 3

    def next_pod_ip(self):
        self.host += 1
        return f"10.244.{self.host // 250}.{self.host % 250 + 2}"  # the overlay range is the same in every cluster


class World:
    """Three clusters; in one of them the culprit, started on a new node, talks to the address."""

    DAEMONS = ["kube-proxy", "azure-ip-masq-agent", "cloud-node-manager", "csi-azuredisk-node", "ama-logs", "node-exporter", "falco"]
    APPS = ["shop", "cart", "search", "payments", "orders", "catalog", "mail", "invoice", "reports", "gateway"]

    def __init__(self, seed=1, culprit="ama-logs", name="ifconfig.co", address="172.64.80.1", region="canadacentral", trigger="node-start"):
        self.rng = rng = random.Random(seed)
        self.culprit, self.name, self.address, self.region, self.trigger = culprit, name, address, region, trigger
        self.dns_clock = 0  # seconds that the clock of the DNS logs runs ahead
        self.t0 = dt.datetime(2022, 4, 1, 6, 12, 0, tzinfo=UTC) + dt.timedelta(minutes=rng.randrange(300))
        self.begin = self.t0 - dt.timedelta(hours=5)
        self.end = self.t0 + dt.timedelta(hours=1)
        others = [r for r in ("canadacentral", "westeurope", "australiaeast", "eastus2") if r != region][:2]
        self.clusters = [Cluster(f"aks-{r}", r, f"10.{224 + i}.0", rng) for i, r in enumerate([region, *others])]
        self.affected = self.clusters[0]
        for c in self.clusters:
            self.populate(c)
        self.happen()

    def populate(self, c):
        born = self.begin - dt.timedelta(days=20)
        for i in range(3):
            node = Node(c, i, born + dt.timedelta(minutes=i))
            c.nodes.append(node)
            self.daemons_on(c, node)
        for app in self.APPS:
            for i in range(2):
                c.pods.append(Pod(c, app, "Deployment", app, c.nodes[(i + len(app)) % 3], born + dt.timedelta(days=3, minutes=i), image=f"registry.example.com/{app}:2.{len(app)}"))
        self.background(c)

    def daemons_on(self, c, node):
        for d in self.DAEMONS:
            start = node.created + dt.timedelta(seconds=30 + self.rng.randrange(25))
            c.pods.append(Pod(c, "kube-system", "DaemonSet", d, node, start, host_network=d in ("kube-proxy", "cloud-node-manager", "csi-azuredisk-node"), image=f"mcr.example.com/{d}:v1"))

    def background(self, c):
        names = [(f"{a}.example.net", f"203.0.113.{10 + i}") for i, a in enumerate(("api", "cdn", "pay", "logs", "time"))]
        for pod in c.pods:
            if pod.host_network:
                continue
            for _ in range(12):
                t = self.begin + dt.timedelta(seconds=self.rng.randrange(int((self.end - self.begin).total_seconds())))
                name, address = self.rng.choice(names)
                c.dns.append((t, pod, name, address))
                self.flow(c, t + dt.timedelta(milliseconds=40), pod, address, 443)

    def flow(self, c, t, pod, address, port, out=1200, into=5200):
        c.flows.append((t, pod, address, port, self.rng.randrange(1024, 64000), out, into))

    def happen(self):
        c = self.affected
        if self.trigger == "node-start":
            for i in range(2):  # the autoscaler adds a node twice; both times the contact follows
                node = Node(c, 3 + i, self.t0 + dt.timedelta(minutes=25 * i))
                c.nodes.append(node)
                self.daemons_on(c, node)
                pod = next(p for p in c.pods if p.node is node and p.owner == self.culprit)
                self.contact(pod, pod.start + dt.timedelta(seconds=8 + self.rng.randrange(5)))
        else:  # a request comes now and then, whatever starts
            pods = [p for p in c.pods if p.owner == self.culprit]
            for i in range(6):
                self.contact(pods[i % len(pods)], self.t0 + dt.timedelta(minutes=7 * i + self.rng.randrange(3)))
        # the same software asks for the same name elsewhere, where the answer is another address
        for other in self.clusters[1:]:
            node = Node(other, 3, self.t0 + dt.timedelta(minutes=9))
            other.nodes.append(node)
            self.daemons_on(other, node)
            for pod in [p for p in other.pods if p.owner == self.culprit and (self.trigger != "node-start" or p.node is node)][:2]:
                t = pod.start + dt.timedelta(seconds=9) if self.trigger == "node-start" else self.t0 + dt.timedelta(minutes=11)
                other.dns.append((t, pod, self.name, "198.51.100.77"))
                self.flow(other, t + dt.timedelta(milliseconds=60), pod, "198.51.100.77", 80, 380, 700)
        self.first = min(f[0] for f in c.flows if f[2] == self.address)

    def contact(self, pod, t):
        c = self.affected
        if not pod.host_network:
            c.dns.append((t, pod, self.name, self.address))
        self.flow(c, t + dt.timedelta(milliseconds=70), pod, self.address, 80, 390, 720)

    # ------------------------------------------------------------- formats
    def alert_row(self):
        return {"TenantId": "7f1d0b8e-0000-4000-8000-abcdefabcdef", "TimeGenerated": iso(self.first + dt.timedelta(minutes=37), 6), "DisplayName": "Network communication with a malicious machine detected",
                "AlertName": "Network communication with a malicious machine detected", "AlertSeverity": "Medium", "AlertType": "Network_CommunicationWithC2",
                "Description": f"Network traffic analysis indicates that your machine (IP {self.first_node().ip}) has communicated with what is possibly a Command and Control center.",
                "ProviderName": "Azure Security Center", "VendorName": "Microsoft", "VendorOriginalId": "d3a1", "SystemAlertId": "2518-aa-1",
                "StartTime": iso(self.first), "EndTime": iso(self.first + dt.timedelta(minutes=1)), "ProcessingEndTime": iso(self.first + dt.timedelta(minutes=37)),
                "Status": "New", "CompromisedEntity": self.first_node().name, "Tactics": "CommandAndControl", "ProductName": "Microsoft Defender for Cloud",
                "ResourceId": f"/subscriptions/6b2f1a3c-0000-4000-8000-0123456789ab/resourceGroups/{self.affected.group}/providers/Microsoft.Compute/virtualMachineScaleSets/aks-nodepool1-{self.affected.number}-vmss",
                "ExtendedProperties": json.dumps({"Victim IP": self.first_node().ip, "Attacker IP": self.address, "resourceType": "Virtual Machine"}),
                "Entities": json.dumps([{"$id": "1", "HostName": self.first_node().name, "Type": "host"}, {"$id": "2", "Address": self.address, "Type": "ip"}]),
                "Type": "SecurityAlert"}

    def first_node(self):
        return min((f for f in self.affected.flows if f[2] == self.address), key=lambda f: f[0])[1].node

    def write(self, root, alert="az-cli", flows="vnet", inventory="kubectl-json", audit="diagnostic", dns="kubectl", answers=False, compress=False):
        root.mkdir(parents=True, exist_ok=True)
        row = self.alert_row()
        if alert == "az-cli":
            (root / "alerts.json").write_text(json.dumps([dict(row, TableName="PrimaryResult")], indent=2))
        elif alert == "csv":
            (root / "query_data.csv").write_text(portal_csv([row], {"TimeGenerated", "StartTime", "EndTime", "ProcessingEndTime"}))
        elif alert == "rest":
            columns = [{"name": k, "type": "datetime" if k.endswith("Time") or k == "TimeGenerated" else "string"} for k in row]
            (root / "response.json").write_text(json.dumps({"tables": [{"name": "PrimaryResult", "columns": columns, "rows": [list(row.values())]}]}))
        for c in self.clusters:
            folder = root / c.name
            folder.mkdir(exist_ok=True)
            getattr(self, "flows_" + flows)(c, folder, compress)
            getattr(self, "inventory_" + inventory.replace("-", "_"))(c, folder)
            if audit:
                getattr(self, "audit_" + audit)(c, folder)
            if dns:
                getattr(self, "dns_" + dns)(c, folder)
            if answers:
                self.answers_zeek(c, folder)
        return root

    def flows_vnet(self, c, folder, compress):
        hours = {}
        for t, pod, address, port, sport, out, into in sorted(c.flows, key=lambda f: f[0]):
            hours.setdefault((pod.node, t.replace(minute=0, second=0, microsecond=0)), []).append((t, pod, address, port, sport, out, into))
        for (node, hour), rows in hours.items():
            records = []
            for minute in sorted({r[0].minute for r in rows}):
                tuples = []
                for t, pod, address, port, sport, out, into in rows:
                    if t.minute != minute:
                        continue
                    ms = int(t.timestamp() * 1000)
                    tuples.append(f"{ms},{node.ip},{address},{sport},{port},6,O,B,NX,0,0,0,0")
                    tuples.append(f"{ms + 4000},{node.ip},{address},{sport},{port},6,O,E,NX,6,{out},5,{into}")
                records.append({"time": iso(hour + dt.timedelta(minutes=minute, seconds=59), 3), "flowLogVersion": 4, "flowLogGUID": "5f0d2b1a-1111-4222-8333-444455556666",
                                "macAddress": node.mac, "category": "FlowLogFlowEvent",
                                "flowLogResourceID": f"/SUBSCRIPTIONS/6B2F1A3C-0000-4000-8000-0123456789AB/RESOURCEGROUPS/NETWORKWATCHERRG/PROVIDERS/MICROSOFT.NETWORK/NETWORKWATCHERS/NETWORKWATCHER_{c.region.upper()}/FLOWLOGS/{c.name.upper()}",
                                "targetResourceID": f"/subscriptions/6b2f1a3c-0000-4000-8000-0123456789ab/resourceGroups/{c.group}/providers/Microsoft.Network/virtualNetworks/aks-vnet-{c.number}",
                                "operationName": "FlowLogFlowEvent",
                                "flowRecords": {"flows": [{"aclID": "3c1f0000-0000-4000-8000-000000000001", "flowGroups": [{"rule": "DefaultRule_AllowInternetOutBound", "flowTuples": tuples}]}]}})
            path = folder / f"flows/y={hour:%Y}/m={hour:%m}/d={hour:%d}/h={hour:%H}/m=00/macAddress={node.mac}"
            path.mkdir(parents=True, exist_ok=True)
            put(path / "PT1H.json", json.dumps({"records": records}), compress)

    def flows_nsg(self, c, folder, compress):
        records = []
        for t, pod, address, port, sport, out, into in sorted(c.flows, key=lambda f: f[0]):
            s = int(t.timestamp())
            records.append({"time": iso(t, 6), "systemId": "1f3d2c4b-0000-4000-8000-00000000000a", "macAddress": pod.node.mac, "category": "NetworkSecurityGroupFlowEvent",
                            "resourceId": f"/SUBSCRIPTIONS/6B2F1A3C-0000-4000-8000-0123456789AB/RESOURCEGROUPS/{c.group.upper()}/PROVIDERS/MICROSOFT.NETWORK/NETWORKSECURITYGROUPS/AKS-AGENTPOOL-{c.number}-NSG",
                            "operationName": "NetworkSecurityGroupFlowEvents",
                            "properties": {"Version": 2, "flows": [{"rule": "DefaultRule_AllowInternetOutBound", "flows": [{"mac": pod.node.mac, "flowTuples": [
                                f"{s},{pod.node.ip},{address},{sport},{port},T,O,A,B,,,,", f"{s + 60},{pod.node.ip},{address},{sport},{port},T,O,A,E,6,{out},5,{into}"]}]}]}})
        put(folder / "PT1H.json", json.dumps({"records": records}), compress)

    def owner_of(self, pod):
        return (f"{pod.owner}-{pod.hash}", "ReplicaSet") if pod.kind == "Deployment" else (pod.owner, pod.kind)

    def pod_object(self, pod):
        owner, kind = self.owner_of(pod)
        return {"apiVersion": "v1", "kind": "Pod",
                "metadata": {"name": pod.name, "namespace": pod.ns, "uid": pod.uid, "creationTimestamp": iso(pod.start - dt.timedelta(seconds=4)), "labels": {"app": pod.owner},
                             "ownerReferences": [{"apiVersion": "apps/v1", "kind": kind, "name": owner, "uid": "u-" + owner, "controller": True}]},
                "spec": {"nodeName": pod.node.name, "containers": [{"name": "main", "image": pod.image}], "serviceAccountName": "default", **({"hostNetwork": True} if pod.host_network else {})},
                "status": {"phase": "Running", "podIP": pod.ip, "podIPs": [{"ip": pod.ip}], "hostIP": pod.node.ip, "startTime": iso(pod.start - dt.timedelta(seconds=3)),
                           "containerStatuses": [{"name": "main", "image": pod.image, "imageID": pod.image, "restartCount": 0, "ready": True, "started": True, "state": {"running": {"startedAt": iso(pod.start)}}}]}}

    def node_object(self, c, node):
        return {"apiVersion": "v1", "kind": "Node",
                "metadata": {"name": node.name, "creationTimestamp": iso(node.created), "labels": {"kubernetes.io/hostname": node.name, "topology.kubernetes.io/region": c.region, "kubernetes.azure.com/cluster": c.group}},
                "spec": {"providerID": f"azure:///subscriptions/6b2f1a3c-0000-4000-8000-0123456789ab/resourceGroups/{c.group.lower()}/providers/Microsoft.Compute/virtualMachineScaleSets/x/virtualMachines/1"},
                "status": {"addresses": [{"type": "InternalIP", "address": node.ip}, {"type": "Hostname", "address": node.name}],
                           "conditions": [{"type": "Ready", "status": "True", "lastHeartbeatTime": iso(self.end), "lastTransitionTime": iso(node.created + dt.timedelta(seconds=22)), "reason": "KubeletReady"}],
                           "nodeInfo": {"kubeletVersion": "v1.22.6", "osImage": "Ubuntu 18.04.6 LTS"}}}

    def replica_sets(self, c):
        seen = {}
        for p in c.pods:
            if p.kind == "Deployment":
                owner, _ = self.owner_of(p)
                seen[owner] = {"apiVersion": "apps/v1", "kind": "ReplicaSet",
                               "metadata": {"name": owner, "namespace": p.ns, "uid": "u-" + owner, "creationTimestamp": iso(p.start - dt.timedelta(seconds=9)), "labels": {"app": p.owner, "pod-template-hash": p.hash},
                                            "annotations": {"deployment.kubernetes.io/revision": "1"},
                                            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": p.owner, "uid": "u-d-" + p.owner, "controller": True}]},
                               "spec": {"replicas": 1, "template": {"spec": {"containers": [{"name": "main", "image": p.image}]}}}}
        return list(seen.values())

    def inventory_kubectl_json(self, c, folder):
        for name, items in (("pods", [self.pod_object(p) for p in c.pods]), ("nodes", [self.node_object(c, n) for n in c.nodes]), ("replicasets", self.replica_sets(c))):
            (folder / f"{name}.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items, "metadata": {"resourceVersion": ""}}, indent=4))

    def inventory_kubectl_yaml(self, c, folder):
        for name, items in (("pods", [self.pod_object(p) for p in c.pods]), ("nodes", [self.node_object(c, n) for n in c.nodes]), ("rs", self.replica_sets(c))):
            (folder / f"{name}.yaml").write_text(yaml_text({"apiVersion": "v1", "items": items, "kind": "List", "metadata": {"resourceVersion": ""}}))

    def inventory_rows(self, c):
        pods, nodes = [], []
        t = self.begin
        while t < self.end:
            for p in c.pods:
                if p.start - dt.timedelta(seconds=3) <= t:
                    owner, kind = self.owner_of(p)
                    pods.append({"TimeGenerated": iso(t, 3), "Computer": p.node.name, "ClusterId": c.id, "ClusterName": c.name, "Namespace": p.ns, "Name": p.name, "PodUid": p.uid, "PodStatus": "Running",
                                 "PodIp": p.ip, "ControllerKind": kind, "ControllerName": owner, "ContainerName": p.uid + "/main", "ContainerStatus": "running", "PodCreationTimeStamp": iso(p.start - dt.timedelta(seconds=4)),
                                 "PodStartTime": iso(p.start - dt.timedelta(seconds=3)), "ContainerCreationTimeStamp": iso(p.start), "ServiceName": "", "PodLabel": json.dumps([{"app": p.owner}]), "Type": "KubePodInventory"})
            for n in c.nodes:
                if n.created <= t:
                    nodes.append({"TimeGenerated": iso(t, 3), "Computer": n.name, "ClusterId": c.id, "ClusterName": c.name, "CreationTimeStamp": iso(n.created), "Status": "Ready", "Labels": json.dumps([{"topology.kubernetes.io/region": c.region}]),
                                  "LastTransitionTimeReady": iso(n.created + dt.timedelta(seconds=22)), "KubeletVersion": "v1.22.6", "Type": "KubeNodeInventory"})
            t += dt.timedelta(minutes=5)
        return pods, nodes

    def inventory_insights_cli(self, c, folder):
        pods, nodes = self.inventory_rows(c)
        (folder / "pod_inventory.json").write_text(json.dumps([dict({k: str(v) for k, v in r.items()}, TableName="PrimaryResult") for r in pods]))
        (folder / "node_inventory.json").write_text(json.dumps([dict({k: str(v) for k, v in r.items()}, TableName="PrimaryResult") for r in nodes]))
        self.inventory_node_addresses(c, folder)

    def inventory_insights_csv(self, c, folder):
        pods, nodes = self.inventory_rows(c)
        (folder / "query_data.csv").write_text(portal_csv(pods, {"TimeGenerated", "PodCreationTimeStamp", "PodStartTime", "ContainerCreationTimeStamp"}))
        (folder / "query_data (1).csv").write_text(portal_csv(nodes, {"TimeGenerated", "CreationTimeStamp", "LastTransitionTimeReady"}))
        self.inventory_node_addresses(c, folder)

    def inventory_node_addresses(self, c, folder):
        # Container Insights does not know a node's address: people add kubectl get nodes.
        (folder / "nodes.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": [self.node_object(c, n) for n in c.nodes]}))

    def audit_events(self, c):
        for n in c.nodes:
            if n.created > self.begin:
                yield n.created, self.audit_event(n.created, "create", "nodes", "", n.name, self.node_object(c, n), f"system:node:{n.name}")
        for p in c.pods:
            if p.start > self.begin:
                t = p.start - dt.timedelta(seconds=4)
                body = self.pod_object(p)
                body.pop("status")
                yield t, self.audit_event(t, "create", "pods", p.ns, p.name, body, "system:serviceaccount:kube-system:daemon-set-controller")

    def audit_event(self, t, verb, resource, ns, name, body, user):
        return {"kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "RequestResponse", "auditID": "%032x" % self.rng.getrandbits(128), "stage": "ResponseComplete", "requestURI": f"/api/v1/{resource}", "verb": verb,
                "user": {"username": user, "groups": ["system:authenticated"]}, "sourceIPs": ["10.0.0.9"], "userAgent": "kube-controller-manager/v1.22.6",
                "objectRef": {"resource": resource, "name": name, **({"namespace": ns} if ns else {}), "apiVersion": "v1"}, "responseStatus": {"metadata": {}, "code": 201},
                "requestObject": body, "responseObject": body, "requestReceivedTimestamp": iso(t, 6), "stageTimestamp": iso(t, 6)}

    def audit_lines(self, c, folder):
        (folder / "audit.log").write_text("".join(json.dumps(e) + "\n" for _, e in sorted(self.audit_events(c), key=lambda x: x[0])))

    def audit_diagnostic(self, c, folder):
        lines = [json.dumps({"time": iso(t, 6), "category": "kube-audit-admin", "resourceId": c.id.upper(), "operationName": "Microsoft.ContainerService/managedClusters/diagnosticLogs/Read",
                             "properties": {"log": json.dumps(e), "stream": "stdout", "pod": "kube-apiserver-6c8f-x"}}) for t, e in sorted(self.audit_events(c), key=lambda x: x[0])]
        (folder / "PT1H_audit.json").write_text("\n".join(lines) + "\n")

    def coredns_lines(self, c):
        for t, pod, name, address in sorted(c.dns, key=lambda d: d[0]):
            t += dt.timedelta(seconds=self.dns_clock)
            qid = self.rng.randrange(65536)
            yield t, f'[INFO] {pod.ip}:{self.rng.randrange(30000, 60000)} - {qid} "A IN {name}. udp {len(name) + 29} false 512" NOERROR qr,rd,ra {len(name) * 2 + 60} 0.0{self.rng.randrange(1000, 9999)}s'

    def dns_kubectl(self, c, folder):
        (folder / "coredns.log").write_text("".join(f"{iso(t, 6)[:-1]}123Z {line}\n" for t, line in self.coredns_lines(c)))

    def dns_containerlog(self, c, folder):
        rows = [{"TimeGenerated": iso(t, 6), "Computer": c.nodes[0].name, "ContainerId": "c0ffee", "ContainerName": "coredns", "PodName": "coredns-845757d86-x2abc", "PodNamespace": "kube-system", "LogMessage": line,
                 "LogSource": "stdout", "LogLevel": "info", "_ResourceId": c.id.lower(), "Type": "ContainerLogV2", "TableName": "PrimaryResult"} for t, line in self.coredns_lines(c)]
        (folder / "containerlog.json").write_text(json.dumps(rows))

    def answers_zeek(self, c, folder):
        out = ["#separator \\x09", "#set_separator\t,", "#empty_field\t(empty)", "#unset_field\t-", "#path\tdns",
               "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\ttrans_id\trtt\tquery\tqclass\tqclass_name\tqtype\tqtype_name\trcode\trcode_name\tAA\tTC\tRD\tRA\tZ\tanswers\tTTLs\trejected",
               "#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tcount\tinterval\tstring\tcount\tstring\tcount\tstring\tcount\tstring\tbool\tbool\tbool\tbool\tcount\tvector[string]\tvector[interval]\tbool"]
        for t, pod, name, address in sorted(c.dns, key=lambda d: d[0]):
            out.append(f"{t.timestamp():.6f}\tC{self.rng.getrandbits(60):x}\t10.244.0.3\t5353\t168.63.129.16\t53\tudp\t{self.rng.randrange(65536)}\t0.002\t{name}\t1\tC_INTERNET\t1\tA\t0\tNOERROR\tF\tF\tT\tT\t0\t{address}\t60.0\tF")
        (folder / "dns.log").write_text("\n".join(out) + "\n")


def put(path, text, compress):
    if compress:
        (path.parent / (path.name + ".gz")).write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)


def portal_csv(rows, times):
    """The Azure portal's "Export to CSV": headers name the zone, times are M/D/YYYY, h:mm:ss.fff AM."""
    out = io.StringIO()
    columns = list(rows[0])
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow([c + " [UTC]" if c in times else c for c in columns])
    for r in rows:
        cells = []
        for c in columns:
            if c in times and r[c]:
                t = dt.datetime.fromisoformat(r[c].replace("Z", "+00:00"))
                cells.append(f"{t.month}/{t.day}/{t.year}, {t.hour % 12 or 12}:{t:%M:%S}.{t.microsecond // 1000:03d} {'AM' if t.hour < 12 else 'PM'}")
            else:
                cells.append(r[c])
        writer.writerow(cells)
    return "\ufeff" + out.getvalue()


def yaml_text(value, indent=0):
    """As kubectl prints it: block style, lists at the indent of their key."""
    pad = "  " * indent
    out = ""
    if isinstance(value, dict):
        for k, v in value.items():
            if isinstance(v, dict) and v:
                out += f"{pad}{k}:\n{yaml_text(v, indent + 1)}"
            elif isinstance(v, list) and v:
                out += f"{pad}{k}:\n" + "".join(item(v_, indent) for v_ in v)
            else:
                out += f"{pad}{k}: {scalar(v)}\n"
    return out


def item(v, indent):
    pad = "  " * indent
    if isinstance(v, dict):
        text = yaml_text(v, indent + 1)
        return f"{pad}- {text.lstrip()}" if text else f"{pad}- {{}}\n"
    return f"{pad}- {scalar(v)}\n"


def scalar(v):
    if v is None:
        return "null"
    if isinstance(v, bool):
        return "true" if v else "false"
    if isinstance(v, (int, float)):
        return str(v)
    if isinstance(v, (dict, list)):
        return "{}" if isinstance(v, dict) else "[]"
    return json.dumps(v) if v == "" or v[0] in "0123456789{[\"'&*!|>%@`-?:#" or ": " in v or v in ("true", "false", "null") or v[:4].isdigit() else v
