"""A real Slurm with four nodes and a login node, as processes of the tests' own on 127.0.0.1.

All of it lives in a mount and a PID namespace: there, and only there, `/etc/slurm`, `/run` and the user table are the
bed's. Nothing of this machine's configuration is changed, and when the namespace's first process ends, everything ends.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bed_files import CRASH, FIRST, PATH
from bed_folder import USER, covered_folders, free_ports, make_files, node_prefix, remove_cgroups

NODES = 4
PACKAGES = {"slurmctld": "slurm-wlm", "slurmd": "slurm-wlm", "munged": "munge", "sshd": "openssh-server"}
_START_S = 60


def missing() -> str:
    """What keeps the bed from being built here; empty where nothing does."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        return "the Slurm test bed needs Linux and root"
    path = "/usr/sbin:/usr/bin:/sbin:/bin"
    lacking = sorted({package for name, package in PACKAGES.items() if shutil.which(name, path=path) is None})
    return f"the Slurm test bed needs: apt-get install {' '.join(lacking)}" if lacking else ""


class Bed:
    """`with Bed() as bed:` – a cluster `testbed`, reached by `ssh -F bed.ssh_config slurmlogin` as an ordinary user."""

    def __init__(self, nodes: int = NODES) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="tlcourse-bed-", dir="/var/tmp"))
        self.root.chmod(0o755)
        self.ssh_config = self.root / "ssh_config"
        self.home = self.root / "home" / USER
        self._daemons: dict[str, subprocess.Popen[bytes]] = {}
        self._cleared = 0
        self._first: subprocess.Popen[str] | None = None
        self.ports = free_ports(nodes + 2)
        self.nodes = [f"{node_prefix(self.ports)}{number}" for number in range(1, nodes + 1)]

    # -- up and down ---------------------------------------------------------------------------------------------

    def __enter__(self) -> Bed:
        try:
            make_files(self.root, len(self.nodes), self.ports)
            self._enter_namespace()
            self._start_daemons()
            self._await_nodes()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._first is not None:
            with self._first:
                self._first.kill()  # pid 1 of its namespace: all others end with it
        for daemon in self._daemons.values():
            daemon.kill()
            daemon.wait()
        remove_cgroups(self.nodes)
        shutil.rmtree(self.root, ignore_errors=True)

    def _enter_namespace(self) -> None:
        hidden = [str(folder) for folder in covered_folders()]
        for number in range(len(hidden)):
            (self.root / "seen" / str(number)).mkdir()
        unshare = ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "--propagation", "private", "--kill-child"]
        self._first = subprocess.Popen(
            [*unshare, sys.executable, "-c", FIRST, str(self.root), *hidden],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._first.stdout is not None
        if self._first.stdout.readline() != "ready\n":
            raise RuntimeError("the bed's namespace could not be made")

    def inside(self, *command: str, user: str = "root") -> list[str]:
        """The command line that runs `command` on the bed's machine as `user`."""
        assert self._first is not None
        first = Path(f"/proc/{self._first.pid}/task/{self._first.pid}/children").read_text().split()[0]
        become = () if user == "root" else ("runuser", "-u", user, "--")
        return ["nsenter", "-t", first, "-m", "-p", "--", *become, *command]

    def run(self, *command: str, user: str = "root", check: bool = True) -> str:
        """The output of a command on the bed's machine."""
        env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(self.root / "home" / user), "USER": user}
        done = subprocess.run(self.inside(*command, user=user), capture_output=True, text=True, check=False, env=env)
        if check and done.returncode:
            raise RuntimeError(f"{command}: {done.stderr}{done.stdout}")
        return done.stdout

    def _start(self, name: str, *command: str) -> None:
        log = (self.root / "log" / f"{name}.out").open("wb")
        self._daemons[name] = subprocess.Popen(
            self.inside(*command), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.root, env={"PATH": PATH}
        )
        log.close()

    def _start_daemons(self) -> None:
        munge = self.root / "munge"
        files = [f"--{kind}-file={munge}/{kind}" for kind in ("key", "log", "pid", "seed")]
        self._start("munged", "/usr/sbin/munged", "-F", *files)
        self._until(lambda: Path(self._seen("/run/munge/munge.socket.2")).exists(), "munged")
        self._before_slurm()
        self._start("slurmctld", "/usr/sbin/slurmctld", "-D")
        for node in self.nodes:
            self.start_node(node)
        self.start_sshd()

    def _before_slurm(self) -> None:
        """What a bed with more in it starts first."""

    def _seen(self, path: str) -> str:
        """A path of the bed's machine, as this side names it."""
        assert self._first is not None
        first = Path(f"/proc/{self._first.pid}/task/{self._first.pid}/children").read_text().split()[0]
        return f"/proc/{first}/root{path}"

    def _until(self, holds: object, what: str) -> None:
        end = time.monotonic() + _START_S
        while not holds():  # type: ignore[operator]
            if time.monotonic() > end:
                logs = "".join(path.read_text(errors="replace")[-1500:] for path in (self.root / "log").glob("*"))
                raise RuntimeError(f"the test bed: {what} is not up after {_START_S} s\n{logs}")
            time.sleep(0.05)

    def _await_nodes(self) -> None:
        def ready() -> bool:
            states = self.run("sinfo", "-h", "-N", "-p", "main", "-o", "%t", check=False).split()
            return states == ["idle"] * len(self.nodes)

        self._until(ready, "slurm")
        self._until(lambda: self.ssh("true").returncode == 0, "sshd")

    # -- what tests do to it -------------------------------------------------------------------------------------

    def ssh(self, command: str) -> subprocess.CompletedProcess[str]:
        """A command on the login node, as a person would give it."""
        line = ["ssh", "-F", str(self.ssh_config), "slurmlogin", command]
        return subprocess.run(line, capture_output=True, text=True, check=False)

    def start_node(self, node: str) -> None:
        """Start a node, or bring one back that crashed."""
        (self.root / f"spool-{node}").mkdir(exist_ok=True)
        self._start(node, "/usr/sbin/slurmd", "-D", "-N", node)

    def crash_node(self, node: str) -> None:
        """A power loss: the node's slurmd, its step daemons and every job process are gone at once.

        Not before its jobs have begun there: one that Slurm calls running, and has not yet sent, it only sends again.
        """

        def begun() -> bool:
            running = self.run("squeue", "-h", "-w", node, "-t", "R", "-o", "%A").split()
            return all(self.run("pgrep", "-f", rf"^slurmstepd: \[{job}\.", check=False).strip() for job in running)

        self._until(begun, f"each job of {node}")
        jobs = self.run("squeue", "-h", "-w", node, "-t", "R,CG", "-o", "%A").split()
        self.run("sh", "-c", CRASH, "sh", node, *jobs, check=False)
        self._daemons[node].wait()

    @contextlib.contextmanager
    def silent_slurm(self) -> Iterator[None]:
        """Slurm's controller answers nobody."""
        controller = self.run("pgrep", "-x", "slurmctld").strip()
        self.run("kill", "-STOP", controller)
        try:
            yield
        finally:
            self.run("kill", "-CONT", controller)

    @contextlib.contextmanager
    def odd(
        self, *, login: str = "", shell: str = "/bin/bash", **commands: str
    ) -> Iterator[Callable[[str], list[str]]]:
        """A site with habits of its own: what its login prints and reads, its login shell, its commands' wrappers.

        In a wrapper `$real` is the command itself. Gives a function: the arguments of each call of a command so far.
        """
        rc = self.home / (".tcshrc" if shell.endswith("tcsh") else ".bashrc")
        path = f"setenv PATH {self.home}/bin:$PATH\n" if shell.endswith("tcsh") else f"PATH={self.home}/bin:$PATH\n"
        (self.home / "bin").mkdir(exist_ok=True)
        rc.write_text(path + login + "\n")
        users = self.root / "etc" / "passwd"
        before = users.read_text()
        users.write_text(before.replace(f"{self.home}:/bin/bash", f"{self.home}:{shell}"))
        for name, script in commands.items():
            wrapper = self.home / "bin" / name
            real = f"real=$(PATH=/usr/bin:/bin command -v {name})"
            log = f'echo "$@" >>{self.home}/{name}.calls'
            wrapper.write_text(f"#!/bin/sh\n{log}\n{real}\n{script}\n")
            wrapper.chmod(0o755)
        self.run("chown", "-R", USER, str(self.home / "bin"), str(rc))

        def calls(name: str) -> list[str]:
            path = self.home / f"{name}.calls"
            return path.read_text().splitlines() if path.exists() else []

        try:
            yield calls
        finally:
            for name in commands:
                (self.home / "bin" / name).unlink()
                (self.home / f"{name}.calls").unlink(missing_ok=True)
            rc.unlink()
            users.write_text(before)

    @contextlib.contextmanager
    def tmp(self, options: str) -> Iterator[None]:
        """/tmp of all its machines is mounted so."""
        self.run("mount", "-o", f"remount,{options}", "/tmp")
        try:
            yield
        finally:
            self.run("mount", "-o", "remount,exec", "/tmp")

    def go_on(self) -> None:
        """Let solutions that `hold` go on (see waiting.py)."""
        self.run("pkill", "-CONT", "-u", USER, check=False)

    def start_sshd(self) -> None:
        """Let people log in (again)."""
        self._start("sshd", "/usr/sbin/sshd", "-D", "-f", f"{self.root}/sshd_config", "-E", f"{self.root}/log/sshd.log")

    def cut_ssh(self) -> None:
        """Break every connection, and refuse new ones until `start_sshd`."""
        self.run("pkill", "-KILL", "-x", "sshd", check=False)
        self._daemons["sshd"].wait()

    def jobs(self, states: str = "all") -> list[str]:
        """`ID STATE` of every job since the last `clear`."""
        listed = self.run("squeue", "-h", "-r", "-t", states, "-o", "%i %T").splitlines()
        return [line for line in listed if int(line.split()[0].split("_")[0]) > self._cleared]

    def clear(self) -> None:
        """No jobs, and every node back: what one test did is not the next one's."""
        self.run("scancel", "--state=PENDING", check=False)
        self.run("scancel", "--signal=KILL", "--user", USER, check=False)
        self.run("scancel", "--user", USER, check=False)
        for name, daemon in list(self._daemons.items()):
            if daemon.poll() is not None:
                self.start_sshd() if name == "sshd" else self.start_node(name)
        self._until(lambda: not self.run("squeue", "-h", check=False).strip(), "an empty queue")
        known = self.run("squeue", "-h", "-t", "all", "-o", "%A").split()
        self._cleared = max(map(int, known), default=0)
        self.run("scontrol", "update", "nodename=ALL", "state=resume", check=False)
        self._await_nodes()
