"""Whether a release can be made of this checkout: builds it twice, looks into it, installs it. Nothing is uploaded.

    python scripts/release.py [--out FOLDER] [--final]

What is built are the files that git knows, copied. `--out` keeps wheel and source distribution, where all is well.
`--final` is for the commit that is to be released, and asks for more: nothing uncommitted, the newest heading of
CHANGELOG.md is the version with its date, the tag vVERSION stands here. Ends with status 1 where something is wrong.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from packaging.metadata import InvalidMetadata, Metadata

ROOT = Path(__file__).parents[1]
BUILD = "hatchling>=1.27"
STAFF = ("references", "wrong", "write")
DOCUMENTS = "share/doc/tlcourse/"
_VERSION = re.compile(r'^__version__ = "([^"]+)"$', re.MULTILINE)
_CITED = re.compile(r"^version: (\S+)$", re.MULTILINE)
_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
_RELEASED = re.compile(r"(\d+\.\d+\.\d+)(?: – | - )\d{4}-\d{2}-\d{2}")
_RELATIVE = re.compile(r"\]\((?!\w+:)[^)]*\)|!\[")
_NAMED = re.compile(r"share/doc/tlcourse/[\w./-]+\.md")
_JUNK = re.compile(r"(^|/)(__pycache__|tests|\.[^/]+)(/|$)|\.py[co]$|~$")


def version_of(source: str) -> str:
    """The one place where the version stands is `tlcourse/__init__.py`."""
    found = _VERSION.search(source)
    return found[1] if found else ""


def problems_of_versions(version: str, citation: str, changelog: str, tags: list[str], *, final: bool) -> Iterator[str]:
    """Where the version is said otherwise, or with `final` not said yet."""
    cited = _CITED.search(citation)
    if cited is None or cited[1] != version:
        yield f"CITATION.cff says version {cited[1] if cited else 'nothing'}, expected {version}"
    headings = _HEADING.findall(changelog)
    newest = headings[0] if headings else ""
    released = _RELEASED.fullmatch(newest)
    if final and (released is None or released[1] != version):
        yield f"CHANGELOG.md begins with `{newest}`, expected `{version} – YEAR-MONTH-DAY`"
    if not final and newest != "Unreleased" and (released is None or released[1] != version):
        yield f"CHANGELOG.md begins with `{newest}`, expected `Unreleased`, or `{version} – YEAR-MONTH-DAY`"
    if final and f"v{version}" not in tags:
        yield f"the tag v{version} does not stand at this commit: git tag v{version}"
    yield from (f"the tag {tag} stands here, expected v{version}" for tag in tags if tag != f"v{version}")


def problems_of_metadata(text: bytes, version: str) -> Iterator[str]:
    """What an index would refuse, or show broken."""
    try:
        about = Metadata.from_email(text, validate=True)
    except ExceptionGroup as group:
        yield from (f"METADATA: {one}" for one in group.exceptions)
        return
    except InvalidMetadata as error:
        yield f"METADATA: {error}"
        return
    if str(about.version) != version:
        yield f"METADATA says version {about.version}, expected {version}"
    if about.license_expression != "MIT" or about.license_files != ["LICENSE"]:
        yield f"METADATA names the licence {about.license_expression} in {about.license_files}, expected MIT in LICENSE"
    if about.description_content_type != "text/markdown" or not about.description:
        yield "METADATA has no description in Markdown, expected the README"
    for broken in _RELATIVE.findall(about.description or ""):
        yield f"METADATA: the description holds `{broken}`, which leads nowhere from the page of an index"


def problems_of_contents(carried: Mapping[str, bytes], root: Path) -> Iterator[str]:
    """What a wheel holds and should not, or the other way round; `carried`: its files by name."""
    inside = {re.sub(r"^tlcourse-[^/]+\.data/data/", "", name): data for name, data in carried.items()}
    yield from (f"the wheel holds {name}, which is no part of it" for name in inside if _JUNK.search(name))
    wanted = {path.relative_to(root).as_posix() for path in (root / "tlcourse").rglob("*") if path.is_file()}
    pages = {path.relative_to(root / "docs").as_posix() for path in (root / "docs").rglob("*.md")}
    wanted |= {f"{DOCUMENTS}{page}" for page in pages if not page.startswith("decisions/")}
    wanted |= {f"tlcourse/_bundled/graders/{name}" for name in ("ex2_multitask.py", "solutions.zip")}
    wanted = {name for name in wanted if not _JUNK.search(name)}
    yield from (f"the wheel lacks {name}" for name in sorted(wanted - set(inside)))
    (about, licence) = ("METADATA", "licenses/LICENSE")
    ends = {end: [name for name in inside if name.endswith(f".dist-info/{end}")] for end in (about, licence)}
    yield from (f"the wheel lacks {end}" for end, found in ends.items() if not found)
    for name in ends[about]:
        for page in sorted(set(_NAMED.findall(inside[name].decode())) - set(inside)):
            yield f"its description names {page}, which the wheel lacks"
    for folder in STAFF:
        for path in (root / "graders" / folder).rglob("*.*"):
            begin = path.read_bytes()[:400] if path.is_file() else b""
            if begin.strip() and (found := next((name for name, data in inside.items() if begin in data), None)):
                yield f"{found} holds {path.relative_to(root)} in plain text, expected it in solutions.zip alone"


def built(copy: Path, out: Path, tools: Path) -> dict[str, str]:
    """Build wheel and source distribution of `copy` into `out`; their names, with the SHA-256 of each."""
    environment = {**os.environ, "PYTHONPATH": str(tools), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(out)]
    done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"It cannot be built:\n{done.stderr[-3000:]}")
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(out.iterdir())}


def copied(target: Path, *, other: bool) -> Path:
    """The files that git knows; `other`: with other times, as other umasks and another day would leave them."""
    for name in _git("ls-files", "-z").split("\0"):
        if name and (ROOT / name).is_file():
            path = target / name
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, path)
            if other:
                os.utime(path, (1e9, 1e9))
                path.chmod(0o600)
    return target


def problems_of_installing(wheel: Path, folder: Path, version: str) -> Iterator[str]:
    """It installs, says its version and checks its course; dependencies are those of this environment."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--python", str(folder)]
    done = subprocess.run([*pip, "install", "--no-deps", wheel], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        yield f"pip does not install it: {done.stderr[-500:]}"
        return
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    for arguments, expected in ((["--version"], f"tlcourse {version}\n"), (["author", "check"], "No problem in ")):
        command = [folder / "bin" / "tlcourse", *arguments]
        told = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if told.returncode != 0 or not told.stdout.startswith(expected):
            yield f"installed, `tlcourse {' '.join(arguments)}` ends with {told.returncode}: {told.stdout}{told.stderr}"


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else ""


def _problems(folder: Path, *, final: bool) -> Iterator[str]:
    """All of them; what was built lies in `folder/one` afterwards."""
    version = version_of((ROOT / "tlcourse" / "__init__.py").read_text(encoding="utf-8"))
    tags = [tag for tag in _git("tag", "--points-at", "HEAD").split() if re.match(r"v\d", tag)]
    texts = [(ROOT / name).read_text(encoding="utf-8") for name in ("CITATION.cff", "CHANGELOG.md")]
    yield from problems_of_versions(version, *texts, tags, final=final)
    if final and _git("status", "--porcelain").strip():
        yield "something is not committed: git status"
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "--target", folder / "tools", BUILD], check=True)
    sources = [copied(folder / "a" / "checkout", other=False), copied(folder / "zz" / "elsewhere", other=True)]
    one, two = (built(copy, folder / out, folder / "tools") for copy, out in zip(sources, ("one", "two"), strict=True))
    yield from (f"{name} is another file each time that it is built" for name in one if one[name] != two.get(name))
    (name,) = (name for name in one if name.endswith(".whl"))
    if name != f"tlcourse-{version}-py3-none-any.whl":
        yield f"the wheel is called {name}, expected tlcourse-{version}-py3-none-any.whl"
    with zipfile.ZipFile(folder / "one" / name) as opened:
        carried = {entry: opened.read(entry) for entry in opened.namelist()}
    for entry, data in carried.items():
        if entry.endswith(".dist-info/METADATA"):
            yield from problems_of_metadata(data, version)
    yield from problems_of_contents(carried, sources[0])
    yield from problems_of_installing(folder / "one" / name, folder / "venv", version)
    for entry, digest in one.items():
        print(f"{digest}  {entry}  {(folder / 'one' / entry).stat().st_size / 1e6:.1f} MB")


def main() -> None:
    """Say what is wrong, or what may be released."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path)
    parser.add_argument("--final", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tlcourse-release-") as name:
        folder = Path(name)
        if problems := list(_problems(folder, final=given.final)):
            sys.exit("\n".join(["No release can be made of this:", *problems]))
        if given.out:
            given.out.mkdir(parents=True, exist_ok=True)
            for path in (folder / "one").iterdir():
                shutil.copy(path, given.out)
    print("Built twice, to the byte; looked into; installed. Nothing was uploaded.")


if __name__ == "__main__":
    main()
