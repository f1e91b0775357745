"""What requests to the central scheduler cost with many tasks, beside few.

Usage: .venv/bin/python scripts/bench/scheduler.py [--tasks 100 3000 5000] [--json FILE]

The tasks are those of a backfill: thirteen a month, each of which requires the one before it. The
scheduler is asked in this process, in turn for each number of tasks; the medians and their ratio to
the smallest number are printed.
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

import luigi
from luigi.task_status import DONE, PENDING

from taxi_pipeline.luigid.scheduler import create_scheduler

STEPS = 13
WORKER = "Worker(salt=1, workers=1, host=bench, username=bench, pid=1)"
OTHER = "Worker(salt=2, workers=1, host=other, username=bench, pid=2)"


def filled(folder: Path, tasks: int) -> object:
    """A scheduler that two workers have told of a backfill, a third of which is done."""
    # A database of the history is written to when a task changes, not when one is asked for.
    luigi.configuration.get_config().set("scheduler", "record_task_history", "false")
    made = create_scheduler(folder)
    for worker in (WORKER, OTHER):
        made.add_worker(worker, {"workers": 1})
        for number in range(tasks):
            month, step = divmod(number, STEPS)
            made.add_task(
                worker=worker,
                task_id=f"Task{step}_{month}_0123456789",
                family=f"Task{step}",
                module="taxi_pipeline",
                params={"year": str(2010 + month // 12), "month": str(month % 12 + 1)},
                status=DONE if number < tasks // 3 else PENDING,
                deps=[f"Task{step - 1}_{month}_0123456789"] if step else [],
                resources={"cpu": 1},
                priority=50,
            )
    made.update_resource("cpu", 1)
    # It holds the only core: the worker that asks looks through all tasks in vain.
    made.get_work(worker=OTHER, host="other")
    return made


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, nargs="+", default=[100, 3000, 5000])
    parser.add_argument("--repeat", type=int, default=20)
    parser.add_argument("--json", help="a file for the figures")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        schedulers = {}
        for tasks in options.tasks:
            folder = Path(scratch, str(tasks))
            folder.mkdir()
            schedulers[tasks] = filled(folder, tasks)
        asked = {
            "get_work": lambda made: made.get_work(worker=WORKER, host="bench", current_tasks=[]),
            "ping": lambda made: made.ping(worker=WORKER),
            "list of the page": lambda made: [
                made.task_list(status=status, upstream_status="") for status in (PENDING, DONE)
            ],
        }
        figures: dict[str, dict[int, float]] = {name: {} for name in asked}
        for name, ask in asked.items():
            times: dict[int, list[float]] = {tasks: [] for tasks in schedulers}
            for _ in range(options.repeat):
                for tasks, made in schedulers.items():
                    started = time.perf_counter()
                    ask(made)
                    times[tasks].append(time.perf_counter() - started)
            for tasks, measured in times.items():
                figures[name][tasks] = round(1000 * statistics.median(measured), 3)
        sizes = {
            tasks: len(json.dumps(asked["list of the page"](made)))
            for tasks, made in schedulers.items()
        }
    smallest = min(options.tasks)
    for name, medians in figures.items():
        for tasks, median in medians.items():
            ratio = median / medians[smallest]
            print(f"{name:18s} {tasks:6,d} tasks {median:8.3f} ms  {ratio:6.1f} times {smallest}")
    for tasks, size in sizes.items():
        print(f"{'list of the page':18s} {tasks:6,d} tasks {size / 1000:8.0f} kB")
    if options.json:
        largest = max(options.tasks)
        found = {
            "milliseconds": figures,
            "list_bytes": sizes,
            "ratios": {
                f"get_work with {largest:,} tasks / {smallest:,}": figures["get_work"][largest]
                / figures["get_work"][smallest]
            },
        }
        Path(options.json).write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
