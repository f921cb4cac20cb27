"""The test bed with accounting: slurmdbd and a database, so that Slurm itself knows accounts, limits and what ended."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

from bed_folder import USER, free_ports
from slurm_bed import Bed
from slurm_bed import missing as missing_slurm

PACKAGES = {"slurmdbd": "slurmdbd", "mariadbd": "mariadb-server-core"}
ACCOUNT = "project1"
# nothing is written through to the disk
DATABASE = (
    "--user=root "
    "--innodb-flush-log-at-trx-commit=0 --innodb-doublewrite=0 --innodb-use-native-aio=0 --innodb-log-file-size=8M "
    "--innodb-buffer-pool-size=64M --performance-schema=OFF --skip-log-bin --lc-messages-dir=/usr/share/mysql"
)
SLURMDBD_CONF = """\
AuthType=auth/munge
DbdHost={host}
DbdAddr=127.0.0.1
DbdPort={port}
SlurmUser=slurm
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser=slurm
StoragePass=none
StorageLoc=accounts
LogFile={root}/log/slurmdbd.log
PidFile={root}/state/slurmdbd.pid
"""
# slurmdbd keeps procedures there, and nobody reaches it but by this socket
TABLES = """
{ echo 'use mysql;'; cat /usr/share/mysql/mysql_system_tables.sql; } | mariadbd --no-defaults --bootstrap "$@" &&
exec mariadbd --no-defaults --skip-grant-tables --skip-networking --socket=/run/mysqld/mysqld.sock "$@"
"""
WITH_ACCOUNTS = """\
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={port}
AccountingStorageEnforce=associations,limits,qos
"""


def missing() -> str:
    """What keeps this bed from being built here; empty where nothing does."""
    path = "/usr/sbin:/usr/bin:/sbin:/bin"
    lacking = [package for name, package in PACKAGES.items() if shutil.which(name, path=path) is None]
    return missing_slurm() or (f"accounting needs: apt-get install {' '.join(lacking)}" if lacking else "")


class AccountsBed(Bed):
    """One node, and the account `project1`, in which `student` is. An array has four elements at most."""

    def __init__(self) -> None:
        super().__init__(nodes=1)
        (self._port,) = free_ports(1)

    def _before_slurm(self) -> None:
        etc, host = self.root / "etc" / "slurm", socket.gethostname().split(".")[0]
        conf = etc / "slurm.conf"
        without = "AccountingStorageType=accounting_storage/none\n"
        accounts = WITH_ACCOUNTS.format(port=self._port)
        conf.write_text(conf.read_text().replace(without, accounts).replace("MaxArraySize=1001", "MaxArraySize=5"))
        dbd = etc / "slurmdbd.conf"
        dbd.write_text(SLURMDBD_CONF.format(host=host, port=self._port, root=self.root))
        dbd.chmod(0o600)
        shutil.chown(dbd, "slurm")
        data = self.root / "database"
        (data / "mysql").mkdir(parents=True)
        self.run("mkdir", "-p", "/run/mysqld")
        self._start("mariadbd", "sh", "-c", TABLES, "sh", *DATABASE.split(), f"--datadir={data}")
        self._until(lambda: Path(self._seen("/run/mysqld/mysqld.sock")).exists(), "mariadbd")
        self.start_accounting()
        for command in (("cluster", "testbed"), ("account", ACCOUNT), ("user", USER, f"account={ACCOUNT}")):
            self.manage("add", *command)

    def manage(self, *command: str) -> None:
        """`sacctmgr`, as an administrator."""
        self.run("sacctmgr", "-i", *command)

    def start_accounting(self) -> None:
        """Let slurmdbd answer (again)."""
        self._start("slurmdbd", "/usr/sbin/slurmdbd", "-D")
        self._until(lambda: "Cluster" in self.run("sacctmgr", "show", "cluster", check=False), "slurmdbd")

    def stop_accounting(self) -> None:
        """slurmdbd is gone, as for hours at some sites."""
        self._daemons["slurmdbd"].kill()
        self.run("pkill", "-KILL", "-x", "slurmdbd", check=False)
        self._daemons.pop("slurmdbd").wait()
