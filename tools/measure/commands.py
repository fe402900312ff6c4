"""How long commands take as whole processes: the median of five, in seconds.

    python tools/measure/commands.py [--home DIR]

`--home` names a home in which `slubench run --edition mini --task massive-de --strategy curriculum` is done
already; then the same command again is timed too.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

RUN = ("run", "--edition", "mini", "--task", "massive-de", "--strategy", "curriculum")


def seconds(command: tuple[str, ...], times: int = 5) -> list[float]:
    """Wall-clock seconds of each of `times` runs, after one that is not counted."""
    taken = []
    for number in range(times + 1):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-m", "slubench", *command], check=True, capture_output=True)
        if number:
            taken.append(time.perf_counter() - started)
    return taken


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path)
    home = parser.parse_args().home
    commands: list[tuple[str, ...]] = [("--help",), ("list",)]
    if home is not None:
        commands.append((*RUN, "--home", str(home)))
    print(f"{'command':<80} {'median':>7} {'min':>7} {'max':>7}")
    for command in commands:
        taken = seconds(command)
        figures = (statistics.median(taken), min(taken), max(taken))
        print(f"{'slubench ' + ' '.join(command):<80} " + " ".join(f"{figure:7.2f}" for figure in figures))


if __name__ == "__main__":
    main()
