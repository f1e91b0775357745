"""How much sooner a backfill of synthetic months ends with two workers than with one.

Usage: .venv/bin/python scripts/bench/workers.py [--months N] [--rows N] [--repeat N]
           [--json FILE]

Both are run in turn, each on a root of its own; the medians and their ratio are printed, once with
the cores shared as they are by default (one worker fits on all of them), and once with one thread
for each fit in both, which is what the workers alone bring. Beside each is how many cores it kept
busy: where one worker does that with nearly all of them, no second one can bring more.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from taxi_pipeline.compute.cores import cores

LUIGI = Path(sys.executable).with_name("luigi")


def run(workers: int, months: int, rows: int, threads: int) -> tuple[float, float]:
    """Wall time of a backfill in seconds, and the cores that it kept busy on average."""
    stop = f"{2021 + months // 12}-{1 + months % 12:02d}"
    with tempfile.TemporaryDirectory() as root:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        started = time.perf_counter()
        subprocess.run(  # noqa: S603
            [
                LUIGI,
                *("--module", "taxi_pipeline", "BackfillMonths", "--of", "RegisterModel"),
                *("--start", "2021-01", "--stop", stop, "--workers", str(workers)),
                *("--local-scheduler", "--source-url", f"synthetic://?rows={rows}"),
                *("--storage-root", root, "--training-threads", str(threads)),
            ],
            check=True,
            capture_output=True,
        )
        wall = time.perf_counter() - started
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, busy / wall


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--months", type=int, default=4)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    ratios = {}
    print(f"{options.months} months of {options.rows:,} rows on {cores()} cores")
    for threads, name in ((0, "cores shared"), (1, "one thread a fit")):
        measured: dict[int, list[tuple[float, float]]] = {1: [], 2: []}
        for _ in range(options.repeat):
            for workers, runs in measured.items():
                runs.append(run(workers, options.months, options.rows, threads))
        for workers, runs in measured.items():
            wall, busy = (statistics.median(column) for column in zip(*runs, strict=True))
            print(f"{name:18s} --workers {workers}  {wall:6.1f} s, {busy:.2f} cores busy")
        one, two = (statistics.median(wall for wall, _ in runs) for runs in measured.values())
        print(f"{name:18s} {one / two:.2f} times faster")
        ratios[f"two workers / one, {name}"] = two / one
    if options.json:
        options.json.write_text(json.dumps({"ratios": ratios}, indent=2) + "\n")


if __name__ == "__main__":
    main()
