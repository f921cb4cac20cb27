"""What a student's job can reach on a cluster: not munge, not Slurm, nobody's files, no network."""

from __future__ import annotations

import contextlib
import os
import stat
import tarfile
from pathlib import Path

import pytest
from environment import shown_in_tmp

PRIES = """
def tries(act):
    try:
        return str(act())
    except OSError as error:
        return type(error).__name__
def connects(family, address):
    with socket.socket(family) as one:
        one.settimeout(2)
        one.connect(address)
told['munge'] = [tries(lambda: os.stat(path)) for path in ('/run/munge/munge.socket.2', '/var/run/munge')]
told['commands'] = [tries(lambda: subprocess.run([f'/usr/bin/{{name}}', '--version'])) for name in
                    ('sbatch', 'srun', 'squeue', 'scancel', 'scontrol', 'munge', 'ssh')]
told['files'] = [tries(lambda: os.listdir(path)) for path in ('/etc/slurm', '{bed}/munge', '{bed}/home/neighbour',
                 '{bed}/home/student/.tlcourse-jobs/jobs', '{bed}/home/student/.tlcourse-jobs/blobs')]
told['network'] = [tries(lambda: connects(socket.AF_INET, ('127.0.0.1', port))) for port in {ports}]
told['environment'] = sorted(name for name in os.environ if name.startswith(('SLURM', 'SSH', 'TLCOURSE')))
told['home'] = os.path.expanduser('~'), os.listdir(os.path.expanduser('~'))
told['processes'] = len([name for name in os.listdir('/proc') if name.isdigit()])
told['root'] = sorted(os.listdir('/'))
"""


@pytest.mark.parametrize("sandbox_kind", ["bubblewrap", "fork-server"])
def test_a_student_job_reaches_neither_slurm_nor_munge_nor_others(
    cluster, profile, watchers, job_for, told, sandbox_kind
):
    job = job_for(PRIES.format(bed=cluster.root, ports=cluster.ports[:2]), sandbox_kind=sandbox_kind)
    report = watchers(profile).add(job).result(120)
    seen = told(report)
    assert report.sandbox == sandbox_kind
    assert seen["munge"] == ["FileNotFoundError"] * 2
    assert set(seen["commands"]) <= {"PermissionError", "FileNotFoundError"}
    assert seen["files"] == ["FileNotFoundError"] * 5
    assert seen["network"] == ["ConnectionRefusedError"] * 2  # its own loopback, on which nothing listens
    assert seen["environment"] == []
    home, files = seen["home"]
    assert home == "/tmp"
    (code,) = set(files) - shown_in_tmp()  # this package, which the job has unpacked there
    assert code.startswith("tlcourse.")
    assert seen["processes"] == 2
    assert "run" not in seen["root"]


def test_without_a_sandbox_the_same_job_would_reach_them(cluster, profile, watchers, job_for, told):
    """So the test above can fail: munge and Slurm are there, and answer."""
    job = job_for(PRIES.format(bed=cluster.root, ports=cluster.ports[:2]), sandbox_kind="none")
    seen = told(watchers(profile).add(job).result(120))
    assert "FileNotFoundError" not in seen["munge"]
    assert any("returncode=0" in said for said in seen["commands"])
    assert seen["network"] == ["None", "None"]


def test_the_work_folder_is_its_owners_alone_and_graders_and_labels_never_travel(cluster, profile, watchers, job_for):
    assert watchers(profile).add(job_for()).result(120).status == "done"
    work = cluster.home / ".tlcourse-jobs"
    assert work.stat().st_mode & 0o777 == 0o700
    loose = [path for path, mode in below(work) if not stat.S_ISLNK(mode) and mode & 0o077]
    assert loose == []
    sent = [path for path, mode in below(work) if stat.S_ISREG(mode)]
    names = [path for path in sent if path.suffix != ".tar"]
    for archive in (path for path in sent if path.suffix == ".tar"):
        with tarfile.open(archive) as code:
            names += map(Path, code.getnames())
    assert [path for path in names if path.name == "worker_node.py"]
    assert not [path for path in names if "graders" in path.parts or path.name.startswith("ex2_")]


def below(folder: Path) -> list[tuple[Path, int]]:
    """Everything in a folder with its mode; what a job that is over takes away meanwhile is left out."""
    found = []
    for parent, folders, files in os.walk(folder):
        for path in (Path(parent, name) for name in (*folders, *files)):
            with contextlib.suppress(FileNotFoundError):
                found.append((path, path.lstat().st_mode))
    return found


@pytest.fixture
def without_bubblewrap(cluster):
    """Compute nodes that have no sandbox."""
    cluster.run("mount", "--bind", "/dev/null", "/usr/bin/bwrap")
    yield
    cluster.run("umount", "/usr/bin/bwrap")


def test_a_node_without_a_sandbox_runs_no_submission_of_a_batch(without_bubblewrap, pool, job_for):
    report = pool.run(job_for("print('it ran')"))
    assert report.status == "infra"
    assert "cannot isolate a run" in report.message
    assert report.log == ""


def test_a_node_without_bubblewrap_runs_ones_own_code_in_the_landlock_sandbox_and_says_so(
    without_bubblewrap, profile, watchers, job_for
):
    watcher = watchers(profile)
    report = watcher.add(job_for("print('it ran')", sandbox_kind="auto")).result(120)
    assert (report.status, report.sandbox) == ("done", "landlock")
    assert any("landlock sandbox" in note for note in watcher.notes), watcher.notes
