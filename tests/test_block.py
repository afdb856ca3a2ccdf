"""Blocking on a node with pods of the test's own making: what is refused and dropped, for whom, until when, and that nothing of it stays."""
import json
import os
import pathlib
import socket
import stat
import subprocess
import sys
import time

import pytest
from conftest import EGRET
from sensor_world import OUTSIDE, OUTSIDE6, World

HERE = pathlib.Path(__file__).resolve().parent
BLOCK = str(pathlib.Path(EGRET).parent / "egret-block")
PORT = 9443


class Talker:
    def __init__(self, world, netns, cgroup):
        self.process = world.start([sys.executable, HERE / "block_talk.py"], netns, cgroup, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


class Service:
    """egret-block serve for the world's node, with files and pins of its own."""

    def __init__(self, world):
        self.world, self.name = world, f"test-{os.getpid()}"
        self.socket, self.state = world.folder / "block.sock", world.folder / "block"
        self.pins = pathlib.Path(f"/sys/fs/bpf/egret-{self.name}")
        self.process = None

    def start(self, *more):
        self.process = subprocess.Popen(
            [BLOCK, "serve", "--name", self.name, "--cgroup-root", self.world.root, "--netns", f"/run/netns/{self.world.node_ns}", "--socket", self.socket,
             "--state", self.state, "--pod-logs", self.world.folder / "pod-logs", *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        assert "ready" in line, line + self.process.stderr.read()
        return line

    def stop(self):
        self.process.terminate()
        assert self.process.wait(timeout=20) == 0, self.process.stderr.read()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def do(self, *words, code=0):
        done = subprocess.run([BLOCK, words[0], *map(str, words[1:]), "--socket", self.socket, "--format", "json"], capture_output=True, text=True, timeout=60)
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout) if code == 0 else done.stderr

    def down(self):
        if self.process and self.process.poll() is None:
            self.kill()
        if self.pins.exists():
            for pin in self.pins.iterdir():
                pin.unlink()
            self.pins.rmdir()


@pytest.fixture
def world(tmp_path):
    assert os.geteuid() == 0, "blocking is tested as root: it makes namespaces and cgroups and loads kernel programs"
    w = World(tmp_path / "world")
    try:
        w.up()
        peer = w.start([sys.executable, HERE / "block_peer.py", PORT], w.outside_ns, stdout=subprocess.PIPE, text=True)
        assert peer.stdout.readline() == "ready\n"
        yield w
    finally:
        w.down()


@pytest.fixture
def service(world):
    s = Service(world)
    try:
        yield s
    finally:
        s.down()


def pod(world, name, **more):
    p = world.pod("shop", name, ("Deployment", name), **more)
    (world.folder / "pod-logs" / f"shop_{name}_{p.uid}").mkdir()
    p.say = Talker(world, p.netns, p.cgroup)
    return p


def by_id(service):
    return {e["id"]: e for e in service.do("list")["entries"]}


def test_one_pod_is_cut_off_and_the_others_are_not(world, service):
    pay, cart = pod(world, "pay"), pod(world, "cart")
    service.start()
    for p in (pay, cart):
        assert p.say("connect", "old", OUTSIDE, PORT) == "ok" and p.say("echo", "old") == "ok"
        assert p.say("open_udp", "u", OUTSIDE, PORT) == "ok" and p.say("echo", "u") == "ok"
    answer = service.do("add", OUTSIDE, "--pod", "shop/pay", "--for", "1h", "--id", "inc-1", "--reason", "C2")
    assert answer["ended"]["sockets"] == 2, answer  # the TCP and the connected UDP socket
    assert answer["ended"]["conntrack"] >= 2, answer
    assert "destroy_unsupported" not in answer["ended"] and "trouble" not in answer["ended"], answer
    assert pay.say("echo", "old") in ("ECONNABORTED", "EPIPE", "ECONNRESET")
    assert pay.say("echo", "u") in ("ECONNABORTED", "EDESTADDRREQ", "EPERM")
    assert pay.say("connect", "new", OUTSIDE, PORT) == "EPERM"
    assert pay.say("mapped", OUTSIDE, PORT) == "EPERM"
    assert pay.say("udp", OUTSIDE, PORT) == "EPERM"
    assert pay.say("raw", OUTSIDE) == "EPERM"
    assert pay.say("connect", "six", OUTSIDE6, PORT) == "ok"  # another address
    for probe in (("echo", "old"), ("echo", "u"), ("connect", "new", OUTSIDE, PORT), ("udp", OUTSIDE, PORT), ("raw", OUTSIDE)):
        assert cart.say(*probe) == "ok", probe
    entry = by_id(service)["inc-1"]
    assert entry["refused"] == 3 and entry["packets_out"] >= 1 and entry["in_flight"] and entry["reason"] == "C2", entry
    assert [e["id"] for e in service.do("remove", "--id", "inc-1")["entries"]] == ["inc-1"]
    assert pay.say("connect", "again", OUTSIDE, PORT) == "ok" and pay.say("echo", "again") == "ok"
    assert service.do("remove", "--id", "inc-1")["entries"] == []
    service.stop()
    assert not service.pins.exists(), "without entries nothing stays in the kernel"


def test_a_node_is_everyone_on_it(world, service):
    pay = pod(world, "pay")
    proxy = pod(world, "proxy", host_network=True)
    unit = world.root / "system.slice" / "updater.service"
    unit.mkdir(parents=True)
    updater = Talker(world, world.node_ns, unit)
    elsewhere = Talker(world, world.node_ns, None)  # outside of the node's part of the cgroup tree
    service.start()
    everyone = (pay.say, proxy.say, updater)
    for say in everyone:
        assert say("connect", "old", OUTSIDE6, PORT) == "ok"
    answer = service.do("add", "2001:db8:51::/64", "--for", "1h")
    assert answer["ended"]["sockets"] == len(everyone), answer
    for say in everyone:
        assert say("echo", "old") in ("ECONNABORTED", "EPIPE", "ECONNRESET")
        assert say("connect", "new", OUTSIDE6, PORT) == "EPERM"
        assert say("connect", "four", OUTSIDE, PORT) == "ok"
    assert elsewhere("connect", "new", OUTSIDE6, PORT) == "ok"
    service.do("remove", "2001:db8:51::/64")
    for say in everyone:
        assert say("connect", "back", OUTSIDE6, PORT) == "ok"


def test_a_host_network_pod_alone(world, service):
    proxy, other = pod(world, "proxy", host_network=True), pod(world, "other", host_network=True)
    service.start()
    for p in (proxy, other):
        assert p.say("connect", "old", OUTSIDE, PORT) == "ok"
    assert service.do("add", OUTSIDE, "--pod", proxy.uid, "--for", "1h")["ended"]["sockets"] == 1
    assert proxy.say("connect", "new", OUTSIDE, PORT) == "EPERM"
    assert other.say("echo", "old") == "ok" and other.say("connect", "new", OUTSIDE, PORT) == "ok"


def test_a_network_namespace(world, service):
    pay, cart = pod(world, "pay"), pod(world, "cart")
    service.start()
    assert pay.say("connect", "old", OUTSIDE, PORT) == "ok"
    answer = service.do("add", OUTSIDE, "--netns", f"/run/netns/{pay.netns}", "--for", "1h")
    assert answer["ended"]["sockets"] == 1, answer
    assert pay.say("connect", "new", OUTSIDE, PORT) == "EPERM"
    if service.do("status")["netns_in_flight"]:
        assert pay.say("raw", OUTSIDE) == "EPERM"
    assert cart.say("connect", "new", OUTSIDE, PORT) == "ok"


def test_a_killed_controller_leaves_a_block_that_ends_on_time(world, service):
    pay = pod(world, "pay")
    service.start()
    began = time.monotonic()
    entry = service.do("add", OUTSIDE, "--pod", "shop/pay", "--for", "4s")["entries"][0]
    service.do("add", OUTSIDE6, "--pod", "shop/pay", "--for", "1h", "--id", "long")
    ends = time.monotonic() + entry["seconds_left"]
    service.kill()
    assert pay.say("connect", "now", OUTSIDE, PORT) == "EPERM", "the programs outlive the controller"
    while pay.say("connect", "after", OUTSIDE, PORT) == "EPERM":
        assert time.monotonic() < ends + 1, "longer than it was to be"
        time.sleep(0.02)
    assert time.monotonic() - began >= 3.9, "sooner than it was to be"
    assert pay.say("connect", "long", OUTSIDE6, PORT) == "EPERM"
    # The next controller knows what is left, keeps counting, and can take it back.
    assert "1 entry in force" in service.start()
    assert by_id(service)["long"]["refused"] == 1
    assert pay.say("connect", "long", OUTSIDE6, PORT) == "EPERM"
    assert by_id(service)["long"]["refused"] == 2
    service.do("remove", "--id", "long")
    assert pay.say("connect", "back", OUTSIDE6, PORT) == "ok"
    service.stop()
    assert not service.pins.exists()


def test_entries_of_two_incidents_are_taken_back_one_by_one(world, service):
    pay = pod(world, "pay")
    service.start()
    service.do("add", OUTSIDE, "--pod", "shop/pay", "--for", "1h", "--id", "a")
    service.do("add", "198.51.100.0/24", "--pod", "shop/pay", "--for", "2h", "--id", "b")
    assert service.do("add", OUTSIDE, "--pod", "shop/pay", "--for", "30m", "--id", "a")["existed"]
    assert 1700 < by_id(service)["a"]["seconds_left"] <= 1800, "a repeated add sets the end anew"
    service.do("remove", "--id", "a")
    assert pay.say("connect", "n", OUTSIDE, PORT) == "EPERM", "b covers it"
    assert "198.51.100.0/24" in service.do("add", "192.0.2.1", "--pod", "shop/pay", "--for", "1h", "--id", "b", code=2)
    service.do("remove", "--all")
    assert pay.say("connect", "n", OUTSIDE, PORT) == "ok"
    assert by_id(service) == {}


def test_what_would_hurt_is_refused_with_a_reason(world, service):
    service.start("--never", "10.96.0.1")
    for address, says in (("127.0.0.1", "loopback"), ("::/0", "loopback"), ("10.96.0.0/16", "--never"), ("192.0.0.0/7", "--wide")):
        assert says in service.do("add", address, "--for", "1h", code=2), address
    assert "no pod shop/ghost" in service.do("add", OUTSIDE, "--pod", "shop/ghost", "--for", "1h", code=2)
    assert "--for is missing" in service.do("add", OUTSIDE, code=2)
    assert "no address" in service.do("add", "example.org", "--for", "1h", code=2)
    assert by_id(service) == {}


def asked_as_nobody(path):
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(str(path))
                os.write(write, s.recv(4096))
        finally:
            os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    with os.fdopen(read) as f:
        return f.read()


def test_the_control_socket_is_for_root(world, service):
    service.start()
    assert stat.S_IMODE(service.socket.stat().st_mode) == 0o600
    service.socket.chmod(0o666)  # were it open: the peer's credentials are looked at as well
    for folder in (world.folder, *world.folder.parents):
        if folder != pathlib.Path("/"):
            folder.chmod(folder.stat().st_mode | 0o011)
    assert json.loads(asked_as_nobody(service.socket)) == {"ok": False, "kind": "unavailable", "error": "blocking is for root",
                                                           "hint": "sudo, or the group of egret-block serve --group"}
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(str(service.socket))
        s.sendall(b'{"do":"list"}\n{"do":"explode"}\n')
        reader = s.makefile()
        assert json.loads(reader.readline())["ok"] is True
        refused = json.loads(reader.readline())
        assert refused["ok"] is False and "add, remove" in refused["error"]
        s.sendall(b"x" * 70_000)
        assert json.loads(reader.readline())["ok"] is False and reader.readline() == ""
    assert by_id(service) == {}


def test_a_running_service_has_only_the_privileges_it_says(world, service):
    service.start()
    status = dict(line.split(":", 1) for line in pathlib.Path(f"/proc/{service.process.pid}/status").read_text().splitlines())
    kept = sum(1 << bit for bit in (2, 12, 19, 21))  # DAC_READ_SEARCH, NET_ADMIN, SYS_PTRACE, SYS_ADMIN
    for field in ("CapPrm", "CapEff", "CapBnd"):
        assert int(status[field], 16) & ~kept == 0, (field, status[field])
    assert int(status["CapInh"], 16) == int(status["CapAmb"], 16) == 0
    assert status["NoNewPrivs"].strip() == "1" and status["Seccomp"].strip() == "2"
    assert "another egret-block" in subprocess.run([BLOCK, "serve", "--name", service.name, "--cgroup-root", world.root, "--socket", service.socket,
                                                     "--state", service.state], capture_output=True, text=True).stderr
    assert service.do("status")["cgroup_root"] == str(world.root)


def framed(sock, line):
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(str(sock))
        s.sendall(line)
        reader = s.makefile("rb")
        kind, size = reader.readline().decode().rsplit(" ", 1)
        return kind, reader.read(int(size)).decode()


def test_people_and_simple_clients_are_answered_in_text(world, service):
    pay = pod(world, "pay")
    service.start()

    def say(*words):
        return subprocess.run([BLOCK, *map(str, words), "--socket", service.socket], capture_output=True, text=True, timeout=60)

    assert pay.say("connect", "old", OUTSIDE, PORT) == "ok"
    added = say("add", OUTSIDE, "--pod", "shop/pay", "--for", "1h", "--id", "inc-1", "--reason", "C2 of \u00fcber")
    assert added.returncode == 0 and added.stderr == "", added
    for words in (f"{OUTSIDE}/32 for pod shop/pay, ends in 59 min", "(id inc-1)", "C2 of \u00fcber", "1 open connection ended"):
        assert words in added.stdout, (words, added.stdout)
    assert "on for everything below" in say("status").stdout
    assert framed(service.socket, b'text {"do":"list"}\n')[1].startswith(f"{OUTSIDE}/32 for pod shop/pay")
    kind, body = framed(service.socket, b'json {"do":"list"}\n')
    assert kind == "ok" and json.loads(body)["entries"][0]["id"] == "inc-1"
    assert framed(service.socket, b"text nonsense\n") == ("usage", "a request is one JSON object on one line")
    assert say("remove", "--id", "inc-1").stdout == "removed inc-1\n"
    assert say("remove", "--all").stdout == "nothing to remove\n"
    assert say("list").stdout == "nothing is blocked\n"
    wrong = say("add", "127.0.0.1", "--for", "1h")
    assert wrong.returncode == 2 and wrong.stdout == "" and "loopback" in wrong.stderr and "a node that cannot talk to itself" in wrong.stderr
    assert say("add", OUTSIDE, "--for", "1h", "--reason", "x" * 70_000).returncode == 2
    service.stop()
    gone = say("list")
    assert gone.returncode == 3 and "egret-block serve switches it on" in gone.stderr
