"""The wall time of the main job, beside that of the script that the pipeline grew out of.

Usage: .venv/bin/python scripts/bench/main_job.py FOLDER [--month YYYY-MM] [--repeat N] [OPTION ...]

FOLDER holds files as TLC publishes them; OPTIONs are handed to RegisterModel. Three commands, each
in a process of its own and from local files, are run in turn, so that a noisy machine is noisy for
all; medians and ratios are printed:

- ``work``: what the script computes: pandas with ``apply`` for the duration, DictVectorizer over
  PU_DO and distance, XGBoost with the course's parameters for 30 rounds, the error on the next
  month;
- ``script``: the same with what the script does for MLflow: a run, its parameters and metric, the
  vectorizer as an artifact, the model in MLflow's XGBoost format, in a new SQLite file;
- ``pipeline``: ``RegisterModel`` with all that it requires, into an empty storage root: ingestion
  and checks, quality report, features, tuning, fit, evaluation with plots, registration, champion.
"""

import argparse
import json
import pickle
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from taxi_pipeline import Month
from taxi_pipeline.model.recipes import RECIPES

TEMPLATE = "{taxi}_tripdata_{year}-{month:02d}.parquet"


def course(files: list[Path], folder: Path, *, log: bool) -> None:
    """What the course's script does, and what it does for MLflow if that is to be logged."""
    import numpy as np
    import pandas as pd
    import xgboost
    from sklearn.feature_extraction import DictVectorizer

    if log:
        import mlflow

        mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
        mlflow.create_experiment("course", (folder / "artifacts").as_uri())
        mlflow.set_experiment("course")
        mlflow.start_run()

    def prepared(file: Path) -> tuple[list[dict[str, object]], pd.Series]:
        rows = pd.read_parquet(file)
        elapsed = rows.lpep_dropoff_datetime - rows.lpep_pickup_datetime
        rows["duration"] = elapsed.apply(lambda difference: difference.total_seconds() / 60)
        rows = rows[(rows.duration >= 1) & (rows.duration <= 60)].copy()  # noqa: PLR2004
        zones = ["PULocationID", "DOLocationID"]
        rows[zones] = rows[zones].astype(str)
        rows["PU_DO"] = rows["PULocationID"] + "_" + rows["DOLocationID"]
        return rows[["PU_DO", "trip_distance"]].to_dict(orient="records"), rows["duration"]

    records, minutes = prepared(files[0])
    later_records, later_minutes = prepared(files[1])
    vectorizer = DictVectorizer(sparse=True)
    train = xgboost.DMatrix(vectorizer.fit_transform(records), label=minutes)
    valid = xgboost.DMatrix(vectorizer.transform(later_records), label=later_minutes)
    parameters = {"objective": "reg:squarederror", **RECIPES["course"].parameters}
    booster = xgboost.train(
        parameters, train, RECIPES["course"].rounds, evals=[(valid, "valid")], verbose_eval=False
    )
    rmse = float(np.sqrt(np.mean(np.square(booster.predict(valid) - later_minutes))))
    if log:
        mlflow.log_params(parameters)
        mlflow.log_metric("rmse", rmse)
        (folder / "preprocessor.b").write_bytes(pickle.dumps(vectorizer))
        mlflow.log_artifact(str(folder / "preprocessor.b"), "preprocessor")
        mlflow.xgboost.log_model(booster, name="model")
        mlflow.end_run()
    print(rmse)


def pipeline(files: Path, month: Month, folder: Path, options: list[str]) -> float:
    """The main job as a user types it; the RMSE of its receipt."""
    command = [str(Path(sys.executable).with_name("luigi")), "--module", "taxi_pipeline"]
    command += ["RegisterModel", "--year", str(month.year), "--month", str(month.month)]
    command += ["--local-scheduler", "--storage-root", str(folder)]
    command += ["--source-url", f"file://{files.resolve()}/{TEMPLATE}", *options]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603
    (receipt,) = folder.glob("register/**/receipt.json")
    held = json.loads(receipt.read_text())
    if "champion" not in held["aliases"]:
        sys.exit(f"the pipeline's model is not champion: {held['decision']}")
    return float(held["metrics"]["rmse"])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--month", type=Month.parse, default=Month(2021, 1))
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--side", help=argparse.SUPPRESS)
    options, further = parser.parse_known_args()
    months = [options.month, options.month + 1]
    files = [options.folder / TEMPLATE.format(taxi="green", **vars(month)) for month in months]
    if options.side:
        with tempfile.TemporaryDirectory() as name:
            course(files, Path(name), log=options.side == "script")
        return

    times: dict[str, list[float]] = {"work": [], "script": [], "pipeline": []}
    for _ in range(options.repeat):
        for side, measured in times.items():
            with tempfile.TemporaryDirectory() as name:
                started = time.perf_counter()
                if side == "pipeline":
                    rmse = pipeline(options.folder, options.month, Path(name), further)
                else:
                    command = [sys.executable, __file__, *sys.argv[1:], "--side", side]
                    answer = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
                    rmse = float(answer.stdout.split()[-1])
                measured.append(time.perf_counter() - started)
            print(f"{side:9s} {measured[-1]:6.1f} s   RMSE {rmse:.4f}", flush=True)
    medians = {side: statistics.median(measured) for side, measured in times.items()}
    for side in ("work", "script"):
        ratio = medians["pipeline"] / medians[side]
        print(f"pipeline takes {ratio:.2f} times the course's {side} (medians of {options.repeat})")


if __name__ == "__main__":
    main()
