"""What lies in a download: unpacked once, then one entry for each folder or file that someone may have handed in."""

from __future__ import annotations

import datetime
import re
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec import Struct

from tlcourse.grading.intake.names import is_left_behind
from tlcourse.grading.intake.submission import OTHER_ARCHIVES
from tlcourse.grading.lms.dates import is_ambiguous, only_day_first, only_month_first
from tlcourse.grading.lms.matching import Label
from tlcourse.grading.lms.platforms import (
    BlackboardName,
    BrightspaceName,
    CanvasName,
    MoodleName,
    own_names,
    parse_blackboard,
    parse_brightspace,
    parse_brightspace_file,
    parse_canvas,
    parse_moodle,
)
from tlcourse.grading.lms.roster import same_key, visible

SOLUTIONS = (".py", ".ipynb", ".zip")
_OUR_OWN = frozenset({"index.html"})
_GRADESCOPE = "submission_metadata.yml"
_SUBMISSION = re.compile(r"submission_\d+")
_METADATA_LIMIT = 16 * 2**20
_MANY = 3  # names of a download, from which on a word that most of them have is nobody's


class DownloadEntry(Struct, frozen=True):
    """A folder, or some files, with what is said of whose it is."""

    label: Label
    folder_name: str
    paths: tuple[Path, ...]
    files: tuple[str, ...]
    """What each path is called within the hand-in, where there are several."""
    when: datetime.datetime | None = None
    date: str = ""
    ids: tuple[int, int] = (0, 0)
    others: tuple[Label, ...] = ()
    """Who handed in with the first one, where the platform says so."""
    problem: str = ""
    """Why there is nothing to grade, where that is known already."""
    nobodys: str = ""
    """Why its name says of nobody that it is theirs; the staff may."""
    called_late: bool | None = None
    """Whether the platform calls it late; None where it never says so."""


class DownloadListing(Struct, frozen=True):
    """All entries, the platform that named them, and what was left aside."""

    platform: str
    entries: list[DownloadEntry]
    notices: list[str]


def is_named_by_a_platform(name: str) -> bool:
    """Whether Brightspace or Moodle gives such names to hand-ins."""
    return parse_brightspace(name) is not None or parse_moodle(name) is not None


def download_listing(root: Path, ours: Path) -> DownloadListing:
    """The entries of a folder, by the platform whose names they have; whatever holds `ours` was put there by us."""
    holders = {ours.resolve(), *ours.resolve().parents}
    paths = sorted(path for path in root.iterdir() if not is_left_behind(path.name) and path.name not in _OUR_OWN)
    paths = [path for path in paths if path.resolve() not in holders]
    names = [path.name for path in paths]
    if any(parse_brightspace(name) for name in names):
        return _brightspace(paths)
    if any(parse_moodle(name) for name in names):
        return _moodle(paths)
    files = [path.name for path in paths if path.is_file()]
    if any(parse_blackboard(name) for name in files):
        return _blackboard(paths)
    if _GRADESCOPE in files:
        return _gradescope(paths, _submissions(root / _GRADESCOPE))
    if 2 * sum(parse_canvas(name) is not None for name in files) > len(paths):
        return _canvas(paths)
    return _named_by_people(paths)


def _brightspace(paths: list[Path]) -> DownloadListing:
    dates = [attempt.date for path in paths if (attempt := _attempt(path, day_first=True))]
    ambiguous = [date for date in dates if is_ambiguous(date)]
    # where the month is a number, one date of the class that can only be read one way settles it for all
    day_first = not any(only_month_first(date) for date in dates)
    notices = []
    if ambiguous and not any(only_day_first(date) for date in dates) and day_first:
        notices.append(f"{visible(ambiguous[0])} was read with the day before the month.")
    grouped: dict[str, list[tuple[Path, BrightspaceName]]] = defaultdict(list)
    others = []
    for path in paths:
        attempt = _attempt(path, day_first=day_first)
        if attempt is None:
            others.append(path)
        else:
            grouped[attempt.folder or path.name].append((path, attempt))
    entries = []
    for name, found in grouped.items():
        one, own = found[0][1], tuple(path for path, _ in found)
        files = tuple(attempt.file for _, attempt in found)
        label = Label(one.who, "brightspace")
        entries.append(DownloadEntry(label, name, own, files, one.when, one.date, one.ids))
    return _with_others("brightspace", entries, notices, others)


def _attempt(path: Path, *, day_first: bool) -> BrightspaceName | None:
    flat = parse_brightspace_file(path.name, day_first=day_first) if path.is_file() else None
    return flat or parse_brightspace(path.name, day_first=day_first)


