"""A class graded on the cluster, by the command: as here, whatever breaks, and each hand-in once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from waiting import HOLD, wait_for

from tlcourse.cluster.check import sandbox_on_nodes
from tlcourse.cluster.jobs import Journal
from tlcourse.cluster.pool import shell_for
from tlcourse.cluster.profile import load_profiles
from tlcourse.grading.batch.backend import folder_of
from tlcourse.grading.gradebook.gradebook import Gradebook

EXAMPLE = Path(__file__).parent.parent / "example_course"
GOOD = """
import time, torch
class Model(torch.nn.Module):
    def forward(self, x):
        return 2 * x[:, 0] + 1, 3 * x[:, 1] - 1 + {off}
def fit(task):
    {body}
    task.log(1, drawn=torch.rand(1).item())
    return Model()
"""
BAD = {
    "syntax": "def fit(task:\n",
    "crash": "def fit(task):\n    raise ValueError('no')\n",
    "nothing": "def fit(task):\n    return None\n",
    "quits": "import os\ndef fit(task):\n    os._exit(7)\n",
    "network": "import socket\ndef fit(task):\n    socket.create_connection(('127.0.0.1', 22), 2)\n",
    "munge": "import socket\ndef fit(task):\n    socket.socket(socket.AF_UNIX).connect('/run/munge/munge.socket.2')\n",
    "escape": "def fit(task):\n    print('\\x1b]0;mine\\x07')\n    raise ValueError('\\x1b[2J[red]=1+1')\n",
    "empty": "",
}


@pytest.fixture
def class_of(tmp_path):
    """`class_of(number, body)`: a folder of hand-ins, of which eight are broken or hostile where there are 40."""

    def made(number: int, body: str = "pass") -> Path:
        folder = tmp_path / "handins"
        bad = list(BAD.values()) if number >= 40 else []
        for i in range(number):
            one = folder / f"g{i:02}"
            one.mkdir(parents=True)
            good = f"# {i}\n{HOLD}" + GOOD.format(off=i / 80 if number >= 40 else 0, body=body)
            text = bad[i] if i < len(bad) else good
            (one / "solution.py").write_text(text)
        return folder

    return made


@pytest.fixture
def command(slurm, own_home, tmp_path):
    """`command(folder, "--on", "bed", book=…)` starts a batch, `command.words("ta", …)` another command."""
    (tmp_path / "config.yaml").write_text(
        f"profiles:\n  bed:\n    host: slurmlogin\n    ssh_config: {slurm.ssh_config}\n    partition: main\n"
        f"    python: {sys.executable}\n    at_once: 4\n    cpus: 2\n    chunk: 10\n"
        "    grace_s: 0.5\n    poll_s: 0.5\n"
    )
    env = {**os.environ, "TLCOURSE_HOME": str(own_home), "TLCOURSE_CONFIG": str(tmp_path / "config.yaml")}
    bed = load_profiles(tmp_path / "config.yaml")["bed"]
    sandbox_on_nodes("bed", bed, shell_for(bed, "bed"), print)  # once a week: not in the middle of what is tested
    slurm.clear()

    def start(folder: Path, *options: str, book: str = "there.sqlite") -> subprocess.Popen[str]:
        return words("batch", "line", str(folder), "--seed", "5", "--public-marks", *options, book=book)

    def words(*given: str, book: str = "there.sqlite") -> subprocess.Popen[str]:
        ours = ("--gradebook", str(tmp_path / book), "--json", "--course", str(EXAMPLE))
        return subprocess.Popen(
            [sys.executable, "-m", "tlcourse", *given, *ours],
            env=env,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    start.words = words
    return start


def finished(process: subprocess.Popen[str], cluster=None) -> dict:
    """Its document; with `cluster`, hand-ins that hold are told to go on until it has ended."""
    while cluster is not None and process.poll() is None:
        cluster.go_on()
        time.sleep(0.5)
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    return {**json.loads(out), "said": err}


def documents(book: Path) -> dict[str, dict]:
    """The result of each owner; asserts that each has exactly one that is final."""
    import msgspec

    with Gradebook.reading(book) as opened:
        (record,) = opened.batches()
        found = {}
        for status in opened.statuses(record):
            history = opened.history(status.handin.id)
            assert len([verdict for verdict in history if verdict.outcome != "infra"]) == 1
            found[status.handin.owner] = msgspec.to_builtins(opened.document(status.verdict.id))
    return found


def without_where(document: dict) -> dict:
    """What must be the same wherever it ran: all but places and times."""
    volatile = (
        "where",
        "sandbox",
        "wall_time_s",
        "cpu_s",
        "reference_s",
        "fit_reference_s",
        "speed",
        "peak_rss_mb",
        "fit_s",
    )
    runs = [{key: value for key, value in run.items() if key not in volatile} for run in document["runs"]]
    return {**document, "runs": runs, "started_at": "", "finished_at": ""}


def trains(cluster, jobs: int) -> None:
    """Wait until so many jobs run."""
    wait_for(lambda: len(cluster.jobs("RUNNING")) >= jobs)


def test_a_class_of_forty_is_one_array_over_four_nodes_and_has_the_results_of_this_machine(
    cluster, command, class_of, tmp_path
):
    folder = class_of(40)
    told = finished(command(folder, "--on", "bed"))
    assert told["final"] == told["total"] == 40
    finished(command(folder, book="here.sqlite"))
    there, here = documents(tmp_path / "there.sqlite"), documents(tmp_path / "here.sqlite")
    for owner in there:
        assert without_where(there[owner]) == without_where(here[owner])
    assert set(there) == set(here)
    outcomes = {document["outcome"] for document in there.values()}
    assert {"pass", "fail", "crash", "invalid"} <= outcomes
    places = {run["where"].split()[1] for document in there.values() for run in document["runs"] if run["where"]}
    assert places >= set(cluster.nodes)
    assert len({line.split()[0].split("_")[0] for line in cluster.jobs()}) == 1
    assert not folder_of(tmp_path / "there.sqlite", 1).exists()  # all is recorded: what was sent matters no more
    assert {run["sandbox"] for document in there.values() for run in document["runs"]} == {"fork-server"}


def test_a_node_that_crashes_costs_nobody_a_result(cluster, command, class_of, tmp_path):
    process = command(class_of(8, "hold(task)"), "--on", "bed")
    trains(cluster, 4)
    cluster.crash_node(cluster.nodes[1])
    try:
        assert finished(process, cluster)["counts"] == {"pass": 8}
    finally:
        cluster.start_node(cluster.nodes[1])
    assert [line for line in cluster.jobs() if line.endswith("NODE_FAIL")]
    assert set(documents(tmp_path / "there.sqlite")) == {f"g{i:02}" for i in range(8)}


def test_a_batch_that_is_killed_takes_over_what_it_had_sent(cluster, command, class_of, tmp_path):
    folder = class_of(8, "hold(task)")
    process = command(folder, "--on", "bed")
    trains(cluster, 4)
    process.kill()
    process.communicate()
    sent = Journal(folder_of(tmp_path / "there.sqlite", 1)).open
    assert [one.job for one in sent if one.job]
    told = finished(command(folder, "--resume"), cluster)  # it goes on where it was begun
    assert told["counts"] == {"pass": 8}
    assert "Their results are used" in told["said"]
    documents(tmp_path / "there.sqlite")
    assert len({line.split()[0].split("_")[0] for line in cluster.jobs()}) == 1  # nothing was sent twice


def test_ctrl_c_says_what_goes_on_there_and_how_to_go_on_here(cluster, command, class_of):
    process = command(class_of(4, "hold(task)"), "--on", "bed", "--seconds", "600")
    trains(cluster, 4)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "keep running on bed" in err
    assert "--resume" in err
    assert "ssh slurmlogin scancel" in err
    assert cluster.jobs("RUNNING")


def test_a_batch_without_a_sandbox_is_refused_before_anything_is_sent(cluster, command, class_of, tmp_path):
    process = command(class_of(1), "--on", "bed", "--sandbox", "none")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 3, err
    assert not cluster.jobs()


def test_landlock_in_a_batch_is_said_in_two_sentences_and_gives_each_hand_in_a_job_of_its_own(
    cluster, command, class_of, tmp_path
):
    told = finished(command(class_of(2), "--on", "bed", "--sandbox", "landlock"))
    assert told["counts"] == {"pass": 2}
    assert "a hand-in cannot read another one's files" in told["said"]
    found = documents(tmp_path / "there.sqlite").values()
    assert {run["sandbox"] for document in found for run in document["runs"]} == {"landlock"}
    assert len({run["where"].split("(job ")[1] for document in found for run in document["runs"]}) == 2


def test_a_class_is_not_sent_to_nodes_that_build_no_sandbox_for_it(cluster, command, class_of):
    """As on LUMI: a small job has asked a node, and says landlock; or none at all."""
    (note,) = cluster.home.glob(".tlcourse-jobs/sandbox-*")
    before, folder = note.read_text(), class_of(1)
    try:
        for kind, words in (("landlock", "decide for the weaker one: --sandbox landlock"), ("none", "none at all")):
            note.write_text(kind)
            process = command(folder, "--on", "bed")
            _, err = process.communicate(timeout=60)
            assert process.returncode == 3, err
            assert words in err
            assert "sysctl" not in err
    finally:
        note.write_text(before)
    assert not cluster.jobs()


def test_a_dry_run_says_where_it_would_be_graded(command, class_of):
    process = command(class_of(1), "--on", "bed", "--dry-run")
    out, err = process.communicate(timeout=60)
    assert json.loads(out)["on"] == "bed"
    assert "on bed (slurmlogin, up to 4 jobs with 10 hand-ins each)" in err


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("partition: main", "partition: nowhere", "config.yaml:5 (partition: nowhere)"),
        ("cpus: 2", "cpus: 200", "(cpus: 200)"),
        ("host: slurmlogin", "host: nowhere.invalid", "cannot be reached"),
    ],
)
def test_what_the_cluster_refuses_at_once_is_said_with_its_line_before_a_batch_begins(
    cluster, command, class_of, tmp_path, old, new, words
):
    config = tmp_path / "config.yaml"
    config.write_text(config.read_text().replace(old, new))
    process = command(class_of(2), "--on", "bed")
    _, err = process.communicate(timeout=60)
    assert process.returncode == (3 if "host" in new else 2), err
    assert words in err
    assert "tlcourse config check bed" in err
    with Gradebook.reading(tmp_path / "there.sqlite") as book:
        assert book.batches() == []


def test_what_it_refuses_later_stops_the_batch_and_is_recorded_for_nobody(cluster, command, class_of, tmp_path):
    folder, config = class_of(2, "hold(task)"), tmp_path / "config.yaml"
    process = command(folder, "--on", "bed")
    trains(cluster, 2)
    process.kill()
    process.communicate()
    cluster.run("scancel", "--user", "student")
    config.write_text(config.read_text().replace("partition: main", "partition: nowhere"))
    process = command(folder, "--resume")
    _, err = process.communicate(timeout=120)
    assert process.returncode == 2, err
    assert "config.yaml:5 (partition: nowhere)" in err
    assert "tlcourse config check bed. Then continue with --resume." in err
    with Gradebook.reading(tmp_path / "there.sqlite") as book:
        assert book.verdicts(1) == {}


def test_what_ended_as_a_fault_of_ours_is_graded_again_where_the_batch_was(cluster, command, class_of, tmp_path):
    """No node can run anything at first; afterwards the regrade runs on the cluster, without being told."""
    folder, config = class_of(1), tmp_path / "config.yaml"
    whole = config.read_text()
    config.write_text(whole.replace(sys.executable, "/nowhere/python"))
    process = command(folder, "--on", "bed")
    out, err = process.communicate(timeout=240)
    assert process.returncode == 5, err
    assert json.loads(out)["counts"] == {"infra": 1}
    config.write_text(whole)
    regrade = ("ta", "regrade", "line", "--why", "no Python there", "--seed", "5", "--public-marks")
    told = finished(command.words(*regrade, "--only", "infra"))
    assert (told["on"], told["left"], told["counts"]) == ("bed", 0, {"pass": 1})
    for document in documents(tmp_path / "there.sqlite").values():
        assert document["runs"][0]["where"].startswith("bed: n")
    assert not folder_of(tmp_path / "there.sqlite", 1, told["regrade"]).exists()  # all of it is recorded
    told = finished(command.words(*regrade, "--only", "all", "--on", "local"))
    assert (told["on"], told["regrade"], told["left"]) == ("local", 2, 0)
