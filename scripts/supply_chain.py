"""What an installation consists of: a bill of materials, and exact versions with the hashes of their files.

    python scripts/supply_chain.py FOLDER [--extra web]... [--report FILE]

writes FOLDER/sbom.json (CycloneDX 1.5) and FOLDER/pinned.txt, of the environment that this Python belongs to: tlcourse
and all that it needs, with the extra torch, as far as it is installed. `pinned.txt` is for this version of Python and
this kind of machine:

    pip install --require-hashes -r pinned.txt && pip install --no-deps tlcourse

Hashes are asked of pip, which takes them from the index that it is configured for and downloads nothing to install;
`--report` names what `pip install --dry-run --ignore-installed --no-deps --report FILE NAME==VERSION…` has written
elsewhere. No address and no name of a host is in either file: they say what was installed, not where it came from.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import platform
import re
import subprocess
import sys
import uuid
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import Distribution
from pathlib import Path
from typing import Any
from urllib.parse import quote

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = "tlcourse"
_LONGEST_LICENCE = 80


def installed(extras: Iterable[str]) -> tuple[dict[str, Distribution], dict[str, list[str]]]:
    """tlcourse and all that it needs here, by canonical name; and what each needs of the others."""
    found: dict[str, Distribution] = {}
    needs: dict[str, set[str]] = {}
    waiting = [(ROOT, frozenset(extras))]
    seen = set(waiting)
    while waiting:
        name, wanted = waiting.pop()
        try:
            found[name] = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # an extra that is not installed
        for below, its_extras in _requirements(found[name], wanted):
            needs.setdefault(name, set()).add(below)
            if (one := (below, its_extras)) not in seen:
                seen.add(one)
                waiting.append(one)
    return found, {name: sorted(needs.get(name, set()) & found.keys()) for name in sorted(found)}


def _requirements(one: Distribution, extras: Iterable[str]) -> Iterator[tuple[str, frozenset[str]]]:
    for text in one.requires or ():
        requirement = Requirement(text)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            yield canonicalize_name(requirement.name), frozenset(requirement.extras)


def hashes_of(report: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Canonical name → version and SHA-256 of the file, of pip's report."""
    found: dict[str, tuple[str, str]] = {}
    for item in report["install"]:
        about = item["metadata"]
        digest = item["download_info"].get("archive_info", {}).get("hashes", {}).get("sha256", "")
        if re.fullmatch(r"[0-9a-f]{64}", digest):
            found[canonicalize_name(about["name"])] = (about["version"], digest)
    return found


def asked_of_pip(found: Mapping[str, Distribution]) -> dict[str, Any]:
    """What pip would install of exactly these versions. Ends the program with pip's words where it cannot."""
    wanted = [f"{name}=={one.version}" for name, one in sorted(found.items()) if name != ROOT]
    options = ["install", "--dry-run", "--ignore-installed", "--no-deps", "--quiet", "--report", "-"]
    done = subprocess.run(
        [sys.executable, "-P", "-m", "pip", *options, *wanted], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        sys.exit(done.stderr)
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def pinned(found: Mapping[str, Distribution], hashes: Mapping[str, tuple[str, str]]) -> str:
    """Requirements with hashes. Ends the program where a hash is missing, or is another version's."""
    lines = [f"# Python {platform.python_version()}, {platform.system()} {platform.machine()}"]
    for name, one in sorted(found.items()):
        if name == ROOT:
            continue
        version, digest = hashes.get(name, ("", ""))
        if version != one.version:
            sys.exit(f"No hash is known of {name} {one.version}: the report speaks of {version or 'no version of it'}.")
        lines.append(f"{name}=={version} --hash=sha256:{digest}")
    return "\n".join(lines) + "\n"


def bill(
    found: Mapping[str, Distribution], needs: Mapping[str, list[str]], hashes: Mapping[str, tuple[str, str]]
) -> dict[str, Any]:
    """The bill of materials; the same environment gives the same one, to the byte."""
    components = {name: _component(name, one, hashes) for name, one in sorted(found.items())}
    content = json.dumps(components, sort_keys=True)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, content)}",
        "version": 1,
        "metadata": {"component": {**components[ROOT], "type": "application"}},
        "components": [component for name, component in components.items() if name != ROOT],
        "dependencies": [
            {"ref": components[name]["bom-ref"], "dependsOn": [components[below]["bom-ref"] for below in others]}
            for name, others in needs.items()
        ],
    }


def _component(name: str, one: Distribution, hashes: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    address = f"pkg:pypi/{name}@{quote(one.version)}"
    component: dict[str, Any] = {"type": "library", "bom-ref": address, "name": name, "version": one.version}
    component["purl"] = address
    if licences := _licences(one):
        component["licenses"] = licences
    if name in hashes:
        component["hashes"] = [{"alg": "SHA-256", "content": hashes[name][1]}]
    return component


def _licences(one: Distribution) -> list[dict[str, Any]]:
    """As the package says: an SPDX expression, else the names of its classifiers, else a short text."""
    about = one.metadata.json
    if expression := about.get("license_expression"):
        return [{"expression": expression}]
    classifiers = [text for text in about.get("classifier", ()) if text.startswith("License ::")]
    names = [text.rpartition(" :: ")[2] for text in classifiers]
    said = str(about.get("license", "")).strip()
    if not names and said and len(said) <= _LONGEST_LICENCE and said.isprintable() and "/" not in said:
        names = [said]
    return [{"license": {"name": name}} for name in names]


def main() -> None:
    """Write both files."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--extra", action="append", default=[])
    parser.add_argument("--report", type=Path)
    given = parser.parse_args()
    found, needs = installed(["torch", *given.extra])
    report = json.loads(given.report.read_text(encoding="utf-8")) if given.report else asked_of_pip(found)
    hashes = hashes_of(report)
    given.folder.mkdir(parents=True, exist_ok=True)
    (given.folder / "pinned.txt").write_text(pinned(found, hashes), encoding="utf-8")
    text = json.dumps(bill(found, needs, hashes), indent=2, ensure_ascii=False)
    (given.folder / "sbom.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
