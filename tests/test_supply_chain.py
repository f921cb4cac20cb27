"""What an installation consists of: a bill of materials and pinned versions, which name no host."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

SCRIPT = Path(__file__).parents[1] / "scripts" / "supply_chain.py"


# What the public schema of CycloneDX 1.5 says of what is written here: keys that may be there, and their form.
_SHA256, _PURL = r"[0-9a-f]{64}", r"pkg:pypi/[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?@[A-Za-z0-9.%_~-]+"
_SERIAL = r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_KEYS = {
    "bill": {"bomFormat", "specVersion", "serialNumber", "version", "metadata", "components", "dependencies"},
    "component": {"type", "bom-ref", "name", "version", "purl", "licenses", "hashes"},
}


def against_cyclonedx(bill: dict) -> list[str]:
    """Where a bill of materials breaks the rules of its format."""
    found = [f"no {key}" for key in ("bomFormat", "specVersion") if key not in bill]
    found += [f"unknown {key}" for key in bill if key not in _KEYS["bill"]]
    if not re.fullmatch(_SERIAL, bill["serialNumber"]) or bill["version"] < 1:
        found.append("serial number or version")
    application = bill["metadata"]["component"]
    for one in (application, *bill["components"]):
        where = one.get("name", "?")
        found += [f"{where}: unknown {key}" for key in one if key not in _KEYS["component"]]
        if one.get("type") not in ("application", "library") or not one.get("name"):
            found.append(f"{where}: type or name")
        if not re.fullmatch(_PURL, one["purl"]):
            found.append(f"{where}: purl {one['purl']}")
        for digest in one.get("hashes", ()):
            if digest.keys() != {"alg", "content"} or digest["alg"] != "SHA-256":
                found.append(f"{where}: hash")
            elif not re.fullmatch(_SHA256, digest["content"]):
                found.append(f"{where}: content of a hash")
        found += [f"{where}: {said}" for said in _licences_against(one.get("licenses"))]
    references = [one["bom-ref"] for one in (application, *bill["components"])]
    if len(set(references)) < len(references):
        found.append("a reference twice")
    for one in bill["dependencies"]:
        if one.keys() - {"ref", "dependsOn"} or not {one["ref"], *one["dependsOn"]} <= set(references):
            found.append(f"{one['ref']}: depends on what is not there")
        if len(set(one["dependsOn"])) < len(one["dependsOn"]):
            found.append(f"{one['ref']}: a dependency twice")
    if len({one["ref"] for one in bill["dependencies"]}) < len(bill["dependencies"]):
        found.append("dependencies twice")
    return found


def _licences_against(said: list | None) -> list[str]:
    """Licences with an SPDX id or a name, as many as one likes, or one expression and nothing else."""
    if said is None:
        return []
    if any("expression" in one for one in said):
        try:
            canonicalize_license_expression(said[0]["expression"])
        except (KeyError, InvalidLicenseExpression):
            return ["no SPDX expression"]
        return [] if len(said) == 1 and said[0].keys() == {"expression"} else ["an expression and others"]
    good = all(one.keys() == {"license"} and len({"id", "name"} & one["license"].keys()) == 1 for one in said)
    return [] if said and good else ["a licence needs an id or a name"]


def written(folder: Path, report: dict) -> subprocess.CompletedProcess[str]:
    (folder / "report.json").write_text(json.dumps(report))
    command = [sys.executable, SCRIPT, folder, "--report", folder / "report.json"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def report() -> dict:
    """As pip writes it, of all that is installed here: with the address of each file."""
    install = []
    for one in importlib.metadata.distributions():
        name, version = one.metadata["Name"], one.version
        digest = hashlib.sha256(f"{name} {version}".encode()).hexdigest()
        where = f"https://index.example.org/{name}-{version}-py3-none-any.whl"
        install.append(
            {
                "metadata": {"name": name, "version": version},
                "download_info": {"url": where, "archive_info": {"hashes": {"sha256": digest}}},
            }
        )
    return {"version": "1", "install": install}


def test_both_files_are_whole_and_name_no_host(tmp_path, report):
    done = written(tmp_path, report)
    assert done.returncode == 0, done.stderr
    bill = json.loads((tmp_path / "sbom.json").read_text())
    assert (bill["bomFormat"], bill["specVersion"], bill["version"]) == ("CycloneDX", "1.5", 1)
    assert re.fullmatch(
        r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", bill["serialNumber"]
    )
    application = bill["metadata"]["component"]
    assert (application["type"], application["name"]) == ("application", "tlcourse")
    assert against_cyclonedx(bill) == []
    names = [component["name"] for component in bill["components"]]
    assert {"torch", "numpy", "textual", "typer", "rich", "markdown-it-py"} <= set(names)  # the last: of one of ours
    assert not {"pytest", "ruff", "tlcourse"} & set(names)
    references = [one["bom-ref"] for one in (application, *bill["components"])]
    assert len(set(references)) == len(references)
    graph = {one["ref"]: one["dependsOn"] for one in bill["dependencies"]}
    assert set(graph) == set(references)
    assert {below for others in graph.values() for below in others} == set(references) - {application["bom-ref"]}
    for component in bill["components"]:
        assert component["purl"] == f"pkg:pypi/{component['name']}@{component['version']}"
        assert re.fullmatch(r"[0-9a-f]{64}", component["hashes"][0]["content"])
        assert all(len(licence) == 1 for licence in component.get("licenses", []))

    lines = (tmp_path / "pinned.txt").read_text().splitlines()
    assert [line.partition("==")[0] for line in lines[1:]] == names
    assert all(re.fullmatch(r"[a-z0-9-]+==[^ ]+ --hash=sha256:[0-9a-f]{64}", line) for line in lines[1:])
    for file in ("sbom.json", "pinned.txt"):
        text = (tmp_path / file).read_text()
        assert "://" not in text
        assert not re.findall(r"[\w-]+\.(?:org|com|net|io|dev|example)\b", text)
    again = tmp_path / "again"
    again.mkdir()
    written(again, report)
    assert (again / "sbom.json").read_bytes() == (tmp_path / "sbom.json").read_bytes()


def test_what_breaks_the_rules_of_the_format_is_found(tmp_path, report):
    written(tmp_path, report)
    text = (tmp_path / "sbom.json").read_text()
    for old, new, said in (
        ('"specVersion": "1.5",', "", "no specVersion"),
        ('"alg": "SHA-256"', '"alg": "SHA256"', "hash"),
        ('"type": "library"', '"type": "package"', "type or name"),
        ("urn:uuid:", "uuid:", "serial number or version"),
        ('"purl": "pkg:pypi/', '"purl": "pkg:pip/', "purl pkg:pip/"),
        ('"license": {', '"licence": {', "a licence needs an id or a name"),
        ('"bomFormat"', '"format"', "unknown format"),
    ):
        assert any(said in one for one in against_cyclonedx(json.loads(text.replace(old, new)))), said


def test_a_version_whose_hash_is_not_known_is_named_and_nothing_is_pinned(tmp_path, report):
    others = [one for one in report["install"] if one["metadata"]["name"].lower() != "numpy"]
    done = written(tmp_path, {**report, "install": others})
    assert done.returncode == 1
    assert f"No hash is known of numpy {importlib.metadata.version('numpy')}" in done.stderr
    assert not (tmp_path / "pinned.txt").exists()
