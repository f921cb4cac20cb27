"""Cards of a machine, as its folders show them, and one run at a time on each. No card is needed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tlcourse.execution import gpu, supervise
from tlcourse.execution.gpu import Card, alone_on, card_of, cards, environment, shown
from tlcourse.sandbox.choose import choose

FIRST, SECOND = "GPU-8932f937-d72c-4106-c12f-20bd9faed9f6", "GPU-90c0ee2f-0000-4106-c12f-20bd9faed9f7"
SLICE = "MIG-c6d4f1ef-42e4-5de3-91c7-45d71c87eb3f"


MAKES = """
try:
    open("/dev/new", "w").close(); told["made"] = True
except OSError:
    told["made"] = False
"""


def is_there(name: str) -> bool:
    return Path(name).is_char_device()


def machine(folder: Path, *nodes: str, minors: dict[str, int] | None = None, uuids: tuple[str, ...] = ()) -> Path:
    """A folder that looks like the root of a machine with these device nodes; cards are told by their addresses."""
    for name in nodes:
        (folder / "dev" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "dev" / name).touch()
    for number, (address, minor) in enumerate((minors or {}).items()):
        about = folder / "proc/driver/nvidia/gpus" / address / "information"
        about.parent.mkdir(parents=True)
        uuid = f"GPU UUID: \t {uuids[number]}\n" if uuids else ""
        about.write_text(f"Model: \t\t An Accelerator\n{uuid}Device Minor: \t {minor}\n")
    return folder


def divided(root: Path, minor: int, capabilities: dict[str, int]) -> None:
    """Slices of a card: `gi1` or `gi1/ci0` → the number of the node that allows its use."""
    for name, number in capabilities.items():
        access = root / f"proc/driver/nvidia/capabilities/gpu{minor}/mig" / name / "access"
        access.parent.mkdir(parents=True, exist_ok=True)
        access.write_text(f"DeviceFileMinor: {number}\nDeviceFileMode: 292\nDeviceFileModify: 1\n")
        machine(root, f"nvidia-caps/nvidia-cap{number}")


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


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        ("1", ["nvidia1"]),
        ("1,0", ["nvidia1", "nvidia0"]),
        (" 1 , 0 ", ["nvidia1", "nvidia0"]),
        ("", []),
        ("7", []),
        ("0,-1,1", ["nvidia0"]),
        ("1,1,0", ["nvidia1"]),
        ("NoDevFiles", []),
        (SECOND, ["nvidia1"]),
        (f"{SECOND},{FIRST}", ["nvidia1", "nvidia0"]),
        ("GPU-90c", ["nvidia1"]),
        ("GPU-", []),
        ("GPU-1234", []),
        (SLICE, []),
    ],
)
def test_of_a_scheduler_s_share_only_what_it_lists_is_counted(tmp_path, listed, expected):
    """As by CUDA: entries are numbers or ids, and what follows one that names no card is not seen."""
    addresses = {"0000:17:00.0": 0, "0000:65:00.0": 1}
    root = machine(tmp_path, "nvidia0", "nvidia1", minors=addresses, uuids=(FIRST, SECOND))
    assert [card.name for card in gpu.nvidia_cards(root, {"CUDA_VISIBLE_DEVICES": listed}, lambda: "")] == expected


def test_where_the_kernel_tells_no_ids_the_driver_is_asked(tmp_path):
    root = machine(tmp_path, "nvidia0", "nvidia1")
    said = f"GPU 0: An Accelerator (UUID: {FIRST})\nGPU 1: An Accelerator (UUID: {SECOND})\n"
    share = {"CUDA_VISIBLE_DEVICES": SECOND}
    assert [card.name for card in gpu.nvidia_cards(root, share, lambda: said)] == ["nvidia1"]
    assert gpu.nvidia_cards(root, share, lambda: "") == []  # not all of them


class TestSlices:
    """A card that is divided (MIG): the nodes that allow its slices come with it, and none that rules over them."""

    @pytest.fixture
    def root(self, tmp_path: Path) -> Path:
        nodes = ("nvidia0", "nvidia1", "nvidiactl", "nvidia-caps/nvidia-cap1", "nvidia-caps/nvidia-cap2")
        addresses = {"0000:17:00.0": 0, "0000:65:00.0": 1}
        root = machine(tmp_path, *nodes, minors=addresses, uuids=(FIRST, SECOND))
        divided(root, 1, {"gi3": 30, "gi3/ci0": 31, "gi4": 39, "gi4/ci0": 40})
        for name, number in (("config", 1), ("monitor", 2)):
            (root / "proc/driver/nvidia/capabilities/gpu1/mig" / name).write_text(f"DeviceFileMinor: {number}\n")
        return root

    @staticmethod
    def capabilities(card: Card) -> list[str]:
        return [Path(node).name for node in card.nodes if "nvidia-caps" in node]

    def test_a_whole_card_brings_those_of_all_its_slices(self, root):
        first, second = gpu.nvidia_cards(root, {})
        assert self.capabilities(first) == []
        assert self.capabilities(second) == ["nvidia-cap30", "nvidia-cap39", "nvidia-cap31", "nvidia-cap40"]

    def test_a_slice_is_a_card_of_its_own_with_a_lock_of_its_own(self, root):
        (one,) = gpu.nvidia_cards(root, {"CUDA_VISIBLE_DEVICES": SLICE}, lambda: "")
        assert one.nodes[:2] == (str(root / "dev/nvidia1"), str(root / "dev/nvidiactl"))
        assert one.name == f"nvidia1-{SLICE}"
        assert one.is_slice

    def test_which_card_it_is_of_is_asked_where_several_are_divided(self, root):
        divided(root, 0, {"gi1": 50})
        said = f"GPU 0: A (UUID: {FIRST})\n  MIG 1g Device 0: (UUID: MIG-other)\nGPU 1: A (UUID: {SECOND})\n"
        said += f"  MIG 2g.10gb     Device  0: (UUID: {SLICE})\n"
        (one,) = gpu.nvidia_cards(root, {"CUDA_VISIBLE_DEVICES": SLICE}, lambda: said)
        assert one.name.startswith("nvidia1-")
        assert gpu.nvidia_cards(root, {"CUDA_VISIBLE_DEVICES": SLICE}, lambda: "") == []

    def test_an_id_that_says_where_the_slice_lies_brings_its_nodes_alone(self, root):
        (one,) = gpu.nvidia_cards(root, {"CUDA_VISIBLE_DEVICES": f"MIG-{SECOND}/4/0"}, lambda: "")
        assert self.capabilities(one) == ["nvidia-cap39", "nvidia-cap40"]

    def test_in_a_sandbox_too_a_run_is_told_which_slice_is_its_own(self, root):
        (one,) = gpu.nvidia_cards(root, {"CUDA_VISIBLE_DEVICES": SLICE}, lambda: "")
        assert environment(one, "bubblewrap", {})["CUDA_VISIBLE_DEVICES"] == SLICE


class TestAmd:
    def test_a_card_is_a_renderer_and_kfd(self, tmp_path):
        root = machine(tmp_path, "kfd", "dri/renderD128", "dri/renderD129", "dri/card0")
        card = cards(root, {})[1]
        assert (card.name, card.nodes) == ("amd1", (str(root / "dev/kfd"), str(root / "dev/dri/renderD129")))

    @pytest.fixture
    def root(self, tmp_path: Path) -> Path:
        """Three cards, which the kernel counts in another order than their nodes; node 0 is the processor."""
        for node, (renderer, unique) in enumerate(((0, 0), (130, 255), (128, 171), (129, 0))):
            properties = tmp_path / f"sys/class/kfd/kfd/topology/nodes/{node}/properties"
            properties.parent.mkdir(parents=True)
            properties.write_text(f"simd_count 8\ndrm_render_minor {renderer}\nunique_id {unique}\n")
        return machine(tmp_path, "kfd", "dri/renderD128", "dri/renderD129", "dri/renderD130")

    @pytest.mark.parametrize(
        ("env", "expected"),
        [
            ({}, ["amd2", "amd0", "amd1"]),
            ({"ROCR_VISIBLE_DEVICES": "1,2"}, ["amd0", "amd1"]),
            ({"ROCR_VISIBLE_DEVICES": "GPU-ab"}, ["amd0"]),
            ({"HIP_VISIBLE_DEVICES": "2"}, ["amd1"]),
            ({"CUDA_VISIBLE_DEVICES": "2"}, ["amd1"]),
            ({"HIP_VISIBLE_DEVICES": "0", "CUDA_VISIBLE_DEVICES": "2"}, ["amd2"]),
            ({"ROCR_VISIBLE_DEVICES": "1,2", "HIP_VISIBLE_DEVICES": "1"}, ["amd1"]),
            ({"ROCR_VISIBLE_DEVICES": ""}, []),
            ({"HIP_VISIBLE_DEVICES": "9"}, []),
        ],
    )
    def test_one_variable_chooses_among_all_cards_and_the_next_among_those(self, root, env, expected):
        assert [card.name for card in cards(root, env)] == expected

    def test_they_say_nothing_about_cards_of_nvidia(self, tmp_path):
        root = machine(tmp_path, "nvidia0", "nvidia1")
        names = [card.name for card in cards(root, {"HIP_VISIBLE_DEVICES": "1", "ROCR_VISIBLE_DEVICES": "1"})]
        assert names == ["nvidia0", "nvidia1"]


@pytest.mark.parametrize(
    ("device", "name"),
    [("auto", "nvidia0"), ("cuda", "nvidia0"), ("cuda:1", "nvidia1"), ("cuda:2", None), ("cpu", None)],
)
def test_a_device_names_a_card(tmp_path, device, name):
    card = card_of(device, machine(tmp_path, "nvidia0", "nvidia1"), {})
    assert (card and card.name) == name


@pytest.mark.slow
def test_a_bubblewrap_run_is_shown_the_nodes_of_its_card_and_no_other(job_for, tells, told, monkeypatch):
    """For real, with nodes of this machine that a run is not shown otherwise: one of them in a folder of its own."""
    nodes = [name for name in ("/dev/net/tun", "/dev/fuse", "/dev/autofs", "/dev/kmsg", "/dev/kvm") if is_there(name)]
    if len(nodes) < 2:
        pytest.skip("this machine has too few devices")
    monkeypatch.setattr(supervise, "card_of", lambda _: Card(f"test{os.getpid()}", tuple(nodes[:-1])))
    seen = told(supervise.run(job_for(tells(f"told['seen'] = [os.path.exists(n) for n in {nodes}]\n{MAKES}")),
                              choose("bubblewrap")[0], lambda _: None))  # fmt: skip
    assert seen == {"seen": [True] * (len(nodes) - 1) + [False], "made": False}


def test_a_run_knows_its_one_card_as_the_first(job_for):
    task_spec = job_for("", device="cuda:3").task_spec
    assert shown(task_spec, Card("nvidia3", ())).device == "cuda:0"
    assert shown(task_spec, None).device == "cuda:3"  # there is none: torch will say so


class TestWithoutASandbox:
    """All nodes are there, so that the driver must be told: else `cuda:0` is another card than the one that is held."""

    def test_a_run_sees_the_card_that_is_held_for_it(self, tmp_path):
        addresses = {"0000:17:00.0": 1, "0000:65:00.0": 0}
        root = machine(tmp_path, "nvidia0", "nvidia1", minors=addresses, uuids=(FIRST, SECOND))
        card = card_of("cuda:1", root, {})
        assert card.name == "nvidia0"
        assert environment(card, "none", {})["CUDA_VISIBLE_DEVICES"] == SECOND
        assert environment(card_of("cuda", root, {"CUDA_VISIBLE_DEVICES": "1"}), "none", {})[
            "CUDA_VISIBLE_DEVICES"
        ] == SECOND  # fmt: skip

    def test_where_no_id_is_known_its_number_holds_in_the_order_of_addresses(self, tmp_path):
        card = card_of("cuda:1", machine(tmp_path, "nvidia0", "nvidia1"), {})
        assert environment(card, "none", {}) == {"CUDA_VISIBLE_DEVICES": "1", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}

    def test_of_amd_s_cards_it_is_one_of_all(self, tmp_path):
        root = machine(tmp_path, "kfd", "dri/renderD128", "dri/renderD129")
        card = card_of("cuda", root, {"HIP_VISIBLE_DEVICES": "1"})
        assert environment(card, "none", {}) == {"ROCR_VISIBLE_DEVICES": "1"}

    def test_who_was_given_no_card_gives_none(self):
        share = {"CUDA_VISIBLE_DEVICES": "", "CUDA_DEVICE_ORDER": "PCI_BUS_ID", "ROCR_VISIBLE_DEVICES": "0", "X": "1"}
        given = {name: share[name] for name in ("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "ROCR_VISIBLE_DEVICES")}
        assert environment(None, "none", share) == given
        assert environment(None, "bubblewrap", share) == {}

    @pytest.mark.slow
    def test_the_worker_has_these_variables(self, job_for, tells, told, monkeypatch):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
        source = tells("told['seen'] = os.environ.get('CUDA_VISIBLE_DEVICES')")
        assert told(supervise.run(job_for(source), choose("none")[0], lambda _: None))["seen"] == ""

    def test_in_a_sandbox_the_nodes_are_enough(self):
        assert environment(Card("nvidia1", (), {"CUDA_VISIBLE_DEVICES": FIRST}), "bubblewrap", {}) == {}


def test_one_run_at_a_time_uses_a_card(tmp_path):
    """Another process holds it; ours is told once that it waits, and gets it when that process ends."""
    code = (
        "import sys; from pathlib import Path\n"
        "from tlcourse.execution.gpu import alone_on; from tlcourse.execution.gpu import Card\n"
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
            other.wait(60)
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
