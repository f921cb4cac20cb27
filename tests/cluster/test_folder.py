"""What lies on a cluster: the files of its runs; and it goes, with what still runs, when all of a batch is recorded."""

from __future__ import annotations

import os

import msgspec
import pytest
from msgspec.structs import replace

from tlcourse.cluster import worker_node
from tlcourse.cluster.jobs import ArrayJob, Journal
from tlcourse.cluster.plan import SCHEMA, Packer, Plan, TaskResult
from tlcourse.cluster.profile import Profile
from tlcourse.cluster.staging import folder_archive
from tlcourse.grading.batch.backend import folder_of, forget


@pytest.fixture
def scancel(tmp_path, monkeypatch):
    """`scancel(code)`: a login node on this machine whose scancel ends so; gives the file of what it was told."""

    def made(code: int):
        folder = tmp_path / "bin"
        folder.mkdir()
        (folder / "scancel").write_text(f'#!/bin/sh\necho "$@" >>{tmp_path}/given\nexit {code}\n')
        (folder / "scancel").chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
        return tmp_path / "given"

    return made


def sent(folder, job: str, *, over: bool) -> None:
    Journal(folder).keep(ArrayJob(f"tlcourse-{job}", "uni", Profile(), ["k"], [[0]], 0.0, "/nowhere", job, over))


def test_a_batch_of_which_all_is_recorded_leaves_nothing_behind_here_or_there(tmp_path, scancel):
    given, book = scancel(0), tmp_path / "book.sqlite"
    sent(folder_of(book, 1), "17", over=True)
    sent(folder_of(book, 1), "18", over=False)
    sent(folder_of(book, 1, 2), "19", over=False)
    forget(folder_of(book, 1))
    assert given.read_text() == "18\n"
    assert not folder_of(book, 1).exists()
    forget(folder_of(book, 1, 2))
    assert not folder_of(book, 1).parent.exists()
    forget(folder_of(book, 3))  # it was never on a cluster


def test_where_the_cluster_does_not_hear_it_the_folder_stays(tmp_path, scancel):
    scancel(1)
    folder = folder_of(tmp_path / "book.sqlite", 1)
    sent(folder, "18", over=False)
    forget(folder)
    assert [one.job for one in Journal(folder).open] == ["18"]


@pytest.mark.slow
def test_what_a_run_may_read_lies_on_the_cluster_by_its_hash_and_is_read_on_the_node(tmp_path, job_for, told):
    public = tmp_path / "words.txt"
    public.write_text("one two three")
    job = job_for("told['words'] = (task.data / 'words.txt').read_text()", sandbox_kind="bubblewrap")
    job = replace(job, files={"data/words.txt": public})
    packer, folder = Packer(), tmp_path / "work" / "jobs" / "one"
    task = packer.task(job, folder_archive(job.submission))
    assert task.key != packer.task(replace(job, files={}), folder_archive(job.submission)).key
    for digest, data in packer.blobs(task).items():
        (tmp_path / "work" / "blobs").mkdir(parents=True, exist_ok=True)
        (tmp_path / "work" / "blobs" / digest).write_bytes(data)
    for inner in ("events", "results"):
        (folder / inner).mkdir(parents=True)
    (folder / "plan.json").write_bytes(msgspec.json.encode(Plan(SCHEMA, [task], [[0]])))
    assert worker_node.main([str(folder)]) == 0
    result = msgspec.json.decode((folder / "results" / "0.json").read_bytes(), type=TaskResult)
    assert told(result.report) == {"words": "one two three"}
