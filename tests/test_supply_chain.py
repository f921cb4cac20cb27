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

SCRIPT = Path(__file__).parents[1] / "scripts" / "supply_chain.py"


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


def test_a_version_whose_hash_is_not_known_is_named_and_nothing_is_pinned(tmp_path, report):
    others = [one for one in report["install"] if one["metadata"]["name"].lower() != "numpy"]
    done = written(tmp_path, {**report, "install": others})
    assert done.returncode == 1
    assert f"No hash is known of numpy {importlib.metadata.version('numpy')}" in done.stderr
    assert not (tmp_path / "pinned.txt").exists()
