"""A pod's program for the tests of blocking: does what each line of standard input says, and answers with one line of JSON."""
import errno
import json
import socket
import sys

held = {}


def outcome(work):
    try:
        return work() or "ok"
    except socket.timeout:
        return "timeout"
    except OSError as e:
        return errno.errorcode.get(e.errno, str(e))


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def connect(name, address, port):
    def work():
        s = socket.socket(family(address), socket.SOCK_STREAM)
        s.settimeout(1)
        s.connect((address, int(port)))
        held[name] = s
    return outcome(work)


def echo(name):
    def work():
        held[name].sendall(b"x")
        return "ok" if held[name].recv(1) == b"x" else "closed"
    return outcome(work)


def open_udp(name, address, port):
    def work():
        held[name] = socket.socket(family(address), socket.SOCK_DGRAM)
        held[name].settimeout(1)
        held[name].connect((address, int(port)))
    return outcome(work)


def udp(address, port):
    def work():
        with socket.socket(family(address), socket.SOCK_DGRAM) as s:
            s.sendto(b"x", (address, int(port)))
    return outcome(work)


def mapped(address, port):
    """IPv4 by an IPv6 socket."""
    def work():
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as s:
            s.settimeout(1)
            s.connect((f"::ffff:{address}", int(port)))
    return outcome(work)


def raw(address):
    """An echo request by a raw socket, which no hook at connect() sees."""
    def work():
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as s:
            s.sendto(b"\x08\x00\xf7\xfe\x00\x00\x00\x01", (address, 0))
    return outcome(work)


DO = {"connect": connect, "echo": echo, "open_udp": open_udp, "udp": udp, "mapped": mapped, "raw": raw}
for line in sys.stdin:
    words = line.split()
    print(json.dumps(DO[words[0]](*words[1:])), flush=True)
