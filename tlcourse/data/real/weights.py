"""ImageNet weights of torchvision's networks: where they lie, how they are fetched, and which a solution names.

Only files are handled here; torch opens them, in the sandbox. A file is NAME_imagenet.safetensors in torchvision's
layout, or torchvision's own NAME-HASH.pth, whose name holds the first digits of its SHA-256.
"""

from __future__ import annotations

import ast
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from tlcourse import paths
from tlcourse.data.real.download import Tell, download
from tlcourse.data.real.files import Here, Verified
from tlcourse.errors import UnableError, UsageError
from tlcourse.own_process import own_command
from tlcourse.storage import replacing, sha256_of_file
from tlcourse.torch_install import require_torch

FOLDER = "pretrained"
INSECTS = "insects"
"""The course's own network, whose weights ship with it."""
_NAME = re.compile(r"[a-z][a-z0-9_]{1,39}")
_THEIRS = re.compile(r"(?P<name>[a-z0-9_]+?)(?:_google|_rwightman)?-(?P<digits>[0-9a-f]{8,64})\.pth")
_MOST_NAMES = 4  # a solution needs one; each may cost a download
_MOST_SOURCE = 1 << 20
_ASK_S = 120


def places() -> list[Path]:
    """The folders in which weights are looked for: TLCOURSE_DATA's, the user's own, torch's hub cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "torch"
    torch_home = Path(os.environ.get("TORCH_HOME") or cache).expanduser()
    return [*(folder / FOLDER for folder in paths.real_data_folders()), torch_home / "hub" / "checkpoints"]


def find(name: str) -> Path | None:
    """The file with the ImageNet weights of the network `name`, or None."""
    return listed().get(name)


def find_or_get(name: str) -> Path | None:
    """As `find`; what is not here is downloaded where there is a network."""
    if (path := find(name)) is not None:
        return path
    with contextlib.suppress(UnableError, UsageError):
        return get(name, tell=lambda text: print(text, file=sys.stderr))
    return None


def listed() -> dict[str, Path]:
    """Every file with weights on this machine, by the name of its network; the first place that has one wins."""
    found: dict[str, Path] = {}
    for folder in places():
        with contextlib.suppress(OSError):
            for path in sorted(folder.iterdir()):
                if (name := _network_of(path.name)) and path.is_file():
                    found.setdefault(name, path)
    return found


def _network_of(file: str) -> str:
    """The network whose weights a file of that name holds; empty if it holds none."""
    if file.endswith("_imagenet.safetensors"):
        return file.removesuffix("_imagenet.safetensors")
    match = _THEIRS.fullmatch(file)
    return match["name"] if match else ""


def problem_of(name: str, path: Path) -> str:
    """What is wrong with a file of weights; empty where it can be loaded into the network `name`."""
    match = _THEIRS.fullmatch(path.name)
    if match and not sha256_of_file(path).startswith(match["digits"]):
        return "its SHA-256 does not begin with the digits in its name"
    return _ask(name, path).get("problem", "")


def get(name: str, source: Path | None = None, tell: Tell = lambda _: None) -> Path:
    """Put the weights of `name` into the user's data folder, from the network or from the file `source`.

    Raises UsageError where torchvision has no such network or `source` is not its weights, and UnableError.
    """
    target_folder = paths.own_real_data() / FOLDER
    problem = "" if source is None else problem_of(name, source) if source.is_file() else "no such file"
    if source is not None and not problem:
        return _copied(name, source, target_folder)
    answer = _ask(name)  # a file that does not fit may be one for a network that there is not
    if "problem" in answer:
        raise UsageError(
            f"{answer['problem']}.", cause="a spelling mistake, or another version of torchvision.", remedy=_SUCH_AS
        )
    if problem:
        raise UsageError(
            f"{source} does not hold the weights of {name}: {problem}.",
            cause="another network's weights, or a damaged file.",
            remedy="name a .safetensors or .pth file with the network's state_dict in torchvision's layout.",
        )
    match = re.search(r"-([0-9a-f]{8,64})\.pth\Z", answer["url"])
    if match is None:
        raise UnableError(f"torchvision gives no checksum for the weights of {name}.", remedy=_SUCH_AS)
    target = target_folder / f"{name}-{match[1]}.pth"
    download(answer["url"], target, match[1], f"tlcourse data get pretrained {name} --from FILE", tell)
    return target


_SUCH_AS = "use a name of torchvision, such as resnet18, mobilenet_v2 or squeezenet1_1."


def _copied(name: str, source: Path, folder: Path) -> Path:
    if source.suffix == ".safetensors":
        target = folder / f"{name}_imagenet.safetensors"
    else:
        target = folder / f"{name}-{sha256_of_file(source)[:8]}.pth"
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(target, mode=0o644) as copy, source.open("rb") as given:
        shutil.copyfileobj(given, copy)
    return target


def _ask(name: str, path: Path | None = None) -> dict[str, str]:
    """What torchvision says of a network, or of a file for it: asked in a process of its own, as torch is heavy."""
    if not _NAME.fullmatch(name):
        return {"problem": f"torchvision has no network {name[:40]!r}"}
    require_torch("Looking into ImageNet weights")
    command = own_command("tlcourse.execution.worker.pretrained", name, *([str(path)] if path else []))
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_ASK_S, check=False)
        answer: dict[str, str] = json.loads(done.stdout)
    except (OSError, subprocess.TimeoutExpired, ValueError):
        raise UnableError("torchvision cannot be asked.", remedy="tlcourse doctor") from None
    return answer


class Pretrained(Struct, frozen=True):
    """All files of weights as one `DataSet`, of which a network's name chooses."""

    name: str = "pretrained"
    title: str = "ImageNet weights of torchvision's networks, for task.pretrained(NAME)"
    source: str = "torchvision (BSD 3-Clause), trained on ImageNet, whose images are for research and teaching alone"
    used_by: tuple[str, ...] = ("ex1 --variant full", "lab run fine-tuning --data full")
    remedy: str = "tlcourse data get pretrained NAME"

    def here(self) -> Here | None:
        """See `DataSet`; the detail names the networks."""
        networks = listed()
        where = ", ".join(sorted({str(path.parent) for path in networks.values()}))
        return Here(where, ", ".join(sorted(networks))) if networks else None

    def verify(self) -> list[Verified]:
        """See `DataSet`; one for each network."""
        found = ((name, path, problem_of(name, path)) for name, path in sorted(listed().items()))
        return [Verified(f"pretrained {name}", str(path), [problem] * bool(problem)) for name, path, problem in found]

    def fetch(self, which: str | None, source: Path | None, tell: Tell) -> Path:
        """See `DataSet`; `which` is the network."""
        if which is None:
            raise UsageError("Weights of which network?", remedy="tlcourse data get pretrained mobilenet_v2")
        return get(which, source, tell)


