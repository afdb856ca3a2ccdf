"""A real Kubernetes on this machine for tests: control plane, nodes with kubelet, containerd and kube-proxy, an internet beside it.

    with cluster.running() as k:          # about ten seconds; everything is gone afterwards, also what a killed test left
        k.apply({"kind": "Deployment", …})
        k.kubectl("get", "pods", "-A")
        k.add_node()

By hand: cluster.py up (until Ctrl-C); cluster.py kubectl ARGUMENTS…; cluster.py clean.
"""
import contextlib
import json
import os
import pathlib
import subprocess
import sys
import time

import fabric
import images
import internet
import machine
import pki
from machine import PREFIX, STATE, run, start, wait_for

HERE = pathlib.Path(__file__).resolve().parent
NAME = "aks-test"
REGION = "canadacentral"
SUBSCRIPTION = "00000000-0000-4000-8000-000000000001"
SERVICES, DNS_SERVICE = "10.0.0.0/16", "10.0.0.10"
PODS = "10.244.0.0/16"
API = f"https://{fabric.CONTROL_ADDRESS}:6443"
INTERNET_PORTS = [80, 443, 8080, 9000]
PAUSE = "registry.example/pause:3.10"
IMAGES = [PAUSE, "registry.example/shop/web:1.0.0", "registry.example/shop/web:1.1.0", "registry.example/tools/client:2.4",
          "registry.example/monitor/agent:3.1.17"]
COREDNS = "registry.example/coredns:1.12.4"
# Names of the cluster are not kept: a question for one goes outside and comes back without an answer.
COREFILE = f""".:53 {{
  errors
  log
  cache 30
  forward . {internet.RESOLVER[0]}
}}
"""

# What a managed cluster's audit log has: secrets and configuration without their content, reads with the request, the rest in full.
AUDIT_POLICY = """apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- {level: None, users: ["system:kube-proxy"], verbs: [watch], resources: [{group: "", resources: [endpoints, services]}]}
- {level: None, userGroups: ["system:nodes"], verbs: [get], resources: [{group: "", resources: [nodes, nodes/status]}]}
- {level: None, users: ["system:kube-controller-manager", "system:kube-scheduler"], verbs: [get, list, watch]}
- {level: None, users: ["system:apiserver"]}
- {level: None, nonResourceURLs: ["/healthz*", "/readyz*", "/livez*", "/version", "/openapi*", "/api*"]}
- {level: None, resources: [{group: "", resources: [events]}, {group: events.k8s.io, resources: [events]}]}
- {level: None, resources: [{group: coordination.k8s.io, resources: [leases]}]}
- {level: Metadata, resources: [{group: "", resources: [secrets, configmaps, serviceaccounts/token]}, {group: authentication.k8s.io}]}
- {level: Request, verbs: [get, list, watch]}
- {level: RequestResponse}
"""


