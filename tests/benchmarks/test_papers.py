"""docs/results.md holds what docs/results.json holds, and nothing else."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def papers() -> ModuleType:
    spec = importlib.util.spec_from_file_location("papers", ROOT / "benchmarks" / "papers.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_what_its_record_gives(papers):
    record = json.loads(papers.RECORD.read_text(encoding="utf-8"))
    assert papers.PAGE.read_text(encoding="utf-8") == papers.rendered(record)
    assert all(part["seeds"] for name, part in record.items() if name in papers.SEEDS), "a figure without its seeds"


def test_every_figure_of_a_page_comes_from_its_record(papers):
    part = {
        "title": "Title", "settings": "one", "seeds": [1, 2], "threads": 2, "cpu_s": 12.0, "wall_time_s": 9.0,
        "machine": "idle", "torch": "2", "processor": "some",
        "rows": [{"row": "DANN", "paper": 0.8149, "values": {"accuracy": [0.9, 0.92]}}],
    }  # fmt: skip
    page = papers.rendered({"mnist-m": part})
    assert "| DANN | 0.8149 | 0.9100 (0.7829 to 1.0371) |" in page
    assert "Seeds 1, 2 · 2 threads · 12 CPU seconds · 9 s wall time, machine idle" in page
    alone = {**part, "seeds": [1], "rows": [{"row": "DANN", "paper": 0.8149, "values": {"accuracy": [0.9]}}]}
    assert "| DANN | 0.8149 | 0.9000 |" in papers.rendered({"mnist-m": alone})
