"""The course's homework: the recipe `linear` beside DictVectorizer and LinearRegression alone.

Usage: .venv/bin/python scripts/homework.py FILE

FILE is a month as TLC publishes it, under its own name, such as yellow_tripdata_2023-03.parquet
from https://d37ci6vzurychx.cloudfront.net/trip-data/yellow_tripdata_2023-03.parquet, for which the
published figures are compared as well. Both ways keep the trips of 1 to 60 minutes and are fitted
on pickup and drop-off zone. The exit code is 0 if they agree.
"""

import re
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LinearRegression

from taxi_pipeline import Month
from taxi_pipeline.model import features, fitting
from taxi_pipeline.model.feature_writing import write_features
from taxi_pipeline.model.recipes import RECIPES
from taxi_pipeline.trips import schema
from taxi_pipeline.trips.cleaning import Rules, clean_file

NAMES = ("rows", "rows kept", "intercept", "training RMSE")
DECIMALS = (0, 0, 3, 4)
"""To how many digits both ways agree: least squares on sparse columns is solved step by step."""

PUBLISHED = {("yellow", "2023-03"): (3_403_766, 3_316_216, 24.77, 8.1587)}
PUBLISHED_DECIMALS = (0, 0, 2, 3)

LIMITS = (1, 60)
"""Minutes of the trips that are kept, both included."""

ZONES = ["PULocationID", "DOLocationID"]


def by_scikit_learn(file: Path, taxi: str) -> tuple[float, ...]:
    """The figures by scikit-learn alone."""
    ends = [schema.pickup_column(taxi), schema.dropoff_column(taxi)]
    trips = pd.read_parquet(file, columns=[*ends, *ZONES])
    rows = len(trips)
    minutes = (trips[ends[1]] - trips[ends[0]]).dt.total_seconds() / 60
    kept = minutes.between(*LIMITS)
    trips, minutes = trips.loc[kept, ZONES].astype(str), minutes[kept]
    records = (dict(zip(ZONES, zones, strict=True)) for zones in trips.itertuples(index=False))
    matrix = DictVectorizer().fit_transform(records)
    model = LinearRegression().fit(matrix, minutes)
    error = float(np.sqrt(np.mean((model.predict(matrix) - minutes) ** 2)))
    return rows, len(minutes), float(model.intercept_), error


def by_recipe(file: Path, taxi: str, month: Month) -> tuple[float, ...]:
    """The figures of the pipeline's recipe."""
    with tempfile.TemporaryDirectory() as folder:
        clean, computed = Path(folder, "clean.parquet"), Path(folder, "features.parquet")
        clean_file(file, clean, taxi=taxi, month=month, rules=Rules())
        write_features(clean, computed, max_miles=100.0)
        trips = features.load_features([computed], RECIPES["linear"].columns)
    model = fitting.fit("linear", trips, {}, None, taxi=taxi, max_miles=100.0, seed=0, threads=1)
    error = float(np.sqrt(np.mean((model.predict(trips) - trips[features.TARGET]) ** 2)))
    intercept = float(model.regressor.estimator.intercept_)  # type: ignore[attr-defined]
    return pq.read_metadata(file).num_rows, len(trips), intercept, error


def agree(one: tuple[float, ...], other: tuple[float, ...], decimals: tuple[int, ...]) -> bool:
    """Whether figures are the same, each to half a unit of its last digit."""
    pairs = zip(one, other, decimals, strict=True)
    return all(abs(first - second) <= 0.5 * 10.0**-digits for first, second, digits in pairs)


def main(file: Path) -> int:
    """Print the figures side by side; the exit code."""
    named = re.fullmatch(r"(green|yellow)_tripdata_(\d{4}-\d\d)\.parquet", file.name)
    if named is None or not file.is_file():
        print(__doc__)
        return 2
    taxi, month = named[1], Month.parse(named[2])
    alone, recipe = by_scikit_learn(file, taxi), by_recipe(file, taxi, month)
    published = PUBLISHED.get((taxi, str(month)))
    print(f"{'':14}{'scikit-learn':>16}{'recipe linear':>16}{'published':>16}")
    for number, name in enumerate(NAMES):
        shown = [f"{figures[number]:,.6g}" for figures in (alone, recipe)]
        if not DECIMALS[number]:
            shown = [f"{figures[number]:,.0f}" for figures in (alone, recipe)]
        shown.append(f"{published[number]:,}" if published else "")
        print(f"{name:14}{''.join(f'{text:>16}' for text in shown)}".rstrip())
    equal = agree(alone, recipe, DECIMALS)
    print("The two agree." if equal else "The two DIFFER.")
    if published:
        as_published = agree(recipe, published, PUBLISHED_DECIMALS)
        print(f"The recipe {'has' if as_published else 'has NOT'} the published figures.")
        equal = equal and as_published
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "")))
