"""The wall time of the main job, beside that of the script that the pipeline grew out of.

Usage: .venv/bin/python scripts/bench/main_job.py FOLDER [--month YYYY-MM] [--repeat N]
           [--json FILE] [OPTION ...]

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

What each stage of the pipeline takes is printed as well: seconds by the clock, and of the processor
(by all threads of the run). What is imported for the first time counts for the stage that needs it.
"""

import argparse
import json
import os
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

Job = tuple[float, dict[str, list[float]]]

PHASES = """
import atexit, json, os, time
import luigi
from taxi_pipeline import *

begun = {}
phases = {"imports": (time.time() - float(os.environ["BEGUN"]), time.process_time())}

def clocks():
    return time.perf_counter(), time.process_time()

first = clocks()

@luigi.Task.event_handler(luigi.Event.START)
def start(task):
    begun[task.task_id] = clocks()

@luigi.Task.event_handler(luigi.Event.SUCCESS)
def end(task):
    wall, cpu = (now - then for now, then in zip(clocks(), begun[task.task_id]))
    known = phases.get(task.task_family, (0, 0))
    phases[task.task_family] = (known[0] + wall, known[1] + cpu)

@atexit.register
def write():
    spent = [now - then for now, then in zip(clocks(), first)]
    stages = [phase for name, phase in phases.items() if name != "imports"]
    phases["between"] = [all - sum(column) for all, column in zip(spent, zip(*stages))]
    with open(os.environ["PHASES"], "w") as file:
        json.dump(phases, file)
"""
"""A module that imports the pipeline, and writes down what each stage of a run takes."""


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


def pipeline(files: Path, month: Month, folder: Path, options: list[str]) -> Job:
    """The main job as a user types it: the RMSE of its receipt, and what its stages took."""
    (folder / "phases.py").write_text(PHASES)
    root, phases = folder / "root", folder / "phases.json"
    command = [str(Path(sys.executable).with_name("luigi")), "--module", "phases"]
    command += ["RegisterModel", "--year", str(month.year), "--month", str(month.month)]
    command += ["--local-scheduler", "--storage-root", str(root)]
    command += ["--source-url", f"file://{files.resolve()}/{TEMPLATE}", *options]
    path = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
    environment = {
        **os.environ,
        "PYTHONPATH": path,
        "PHASES": str(phases),
        "BEGUN": str(time.time()),
    }
    subprocess.run(command, check=True, capture_output=True, env=environment)  # noqa: S603
    (receipt,) = root.glob("register/**/receipt.json")
    held = json.loads(receipt.read_text())
    if "champion" not in held["aliases"]:
        sys.exit(f"the pipeline's model is not champion: {held['decision']}")
    return float(held["metrics"]["rmse"]), json.loads(phases.read_text())


def medians_of(runs: list[dict[str, list[float]]]) -> dict[str, list[float]]:
    """Of what each stage took in several runs."""
    return {
        stage: [
            statistics.median(column) for column in zip(*(run[stage] for run in runs), strict=True)
        ]
        for stage in runs[0]
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--month", type=Month.parse, default=Month(2021, 1))
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--side", help=argparse.SUPPRESS)
    options, further = parser.parse_known_args()
    months = [options.month, options.month + 1]
    files = [options.folder / TEMPLATE.format(taxi="green", **vars(month)) for month in months]
    if options.side:
        with tempfile.TemporaryDirectory() as name:
            course(files, Path(name), log=options.side == "script")
        return

    times: dict[str, list[float]] = {"work": [], "script": [], "pipeline": []}
    phases = []
    for _ in range(options.repeat):
        for side, measured in times.items():
            with tempfile.TemporaryDirectory() as name:
                started = time.perf_counter()
                if side == "pipeline":
                    rmse, taken = pipeline(options.folder, options.month, Path(name), further)
                    phases.append(taken)
                else:
                    command = [sys.executable, __file__, *sys.argv[1:], "--side", side]
                    answer = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
                    rmse = float(answer.stdout.split()[-1])
                measured.append(time.perf_counter() - started)
            print(f"{side:9s} {measured[-1]:6.1f} s   RMSE {rmse:.4f}", flush=True)
    medians = {side: statistics.median(measured) for side, measured in times.items()}
    ratios = {side: medians["pipeline"] / medians[side] for side in ("work", "script")}
    for side, ratio in ratios.items():
        print(f"pipeline takes {ratio:.2f} times the course's {side} (medians of {options.repeat})")
    stages = medians_of(phases)
    for stage, (wall, cpu) in stages.items():
        print(f"{stage:20s} {wall:6.2f} s {cpu:6.2f} s of the processor")
    if options.json:
        found = {
            "seconds": medians,
            "stages": {name: {"wall": wall, "cpu": cpu} for name, (wall, cpu) in stages.items()},
            "ratios": {f"main job / course's {side}": ratio for side, ratio in ratios.items()},
        }
        options.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
