#!/usr/bin/env python3
"""How long after the command the last packet leaves: `bench/block/run.py [--trials 200] [--build build/release]`. Root only.

A pod on a node of the bench's own (namespaces, cgroups, nothing joined to the machine's network) sends without a pause, by turns over an established TCP
connection, a connected UDP socket, and by new connections; a packet socket on the outside takes the kernel's time of each arrival. The command's time
is taken before its line goes to the control socket (`socket`), and before `egret-block add` is started (`command`), so that what the command line costs
is seen apart. Latency is that of the last packet from the pod which arrived, 0 where none came after. Resets are not counted:
they are the node's own answer to what the far side still sends to a connection that is no more. Machine and load are printed: the numbers mean nothing
without them."""
import argparse
import ctypes
import json
import mmap
import multiprocessing
import os
import pathlib
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
TESTS = HERE.parent.parent / "tests"
sys.path.insert(0, str(TESTS))
from sensor_world import OUTSIDE, World  # noqa: E402

PORT = 9443
SO_TIMESTAMPNS = 35
SENDER = r"""
import socket, sys, time
kind, address, port, pause = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
def tcp():
    s = socket.create_connection((address, port)); s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1); return s
def udp():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect((address, port)); return s
for line in sys.stdin:
    s = None if kind == "new" else tcp() if kind == "tcp" else udp()
    print("going", flush=True)
    sent = 0
    try:
        while True:
            if kind == "new":
                tcp().close()
            else:
                s.send(b"x" * 32)
                if kind == "udp": s.setblocking(False)
                try: s.recv(65536)
                except BlockingIOError: pass
            sent += 1
            if pause: time.sleep(pause)
    except OSError as e:
        print(sent, e.errno, flush=True)
"""


class Arrivals:
    """The kernel's time of each IPv4 packet that reaches the outside, kept for the last one only. A process of its own: a thread here would hold
    the interpreter just when the command is to be started."""

    def __init__(self, netns):
        self.seen = mmap.mmap(-1, 16)  # time of the last, count
        ready = multiprocessing.get_context("fork").Event()
        self.process = multiprocessing.get_context("fork").Process(target=self.listen, args=(netns, ready), daemon=True)
        self.process.start()
        assert ready.wait(10), f"no packet socket in {netns}"

    def listen(self, netns, ready):
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        with open(f"/run/netns/{netns}") as ns:
            if ctypes.CDLL(None, use_errno=True).setns(ns.fileno(), 0x40000000) != 0:
                os._exit(3)
        s = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
        s.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        ready.set()
        count = 0
        while True:
            data, control, _, address = s.recvmsg(128, 256)
            if address[2] == socket.PACKET_OUTGOING or data[16:20] != socket.inet_aton(OUTSIDE):
                continue
            if data[9] == socket.IPPROTO_TCP and data[(data[0] & 15) * 4 + 13] & 4:
                continue  # a reset: the node's own answer to what the far side still sends, now that no connection is there
            for _, kind, value in control:
                if kind == SO_TIMESTAMPNS:
                    seconds, ns = struct.unpack("qq", value)
                    count += 1
                    struct.pack_into("qq", self.seen, 0, seconds * 10**9 + ns, count)

    @property
    def last(self):
        return struct.unpack_from("q", self.seen, 0)[0]

    @property
    def count(self):
        return struct.unpack_from("q", self.seen, 8)[0]


def percentile(values, p):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * p))]


AS_PODS_ARE = []  # words before a command that give it an ordinary priority


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--trials", type=int, default=200, help="of each kind")
    options.add_argument("--nice", type=int, default=-15, help="of the bench itself, so that neighbours on the machine are measured less (default -15)")
    options.add_argument("--build", default=str(HERE.parent.parent / "build" / "release"))
    o = options.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))  # so that everything is taken away
    os.nice(o.nice)
    AS_PODS_ARE[:] = ["nice", "-n", str(-o.nice)]
    block = str(pathlib.Path(o.build) / "egret-block")
    name = f"bench-{os.getpid()}"
    pins = pathlib.Path(f"/sys/fs/bpf/egret-{name}")
    with tempfile.TemporaryDirectory() as folder:
        w = World(pathlib.Path(folder) / "world")
        service = None
        try:
            w.up()
            peer = w.start([*AS_PODS_ARE, sys.executable, TESTS / "block_peer.py", PORT], w.outside_ns, stdout=subprocess.PIPE, text=True)
            peer.stdout.readline()
            pod = w.pod("shop", "pay", ("Deployment", "pay"))
            path = f"{folder}/block.sock"
            service = subprocess.Popen([block, "serve", "--name", name, "--cgroup-root", w.root, "--netns", f"/run/netns/{w.node_ns}", "--socket", path, "--state", folder],
                                       stdout=subprocess.PIPE, text=True)
            assert "ready" in service.stdout.readline()
            control = socket.socket(socket.AF_UNIX)
            control.connect(path)
            answers = control.makefile()

            def ask(**request):
                control.sendall(json.dumps(request).encode() + b"\n")
                answer = json.loads(answers.readline())
                assert answer["ok"], answer
                return answer

            arrivals = Arrivals(w.outside_ns)
            target = f"cgroup {pod.cgroup.parent}"
            print(f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}, Linux {os.uname().release}; {o.trials} trials each; milliseconds")
            print(f"{'load':7}{'flow':6}{'from':10}{'p50':>8}{'p99':>8}{'most':>8}{'answer p50':>12}{'answer p99':>12}{'after 10 ms':>13}")
            for load, pause in (("full", 0), ("1 k/s", 0.001)):
                for kind in ("tcp", "udp", "new"):
                    sender = w.start([*AS_PODS_ARE, sys.executable, "-c", SENDER, kind, OUTSIDE, PORT, pause], pod.netns, pod.cgroup, stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE, text=True)
                    for via in ("socket", "command"):
                        last, answered = [], []
                        for _ in range(o.trials):
                            sender.stdin.write("go\n")
                            sender.stdin.flush()
                            assert sender.stdout.readline() == "going\n"
                            before = arrivals.count
                            while arrivals.count < before + 5:
                                time.sleep(0.001)
                            began = time.time_ns()
                            if via == "socket":
                                ask(do="add", address=OUTSIDE, target=target, seconds=60)
                            else:
                                subprocess.run([block, "add", OUTSIDE, "--cgroup", pod.cgroup.parent, "--for", "60s", "--socket", path], check=True,
                                               capture_output=True)
                            answered.append((time.time_ns() - began) / 1e6)
                            sender.stdout.readline()  # it has its error
                            time.sleep(0.03)
                            last.append(max(0, arrivals.last - began) / 1e6)
                            ask(do="clear")
                        print(f"{load:7}{kind:6}{via:10}{statistics.median(last):8.2f}{percentile(last, 0.99):8.2f}{max(last):8.2f}"
                              f"{statistics.median(answered):12.2f}{percentile(answered, 0.99):12.2f}{sum(1 for v in last if v > 10):13}", flush=True)
                    sender.kill()
        finally:
            if service:
                service.kill()
                service.wait()
            w.down()
            if pins.exists():
                for pin in pins.iterdir():
                    pin.unlink()
                pins.rmdir()


main()
