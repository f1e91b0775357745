"""A small synthetic city's trips, and models of them, made once."""

from datetime import datetime

import pyarrow.parquet as pq
import pytest

from taxi_pipeline.model import fitting
from taxi_pipeline.model.feature_writing import write_features
from taxi_pipeline.model.recipes import RECIPES
from taxi_pipeline.month import Month
from taxi_pipeline.trips.cleaning import Rules, clean_file
from taxi_pipeline.trips.synthetic.month import write_month

JANUARY = Month(2021, 1)
MAX_MILES = 100.0
ROUNDS = 5


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Holds published.parquet, clean.parquet and features.parquet of a January."""
    made = tmp_path_factory.mktemp("january")
    write_month(made / "published.parquet", "green", JANUARY, rows=3000, seed=1)
    clean_file(
        made / "published.parquet",
        made / "clean.parquet",
        taxi="green",
        month=JANUARY,
        rules=Rules(),
    )
    write_features(made / "clean.parquet", made / "features.parquet", max_miles=MAX_MILES)
    return made


@pytest.fixture(scope="session")
def january(folder):
    """The features of the clean trips, with their minutes."""
    return pq.read_table(folder / "features.parquet").to_pandas()


@pytest.fixture(scope="session")
def records(folder):
    """The published records of the same trips, row for row."""
    frame = pq.read_table(folder / "published.parquet").to_pandas()
    duration = frame["lpep_dropoff_datetime"] - frame["lpep_pickup_datetime"]
    minutes = duration.dt.total_seconds() / 60
    return frame[(minutes >= 1) & (minutes <= 60)].reset_index(drop=True)


@pytest.fixture(scope="session")
def fit():
    """Fits a recipe with its own parameters and few rounds."""

    def fitted(recipe, frame, seed=0):
        return fitting.fit(
            recipe,
            frame,
            RECIPES[recipe].parameters,
            ROUNDS,
            taxi="green",
            max_miles=MAX_MILES,
            seed=seed,
            threads=1,
        )

    return fitted


@pytest.fixture(scope="session")
def models(fit, january):
    """A fitted model of each recipe."""
    return {name: fit(name, january) for name in RECIPES}


@pytest.fixture(scope="session")
def window_end():
    """The first instant after the training window."""
    return datetime(2021, 2, 1)
