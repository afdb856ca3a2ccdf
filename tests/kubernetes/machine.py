"""What the cluster takes from the machine and gives back: processes, cgroups, network namespaces, system-wide settings.

Nothing here knows Kubernetes. Everything made carries a mark (a name that begins with `egk-`, a variable in the environment), so that
`clean()` finds it again after a test that was killed.
"""
import contextlib
import fcntl
import json
import os
import pathlib
import shutil
import signal
import subprocess
import time

# Not below /run, /var/lib or /var/log: a node has its own of these.
STATE = pathlib.Path("/var/tmp/egret-kubernetes")
MARK = "EGRET_KUBERNETES_TEST"
PREFIX = "egk-"
LOCK = "/run/egret-kubernetes.lock"
CGROUPS = pathlib.Path("/sys/fs/cgroup")
# Kubelet sets these for the whole machine.
SYSCTLS = ["vm.overcommit_memory", "vm.panic_on_oom", "kernel.panic", "kernel.panic_on_oops", "kernel.keys.root_maxkeys", "kernel.keys.root_maxbytes"]


def run(*command, **options):
    """The command's standard output; an error with what it wrote when it fails."""
    process = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL, **options)
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: exit {process.returncode}\n{process.stdout}{process.stderr}")
    return process.stdout


def wait_for(what, check, seconds=120, every=0.1):
    """Waits until `check` gives something true, and returns it."""
    end = time.monotonic() + seconds
    while True:
        found = check()
        if found:
            return found
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not after {seconds} s")
        time.sleep(every)


def start(name, command, cgroup=None):
    """Starts a marked process with its output in STATE/log/NAME.log; `cgroup` as /egk-node-1/system.slice/x.service."""
    log = open(STATE / "log" / f"{name}.log", "ab")  # noqa: SIM115
    if cgroup:
        make_cgroup(cgroup)
        joins = "".join(f"echo $$ > {h}{cgroup}/cgroup.procs; " for h in hierarchies())
        command = ["sh", "-c", joins + 'exec "$@"', "sh", *command]
    return subprocess.Popen([str(c) for c in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                            env=dict(os.environ, **{MARK: "1"}))


def hierarchies():
    """Roots of the cgroup hierarchies: one with version 2, one for each controller (and perhaps `unified`) with version 1."""
    if (CGROUPS / "cgroup.controllers").exists():
        return [CGROUPS]
    return sorted(p for p in CGROUPS.iterdir() if p.is_dir() and not p.is_symlink() and (p / "cgroup.procs").exists())


def make_cgroup(path):
    made = []
    for root in hierarchies():
        at = root
        for part in path.strip("/").split("/"):
            if root == CGROUPS:  # version 2: a child has only the controllers that its parent hands on
                (at / "cgroup.subtree_control").write_text(" ".join("+" + c for c in (at / "cgroup.controllers").read_text().split()))
            at = at / part
            at.mkdir(exist_ok=True)
            for inherited in ("cpuset.cpus", "cpuset.mems"):  # version 1: empty in a new group, and then no process may join
                if root.name == "cpuset" and not (at / inherited).read_text().strip():
                    (at / inherited).write_text((at.parent / inherited).read_text())
        made.append(at)
    return made


def _marked():
    """Process ids of everything that was started here, and of all that runs in pods."""
    pids = set()
    for p in pathlib.Path("/proc").iterdir():
        if p.name.isdigit():
            with contextlib.suppress(OSError):
                if f"{MARK}=1".encode() in (p / "environ").read_bytes().split(b"\0"):
                    pids.add(int(p.name))
    for root in hierarchies():
        for procs in root.glob(f"{PREFIX}*/**/cgroup.procs"):
            with contextlib.suppress(OSError):
                pids.update(int(line) for line in procs.read_text().split())
    return pids - {os.getpid()}


def clean():
    """Removes whatever this or an earlier, perhaps killed, start left behind. Harmless where there is nothing."""
    def gone():
        for pid in _marked():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):  # those that are our own children would stay as zombies
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        return not _marked()
    wait_for("the end of the cluster's processes", gone, 60)
    # A namespace's mounts went with its last process; these are the machine's own.
    for netns in pathlib.Path("/run/netns").glob(f"{PREFIX}*"):
        run("ip", "netns", "delete", netns.name)

    def cgroups_gone():
        left = [d for root in hierarchies() for top in root.glob(f"{PREFIX}*") for d in [*sorted(top.rglob("*"), reverse=True), top] if d.is_dir()]
        for folder in left:
            with contextlib.suppress(OSError):
                folder.rmdir()
        return not left
    wait_for("the end of the cluster's cgroups", cgroups_gone, 30)
    saved = STATE / "sysctls.json"
    if saved.exists():
        for name, value in json.loads(saved.read_text()).items():
            pathlib.Path("/proc/sys", *name.split(".")).write_text(value)
    if STATE.exists():
        shutil.rmtree(STATE)


@contextlib.contextmanager
def reserved():
    """One cluster at a time on a machine: waits for another's end, cleans up what a killed one left, and cleans up at the end."""
    if os.geteuid() != 0:
        raise PermissionError("a cluster needs network namespaces and cgroups: run as root")
    with open(LOCK, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        clean()
        STATE.mkdir(mode=0o700)
        (STATE / "log").mkdir()
        before = {name: pathlib.Path("/proc/sys", *name.split(".")) for name in SYSCTLS}
        (STATE / "sysctls.json").write_text(json.dumps({name: path.read_text() for name, path in before.items() if path.exists()}))
        try:
            yield
        finally:
            keep = os.environ.get("EGRET_KUBERNETES_LOGS")  # a folder to look at afterwards
            if keep:
                shutil.copytree(STATE / "log", keep, dirs_exist_ok=True)
            clean()