SET = Pretrained()


def for_submission(folder: Path) -> dict[str, Path]:
    """The files that a solution needs inside its sandbox: path there → file here.

    Names are read from its text: what is not written out as a string is not found. A network that it asks for by
    `pretrained("NAME")` and that is not here is downloaded; where that fails, the solution is told when it asks.
    """
    strings, asked = names_in(folder)
    here = listed()
    for name in sorted(asked - {INSECTS} - here.keys())[:_MOST_NAMES]:
        with contextlib.suppress(UnableError, UsageError):
            here[name] = get(name)
    return {f"{FOLDER}/{name}_imagenet{here[name].suffix}": here[name] for name in sorted(strings & here.keys())}


def names_in(folder: Path) -> tuple[set[str], set[str]]:
    """All strings of a solution that could name a network, and those that stand in a call of `pretrained`."""
    strings: set[str] = set()
    asked: set[str] = set()
    for node in _nodes(folder):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _NAME.fullmatch(node.value):
            strings.add(node.value)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "pretrained":
            asked |= {a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)}
    return strings, asked & strings


def _nodes(folder: Path) -> Iterator[ast.AST]:
    for path in sorted(folder.glob("*.py")):
        with contextlib.suppress(OSError, SyntaxError, ValueError, RecursionError, MemoryError):
            if path.is_file() and path.stat().st_size <= _MOST_SOURCE:
                yield from ast.walk(ast.parse(path.read_bytes()))
