"""The real data that the course can use: what is on this machine, and whether it is as it should be."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from tlcourse.data.real import amazon_reviews, bsds, folders, hymenoptera, listed_files, mnist, office_caltech, weights
from tlcourse.data.real.download import Tell
from tlcourse.data.real.listed_files import ListedFiles
from tlcourse.errors import UsageError

_LISTED = {files.name: files for files in (mnist.FILES, office_caltech.FILES, amazon_reviews.FILES)}
LABS = {
    "hymenoptera": ("fine-tuning",),
    "pretrained": ("fine-tuning",),
    "mnist": ("dann", "patch-mix"),
    "office-caltech10": ("coral",),
    "amazon-reviews": ("feature-augmentation",),
    "bsds500": ("dann", "patch-mix"),
}
"""The labs that read a set with `--data full`."""


class RealData(Struct, frozen=True):
    """One set of files. `where` is empty where it is not on this machine; `get` says what would bring it there."""

    name: str
    title: str
    used_by: str
    where: str
    detail: str
    get: str


class Verified(Struct, frozen=True):
    """What reading a set of files whole has shown."""

    name: str
    where: str
    problems: list[str]


def listed() -> list[RealData]:
    """Every set, and where it lies; nothing is opened."""
    photographs = hymenoptera.find()
    networks = weights.listed()
    kept_in = ", ".join(sorted({str(path.parent) for path in networks.values()}))
    return [
        RealData(
            "hymenoptera",
            "397 photographs of ants and bees, of PyTorch's transfer-learning tutorial (47 MB)",
            f"ex1 --variant full, {_used_by('hymenoptera')}",
            str(photographs or ""),
            "",
            "tlcourse data get hymenoptera",
        ),
        RealData(
            "pretrained",
            "ImageNet weights of torchvision's networks, for task.pretrained(NAME)",
            f"ex1 --variant full, {_used_by('pretrained')}",
            kept_in,
            ", ".join(sorted(networks)),
            "tlcourse data get pretrained NAME",
        ),
        *(_listed(files) for files in _LISTED.values()),
        RealData(
            "bsds500",
            "500 photographs of Berkeley's segmentation benchmark, the ground of MNIST-M",
            _used_by("bsds500"),
            str(bsds.find() or ""),
            "",
            bsds.REMEDY,
        ),
    ]


def _listed(files: ListedFiles) -> RealData:
    where = str(listed_files.find(files) or "")
    return RealData(files.name, files.title, _used_by(files.name), where, "", files.remedy)


def _used_by(name: str) -> str:
    return ", ".join(f"lab run {lab} --data full" for lab in LABS[name])


def get(name: str, network: str | None, source: Path | None, tell: Tell) -> Path:
    """Bring a set onto this machine, from the network or from `source`; raises UsageError and UnableError."""
    if name == "hymenoptera":
        if network is not None:
            raise UsageError(
                f"hymenoptera is one set of photographs; {network!r} says nothing about it.",
                cause="a path without --from." if Path(network).exists() else "one word too many.",
                remedy="tlcourse data get hymenoptera [--from PATH]",
            )
        return hymenoptera.get(source, tell)
    _known(name)
    if name != "pretrained" and network is not None:
        raise UsageError(f"{name} is one set of files; {network!r} says nothing about it.", remedy=_from(name))
    if name == "bsds500":
        return bsds.get(source)
    if name in _LISTED:
        return listed_files.get(_LISTED[name], source, tell)
    if network is None:
        raise UsageError("Weights of which network?", remedy="tlcourse data get pretrained mobilenet_v2")
    return weights.get(network, source, tell)


def _from(name: str) -> str:
    return f"tlcourse data get {name} --from PATH"


def verify(name: str | None = None) -> list[Verified]:
    """Read the named set, or every one that is here, and compare it with what it should be."""
    if name is not None:
        _known(name)
    checks: dict[str, Callable[[], list[Verified]]] = {
        "hymenoptera": _photographs,
        "pretrained": _weights,
        **{key: functools.partial(_files, files) for key, files in _LISTED.items()},
        "bsds500": _ground,
    }
    return [one for key, check in checks.items() if name in (None, key) for one in check()]


def _photographs() -> list[Verified]:
    folder = hymenoptera.find()
    return [] if folder is None else [Verified("hymenoptera", str(folder), hymenoptera.problems_of(folder))]


def _weights() -> list[Verified]:
    found = []
    for name, path in sorted(weights.listed().items()):
        problem = weights.problem_of(name, path)
        found.append(Verified(f"pretrained {name}", str(path), [problem] if problem else []))
    return found


def _files(files: ListedFiles) -> list[Verified]:
    folder = listed_files.find(files)
    return [] if folder is None else [Verified(files.name, str(folder), listed_files.problems_of(files, folder))]


def _ground() -> list[Verified]:
    folder = bsds.find()
    return [] if folder is None else [Verified("bsds500", str(folder), bsds.problems_of(folder))]


def _known(name: str) -> None:
    if name not in (names := [one.name for one in listed()]):
        raise UsageError(
            f"There are no real data {name!r}.", cause="a spelling mistake.", remedy=f"use one of: {', '.join(names)}."
        )


def looked_in() -> list[str]:
    """The folders in which real data are looked for."""
    return [str(folder) for folder in folders.folders()]
