"""The folder in which a test bed lives: its keys and users, and what Slurm and SSH read there."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

from bed_files import SLURM_CONF, SSH_CONF, SSHD_CONF, WITH_CGROUPS, WITHOUT_CGROUPS

CPUS, MEMORY_MB, GPUS = 2, 6000, 2
USER, OTHER = "student", "neighbour"
_UIDS = {USER: 61777, OTHER: 61778}


def make_files(root: Path, nodes: int, ports: list[int]) -> None:
    """All of it; `ports`: of the controller, of sshd, and of each node."""
    for name in ("etc/slurm", "state", "log", "gpu", "seen", "munge"):
        (root / name).mkdir(parents=True)
    for name in ("state", "log"):
        shutil.chown(root / name, "slurm")
    (root / "munge").chmod(0o700)
    (root / "munge" / "key").write_bytes(os.urandom(128))
    (root / "munge" / "key").chmod(0o400)
    for number in range(GPUS):
        os.mknod(root / "gpu" / f"nvidia{number}", 0o020666, os.makedev(1, 3))  # gres.conf wants devices
    _make_users(root)
    _make_slurm_files(root, nodes, ports)
    _make_ssh_files(root, ports[1])


def _make_users(root: Path) -> None:
    lines: dict[str, list[str]] = {"passwd": [], "group": [], "shadow": []}
    for name, uid in _UIDS.items():
        home = root / "home" / name
        home.mkdir(parents=True)
        os.chown(home, uid, uid)
        home.chmod(0o700)
        lines["passwd"].append(f"{name}:x:{uid}:{uid}::{home}:/bin/bash")
        lines["group"].append(f"{name}:x:{uid}:")
        lines["shadow"].append(f"{name}:*:19000:0:99999:7:::")
    for name, added in lines.items():
        text = Path("/etc", name).read_text()
        target = root / "etc" / name
        target.write_text(text.rstrip("\n") + "\n" + "\n".join(added) + "\n")
        target.chmod(0o600 if name == "shadow" else 0o644)


def _make_slurm_files(root: Path, nodes: int, ports: list[int]) -> None:
    cgroups = all(Path("/sys/fs/cgroup", name).is_dir() for name in ("memory", "freezer"))
    etc = root / "etc" / "slurm"
    (etc / "slurm.conf").write_text(
        SLURM_CONF.format(
            host=socket.gethostname().split(".")[0],
            root=root,
            controller=ports[0],
            tracking=WITH_CGROUPS if cgroups else WITHOUT_CGROUPS,
            node=node_prefix(ports),
            last=nodes,
            ports=",".join(str(port) for port in ports[2:]),
            cpus=CPUS,
            memory=MEMORY_MB,
            gres=f"Gres=gpu:{GPUS}",
        )
    )
    names = f"{node_prefix(ports)}[1-{nodes}]"
    (etc / "gres.conf").write_text(f"NodeName={names} Name=gpu File={root}/gpu/nvidia[0-{GPUS - 1}]\n")
    (etc / "cgroup.conf").write_text(
        "CgroupMountpoint=/sys/fs/cgroup\nCgroupAutomount=yes\nConstrainRAMSpace=yes\nConstrainSwapSpace=yes\n"
        "AllowedSwapSpace=0\nCgroupPlugin=cgroup/v1\n"
    )


def _make_ssh_files(root: Path, port: int) -> None:
    for name in ("host", "client"):
        key = root / f"{name}_key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    (root / "authorized_keys").write_bytes((root / "client_key.pub").read_bytes())
    (root / "sshd_config").write_text(SSHD_CONF.format(root=root, port=port))
    host_key = " ".join((root / "host_key.pub").read_text().split()[:2])
    (root / "known_hosts").write_text(f"[127.0.0.1]:{port} {host_key}\n")
    (root / "ssh_config").write_text(SSH_CONF.format(root=root, port=port, user=USER))


def node_prefix(ports: list[int]) -> str:
    """What the names of a bed's nodes begin with: Slurm's control groups are named after the node and the job's number,
    and those of two beds that run side by side must not be the same.
    """
    return f"n{ports[0]}x"


def free_ports(count: int) -> list[int]:
    """Ports that nothing listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [int(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports


def covered_folders() -> list[Path]:
    """What is needed of the folders that the bed covers: this Python, its packages, and this package."""
    wanted = [Path(sys.base_prefix), Path(sys.prefix), Path(__file__).resolve().parents[2], *map(Path, sys.path)]
    covered = {folder for folder in wanted if folder.is_dir() and folder.parts[1:2] in (("tmp",), ("root",))}
    return sorted(folder for folder in covered if not covered.intersection(folder.parents))


def remove_cgroups(nodes: list[str]) -> None:
    """Slurm leaves its groups behind: empty folders, deepest first."""
    for node in nodes:
        for top in Path("/sys/fs/cgroup").glob(f"*/slurm*_{node}"):
            for folder, _, _ in os.walk(top, topdown=False):
                try:
                    Path(folder).rmdir()
                except OSError:
                    continue
