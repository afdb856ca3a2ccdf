"""What a user exports for Egret from the test cluster: by the commands that `egret collect` prints, and as Azure would have logged it."""
import datetime as dt
import json
import subprocess

from cluster import NAME, REGION, SUBSCRIPTION

RESOURCE = f"/subscriptions/{SUBSCRIPTION}/resourcegroups/test/providers/microsoft.containerservice/managedclusters/{NAME}"


def iso(seconds):
    return dt.datetime.fromtimestamp(seconds, dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def collect(egret, cluster, out):
    """Runs every kubectl command that `egret collect` prints, exactly as printed; gives them. (There is no Azure for those of az.)"""
    steps = egret("collect", "--print", "--cluster", cluster.name, "--since", "1h", "--out", out, "--format", "json").json()
    commands = [c for step in steps for c in step["commands"] if not c.startswith("az ")]
    for command in commands:
        process = subprocess.run([*cluster.outside(), "sh", "-c", command], env=cluster.environment(), capture_output=True, text=True, cwd=out.parent)
        assert process.returncode == 0, f"{command}\n{process.stderr}"
    return commands


def audit_events(cluster):
    return [json.loads(line) for line in cluster.audit_file.read_text().splitlines()]


def kube_audit_blob(cluster, path):
    """Diagnostic setting kube-audit to a storage account: one record a line, the event as a text inside."""
    path.write_text("".join(json.dumps({
        "time": e["stageTimestamp"], "category": "kube-audit", "ccpNamespace": "64b1c5e0", "resourceId": RESOURCE.upper(),
        "operationName": "Microsoft.ContainerService/managedClusters/diagnosticLogs/Read",
        "properties": {"log": json.dumps(e) + "\n", "stream": "stdout", "pod": "kube-apiserver-7d9b6c4f5-x2v8k", "containerID": "0" * 64}}) + "\n"
        for e in audit_events(cluster)))


def audit_admin_rows(cluster, path):
    """Table AKSAuditAdmin as `az monitor log-analytics query` prints it: no reads, every value a text."""
    def text(value):
        return value if isinstance(value, str) else json.dumps(value)
    path.write_text(json.dumps([{
        "TableName": "PrimaryResult", "TimeGenerated": e["requestReceivedTimestamp"], "Level": e["level"], "AuditId": e["auditID"], "Stage": e["stage"],
        "RequestUri": e["requestURI"], "Verb": e["verb"], "User": text(e["user"]), "SourceIps": text(e.get("sourceIPs", [])), "UserAgent": e.get("userAgent", ""),
        "ObjectRef": text(e.get("objectRef", {})), "ResponseStatus": text(e.get("responseStatus", {})), "RequestObject": text(e.get("requestObject", "")),
        "ResponseObject": text(e.get("responseObject", "")), "RequestReceivedTime": e["requestReceivedTimestamp"], "StageReceivedTime": e["stageTimestamp"],
        "Annotations": text(e.get("annotations", {})), "PodName": "kube-apiserver-7d9b6c4f5-x2v8k", "_ResourceId": RESOURCE, "Type": "AKSAuditAdmin"}
        for e in audit_events(cluster) if e["verb"] not in ("get", "list", "watch")]))


def firewall_rows(cluster, path):
    """Table AZFWNetworkRule: what reached the internet, with the node's address as everybody there sees it."""
    path.write_text(json.dumps([{
        "TableName": "PrimaryResult", "TimeGenerated": iso(c["time"]), "Protocol": c["protocol"], "SourceIp": c["source"], "SourcePort": str(c["source_port"]),
        "DestinationIp": c["destination"], "DestinationPort": str(c["port"]), "Action": "Allow", "Policy": "egress", "RuleCollectionGroup": "default",
        "RuleCollection": "all", "Rule": "all", "Type": "AZFWNetworkRule"} for c in cluster.contacts()]))


def defender_alert(contact, node, path):
    """The alert that began it all: a node talked to an address on a list."""
    began = iso(contact["time"])
    path.write_text(json.dumps([{
        "TableName": "PrimaryResult", "TimeGenerated": iso(contact["time"] + 1800), "AlertName": "Network communication with a malicious machine detected",
        "DisplayName": "Network communication with a malicious machine detected", "AlertSeverity": "Medium", "AlertType": "Network_CommunicationWithC2",
        "ProviderName": "Azure Security Center", "VendorName": "Microsoft", "ProductName": "Microsoft Defender for Cloud", "SystemAlertId": "2518-kube-1",
        "StartTime": began, "EndTime": began, "Status": "New", "CompromisedEntity": node.name, "Tactics": "CommandAndControl",
        "ResourceId": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/MC_test_{NAME}_{REGION}/providers/Microsoft.Compute/virtualMachineScaleSets/aks-pool1-10000000-vmss",
        "ExtendedProperties": json.dumps({"Victim IP": node.address, "Attacker IP": contact["destination"]}),
        "Entities": json.dumps([{"$id": "1", "HostName": node.name, "Type": "host"}, {"$id": "2", "Address": contact["destination"], "Type": "ip"}]),
        "Type": "SecurityAlert"}]))


