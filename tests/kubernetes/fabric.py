"""The network: a namespace for the control plane, one for each node, one for the internet, and one that joins them as a router.

None of them has an interface in the machine's own namespace, so nothing in a pod reaches a real host, whatever address it uses. Every
address that is not the cluster's leads to the internet's namespace, where one server answers for all of them (internet.py). The router
knows no route to pods: what leaves a node with a pod's address is never answered, and so only masqueraded traffic works.
"""
import pathlib

from machine import PREFIX, run

CONTROL, INTERNET, ROUTER = (PREFIX + n for n in ("control", "internet", "router"))
NODES_NETWORK = "10.224.0.0/16"
CONTROL_ADDRESS = "10.224.0.2"
PRIVATE = "10.0.0.0/8"  # nodes, pods, services


def node_address(number):
    return f"10.224.0.{10 + number}"


def pod_network(number):
    return f"10.244.{number}.0/24"


def enter(namespace):
    """The words before a command that is to run in that network namespace. Not `ip netns exec`: that hides /sys/fs/cgroup."""
    return ["nsenter", f"--net=/run/netns/{namespace}"]


def _sysctl(namespace, name, value):
    run(*enter(namespace), "sh", "-c", f"echo {value} > /proc/sys/{name.replace('.', '/')}")


def _namespace(name):
    run("ip", "netns", "add", name)
    run("ip", "-n", name, "link", "set", "lo", "up")


def _plug(namespace, port, address):
    """A cable from the namespace's eth0 to the nodes' switch."""
    run("ip", "link", "add", port, "netns", ROUTER, "type", "veth", "peer", "name", "eth0", "netns", namespace)
    run("ip", "-n", ROUTER, "link", "set", port, "master", "nodes", "up")
    run("ip", "-n", namespace, "address", "add", f"{address}/16", "dev", "eth0")
    run("ip", "-n", namespace, "link", "set", "eth0", "up")
    run("ip", "-n", namespace, "route", "add", "default", "via", "10.224.0.1")


def build():
    for name in (ROUTER, CONTROL, INTERNET):
        _namespace(name)
    run("ip", "-n", ROUTER, "link", "add", "nodes", "type", "bridge")
    run("ip", "-n", ROUTER, "address", "add", "10.224.0.1/16", "dev", "nodes")
    run("ip", "-n", ROUTER, "link", "set", "nodes", "up")
    _plug(CONTROL, "control", CONTROL_ADDRESS)
    run("ip", "link", "add", "internet", "netns", ROUTER, "type", "veth", "peer", "name", "eth0", "netns", INTERNET)
    run("ip", "-n", ROUTER, "address", "add", "192.0.2.1/30", "dev", "internet")
    run("ip", "-n", ROUTER, "link", "set", "internet", "up")
    run("ip", "-n", ROUTER, "route", "add", "default", "via", "192.0.2.2")
    run("ip", "-n", INTERNET, "address", "add", "192.0.2.2/30", "dev", "eth0")
    run("ip", "-n", INTERNET, "link", "set", "eth0", "up")
    run("ip", "-n", INTERNET, "route", "add", NODES_NETWORK, "via", "192.0.2.1")
    run("ip", "-n", INTERNET, "route", "add", "local", "default", "dev", "lo", "table", "main")
    _sysctl(ROUTER, "net.ipv4.ip_forward", 1)


def add_node(number, others):
    """The node's network namespace, with routes from and to the pods of the nodes that are there already. Gives its name."""
    name = f"{PREFIX}node-{number}"
    _namespace(name)
    _plug(name, f"node-{number}", node_address(number))
    _sysctl(name, "net.ipv4.ip_forward", 1)
    for other in others:
        run("ip", "-n", name, "route", "add", pod_network(other), "via", node_address(other))
        run("ip", "-n", f"{PREFIX}node-{other}", "route", "add", pod_network(number), "via", node_address(number))
    run("ip", "-n", CONTROL, "route", "add", pod_network(number), "via", node_address(number))
    # As ip-masq-agent has it on a managed cluster: pods keep their address among themselves, and CoreDNS sees who asks.
    run(*enter(name), "iptables", "-t", "nat", "-A", "POSTROUTING", "-s", pod_network(number), "!", "-d", PRIVATE, "-j", "MASQUERADE")
    return name


def interfaces_outside():
    """Interfaces of the machine's own namespace."""
    return sorted(p.name for p in pathlib.Path("/sys/class/net").iterdir())