def _moodle(paths: list[Path]) -> DownloadListing:
    grouped: dict[tuple[str, str, str], list[tuple[Path, MoodleName]]] = defaultdict(list)
    others = []
    for path in paths:
        attempt = parse_moodle(path.name)
        if attempt is None:
            others.append(path)
        else:
            grouped[attempt.who, attempt.number, attempt.plugin].append((path, attempt))
    # the same for all members of a group; half of one person's name is not
    heads = Counter(
        head
        for who in {who for who, _, _ in grouped}
        for head in {same_key(who[: dash.start()]) for dash in re.finditer("-", who)}
    )
    shared = frozenset(head for head, count in heads.items() if count > 1)
    entries = []
    for (who, number, plugin), found in grouped.items():
        if plugin == "onlinetext" and (who, number, "file") in grouped:
            continue  # a remark beside the files
        own = tuple(path for path, _ in found)
        files = tuple(attempt.file for _, attempt in found)
        label = Label(who, "moodle", number, dash="-", shared=shared)
        entries.append(DownloadEntry(label, found[0][1].folder, own, files))
    return _with_others("moodle", entries, [], others)


def _canvas(paths: list[Path]) -> DownloadListing:
    grouped: dict[tuple[str, str], list[tuple[Path, CanvasName]]] = defaultdict(list)
    others = []
    for path in paths:
        if (name := parse_canvas(path.name)) is None:
            others.append(path)
        else:
            grouped[name.who, name.number].append((path, name))
    entries, renamed = [], []
    for (who, number), found in grouped.items():
        label, folder = Label(who, "canvas", number), f"{who}_{number}" if number else who
        late = any(name.late for _, name in found)
        if all(name.entry for _, name in found):
            what = "a link" if found[0][1].entry == "link" else "a text"
            entries.append(
                DownloadEntry(
                    *(label, folder, (found[0][0],), ("",)),
                    problem=f"{what} was handed in on Canvas, and no file.",
                    called_late=late,
                )
            )
            continue
        uploads = [(path, name.file) for path, name in found if not name.entry]
        names = own_names([file for _, file in uploads])
        renamed += [file for (_, file), own in zip(uploads, names, strict=True) if own[0] != file]
        placed = [(path, name) for (path, _), own in zip(uploads, names, strict=True) for name in own]
        if len(uploads) == 1:
            placed = placed[:1]
        entries.append(
            DownloadEntry(
                *(label, folder, tuple(path for path, _ in placed), tuple(name for _, name in placed)),
                called_late=late,
            )
        )
    notices = []
    if renamed:
        notices.append(
            f"Canvas had numbered {len(renamed)} files that were handed in again, such as {visible(renamed[0])}: "
            "they have their own names again."
        )
    return _with_others("canvas", entries, notices, others)


def _blackboard(paths: list[Path]) -> DownloadListing:
    grouped: dict[str, list[tuple[Path, BlackboardName]]] = defaultdict(list)
    others = []
    for path in paths:
        name = parse_blackboard(path.name) if path.is_file() else None
        if name is None:
            others.append(path)
        else:
            grouped[name.folder].append((path, name))
    entries = []
    for folder, found in grouped.items():
        name = found[0][1]
        page = next((path for path, one in found if not one.file), None)
        who, user = _on_the_page(page, name.users) if page is not None else ("", "")
        # of what may be the user name the longest comes first: no two people have the same
        label = Label(who or name.users[-1], "blackboard", ids=(user,) if user else name.users[::-1])
        files = [(path, one.file) for path, one in found if one.file]
        problem = "" if files else "a text was handed in on Blackboard, and no file."
        placed = files or [(found[0][0], "")]
        own, names = tuple(path for path, _ in placed), tuple(file for _, file in placed)
        entries.append(DownloadEntry(label, folder, own, names, name.when, problem=problem))
    return _with_others("blackboard", entries, [], others)


def _on_the_page(page: Path, users: tuple[str, ...]) -> tuple[str, str]:
    """The name and user name in `Name: Jane Doe (jado)`, the first line that Blackboard writes; else "" twice."""
    with page.open("rb") as stream:
        lines = stream.read(4096).decode("utf-8", "replace").splitlines()
    first = lines[0] if lines else ""
    name, bracket, user = first.partition(":")[2].strip().removesuffix(")").rpartition(" (")
    return (name, user) if bracket and user in users else ("", "")


def _submissions(path: Path) -> dict[str, Any]:
    """What Gradescope says of each folder; empty where that cannot be read."""
    import yaml

    if path.stat().st_size > _METADATA_LIMIT:
        return {}
    try:
        about = yaml.load(path.read_bytes(), yaml.BaseLoader)  # noqa: S506 - it makes strings, lists and dictionaries
    except (yaml.YAMLError, ValueError, RecursionError):
        return {}
    return about if isinstance(about, dict) else {}


