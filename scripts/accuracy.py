"""Measure every recipe on real trip records: train on a month, judge on the two after it.

Usage: .venv/bin/python scripts/accuracy.py FOLDER [YYYY-MM ...] (default: 2021-01 2023-01)

FOLDER holds files as TLC publishes them. Each model is loaded from the registry and predicts the
published rows, as its users do; rows of 1 to 60 minutes count, as in the course. The month after
the evaluation month is one that nothing in the pipeline has seen.
"""

import subprocess
import sys
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd

from taxi_pipeline import Month
from taxi_pipeline.model.recipes import RECIPES

ROOT = Path("accuracy")


def rmse(model: mlflow.pyfunc.PyFuncModel, file: Path) -> float:
    """Root mean square error in minutes over a published green file."""
    rows = pd.read_parquet(file)
    minutes = (rows.lpep_dropoff_datetime - rows.lpep_pickup_datetime).dt.total_seconds() / 60
    kept = minutes.between(1, 60)
    error = model.predict(rows[kept]) - minutes[kept].to_numpy()
    return float(np.sqrt(np.mean(np.square(error))))


def main(folder: Path, months: list[Month]) -> None:
    """Train and register each recipe for each month, and print a Markdown table."""
    template = "{taxi}_tripdata_{year}-{month:02d}.parquet"
    mlflow.set_tracking_uri(f"sqlite:///{ROOT.resolve()}/mlflow/mlflow.db")
    lines = ["| trained on green | recipe | evaluation month | month after |", "|---|---|---|---|"]
    for month in months:
        for recipe in RECIPES:
            command = ["RegisterModel", "--year", str(month.year), "--month", str(month.month)]
            options = ["--recipe", recipe, "--local-scheduler", "--storage-root", str(ROOT)]
            source = ["--source-url", f"file://{folder.resolve()}/{template}"]
            luigi = [str(Path(sys.executable).with_name("luigi")), "--module", "taxi_pipeline"]
            subprocess.run([*luigi, *command, *options, *source], check=True)  # noqa: S603
            name = f"nyc-green-taxi-duration-{recipe}"
            versions = mlflow.MlflowClient().search_model_versions(
                f"name = '{name}' and tag.training_month = '{month}'"
            )
            newest = max(int(version.version) for version in versions)
            model = mlflow.pyfunc.load_model(f"models:/{name}/{newest}")
            figures = [
                f"{rmse(model, folder / template.format(taxi='green', **vars(later))):.4f}"
                for later in (month + 1, month + 2)
            ]
            lines.append(f"| {month} | {recipe} | {figures[0]} | {figures[1]} |")
    print("\n".join(lines))


if __name__ == "__main__":
    chosen = [Month.parse(text) for text in sys.argv[2:]] or [Month(2021, 1), Month(2023, 1)]
    main(Path(sys.argv[1]), chosen)
