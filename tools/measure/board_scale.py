"""How long a page of many real-sized runs takes, how much memory, and how quickly it answers in a browser.

    python tools/measure/board_scale.py [--runs 1000]     # prints figures, writes results/board_scale.json

Runs, scores, replicates and records are made first (board_runs.py), in a temporary folder, and are not timed:
up to 20 strategies at 5 budgets with 5 seeds on 20 tasks, a score file of 1,472 rows each. The build runs in
a process of its own, whose greatest memory is the figure; then again after one new run. Chromium then opens
the overview from the disk; without it that part is left out.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pyarrow as pa

sys.path.insert(0, str(Path(__file__).parents[2]))
from tools.measure.board_runs import write

LIMITS = {"seconds": 60.0, "rebuild_seconds": 5.0, "GiB": 2.0, "usable_seconds": 1.0, "answer_seconds": 0.1}
"""Reached for: of 10,000 runs on two quiet cores."""
BUILD = """
import resource, sys, time
from pathlib import Path
from slubench.board import build
started = time.perf_counter()
result = build(sorted(Path(sys.argv[1]).glob("*.parquet")), Path(sys.argv[2]))
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
print(time.perf_counter() - started, peak, result.runs)
"""
# Usable: all scripts have run, and the first table sorts when asked to.
ASK = """
async () => {
  const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  const took = async (act) => {
    const begun = performance.now();
    act();
    await frame();
    return (performance.now() - begun) / 1000;
  };
  const filter = document.getElementById("filter");
  const type = (text) => () => {
    filter.value = text;
    filter.dispatchEvent(new Event("input"));
  };
  const navigation = performance.getEntriesByType("navigation")[0];
  await new Promise((done) => requestIdleCallback(done));
  // Whoever sorts a table looks at it.
  const table = document.querySelector("table.sortable");
  table.scrollIntoView();
  await frame();
  await frame();
  const heads = table.querySelectorAll(".heads button");
  const sorts = [];
  for (const head of [heads[4], heads[0], heads[1], heads[1]]) sorts.push(await took(() => head.click()));
  const filters = [];
  const texts = ["c", "curriculum", "curriculum 5%", "idea-7", "nothing", ""];
  for (const text of texts) filters.push(await took(type(text)));
  return { usable: navigation.domContentLoadedEventEnd / 1000, sorts, filters };
}
"""


def build(folder: Path, site: Path) -> dict[str, float]:
    """Build the page in a process of its own and measure it."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    command = [sys.executable, "-c", BUILD, str(folder), str(site)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    whole = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "runs": int(said[2]),
        "seconds": round(float(said[0]), 1),
        "process_seconds": round(whole, 1),
        "cpu_user_seconds": round(after.ru_utime - before.ru_utime, 1),
        "cpu_system_seconds": round(after.ru_stime - before.ru_stime, 1),
        "GiB": round(float(said[1]), 2),
    }


def browse(page: Path) -> dict[str, Any]:
    """Open the overview in Chromium three times and ask it to sort and to filter; the median of each."""
    chromium = shutil.which("chromium")
    if chromium is None:
        return {"browser": "not here"}
    from statistics import median

    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        found = []
        for _ in range(3):
            tab = browser.new_page(viewport={"width": 1280, "height": 900})
            tab.goto(page.as_uri())
            found.append(tab.evaluate(ASK))
            tab.close()
        version = browser.version
        browser.close()
    return {
        "browser": f"Chromium {version}",
        "usable_seconds": round(median(one["usable"] for one in found), 3),
        "sort_seconds": round(median(max(one["sorts"]) for one in found), 3),
        "filter_seconds": round(median(max(one["filters"]) for one in found), 3),
    }


def main() -> None:
    """Make, build, browse, print, save."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "board_scale.json")
    parser.add_argument("--runs", type=int, default=10_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder, site = Path(place, "scores"), Path(place, "site")
        folder.mkdir()
        rows = write(folder, options.runs - 1)
        built = build(folder, site)
        write(folder, 1, first=options.runs - 1)
        again = build(folder, site)
        sizes = {
            "index_MB": round((site / "index.html").stat().st_size / 1e6, 1),
            "site_MB": round(sum(file.stat().st_size for file in site.rglob("*.*")) / 1e6, 1),
        }
        browsed = browse(site / "index.html")
    answers = [browsed[name] for name in ("sort_seconds", "filter_seconds") if name in browsed]
    report = {
        "command": f"python tools/measure/board_scale.py --runs {options.runs}",
        "date": datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
        "python": platform.python_version(),
        "pyarrow": pa.__version__,
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "score_rows": rows,
        **built,
        "rebuild_seconds": again["seconds"],
        **sizes,
        **browsed,
        "limits": LIMITS,
        "held": options.runs >= 10_000
        and built["seconds"] < LIMITS["seconds"]
        and again["seconds"] < LIMITS["rebuild_seconds"]
        and built["GiB"] < LIMITS["GiB"]
        and browsed.get("usable_seconds", 0.0) < LIMITS["usable_seconds"]
        and max(answers, default=0.0) < LIMITS["answer_seconds"],
    }
    print(json.dumps(report, indent=1))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
