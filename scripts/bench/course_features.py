"""Transform and features of a large month, beside the course's own functions on the same file.

Usage: .venv/bin/python scripts/bench/course_features.py [--rows N] [--course-rows N]
           [--json FILE]

A yellow month of the synthetic city is written once. Each side then runs in a process of its own:
rows per second count the published rows, peak memory is the process's largest resident set. The
course's side (read_parquet, ``apply`` for the duration, ``to_dict`` and DictVectorizer) may be
given the first rows of the file only, where the whole does not fit into memory.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from taxi_pipeline import Month

MONTH = Month(2023, 3)


def pipeline(published: Path, folder: Path) -> None:
    """What TransformTrips and BuildFeatures do."""
    from taxi_pipeline.model.feature_writing import write_features
    from taxi_pipeline.trips.cleaning import Rules, clean_file

    clean_file(published, folder / "trips", taxi="yellow", month=MONTH, rules=Rules())
    write_features(folder / "trips", folder / "features", max_miles=100.0)


def course(published: Path, folder: Path) -> None:  # noqa: ARG001  (it writes nothing)
    """What the course's script does before it trains, for yellow columns."""
    import pandas as pd
    from sklearn.feature_extraction import DictVectorizer

    rows = pd.read_parquet(published)
    elapsed = rows.tpep_dropoff_datetime - rows.tpep_pickup_datetime
    rows["duration"] = elapsed.apply(lambda difference: difference.total_seconds() / 60)
    rows = rows[(rows.duration >= 1) & (rows.duration <= 60)]  # noqa: PLR2004  (the course's)
    zones = ["PULocationID", "DOLocationID"]
    rows[zones] = rows[zones].astype(str)
    rows["PU_DO"] = rows["PULocationID"] + "_" + rows["DOLocationID"]
    records = rows[["PU_DO", "trip_distance"]].to_dict(orient="records")
    DictVectorizer(sparse=True).fit_transform(records)


def measure(side: str, published: Path, folder: Path) -> None:
    """Run one side in this process and print seconds and peak memory in MB."""
    started = time.perf_counter()
    {"pipeline": pipeline, "course": course}[side](published, folder)
    taken = time.perf_counter() - started
    print(taken, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def main() -> None:
    """Write the month, measure both sides, print them side by side."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=3_400_000)
    parser.add_argument("--course-rows", type=int)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--side", nargs=3, metavar=("SIDE", "FILE", "FOLDER"))
    options = parser.parse_args()
    if options.side:
        measure(options.side[0], Path(options.side[1]), Path(options.side[2]))
        return

    from taxi_pipeline.trips.synthetic.month import write_month

    course_rows = options.course_rows or options.rows
    speeds = {}
    with tempfile.TemporaryDirectory() as name:
        for side, rows in (("pipeline", options.rows), ("course", course_rows)):
            published = Path(name, f"{rows}.parquet")
            if not published.exists():
                write_month(published, "yellow", MONTH, rows=rows, seed=0)
            command = [sys.executable, __file__, "--side", side, str(published), name]
            answer = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
            taken, memory = map(float, answer.stdout.split())
            speeds[side] = rows / taken
            print(f"{side:9s} {rows:>9,} rows {taken:8.1f} s {rows / taken:>10,.0f} rows/s", end="")
            print(f" {memory:>8,.0f} MB at most")
    ratio = speeds["pipeline"] / speeds["course"]
    print(f"ratio     {ratio:.1f} times the rows per second")
    if options.json:
        found = {
            "rows_per_second": speeds,
            "ratios": {"transform and features / course's functions": 1 / ratio},
        }
        options.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