def _gradescope(paths: list[Path], about: dict[str, Any]) -> DownloadListing:
    entries, others = [], []
    for path in paths:
        if path.name == _GRADESCOPE:
            continue
        said = about.get(path.name)
        said = said if isinstance(said, dict) else {}
        people = said.get(":submitters")
        labels = [_submitter(one) for one in people if isinstance(one, dict)] if isinstance(people, list) else []
        if labels:
            when = _when(str(said.get(":created_at", "")))
            entries.append(DownloadEntry(labels[0], path.name, (path,), ("",), when, others=tuple(labels[1:])))
        elif path.is_dir() and _SUBMISSION.fullmatch(path.name):  # its number is Gradescope's, and nobody's id
            why = f"{_GRADESCOPE} does not say whose it is"
            entries.append(DownloadEntry(Label(path.name, "gradescope"), path.name, (path,), ("",), nobodys=why))
        else:
            others.append(path)
    return _with_others("gradescope", entries, [], others)


def _submitter(said: dict[str, Any]) -> Label:
    name, *ids = (str(said.get(key) or "").strip() for key in (":name", ":sid", ":email"))
    return Label(name or next(filter(None, ids), ""), "gradescope", ids=tuple(filter(None, ids)))


def _when(text: str) -> datetime.datetime | None:
    """A moment such as `2025-10-03 11:07:00 Z`, or with ` +0200`."""
    try:
        return datetime.datetime.fromisoformat("".join(text.rsplit(" ", 1) if text.count(" ") > 1 else [text]))
    except ValueError:
        return None


def _with_others(
    platform: str, entries: list[DownloadEntry], notices: list[str], others: list[Path]
) -> DownloadListing:
    """A platform's entries, and what lies beside them under names that it does not give: added, or renamed."""
    beside = _named_by_people(others)
    return DownloadListing(platform, [*entries, *beside.entries], [*notices, *beside.notices])


def _named_by_people(paths: list[Path]) -> DownloadListing:
    """Folders, and files that may be a hand-in or hold one, as people named them; others, such as lists, do not count.

    An archive that is not opened is somebody's all the same: they handed it in, and are told why it has no marks.
    """
    entries, notices = [], []
    kinds = set()
    found = []
    for path in paths:
        if path.is_dir():
            kinds.add("folders")
            found.append((path, path.name))
        elif name := _without_ending(path.name):
            kinds.add("files")
            found.append((path, name))
        else:
            notices.append(
                f"{visible(path.name)} was left aside: it is neither a folder nor a .py, .ipynb, .zip or other archive."
            )
    notices += _lying_loose(found)
    words = Counter(word for _, name in found for word in {same_key(word) for word in re.findall(r"[^\W_]+", name)})
    common = frozenset(word for word, count in words.items() if count >= _MANY and 2 * count > len(found))
    for path, name in found:
        entries.append(DownloadEntry(Label(name, loosely=True, common=common), name, (path,), ("",)))
    return DownloadListing("files" if kinds == {"files"} else "folders", entries, notices)


def _lying_loose(found: list[tuple[Path, str]]) -> list[str]:
    """Files that look like a part of another hand-in: each is one of its own, as `ann_lee.py` may be Ann Lee's."""
    files = {name: path.name for path, name in found if not path.is_dir()}
    notices = []
    for name, file in files.items():
        above = [name[:i] for i, char in enumerate(name) if char in "_-" and name[:i] in files]
        if above:
            notices.append(
                f"{visible(file)} is taken for a hand-in of its own. If it belongs to {visible(files[above[-1]])}, put "
                f"both into a folder {visible(above[-1])}: nothing comes along with a loose file of a class."
            )
    return notices


def _without_ending(name: str) -> str:
    """What a solution or an archive is called, `jane` for `jane.tar.gz`; "" for another file."""
    ending = next(filter(name.lower().endswith, (*SOLUTIONS, *OTHER_ARCHIVES)), name)
    return name[: -len(ending)]


def root_of_handins(folder: Path, is_handin: Callable[[str], bool]) -> Path:
    """The folder that holds the entries: below those that lie around all of them."""
    while True:
        inside = [child for child in folder.iterdir() if not is_left_behind(child.name) and child.name not in _OUR_OWN]
        if len(inside) != 1 or inside[0].is_symlink() or not inside[0].is_dir() or is_handin(inside[0].name):
            return folder
        if any((inside[0] / name).is_file() for name in ("solution.py", "solution.ipynb")):
            return folder  # the only hand-in of a download is called as its folder, and not as its file
        folder = inside[0]
