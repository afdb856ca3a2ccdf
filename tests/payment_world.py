"""The payment pod, in the same hand-sized way as world.py: a release brings a hole, requests with encoded internal addresses come in, and far
more HTTPS than ever goes to an address that nobody talked to before."""
import copy
import datetime as dt
import json

from world import Cluster, Node, Pod, World, iso

PAYLOADS = ["/api/invoice?callback=http%3A%2F%2F169.254.169.254%2Fmetadata%2Fidentity%2Foauth2%2Ftoken%3Fapi-version%3D2018-02-01",
            "/api/invoice?callback=http%253A%252F%252F169.254.169.254%252Fmetadata%252Finstance%253Fapi-version%253D2021-02-01",
            "/api/invoice?callback=http%3A%2F%2F2852039166%2Fmetadata%2Finstance"]


class PaymentWorld(World):
    def __init__(self, seed=1, culprit="payments", address="185.220.101.47", region="canadacentral", versions=("4.2.0", "4.2.1", "4.3.0"), quiet_releases=True):
        self.versions, self.quiet_releases = versions, quiet_releases
        super().__init__(seed, culprit, "", address, region, "release")

    def populate(self, c):
        super().populate(c)

    def happen(self):
        c = self.affected
        # the culprit's old pods end where the new ones start; 4.2.1 ran two hours without a contact, 4.3.0 brought it
        self.deployed = [self.begin - dt.timedelta(days=17), self.t0 - dt.timedelta(hours=3), self.t0 - dt.timedelta(minutes=40)]
        c.pods = [p for p in c.pods if p.owner != self.culprit]
        c.dns = [d for d in c.dns if d[1].owner != self.culprit]
        c.flows = [f for f in c.flows if f[1].owner != self.culprit]
        self.revisions = []
        for i, (version, start) in enumerate(zip(self.versions, self.deployed)):
            digest = "sha256:" + "%064x" % self.rng.getrandbits(256)
            image = f"registry.example.com/{self.culprit}:{version}"
            pods = [Pod(c, self.culprit, "Deployment", self.culprit, c.nodes[k], start + dt.timedelta(seconds=9 + k), image=image) for k in range(2)]
            pods[1].hash = pods[0].hash
            for k, p in enumerate(pods):
                p.name = f"{self.culprit}-{p.hash}-x{i}y{k}z"
                p.end = self.deployed[i + 1] + dt.timedelta(seconds=40) if i + 1 < len(self.versions) else None
            self.revisions.append({"version": version, "image": image, "digest": digest, "start": start, "pods": pods, "hash": pods[0].hash})
            c.pods += pods
        for r in self.revisions:
            for p in r["pods"]:
                stop = p.end or self.end
                t = max(p.start, self.begin)
                while t < stop:
                    c.dns.append((t, p, "pay.example.net", "203.0.113.12"))
                    self.flow(c, t + dt.timedelta(milliseconds=30), p, "203.0.113.12", 443, 2100, 1900)
                    t += dt.timedelta(minutes=11)
        self.requests = []
        pod = self.revisions[-1]["pods"][0]
        for i in range(40):
            t = self.t0 + dt.timedelta(seconds=45 * i)
            self.requests.append((t, pod, PAYLOADS[i % len(PAYLOADS)]))
            self.flow(c, t + dt.timedelta(seconds=1), pod, self.address, 443, 480_000 + self.rng.randrange(90_000), 3200)
        for i in range(30):  # ordinary requests before and after
            t = self.begin + dt.timedelta(minutes=9 * i)
            at = max((r for r in self.revisions if r["start"] + dt.timedelta(minutes=1) < t), key=lambda r: r["start"])
            self.requests.append((t, at["pods"][i % 2], f"/api/invoice?id={i}"))
        self.first = min(f[0] for f in c.flows if f[2] == self.address)

    def alert_row(self):
        row = super().alert_row()
        return row

    def pod_object(self, pod):
        body = super().pod_object(pod)
        if pod.owner == self.culprit and pod.cluster is self.affected:
            spec = body["spec"]
            spec["volumes"] = [{"name": "db", "secret": {"secretName": "payments-db"}}]
            spec["containers"][0]["volumeMounts"] = [{"name": "db", "mountPath": "/var/db"}]
            spec["containers"][0]["env"] = [{"name": "GATEWAY_KEY", "valueFrom": {"secretKeyRef": {"name": "gateway-key", "key": "key"}}}]
        return body

    def write(self, root, **formats):
        live = self.affected.pods
        formats.setdefault("answers", True)
        super().write(root, **formats)
        folder = root / self.affected.name
        # what kubectl shows at the end: only the pods that still run
        running = [p for p in live if not p.end]
        (folder / "pods.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": [self.pod_object(p) for p in running]}))
        (folder / "replicasets.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": self.replica_sets_of_culprit() + [r for r in self.replica_sets(self.affected) if r["metadata"]["labels"]["app"] != self.culprit]}))
        (folder / "deployments.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": [self.deployment(self.revisions[-1], 3)]}))
        self.envoy(folder)
        self.key_vault(root)
        return root

    def template(self, r):
        return {"metadata": {"labels": {"app": self.culprit}}, "spec": {
            "serviceAccountName": "payments", "volumes": [{"name": "db", "secret": {"secretName": "payments-db"}}],
            "containers": [{"name": "main", "image": r["image"], "env": [{"name": "GATEWAY_KEY", "valueFrom": {"secretKeyRef": {"name": "gateway-key", "key": "key"}}}]}]}}

    def deployment(self, r, revision):
        return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": self.culprit, "namespace": self.culprit, "uid": "u-d-" + self.culprit, "creationTimestamp": iso(self.deployed[0]), "generation": revision,
                "labels": {"app": self.culprit, "criticality": "high"}, "annotations": {"deployment.kubernetes.io/revision": str(revision)}},
                "spec": {"replicas": 2, "selector": {"matchLabels": {"app": self.culprit}}, "template": self.template(r)}, "status": {"replicas": 2, "readyReplicas": 2}}

    def replica_sets_of_culprit(self):
        out = []
        for i, r in enumerate(self.revisions):
            out.append({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": f"{self.culprit}-{r['hash']}", "namespace": self.culprit, "uid": f"u-{i}", "creationTimestamp": iso(r["start"]),
                        "labels": {"app": self.culprit, "pod-template-hash": r["hash"]}, "annotations": {"deployment.kubernetes.io/revision": str(i + 1)},
                        "ownerReferences": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": self.culprit, "uid": "u-d-" + self.culprit, "controller": True}]},
                        "spec": {"replicas": 2 if i + 1 == len(self.revisions) else 0, "template": self.template(r)}})
        return out

    def audit_events(self, c):
        yield from super().audit_events(c)
        if c is not self.affected:
            return
        for i, r in enumerate(self.revisions):
            if r["start"] > self.begin:
                e = self.audit_event(r["start"] - dt.timedelta(seconds=2), "update", "deployments", self.culprit, self.culprit, self.deployment(r, i + 1), "deployer@example.com")
                e["objectRef"]["apiGroup"] = "apps"
                yield r["start"] - dt.timedelta(seconds=2), e
                rs = self.replica_sets_of_culprit()[i]
                e = self.audit_event(r["start"], "create", "replicasets", self.culprit, rs["metadata"]["name"], rs, "system:serviceaccount:kube-system:deployment-controller")
                e["objectRef"]["apiGroup"] = "apps"
                yield r["start"], e
            for p in r["pods"]:
                if p.end and p.end > self.begin:
                    e = self.audit_event(p.end, "delete", "pods", self.culprit, p.name, copy.deepcopy(self.pod_object(p)), "system:serviceaccount:kube-system:replicaset-controller")
                    yield p.end, e

    def envoy(self, folder):
        lines = {}
        for t, pod, path in sorted(self.requests, key=lambda x: x[0]):
            lines.setdefault(pod.name, []).append(json.dumps({
                "start_time": iso(t, 3), "method": "GET", "path": path, "protocol": "HTTP/1.1", "response_code": 200, "response_flags": "-", "response_code_details": "via_upstream", "bytes_received": 0,
                "bytes_sent": 2400, "duration": 31, "upstream_service_time": "30", "x_forwarded_for": "198.51.100.9", "user_agent": "curl/7.88", "request_id": "%032x" % self.rng.getrandbits(128),
                "authority": "pay.shop.example", "upstream_host": f"{pod.ip}:8080", "upstream_cluster": "inbound|8080||", "upstream_local_address": "127.0.0.6:51235",
                "downstream_local_address": f"{pod.ip}:8080", "downstream_remote_address": "10.244.0.77:40000", "requested_server_name": None, "route_name": "default"}))
        for name, rows in lines.items():
            (folder / f"{self.culprit}_{name}_istio-proxy.log").write_text("\n".join(rows) + "\n")

    def key_vault(self, root):
        rows = []
        for i, secret in enumerate(("payments-db-password", "gateway-api-key")):
            t = self.t0 + dt.timedelta(minutes=3 + i)
            rows.append(json.dumps({"time": iso(t, 7), "category": "AuditEvent", "operationName": "SecretGet", "resultType": "Success", "resultSignature": "OK", "callerIpAddress": "20.48.1.9", "correlationId": "x",
                                    "resourceId": "/SUBSCRIPTIONS/6B2F1A3C-0000-4000-8000-0123456789AB/RESOURCEGROUPS/RG-PAY/PROVIDERS/MICROSOFT.KEYVAULT/VAULTS/KV-PAYMENTS",
                                    "identity": {"claim": {"appid": "0a1b2c3d-0000-4000-8000-00000000abcd", "xms_mirid": f"/subscriptions/6b2f1a3c-0000-4000-8000-0123456789ab/resourcegroups/{self.affected.group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/payments-identity"}},
                                    "properties": {"id": f"https://kv-payments.vault.azure.net/secrets/{secret}/0123456789abcdef", "clientInfo": "azsdk-net", "requestUri": f"https://kv-payments.vault.azure.net/secrets/{secret}", "httpStatusCode": 200}}))
        (root / "keyvault_audit.json").write_text("\n".join(rows) + "\n")


__all__ = ["PaymentWorld", "Cluster", "Node", "Pod"]
