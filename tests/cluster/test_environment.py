"""Python on the cluster: made once, reused, and where it cannot be made that is said. Data and code: sent once."""

from __future__ import annotations

import sys
import tarfile
import zipfile
from pathlib import Path

import msgspec
import pytest

from tlcourse.cluster.pool import shell_for
from tlcourse.cluster.staging import RemoteStore, environment_key, python_for
from tlcourse.errors import InfraError


@pytest.fixture
def store(cluster, profile) -> RemoteStore:
    return RemoteStore(shell_for(profile, "bed"), "$HOME/work of mine".replace(" ", "-"))


@pytest.fixture
def with_packages(cluster, profile):
    """A profile that lets an environment be made from a package of the student's own, without a network."""
    name = "moonphase"
    wheel = cluster.home / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(f"{name}.py", "full = True\n")
        archive.writestr(f"{name}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(
            f"{name}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{name}-1.0.dist-info/RECORD", "")
    wheel.chmod(0o644)
    options = ["--no-index", f"--find-links={cluster.home}"]
    return msgspec.structs.replace(profile, python=sys.executable, packages=[name], pip_options=options)


def test_an_environment_is_made_once_and_has_what_was_asked_for(cluster, store, with_packages):
    python = python_for(store, with_packages)
    assert python.startswith(f"{store.work}/env/")
    assert cluster.ssh(f"{python} -c 'import moonphase; print(moonphase.full)'").stdout == "True\n"
    made = Path(python).lstat().st_mtime_ns
    assert python_for(store, with_packages) == python
    assert Path(python).lstat().st_mtime_ns == made


def test_one_that_was_left_half_made_is_made_anew(cluster, store, with_packages):
    half = f"{store.work}/env/{environment_key(with_packages)}"
    cluster.ssh(f"rm -rf {half}; mkdir -p {half}/bin; touch {half}/bin/python")
    assert cluster.ssh(f"{python_for(store, with_packages)} -c 'import moonphase'").returncode == 0


def test_a_package_that_cannot_be_had_is_said_with_pips_own_words(store, with_packages):
    wrong = msgspec.structs.replace(with_packages, packages=["no-such-package-anywhere"])
    with pytest.raises(InfraError) as raised:
        python_for(store, wrong)
    assert "No matching distribution found for no-such-package-anywhere" in raised.value.what


def test_other_packages_are_another_environment(profile):
    other = msgspec.structs.replace(profile, packages=["torch"])
    assert environment_key(other) != environment_key(msgspec.structs.replace(profile, packages=["numpy"]))


def test_what_lies_there_under_its_hash_is_not_sent_again(store):
    import hashlib

    blobs = {hashlib.sha256(data).hexdigest(): data for data in (b"one", b"two")}
    assert store.send_blobs(blobs) == 2
    assert store.send_blobs(blobs) == 0
    digest = next(iter(blobs))
    Path(store.work, "blobs", digest).unlink()
    assert store.send_blobs(blobs) == 1
    assert Path(store.work, "blobs", digest).read_bytes() == blobs[digest]


def test_code_is_sent_once_a_version(store):
    """As one file: on a shared file system files are counted."""
    code = Path(store.send_code())
    made = code.stat().st_ino
    with tarfile.open(code) as archive:
        assert "tlcourse/cluster/worker_node.py" in archive.getnames()
    assert store.send_code() == str(code)
    assert code.stat().st_ino == made
    assert not list(Path(store.work).glob("incoming.*"))


def test_what_python_has_already_stays_where_torch_is_not_installed_anew(cluster, store, with_packages):
    """A module's or a container's torch can be added to."""
    python = python_for(store, with_packages)
    assert cluster.ssh(f"{python} -c 'import moonphase, msgspec'").returncode == 0
    anew = msgspec.structs.replace(with_packages, packages=["torch==0.0.1"])
    with pytest.raises(InfraError, match="could not be made"):
        python_for(store, anew)
    assert cluster.ssh(f"ls {store.work}/env/{environment_key(anew)}").returncode != 0  # no half of one is left


def test_a_work_folder_without_room_for_torch_says_so_before_anything_is_made(cluster, store, with_packages):
    with cluster.odd(df="echo; echo tmpfs 20000000 0 20000000"):
        large = msgspec.structs.replace(with_packages, packages=["torch>=2.6"], login_shell=False)
        with pytest.raises(InfraError, match="could not be made"):
            python_for(store, large)
    with cluster.odd(df="echo; echo tmpfs 20000 0 2000000 9%"), pytest.raises(InfraError) as raised:
        python_for(store, large)
    assert "needs 5.4 GB, and 2.0 GB are free" in raised.value.what


def test_cleaning_removes_everything_but_what_a_job_needs(cluster, profile):
    store = RemoteStore(shell_for(profile, "bed"), "$HOME/to-clean")
    store.send_blobs({"a": b"1" * 2_000_000, "b": b"2"})
    store.send_folder("tlcourse-gone", {"plan.json": b"{}"})
    store.send_folder("tlcourse-waits", {"plan.json": b"{}"})
    cluster.run("sbatch", "-J", "tlcourse-waits", "-H", "--wrap", "true", user="student")
    first = store.clean()
    assert (first.files, first.kept) == (1, ["tlcourse-waits"])
    assert cluster.ssh(f"ls {store.work}/blobs").stdout.split() == ["a", "b"]
    cluster.clear()
    last = store.clean()
    assert last.kept == []
    assert last.files == 3
    assert last.mb > 1.8
