"""Records a run of each lab over eight seeds, for `tlcourse lab play`: `tlcourse/content/labs/recorded/NAME.jsonl`.

    python benchmarks/record_labs.py [NAME …] [--jobs 2]

Settings are the labs' defaults. To be run again when a lab, a method or a default has changed; `tests/labs` compare the
settings. All labs take about ten minutes on two cores.
"""

from __future__ import annotations

import argparse
import datetime
import time
from importlib.metadata import version
from typing import Any

from tlcourse.course.lab import load_labs
from tlcourse.course.loader import load_course
from tlcourse.labs.recorded import About, written
from tlcourse.labs.runner import run_lab, settings_of

SEEDS = list(range(1, 9))


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
        result = run_lab(labs[name], settings_of(labs[name], {}), SEEDS, events.append, jobs=given.jobs)
        first = [event for event in events if event.get("seed_group") == 0]
        seconds = next(event["seconds"] for event in first if event["type"] == "seed")
        today = datetime.datetime.now(datetime.UTC).date().isoformat()
        about = About(name, today, version("tlcourse"), version("torch"), round(seconds, 1))
        text = written(about, first, result)
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
        print(f"{name}: {len(text)} bytes, {time.monotonic() - begin:.0f} s. {result.verdict}", flush=True)


if __name__ == "__main__":
    main()