def programs():
    """The folder of Kubernetes' programs; builds them, or waits for the build that ./test began."""
    return pathlib.Path(subprocess.run([HERE.parent.parent / "scripts" / "kubernetes-build"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip())


class Node:
    """A node's namespaces (network, mounts, host name), its cgroup, and the programs in them. Its paths are those of any node."""

    def __init__(self, cluster, number):
        self.cluster, self.number = cluster, number
        self.name = f"aks-pool1-10000000-vmss{number - 1:06d}"
        self.address = fabric.node_address(number)
        self.cgroup = f"/{PREFIX}node-{number}"
        self.folder = STATE / f"node-{number}"
        self.folder.mkdir()

    def enter(self):
        """The words before a command that is to run on the node (as root, in the machine's process namespace)."""
        return ["nsenter", "--target", self.holder.pid, "--mount", "--net", "--uts", "--wdns=/", "--"]

    def run(self, *command, **options):
        return run(*self.enter(), *command, **options)

    def start(self, program, command):
        return self.cluster.start(f"{program}-{self.number}", [*self.enter(), *command], f"{self.cgroup}/system.slice/{program}.service")

    def boot(self, others):
        namespace = fabric.add_node(self.number, others)
        machine.make_cgroup(self.cgroup)
        # Folders that the programs write to by default are the node's own, and end with its last process.
        self.holder = start(f"node-{self.number}", [*fabric.enter(namespace), "unshare", "--mount", "--uts", "--propagation", "private", "sh", "-ec", f"""
            mount --make-rshared /
            for d in /run /var/lib /var/log; do mount -t tmpfs -o mode=755 node $d; done
            mkdir -p /run/lock /var/lib/kubelet/pki /var/log/pods /var/log/containers
            hostname {self.name}
            touch {self.folder}/booted
            exec sleep infinity"""])
        wait_for(f"{self.name}'s namespaces", (self.folder / "booted").exists, 20)
        # nsenter and unshare replace themselves, so the process that was started is the one that holds the namespaces.
        self._write_configuration()
        self.start("containerd", ["containerd", "-c", self.folder / "containerd.toml"])

    def join(self):
        wait_for(f"containerd of {self.name}", lambda: self._try("ctr", "version"), 60)
        for image in sorted((STATE / "images").glob("*.tar")):
            self.run("ctr", "-n", "k8s.io", "images", "import", image)
        for name, digest in self.cluster.digests.items():  # as after a pull, so that a container's status says repository@digest
            self.run("ctr", "-n", "k8s.io", "images", "tag", name, f"{name.rsplit(':', 1)[0]}@{digest}")
        bin_folder = self.cluster.programs
        self.start("kubelet", [bin_folder / "kubelet", f"--config={self.folder}/kubelet.yaml", f"--kubeconfig={STATE}/pki/node-{self.number}.kubeconfig",
                               f"--hostname-override={self.name}", f"--node-ip={self.address}",
                               f"--node-labels=kubernetes.azure.com/cluster=MC_test_{NAME}_{REGION},topology.kubernetes.io/region={REGION},agentpool=pool1"])
        self.start("kube-proxy", [bin_folder / "kube-proxy", f"--config={self.folder}/proxy.yaml"])

    def ready(self):
        return self.cluster.node_states().get(self.name) == "True"

    def static_pod(self, name, manifest):
        """Kubelet runs it without being asked by the API server, which shows a mirror of it."""
        written = self.folder / "static" / f".{name}"  # kubelet leaves hidden files alone
        written.write_text(json.dumps(manifest))
        written.rename(self.folder / "static" / f"{name}.json")

    def end_static_pod(self, name):
        (self.folder / "static" / f"{name}.json").unlink()

    def _try(self, *command):
        with contextlib.suppress(RuntimeError):
            return self.run(*command)

    def _write_configuration(self):
        certificate = f"{STATE}/pki/node-{self.number}"
        self.cluster.authority.kubeconfig(f"node-{self.number}", f"system:node:{self.name}", ["system:nodes"],
                                          hosts=[f"DNS:{self.name}", f"IP:{self.address}", "IP:127.0.0.1"])
        # restrict_oom_score_adj: without CAP_SYS_RESOURCE nobody may lower a process's score.
        (self.folder / "containerd.toml").write_text(f"""version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE}"
  disable_tcp_service = true
  restrict_oom_score_adj = true
  disable_hugetlb_controller = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{self.folder}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
""")
        (self.folder / "static").mkdir()
        (self.folder / "cni").mkdir()
        (self.folder / "cni" / "10-bridge.conflist").write_text(json.dumps({"cniVersion": "1.0.0", "name": "pods", "plugins": [
            {"type": "bridge", "bridge": "cbr0", "isGateway": True, "ipMasq": False, "hairpinMode": True,
             "ipam": {"type": "host-local", "ranges": [[{"subnet": fabric.pod_network(self.number)}]], "routes": [{"dst": "0.0.0.0/0"}]}},
            {"type": "portmap", "capabilities": {"portMappings": True}}]}))
        # JSON is YAML.
        (self.folder / "kubelet.yaml").write_text(json.dumps({
            "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration", "address": self.address,
            "authentication": {"anonymous": {"enabled": False}, "webhook": {"enabled": True}, "x509": {"clientCAFile": f"{STATE}/pki/ca.crt"}},
            "authorization": {"mode": "Webhook"}, "tlsCertFile": f"{certificate}.crt", "tlsPrivateKeyFile": f"{certificate}.key",
            "cgroupDriver": "cgroupfs", "cgroupRoot": self.cgroup, "failCgroupV1": False, "failSwapOn": False, "enforceNodeAllocatable": ["pods"],
            "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock", "clusterDNS": [DNS_SERVICE], "clusterDomain": "cluster.local",
            "resolvConf": "", "staticPodPath": f"{self.folder}/static", "nodeStatusUpdateFrequency": "5s", "readOnlyPort": 0, "imageGCHighThresholdPercent": 100,
            "evictionHard": {"memory.available": "50Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
            "providerID": f"azure:///subscriptions/{SUBSCRIPTION}/resourceGroups/mc_test_{NAME}_{REGION}/providers/Microsoft.Compute/"
                          f"virtualMachineScaleSets/aks-pool1-10000000-vmss/virtualMachines/{self.number - 1}"}))
        (self.folder / "proxy.yaml").write_text(json.dumps({
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1", "kind": "KubeProxyConfiguration", "hostnameOverride": self.name, "mode": "iptables",
            "clientConnection": {"kubeconfig": f"{STATE}/pki/kube-proxy.kubeconfig"}, "clusterCIDR": PODS, "bindAddress": self.address,
            # Limits of connection tracking are the whole machine's: left alone.
            "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"}}))


class Cluster:
    def __init__(self):
        self.name = NAME
        self.nodes = []
        self.processes = {}
        self.contacts_file = STATE / "contacts.ndjson"
        self.names_file = STATE / "names.json"  # what the internet's resolver answers: {"name": "address"}
        self.audit_file = STATE / "audit" / "audit.log"
        self.kubeconfig = STATE / "pki" / "admin.kubeconfig"

    def start(self, name, command, cgroup=None):
        self.processes[name] = start(name, command, cgroup)
        return self.processes[name]

    def up(self, nodes=2):
        self.programs = programs()
        fabric.build()
        self.authority = pki.Authority(STATE / "pki", API)
        self._make_images()
        self.names_file.write_text("{}")
        self.start("internet", [*fabric.enter(fabric.INTERNET), sys.executable, HERE / "internet.py", self.contacts_file, self.names_file, *INTERNET_PORTS])
        self._start_control_plane()
        machines = [self._new_node() for _ in range(nodes)]  # containerd starts while the API server does
        self._wait("the API server", lambda: self._try("get", "--raw", "/readyz") == "ok")
        self._start_controllers()
        for node in machines:
            node.join()
        for node in machines:
            self._wait(f"{node.name} to be Ready", node.ready)
        self._wait("the default ServiceAccount", lambda: self._try("-n", "default", "get", "serviceaccount", "default"))

    def add_node(self, first=lambda node: None):
        """A further node joins; returns when it is Ready. `first` is called when the node has booted and nothing runs on it yet."""
        node = self._new_node()
        first(node)
        node.join()
        self._wait(f"{node.name} to be Ready", node.ready)
        return node

    def kubectl(self, *arguments, stdin=None):
        return self._kubectl(arguments, stdin, check=True)

    def get(self, *arguments):
        return json.loads(self.kubectl("get", *arguments, "-o", "json"))

    def apply(self, *objects):
        self.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)}))

    def wait(self, what, check, seconds=90):
        """Waits for something true of the cluster, and fails at once when one of its programs has ended."""
        return self._wait(what, check, seconds)

    def add_dns(self):
        """CoreDNS as clusters have it, with its `log` plugin on; it asks the internet's resolver."""
        space, labels = "kube-system", {"k8s-app": "kube-dns"}
        self.apply(
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "coredns", "namespace": space}, "data": {"Corefile": COREFILE}},
            {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "kube-dns", "namespace": space, "labels": labels},
             "spec": {"selector": labels, "clusterIP": DNS_SERVICE, "ports": [{"name": p.lower(), "port": 53, "protocol": p} for p in ("UDP", "TCP")]}},
            {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "coredns", "namespace": space, "labels": labels},
             "spec": {"replicas": 2, "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": {
                 "dnsPolicy": "Default", "volumes": [{"name": "config", "configMap": {"name": "coredns"}}],
                 "containers": [{"name": "coredns", "image": COREDNS, "command": ["/bin/coredns", "-conf", "/etc/coredns/Corefile"],
                                 "volumeMounts": [{"name": "config", "mountPath": "/etc/coredns"}]}]}}}})
        self.kubectl("-n", space, "rollout", "status", "deployment/coredns", "--timeout=90s")

    def answer(self, names):
        """What the internet's resolver answers from now on: {"name": "address"}."""
        self.names_file.write_text(json.dumps(names))

    def environment(self):
        """For commands that a user would type: kubectl on the PATH, with a context named as the cluster. Run them through `outside()`."""
        return dict(os.environ, PATH=f"{self.programs}:{os.environ['PATH']}", KUBECONFIG=str(self.kubeconfig))

    def outside(self):
        """The words before a command that talks to the API server, as from a user's machine."""
        return fabric.enter(fabric.CONTROL)

    def contacts(self):
        """What reached the internet so far: see internet.py."""
        return [json.loads(line) for line in self.contacts_file.read_text().splitlines()] if self.contacts_file.exists() else []

    def node_states(self):
        return {n["metadata"]["name"]: next((c["status"] for c in n["status"].get("conditions", []) if c["type"] == "Ready"), "Unknown")
                for n in self.get("nodes")["items"]}

    # ---

    def _kubectl(self, arguments, stdin, check):
        process = subprocess.run([*self.outside(), self.programs / "kubectl", "--kubeconfig", self.kubeconfig, *map(str, arguments)], text=True,
                                 capture_output=True, **({"input": stdin} if stdin is not None else {"stdin": subprocess.DEVNULL}))
        if process.returncode == 0:
            return process.stdout
        if check:
            raise RuntimeError(f"kubectl {' '.join(map(str, arguments))}: exit {process.returncode}\n{process.stderr}")
        return None

    def _try(self, *arguments):
        return self._kubectl(arguments, None, check=False)

    def _wait(self, what, check, seconds=120):
        def checked():
            for name, process in self.processes.items():
                if process.poll() is not None:
                    tail = (STATE / "log" / f"{name}.log").read_text(errors="replace")[-2000:]
                    raise RuntimeError(f"{name} ended with {process.returncode}:\n{tail}")
            return check()
        return wait_for(what, checked, seconds, 0.2)

    def _new_node(self):
        node = Node(self, len(self.nodes) + 1)
        node.boot([n.number for n in self.nodes])
        self.nodes.append(node)
        return node

    def _make_images(self):
        folder = STATE / "images"
        folder.mkdir()
        self.digests = {name: images.write_image(folder / f"{i}.tar", name, ["/bin/sleep", "2147483647"], version=name) for i, name in enumerate(IMAGES)}
        self.digests[COREDNS] = images.write_image(folder / "coredns.tar", COREDNS, ["/bin/coredns"], programs={"coredns": self.programs / "coredns"})

    def _start_control_plane(self):
        a, p = self.authority, STATE / "pki"
        a.issue("apiserver", "kube-apiserver", hosts=["DNS:kubernetes", "DNS:kubernetes.default", "DNS:kubernetes.default.svc",
                                                      "DNS:kubernetes.default.svc.cluster.local", "DNS:localhost", "IP:127.0.0.1", "IP:10.0.0.1",
                                                      f"IP:{fabric.CONTROL_ADDRESS}"])
        a.issue("apiserver-kubelet", "kube-apiserver-kubelet-client", ["system:masters"])
        a.issue("front-proxy", "front-proxy-client")
        a.kubeconfig("admin", "masterclient", ["system:masters"], context=NAME)
        a.kubeconfig("kube-controller-manager", "system:kube-controller-manager")
        a.kubeconfig("kube-scheduler", "system:kube-scheduler")
        a.kubeconfig("kube-proxy", "system:kube-proxy")
        (STATE / "audit").mkdir()
        (STATE / "audit" / "policy.yaml").write_text(AUDIT_POLICY)
        inside = fabric.enter(fabric.CONTROL)
        self.start("etcd", [*inside, self.programs / "etcd", "--data-dir", STATE / "etcd", "--listen-client-urls", "http://127.0.0.1:2379",
                            "--advertise-client-urls", "http://127.0.0.1:2379", "--listen-peer-urls", "http://127.0.0.1:2380",
                            "--initial-advertise-peer-urls", "http://127.0.0.1:2380", "--initial-cluster", "default=http://127.0.0.1:2380",
                            "--unsafe-no-fsync"])
        self.start("kube-apiserver", [
            *inside, self.programs / "kube-apiserver", "--etcd-servers=http://127.0.0.1:2379", "--secure-port=6443",
            f"--advertise-address={fabric.CONTROL_ADDRESS}", f"--tls-cert-file={p}/apiserver.crt", f"--tls-private-key-file={p}/apiserver.key",
            f"--client-ca-file={p}/ca.crt", f"--kubelet-client-certificate={p}/apiserver-kubelet.crt", f"--kubelet-client-key={p}/apiserver-kubelet.key",
            f"--kubelet-certificate-authority={p}/ca.crt", "--kubelet-preferred-address-types=InternalIP",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local", f"--service-account-key-file={p}/sa.pub",
            f"--service-account-signing-key-file={p}/sa.key", f"--requestheader-client-ca-file={p}/ca.crt",
            "--requestheader-allowed-names=front-proxy-client", "--requestheader-extra-headers-prefix=X-Remote-Extra-",
            "--requestheader-group-headers=X-Remote-Group", "--requestheader-username-headers=X-Remote-User",
            f"--proxy-client-cert-file={p}/front-proxy.crt", f"--proxy-client-key-file={p}/front-proxy.key", "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction", "--allow-privileged=true", f"--service-cluster-ip-range={SERVICES}",
            f"--audit-policy-file={STATE}/audit/policy.yaml", f"--audit-log-path={self.audit_file}", "--audit-log-mode=blocking", "--profiling=false"])

    def _start_controllers(self):
        inside, p = fabric.enter(fabric.CONTROL), STATE / "pki"
        for program, more in {
            "kube-controller-manager": [f"--root-ca-file={p}/ca.crt", f"--service-account-private-key-file={p}/sa.key", f"--cluster-cidr={PODS}",
                                        "--use-service-account-credentials=true", f"--cluster-signing-cert-file={p}/ca.crt",
                                        f"--cluster-signing-key-file={p}/ca.key"],
            "kube-scheduler": []}.items():
            config = f"{p}/{program}.kubeconfig"
            self.start(program, [*inside, self.programs / program, f"--kubeconfig={config}", f"--authentication-kubeconfig={config}",
                                 f"--authorization-kubeconfig={config}", "--bind-address=127.0.0.1", "--leader-elect=false", *more])


@contextlib.contextmanager
def running(nodes=2):
    with machine.reserved():
        cluster = Cluster()
        cluster.up(nodes)
        yield cluster


def main(arguments):
    match arguments:
        case ["up"]:
            began = time.monotonic()
            with running() as k:
                print(f"ready after {time.monotonic() - began:.1f} s: {', '.join(k.node_states())}; Ctrl-C ends it", flush=True)
                with contextlib.suppress(KeyboardInterrupt):
                    while True:
                        time.sleep(3600)
        case ["kubectl", *rest]:
            os.execvp("nsenter", [*fabric.enter(fabric.CONTROL), str(programs() / "kubectl"), "--kubeconfig", str(STATE / "pki" / "admin.kubeconfig"), *rest])
        case ["clean"]:
            machine.clean()
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
