"""Questions that come from a node's address: of pods of its network, of its own processes, or of a cache that asks for all of its pods."""
import datetime as dt

import world


class Asker:
    """What coredns_lines() needs of a pod: the address that the question comes from."""

    def __init__(self, ip):
        self.ip = ip


def probabilities(answer):
    return {f"{c['namespace']}/{c['kind']}/{c['name']}": c["probability"] for c in answer["candidates"]}


def host_network_world(asks):
    """A workload of the node's network with one pod; the other three of its node run on every node."""
    w = world.World(5, culprit="search", trigger="request")
    c = w.affected
    c.flows = [f for f in c.flows if f[2] != w.address]
    c.dns = [d for d in c.dns if d[2] != w.name]
    node = c.nodes[1]
    scanner = world.Pod(c, "tools", "Deployment", "scanner", node, w.begin - dt.timedelta(days=2), host_network=True)
    c.pods.append(scanner)
    for i in range(6):
        t = w.t0 + dt.timedelta(minutes=7 * i, seconds=i)
        w.flow(c, t, scanner, w.address, 80, 390, 720)
        if asks:
            c.dns.append((t - dt.timedelta(milliseconds=60), scanner, w.name, w.address))
    w.first = min(f[0] for f in c.flows if f[2] == w.address)
    return w


def test_a_question_of_the_nodes_address_is_of_those_that_share_it(egret, tmp_path):
    got = {}
    for asks in (False, True):
        w = host_network_world(asks)
        answer = egret("investigate", w.write(tmp_path / f"logs-{asks}"), "--format", "json").json()
        p = probabilities(answer)
        sharing = {f"{pod.ns}/{pod.kind}/{pod.owner}" for pod in w.affected.pods if pod.host_network and pod.node is w.affected.nodes[1]}
        got[asks] = sum(v for k, v in p.items() if k in sharing or k.startswith("node/HostProcess/")), p
    assert got[True][0] > 0.9 and got[True][0] > got[False][0], got
    # None of those that share it is named for certain by that alone.
    assert not any(v > 0.9 for k, v in got[True][1].items() if k.startswith("kube-system/")), got


def test_behind_a_cache_on_every_node_the_question_may_be_any_pods(egret, tmp_path):
    w = world.World(6, culprit="search", trigger="request")
    for c in w.clusters:
        c.dns = [(t, Asker(pod.node.ip), name, address) for t, pod, name, address in c.dns]
        for node in c.nodes:
            c.pods.append(world.Pod(c, "kube-system", "DaemonSet", "node-local-dns", node, node.created + dt.timedelta(seconds=40), host_network=True))
    answer = egret("investigate", w.write(tmp_path / "logs"), "--format", "json").json()
    p = probabilities(answer)
    there = {f"{pod.ns}/{pod.kind}/{pod.owner}" for pod in w.affected.pods if pod.owner == "search"}.pop()
    # The owner's pods are on the two nodes that made contacts; what runs there too is not told from it, what runs elsewhere is out.
    assert p[there] == max(p.values()), p
    assert max(v for k, v in p.items() if "node-local-dns" in k) <= p[there], p
