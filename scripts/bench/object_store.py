"""A run with nothing to do on an object store: its requests, and its time beside a local disk.

Usage: .venv/bin/python scripts/bench/object_store.py [--months 12 180] [--delay 0.03] [--json FILE]

A root with registered months is written to a local folder and to an S3-compatible server on
loopback that waits before each answer. The same backfill then finds nothing to do on both, in turn.
Needs what the tests need (pip install 'taxi_pipeline[test]').
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HELPERS = Path(__file__).parents[2] / "tests" / "helpers"

FILL = """
import sys
from taxi_pipeline import config
from taxi_pipeline.identity import digest
from taxi_pipeline.month import Month
from taxi_pipeline.storage import describe_files, open_storage, to_json
from taxi_pipeline.tasks.base import identity_cache
from taxi_pipeline.tasks.gate import ApplyGate
from taxi_pipeline.tasks.ingest import IngestTrips
from taxi_pipeline.tasks.register import RegisterModel
from taxi_pipeline.trips.source_pointer import SourcePointer
from dataclasses import asdict

RECEIPT = '{"metrics": {"rmse": 5.0}, "baselines": {}, "version": "1"}'
months = [Month.parse("2010-01") + number for number in range(int(sys.argv[1]) + 1)]
storage = open_storage(config.storage().root)
for number, month in enumerate(months):
    ingest = IngestTrips(year=month.year, month=month.month)
    ingest._write(SourcePointer(ingest.url, digest(number) * 4))
for month in months[:-1]:
    register = RegisterModel(year=month.year, month=month.month)
    gate = register.requires()["gate"]
    own = gate.identity()
    gate.final_identity(own, None)
    identity = register.identity()
    with storage.staging() as folder:
        (folder / "receipt.json").write_text(RECEIPT)
        manifest = {"key": identity.key, "identity": asdict(identity), "version": "1",
                    "rows": 1, "rmse": 5.0, "packages": {str(n): "1.0.0" for n in range(60)},
                    "files": describe_files(folder)}
        (folder / "manifest.json").write_text(to_json(manifest))
        storage.publish(folder, register.location(identity))
"""


def environment(root: str, folder: str) -> dict[str, str]:
    """Variables of a command on a root."""
    config = Path(folder, "luigi.cfg")
    config.write_text(
        f"[storage]\nroot = {root}\n[tracking]\nuri = databricks\n[source]\nurl = synthetic://\n"
    )
    return {**os.environ, "LUIGI_CONFIG_PATH": str(config)}


def main() -> None:
    """Measure and print."""
    sys.path.insert(0, str(HELPERS))
    import object_store

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--months", type=int, nargs="+", default=[1, 12, 180])
    parser.add_argument("--delay", type=float, default=0.03, help="seconds before each answer")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--json", help="a file for the figures")
    options = parser.parse_args()
    luigi = str(Path(sys.executable).with_name("luigi"))
    figures = []
    with object_store.serving() as store, tempfile.TemporaryDirectory() as scratch:
        for months in options.months:
            folders = {kind: Path(scratch, f"{kind}-{months}") for kind in ("local", "s3")}
            roots = {"local": str(folders["local"] / "data"), "s3": store.root(f"of-{months}")}
            stop = f"{2010 + months // 12}-{months % 12 + 1:02d}"
            backfill = ["BackfillMonths", "--of", "RegisterModel", "--start", "2010-01"]
            command = [luigi, "--module", "taxi_pipeline", *backfill, "--stop", stop]
            if months == 1:
                command = [*command[:3], "RegisterModel", "--year", "2010", "--month", "1"]
            store.delay = 0.0
            for kind, folder in folders.items():
                folder.mkdir()
                made = [sys.executable, "-c", FILL, str(months)]
                subprocess.run(made, check=True, env=environment(roots[kind], str(folder)))  # noqa: S603
            store.delay = options.delay
            times = {kind: [] for kind in folders}
            counts = []
            for _ in range(options.repeat):
                for kind, folder in folders.items():
                    with store.counted() as requests:
                        started = time.perf_counter()
                        ran = subprocess.run(  # noqa: S603
                            [*command, "--local-scheduler"],
                            check=False,
                            capture_output=True,
                            text=True,
                            env=environment(roots[kind], str(folder)),
                        )
                        times[kind].append(time.perf_counter() - started)
                    if ran.returncode or "Did not run any tasks" not in ran.stderr:
                        sys.exit(f"something was to be done: {ran.stderr}")
                    if kind == "s3":
                        counts.append(len(requests))
            medians = {kind: statistics.median(measured[1:]) for kind, measured in times.items()}
            figures.append(
                {
                    "months": months,
                    "requests_first": counts[0],
                    "requests": counts[-1],
                    "first_s3_seconds": round(times["s3"][0], 3),
                    **{f"{kind}_seconds": round(median, 3) for kind, median in medians.items()},
                }
            )
            print(figures[-1], flush=True)
    if options.json:
        ratios = {
            f"{run['months']} months, nothing to do, S3 / local": run["s3_seconds"]
            / run["local_seconds"]
            for run in figures
        }
        found = {"delay": options.delay, "runs": figures, "ratios": ratios}
        Path(options.json).write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
