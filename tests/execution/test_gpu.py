"""Cards of a machine, as its folders show them, and one run at a time on each. No card is needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tlcourse.execution.gpu import Card, alone_on, card_of, cards, shown
from tlcourse.execution.job import Caps
from tlcourse.execution.walls import bubblewrap
from tlcourse.execution.walls.wall import Start


def machine(folder: Path, *nodes: str, minors: dict[str, int] | None = None) -> Path:
    """A folder that looks like the root of a machine with these device nodes."""
    for name in nodes:
        (folder / "dev" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "dev" / name).touch()
    for address, minor in (minors or {}).items():
        about = folder / "proc/driver/nvidia/gpus" / address / "information"
        about.parent.mkdir(parents=True)
        about.write_text(f"Model: \t\t An Accelerator\nDevice Minor: \t {minor}\n")
    return folder


def test_a_machine_without_cards_has_none(tmp_path):
    assert cards(machine(tmp_path, "null", "dri/card0"), {}) == []
    assert card_of("cuda:0", tmp_path, {}) is None


def test_an_nvidia_card_comes_with_its_own_node_and_those_that_all_share(tmp_path):
    root = machine(tmp_path, "nvidia0", "nvidia1", "nvidia10", "nvidiactl", "nvidia-uvm")
    found = cards(root, {})
    assert [card.name for card in found] == ["nvidia0", "nvidia1", "nvidia10"]
    assert found[1].nodes == tuple(str(root / "dev" / name) for name in ("nvidia1", "nvidiactl", "nvidia-uvm"))


def test_nvidia_cards_are_counted_by_their_addresses_not_by_their_nodes(tmp_path):
    root = machine(tmp_path, "nvidia0", "nvidia1", minors={"0000:65:00.0": 0, "0000:17:00.0": 1})
    assert [card.name for card in cards(root, {})] == ["nvidia1", "nvidia0"]


def test_an_amd_card_is_a_renderer_and_kfd(tmp_path):
    root = machine(tmp_path, "kfd", "dri/renderD128", "dri/renderD129", "dri/card0")
    assert cards(root, {})[1] == Card("amd1", (str(root / "dev/kfd"), str(root / "dev/dri/renderD129")))


@pytest.mark.parametrize(
    ("listed", "expected"),
    [("1", ["nvidia1"]), ("1,0", ["nvidia1", "nvidia0"]), ("", []), ("7", []), ("GPU-1234", ["nvidia0", "nvidia1"])],
)
def test_of_a_scheduler_s_share_only_what_it_lists_is_counted(tmp_path, listed, expected):
    root = machine(tmp_path, "nvidia0", "nvidia1")
    assert [card.name for card in cards(root, {"CUDA_VISIBLE_DEVICES": listed})] == expected


@pytest.mark.parametrize(
    ("device", "name"),
    [("auto", "nvidia0"), ("cuda", "nvidia0"), ("cuda:1", "nvidia1"), ("cuda:2", None), ("cpu", None)],
)
def test_a_device_names_a_card(tmp_path, device, name):
    card = card_of(device, machine(tmp_path, "nvidia0", "nvidia1"), {})
    assert (card and card.name) == name


def test_a_cold_run_is_shown_the_nodes_of_its_card_and_no_other(tmp_path):
    start = Start((), tmp_path, tmp_path, Caps(), {}, (), 0, 1, gpu=True, devices=("/dev/nvidia1", "/dev/nvidiactl"))
    command = bubblewrap._bubblewrap(start, {}, 9)
    bound = [command[i + 1] for i, word in enumerate(command) if word.startswith("--dev-bind")]
    assert bound == ["/dev/nvidia1", "/dev/nvidiactl"]


def test_behind_a_wall_the_one_card_is_the_first(job_for):
    brief = job_for("", device="cuda:3").brief
    card = Card("nvidia3", ())
    assert shown(brief, card, "cold").device == "cuda:0"
    assert shown(brief, card, "none").device == "cuda:3"
    assert shown(brief, None, "cold").device == "cuda:3"  # there is none: torch will say so


def test_one_run_at_a_time_uses_a_card(tmp_path):
    """Another process holds it; ours is told once that it waits, and gets it when that process ends."""
    code = (
        "import sys; from pathlib import Path; from tlcourse.execution.gpu import Card, alone_on\n"
        "with alone_on(Card('nvidia0', ()), lambda: None, Path(sys.argv[1])):\n"
        "    print('held', flush=True); sys.stdin.readline()\n"
    )
    told = []
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdin is not None
        assert other.stdout.readline() == "held\n"

        def waiting() -> None:
            told.append("waits")
            other.stdin.write("\n")
            other.stdin.flush()

        with alone_on(Card("nvidia0", ()), waiting, tmp_path):
            other.wait(10)
            told.append("has it")
        with alone_on(Card("nvidia1", ()), lambda: told.append("never"), tmp_path):
            pass
    assert told == ["waits", "has it"]


def test_a_lock_that_is_a_link_is_not_followed(tmp_path):
    (tmp_path / "tlcourse-nvidia0.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError), alone_on(Card("nvidia0", ()), lambda: None, tmp_path):
        pass
    assert not (tmp_path / "elsewhere").exists()


def test_a_run_on_the_cpu_waits_for_nobody(tmp_path):
    with alone_on(None, lambda: pytest.fail("waited"), tmp_path):
        assert list(tmp_path.iterdir()) == []
