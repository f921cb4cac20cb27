"""Every test has a time limit, so that one that hangs is one failure and not the end of the run."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest


@pytest.mark.slow
def test_a_test_that_hangs_fails_and_the_next_one_runs(tmp_path):
    (tmp_path / "test_hangs.py").write_text(
        textwrap.dedent("""
            import asyncio, os, time

            def test_reads_a_pipe_that_nobody_writes():
                read, _ = os.pipe()
                os.read(read, 1)

            async def test_awaits_what_never_comes():
                await asyncio.Event().wait()

            def test_is_quick():
                time.sleep(0)
            """)
    )
    options = ["-q", "-n1", "-p", "no:cacheprovider", "-o", "timeout_method=signal", "-o", "asyncio_mode=auto"]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "--timeout=1", str(tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 1, ran.stdout
    assert "2 failed, 1 passed" in ran.stdout
    assert ran.stdout.count("Timeout (>1.0s)") >= 2


def test_the_limit_of_a_test_is_five_minutes(pytestconfig):
    assert float(pytestconfig.getini("timeout")) == 300
    assert pytestconfig.getini("timeout_method") == "signal"
