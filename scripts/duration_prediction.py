"""The course's way: one script, and a run in MLflow. Beside it stands the pipeline.

Usage: .venv/bin/python scripts/duration_prediction.py --year=2021 --month=1

The steps have the names that they have in DataTalksClub's MLOps Zoomcamp: read two months, encode
them, train on the first, and measure on the second. They are a thin use of this package's functions
with the parameters of its recipe `course`, and give the course's own figure: trained on green
2021-01, the RMSE on 2021-02 is 6.6077 minutes. A run in MLflow holds the parameters, the RMSE, the
vectorizer and the model; its database is a SQLite file in the current folder.

What the script lacks, and what the pipeline adds: docs/tutorial/from_notebook_to_pipeline.ipynb.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd

from taxi_pipeline import Month
from taxi_pipeline.compute.cores import cores
from taxi_pipeline.errors import TaxiPipelineError
from taxi_pipeline.model.encoders import CourseEncoder
from taxi_pipeline.model.feature_names import TARGET
from taxi_pipeline.model.feature_writing import write_features
from taxi_pipeline.model.features import load_features
from taxi_pipeline.model.recipes import RECIPES
from taxi_pipeline.trips import urls
from taxi_pipeline.trips.cleaning import Rules, clean_file
from taxi_pipeline.trips.download import fetch

COURSE = RECIPES["course"]
TAXI = "green"
EXPERIMENT = "nyc-taxi-course"
MAX_MILES = 100.0
"""The limit that other recipes have; the course's model takes distances as they are."""


def read_data(year: int, month: int, source_url: str = urls.DEFAULT_URL) -> pd.DataFrame:
    """The trips of 1 to 60 minutes of a published month: the course's columns and the minutes.

    Raises:
        TaxiPipelineError: the month is not published, or its file cannot be used.
    """
    wanted = Month(year, month)
    with tempfile.TemporaryDirectory() as name:
        published, clean, features = (
            Path(name, f"{stage}.parquet") for stage in ("published", "clean", "features")
        )
        url = urls.month_url(source_url, TAXI, wanted)
        fetch(url, published, attempts=5, timeout=60.0, label=f"{TAXI} {wanted}")
        clean_file(published, clean, taxi=TAXI, month=wanted, rules=Rules())
        write_features(clean, features, max_miles=MAX_MILES)
        return load_features([features], COURSE.columns)


def create_X(trips: pd.DataFrame, encoder: CourseEncoder | None = None) -> tuple[Any, Any]:  # noqa: N802  (the course's name)
    """The trips as a sparse matrix, and the encoder, which is fitted if none is given."""
    if encoder is None:
        encoder = COURSE.encoder(seed=0)
        return encoder.fit_transform(trips), encoder
    return encoder.transform(trips), encoder


def train_model(
    X_train: Any,  # noqa: N803  (scikit-learn's name, and the course's)
    y_train: np.ndarray,
    X_val: Any,  # noqa: N803
    y_val: np.ndarray,
    encoder: CourseEncoder,
) -> tuple[str, float]:
    """Train, measure and log to MLflow; the id of the run, and its RMSE in minutes."""
    with mlflow.start_run() as run, tempfile.TemporaryDirectory() as name:
        regressor = COURSE.regressor(COURSE.parameters, threads=cores())
        regressor.fit(X_train, y_train, COURSE.rounds)
        rmse = float(np.sqrt(np.mean((regressor.predict(X_val) - y_val) ** 2)))

        mlflow.log_params({**regressor.parameters, "rounds": COURSE.rounds})
        mlflow.log_metric("rmse", rmse)
        encoder.save(Path(name))
        mlflow.log_artifacts(name, "preprocessor")
        (booster,) = regressor.boosters
        mlflow.xgboost.log_model(booster, name="model")
        return run.info.run_id, rmse


def run(year: int, month: int, source_url: str = urls.DEFAULT_URL) -> tuple[str, float]:
    """Train on a month and measure on the next; the id of the run, and its RMSE in minutes.

    Raises:
        TaxiPipelineError: one of the months is not published, or its file cannot be used.
    """
    later = Month(year, month) + 1
    train = read_data(year, month, source_url)
    val = read_data(later.year, later.month, source_url)

    X_train, encoder = create_X(train)  # noqa: N806
    X_val, _ = create_X(val, encoder)  # noqa: N806

    y_train, y_val = train[TARGET].to_numpy(), val[TARGET].to_numpy()
    return train_model(X_train, y_train, X_val, y_val, encoder)


def main() -> None:
    """Read the options, run, and print what came of it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--year", type=int, required=True, help="year of the training month")
    parser.add_argument("--month", type=int, required=True, help="the training month, 1 to 12")
    parser.add_argument(
        "--source-url",
        default=urls.DEFAULT_URL,
        help="where the months come from: a URL with {taxi}, {year} and {month:02d}, also of local "
        "files (file:///folder/...), or synthetic://?rows=20000 (default: TLC)",
    )
    parser.add_argument(
        "--tracking-uri",
        default="sqlite:///mlflow.db",
        help="MLflow's server (http://127.0.0.1:5000) or a SQLite file (default: %(default)s)",
    )
    options = parser.parse_args()
    try:
        Month(options.year, options.month)
        urls.check_template(options.source_url)
        mlflow.set_tracking_uri(options.tracking_uri)
        mlflow.set_experiment(EXPERIMENT)
        run_id, rmse = run(options.year, options.month, options.source_url)
    except (TaxiPipelineError, ValueError) as error:
        sys.exit(f"ERROR: {error}")
    print(f"RMSE: {rmse:.4f} minutes on {Month(options.year, options.month) + 1}")
    print(f"MLflow run: {run_id}")


if __name__ == "__main__":
    main()
