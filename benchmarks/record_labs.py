"""Records a run of each lab over eight seeds: `tlcourse/content/labs/recorded/NAME.jsonl`.

    python benchmarks/record_labs.py [NAME …] [--jobs 2]

Settings are the labs' defaults. The record is what `tlcourse lab play` plays, and what proves the lab's claim: CI does
not train eight seeds of every lab, but compares one with the record, and the record's fingerprint with the code
(docs/decisions/360). To be run again for the labs whose fingerprint has changed, which `pytest tests/labs` names. All
labs take about ten minutes on two cores.
"""

from __future__ import annotations

import argparse
import ast
import datetime
import hashlib
import json
import time
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from msgspec import Struct

from tlcourse.course.lab import Lab, load_labs
from tlcourse.course.loader import load_course
from tlcourse.labs.recorded import About, written
from tlcourse.labs.runner import run_lab, settings_of

ROOT = Path(__file__).resolve().parents[1]
SEEDS = list(range(1, 9))
TOLD = {"Log", "show_features", "show"}
"""What tells of a run and gives nothing back to it: no number comes from it."""


def main() -> None:
    """Record them one after the other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--jobs", type=int, default=0)
    given = parser.parse_args()
    course = load_course()
    labs = load_labs(course.folder, [unit.id for unit in course.about.units])
    folder = course.folder / "labs" / "recorded"
    folder.mkdir(exist_ok=True)
    for name in given.names or labs:
        begin = time.monotonic()
        events: list[dict[str, Any]] = []
        print_of = fingerprint(labs[name])  # before: what is edited meanwhile did not run
        result = run_lab(labs[name], settings_of(labs[name], {}), SEEDS, events.append, jobs=given.jobs)
        first = [event for event in events if event.get("seed_group") == 0]
        seconds = next(event["seconds"] for event in first if event["type"] == "seed")
        today = datetime.datetime.now(datetime.UTC).date().isoformat()
        about = About(name, today, version("tlcourse"), version("torch"), round(seconds, 1), print_of)
        text = written(about, first, result)
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
        print(f"{name}: {len(text)} bytes, {time.monotonic() - begin:.0f} s. {result.verdict}", flush=True)


def fingerprint(lab: Lab) -> str:
    """Of all that a lab's numbers come from: its settings, and the definitions of ours that its experiment reaches.

    Of a definition its syntax counts, without comments and docstrings, and the contents of each file of the package
    that it names. Which definitions are reached is read, not run: by every name that one of them uses.
    """
    reached: dict[tuple[str, str], Any] = {}
    _reach(lab.module, lab.function(), reached)
    parts = [[list(place), shape] for place, shape in sorted(reached.items())]
    settings = {setting.id: setting.default for setting in lab.settings}
    return hashlib.sha256(json.dumps([settings, parts]).encode()).hexdigest()[:16]


class Module(Struct, frozen=True):
    """The top of a module: what it defines, what it imports from us, and what it does when it is imported."""

    definitions: dict[str, list[ast.stmt]]
    imports: dict[str, tuple[str, str]]
    loose: list[ast.stmt]


def _reach(module: str, name: str, reached: dict[tuple[str, str], Any]) -> None:
    """Put what `name` of `module` stands for into `reached`, and what that uses; "" stands for all of the module."""
    top = read_module(module)
    if not name:
        for each in top.definitions:
            _reach(module, each, reached)
        return
    if name in TOLD or (module, name) in reached:
        return
    if name in top.imports:
        _follow(*top.imports[name], "", reached)
        return
    if name not in top.definitions:
        return
    nodes = top.definitions[name]
    reached[module, name] = [_shape(node) for node in nodes]
    if (module, "") not in reached:
        reached[module, ""] = _shape(top.loose)
        _use(module, top.loose, top.imports, reached)
    _use(module, nodes, top.imports, reached)


def _use(
    module: str, nodes: list[ast.stmt], imports: dict[str, tuple[str, str]], reached: dict[tuple[str, str], Any]
) -> None:
    """Reach whatever these statements of a module name."""
    inner = imports | {name: place for node in nodes for name, place in _imports(ast.walk(node))}
    local = {name for node in nodes if isinstance(node, ast.FunctionDef) for name in _variables(node)}
    for node in (node for statement in nodes for node in ast.walk(statement)):
        if isinstance(node, ast.Name) and node.id in local:
            continue
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in inner:
            _follow(*inner[node.value.id], node.attr, reached)
        elif isinstance(node, ast.Name):
            if node.id in inner and not _is_module(*inner[node.id]):  # a module's own name stands before a dot
                _follow(*inner[node.id], "", reached)
            else:
                _reach(module, node.id, reached)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            for path in _files(ROOT).get(node.value, ()):
                reached[str(path.relative_to(ROOT)), ""] = hashlib.sha256(path.read_bytes()).hexdigest()


def _variables(function: ast.FunctionDef) -> Iterator[str]:
    """The names of its own: they stand for nothing at the top of the module."""
    for node in ast.walk(function):
        if isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def _follow(source: str, name: str, attribute: str, reached: dict[tuple[str, str], Any]) -> None:
    """Reach what `from source import name` gives, or where that is a module its `attribute`."""
    if _is_module(source, name):
        _reach(f"{source}.{name}", attribute, reached)
    else:
        _reach(source, name, reached)


def _is_module(source: str, name: str) -> bool:
    return _path(f"{source}.{name}").exists()


def _path(module: str) -> Path:
    folder = ROOT.joinpath(*module.split("."))
    return folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")


@cache
def read_module(module: str) -> Module:
    """The module of this name."""
    definitions: dict[str, list[ast.stmt]] = {}
    loose: list[ast.stmt] = []
    body = ast.parse(_path(module).read_text(encoding="utf-8")).body
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names = [node.name]
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = [one.id for target in targets for one in ast.walk(target) if isinstance(one, ast.Name)]
        else:
            names = []
        for name in names:
            definitions.setdefault(name, []).append(node)
        if not names and not isinstance(node, ast.Import | ast.ImportFrom):
            loose.append(node)
    return Module(definitions, dict(_imports(iter(body))), loose)


def _imports(nodes: Iterator[ast.AST]) -> Iterator[tuple[str, tuple[str, str]]]:
    """What is imported from us: its name here, and where it comes from."""
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "tlcourse":
            for alias in node.names:
                yield alias.asname or alias.name, (node.module or "", alias.name)


@cache
def _files(root: Path) -> dict[str, list[Path]]:
    """The files of the package that are no program, by name."""
    found: dict[str, list[Path]] = {}
    for path in sorted((root / "tlcourse").rglob("*")):
        if path.suffix in {".npz", ".safetensors"}:
            found.setdefault(path.name, []).append(path)
    return found


def _shape(node: Any) -> Any:
    """A syntax tree as lists, the same in every version of Python; what is a text alone is left out: a docstring."""
    if isinstance(node, ast.AST):
        fields = {name: _shape(value) for name, value in ast.iter_fields(node)}
        return [type(node).__name__, {name: value for name, value in fields.items() if value not in (None, [])}]
    if isinstance(node, list):
        return [_shape(one) for one in node if not (isinstance(one, ast.Expr) and _is_text(one.value))]
    return node if node is None or isinstance(node, str | int | bool) else repr(node)


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


if __name__ == "__main__":
    main()
