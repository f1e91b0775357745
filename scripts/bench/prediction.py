"""What the registered model takes to predict, beside the bare booster in it.

Usage: .venv/bin/python scripts/bench/prediction.py [--rows N] [--repeat N] [--json FILE]

Two synthetic months are run through ``RegisterModel`` (recipe trip) into an empty root, once. What
MLflow loads then predicts published rows in one process: one row, batches of 1,000, and all rows in
one piece; so does the package's own model, without MLflow's look at each value of a request; and
XGBoost, given the encoded matrix. All take turns, the medians are printed, each beside XGBoost.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

TRAINING_ROWS = 76_000
BATCH = 1_000


def register(root: Path) -> Path:
    """Register a model of synthetic months; the folder that MLflow keeps it in."""
    luigi = Path(sys.executable).with_name("luigi")
    command = [str(luigi), "--module", "taxi_pipeline", "RegisterModel", "--year", "2021"]
    command += ["--month", "1", "--local-scheduler", "--storage-root", str(root)]
    command += ["--source-url", f"synthetic://?rows={TRAINING_ROWS}", "--tuning-trials", "5"]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603
    (description,) = root.rglob("MLmodel")
    return description.parent


def main() -> None:
    """Register, predict, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()

    import mlflow
    import numpy as np
    import pandas as pd

    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as name:
        registered = mlflow.pyfunc.load_model(str(register(Path(name))), suppress_warnings=True)
        month = pd.read_parquet(next(Path(name, "ingest/green/2021-02").glob("*/trips.parquet")))
    wanted = registered.metadata.get_input_schema().input_names()
    month = month[[column for column in month if column in wanted]]
    rows = pd.concat([month] * -(-options.rows // len(month)), ignore_index=True)[: options.rows]
    model = registered._model_impl.model  # noqa: SLF001  (MLflow shows it no other way)
    boosters = getattr(model.regressor, "boosters", None) or [model.regressor.booster]
    encoded = model.encoder.transform(model.published_features(rows))
    matrix = np.ascontiguousarray(encoded.to_numpy(np.float32))

    def bare(start: int, stop: int) -> None:
        for booster in boosters:
            booster.inplace_predict(matrix[start:stop], validate_features=False)

    sides: dict[str, Callable[[int, int], object]] = {
        "XGBoost": bare,
        "our model": lambda start, stop: model.predict_published(rows.iloc[start:stop]),
        "as MLflow loads it": lambda start, stop: registered.predict(rows.iloc[start:stop]),
    }
    sizes = {"1 row": (1, 200), f"{BATCH:,} a batch": (BATCH, 1), "in one piece": (len(rows), 1)}
    taken: dict[str, dict[str, float]] = {}
    print(f"{len(rows):,} rows, {len(boosters)} boosters, {len(os.sched_getaffinity(0))} cores")
    for label, (size, calls) in sizes.items():
        starts = [0] * calls if size == 1 else range(0, len(rows), size)
        times: dict[str, list[float]] = {side: [] for side in sides}
        for _ in range(options.repeat):
            for side, predict in sides.items():
                began = time.perf_counter()
                for start in starts:
                    predict(start, start + size)
                times[side].append((time.perf_counter() - began) / (calls if size == 1 else 1))
        taken[label] = {side: statistics.median(measured) for side, measured in times.items()}
        for side, seconds in taken[label].items():
            ratio = seconds / taken[label]["XGBoost"]
            shown = f"{1000 * seconds:8.2f} ms" if size == 1 else f"{seconds:8.2f} s "
            print(f"{label:15s} {side:20s} {shown} {ratio:6.1f} times XGBoost", flush=True)
    if options.json:
        ratios = {
            f"{side}, {label} / XGBoost": seconds / sides_taken["XGBoost"]
            for label, sides_taken in taken.items()
            for side, seconds in sides_taken.items()
            if side != "XGBoost"
        }
        found = {"rows": len(rows), "seconds": taken, "ratios": ratios}
        options.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
