"""Full collections wait for a moment without keys, and come all the same."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref

import pytest
from textual._styles_cache import StylesCache
from textual.color import Color

from tlcourse.tui import gc_scheduler


@pytest.fixture
def clock(monkeypatch):
    """A clock that is set by hand, and a collector as it was afterwards."""
    before = gc.get_threshold()
    now = [100.0]
    monkeypatch.setattr(gc_scheduler.time, "monotonic", lambda: now[0])
    yield now
    gc.set_threshold(*before)
    gc.unfreeze()


def make_due() -> None:
    gc.collect()
    for _ in range(20):
        gc.collect(1)


def test_nothing_is_collected_while_keys_are_pressed_and_something_is_in_the_pause_after(clock):
    scheduler = gc_scheduler.GcScheduler()
    make_due()
    scheduler.key_pressed()
    clock[0] += 0.1
    assert not scheduler.look()
    clock[0] += 0.3
    assert scheduler.look()
    assert not scheduler.look()  # nothing is due any more


def test_it_can_be_put_off_before_textual_is_imported():
    code = "import sys; from tlcourse.tui import gc_scheduler; print('textual' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_who_types_without_a_pause_has_it_done_once_a_minute(clock):
    scheduler = gc_scheduler.GcScheduler()
    make_due()
    done = 0
    for _ in range(1300):
        clock[0] += 0.1
        scheduler.key_pressed()
        if scheduler.look():
            done += 1
            make_due()
    assert done == 2


def test_python_itself_does_none_meanwhile(clock):
    before = gc.get_threshold()
    scheduler = gc_scheduler.GcScheduler()
    full = []
    gc.callbacks.append(lambda phase, info: full.append(info["generation"]) if phase == "start" else None)
    try:
        kept = [[[] for _ in range(20)] for _ in range(30_000)]
    finally:
        gc.callbacks.pop()
    assert len(kept) == 30_000
    assert 1 in full
    assert 2 not in full
    scheduler.end()
    assert gc.get_threshold() == before


def test_what_was_drawn_of_widgets_that_are_gone_is_let_go(clock):
    scheduler = gc_scheduler.GcScheduler()
    drawn = StylesCache()
    drawn.get_inner_outer(Color(0, 0, 0), Color(9, 9, 9))
    gone = weakref.ref(drawn)
    del drawn
    make_due()
    assert gone() is not None, "Textual keeps it no longer: textual_private.py need not let it go"
    clock[0] += 1
    assert scheduler.look()
    assert gone() is None
