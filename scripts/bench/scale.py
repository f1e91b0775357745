"""Time and peak memory of each stage over windows of large months.

Usage: .venv/bin/python scripts/bench/scale.py FOLDER [--rows N] [--windows 1,3,6,12]
           [--trials N] [--threads N] [--json FILE] [--plot FILE] [OPTION ...]

Months of synthetic yellow trips to 2022-12 are made in FOLDER, which keeps them for a next time;
OPTIONs are handed to each task. Each stage runs as a process of its own, `luigi` with all that it
requires already there. So its figures are those of a worker that does nothing else. The exponent
says how they grow with the window: 1 is a straight line. The champion of all these is watched in
the month after the evaluation's.
"""

import argparse
import json
import math
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from taxi_pipeline import Month

LAST = Month(2022, 12)
MONTHLY = ("IngestTrips", "TransformTrips", "BuildFeatures")
STAGES = ("TuneHyperparameters", "TrainModel", "EvaluateModel", "CalibrateIntervals")
BESIDE = ("ApplyGate", "ReportCandidate", "RegisterModel")
WATCHING = "MonitorChampion"


def run(task: str, month: Month, options: list[str]) -> dict[str, float]:
    """Seconds, CPU seconds and peak memory in MB of a task, run by itself.

    Raises:
        SystemExit: the task failed.
    """
    luigi = str(Path(sys.executable).with_name("luigi"))
    when = ["--year", str(month.year), "--month", str(month.month), "--taxi", "yellow"]
    command = [luigi, "--module", "taxi_pipeline", task, *when, "--local-scheduler", *options]
    with tempfile.TemporaryFile() as output:
        started = time.monotonic()
        process = os.posix_spawn(
            luigi,
            command,
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, output.fileno(), stream)
                for stream in (sys.stdout.fileno(), sys.stderr.fileno())
            ],
        )
        _, status, used = os.wait4(process, 0)
        seconds = time.monotonic() - started
        if status:
            output.seek(0)
            sys.exit(f"{' '.join(command)} failed:\n{output.read().decode()}")
    return {
        "seconds": round(seconds, 2),
        "cpu": round(used.ru_utime + used.ru_stime, 2),
        "peak_mb": round(used.ru_maxrss / 1024, 1),
    }


def line(what: str, figures: dict[str, Any]) -> str:
    """The figures of a run as a line of the table."""
    return (
        f"{what} {figures['seconds']:8.1f} s {figures['cpu']:8.1f} s CPU "
        f"{figures['peak_mb']:8.0f} MB"
    )


def exponents(found: list[dict[str, Any]]) -> dict[str, float]:
    """For each stage the slope of CPU time over the window, both as logarithms."""
    grown = {}
    for stage in STAGES:
        rows = [row for row in found if row["stage"] == stage]
        windows, seconds = ([math.log(row[name]) for row in rows] for name in ("window", "cpu"))
        grown[stage] = round(statistics.linear_regression(windows, seconds).slope, 3)
    return grown


def plot(found: dict[str, Any], file: Path) -> None:
    """CPU time and peak memory over the window, a line for each stage."""
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    for stage in (*STAGES, *BESIDE):
        rows = [row for row in found["windows"] if row["stage"] == stage]
        windows = [row["window"] for row in rows]
        left.loglog(windows, [row["cpu"] for row in rows], "o-", label=stage)
        right.plot(windows, [row["peak_mb"] / 1024 for row in rows], "o-", label=stage)
    left.set(xlabel="months in the window", ylabel="CPU seconds")
    right.set(xlabel="months in the window", ylabel="peak memory, GB")
    right.legend()
    figure.savefig(file, dpi=120)


def options() -> tuple[argparse.Namespace, list[str]]:
    """What the command line asks for, and the options of each task."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=3_400_000)
    parser.add_argument("--windows", default="1,3,6,12")
    parser.add_argument("--trials", default="10")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--plot", type=Path)
    args, more = parser.parse_known_args()
    return args, [
        *("--storage-root", str(args.folder.resolve() / "root")),
        *("--source-url", f"synthetic://?rows={args.rows}"),
        *("--tuning-trials", args.trials, "--training-threads", str(args.threads)),
        *more,
    ]


def main() -> None:
    """Make the months, run the stages, print a table."""
    args, given = options()
    windows = [int(window) for window in args.windows.split(",")]
    found: dict[str, Any] = {
        "rows": args.rows,
        "threads": args.threads,
        "months": [],
        "windows": [],
    }
    for month in [*LAST.window(max(windows)), LAST + 1, LAST + 2]:
        for task in MONTHLY:
            row = {"month": str(month), "stage": task, **run(task, month, given)}
            found["months"].append(row)
            if month == LAST:
                print(line(f"{task:22} one month", row), flush=True)
    for window in windows:
        for stage in (*STAGES, *BESIDE):
            figures = run(stage, LAST, [*given, "--window", str(window)])
            found["windows"].append({"window": window, "stage": stage, **figures})
            print(line(f"{stage:22} window {window:2}", figures), flush=True)
    row = {"month": str(LAST + 2), "stage": WATCHING, **run(WATCHING, LAST + 2, given)}
    found["months"].append(row)
    print(line(f"{WATCHING:22} one month", row), flush=True)
    if len(windows) > 1:
        found["exponents"] = exponents(found["windows"])
        for stage, grown in found["exponents"].items():
            print(f"{stage:22} CPU grows as the window to the power of {grown}")
    if args.json:
        args.json.write_text(json.dumps(found, indent=2) + "\n")
    if args.plot:
        plot(found, args.plot)


if __name__ == "__main__":
    main()
