"""Benchmark of page reruns: every page of the dashboard on the demo, by its script time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from statistics import median, quantiles
from typing import Final

from analytics.bench.budget import Gate, Row
from analytics.bench.raw_files import WriteRaw, import_once
from analytics.bench.timing import RUNS

# The budget is for the demo, whatever the size of the other rows.
DEMO_EPISODES: Final = 2400
MEDIAN_MILLISECONDS: Final = Gate(150, target=100, from_episodes=1)
P95_MILLISECONDS: Final = Gate(400, from_episodes=1)

# Components are no pages; the other folders are the sections.
NO_SECTION: Final = "components"

# The package knows nothing of the web framework: the pages run in a process of their own, from this text. A first
# visit fills the caches; reruns are what a click costs.
SCRIPT: Final = """
import json, sys, time
from streamlit.testing.v1 import AppTest

app, runs, *pages = sys.argv[1:]
test = AppTest.from_file(app, default_timeout=120).run()
seconds = []
for page in pages:
    test.switch_page(page).run()
    for _ in range(int(runs)):
        started = time.perf_counter()
        test.run()
        seconds.append(time.perf_counter() - started)
    if test.exception or test.error:
        sys.exit(f"{page}: {[*test.exception, *test.error][0].value}")
print(json.dumps(seconds))
"""


def page_rows(project: Path, scratch: Path, write_raw: WriteRaw) -> list[Row]:
    """Rerun every page of the project on a demo store made in `scratch`."""
    seconds = _rerun_seconds(project, scratch, write_raw)
    work = "page rerun on the demo, script time"
    if isinstance(seconds, str):
        return [
            Row(f"{work}, median", "ms", MEDIAN_MILLISECONDS, reason=seconds),
            Row(f"{work}, 95th percentile", "ms", P95_MILLISECONDS, reason=seconds),
        ]
    p95 = quantiles(seconds, n=20, method="inclusive")[-1]
    return [
        Row(f"{work}, median", "ms", MEDIAN_MILLISECONDS, 1000 * median(seconds), runs=len(seconds)),
        Row(f"{work}, 95th percentile", "ms", P95_MILLISECONDS, 1000 * p95, runs=len(seconds)),
    ]


def _rerun_seconds(project: Path, scratch: Path, write_raw: WriteRaw) -> list[float] | str:
    """Return the seconds of every rerun, or why there are none."""
    app = project / "app.py"
    pages = sorted(
        page.relative_to(project).as_posix()
        for page in project.glob("pages/*/*.py")
        if page.parent.name != NO_SECTION and not page.name.startswith("_")
    )
    if not app.exists() or not pages:
        return "the pages are not installed with the package"
    if find_spec("streamlit") is None:
        return "the web framework is not installed"
    scratch.mkdir()
    import_once(scratch, DEMO_EPISODES, write_raw)
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(app), str(RUNS), *pages],
        cwd=project,
        env={**os.environ, "IOP_STORE": str(scratch / "store")},
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode != 0:
        last_words = (ended.stderr.strip().splitlines() or [""])[-1]
        return f"a page stopped: {last_words[:120]}"
    seconds: list[float] = json.loads(ended.stdout.splitlines()[-1])
    return seconds
