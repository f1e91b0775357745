"""What each group of features brings, inside training windows: nothing here sees a later month.

Usage: .venv/bin/python scripts/ablation.py FOLDER [YYYY-MM ...] (default: 2021-01 2023-01)

FOLDER holds files as TLC publishes them. Each recipe is fitted on the days before a month's last
week and judged on that week, with the recipe's own parameters and early stopping, once with all
columns of its encoder and once without each group. Differences below 0.01 minutes are noise.
"""

import sys
import tempfile
from pathlib import Path

import pandas as pd
import xgboost

from taxi_pipeline import Month
from taxi_pipeline.model import features
from taxi_pipeline.model.feature_writing import write_features
from taxi_pipeline.model.recipes import RECIPES
from taxi_pipeline.model.regressors import Boosting
from taxi_pipeline.trips.cleaning import Rules, clean_file
from taxi_pipeline.tuning.holdout import split_by_time

GROUPS: dict[str, tuple[str, ...]] = {
    "all": (),
    "coordinates of the zones": ("pickup_x", "dropoff_x"),
    "road distance of the zones": ("road_miles",),
    "means over near pairs": ("minutes_near", "miles_near", "pace_near"),
    "expected minutes, detour": ("expected_minutes", "detour"),
    "all of these": (
        *("pickup_x", "dropoff_x", "road_miles", "minutes_near", "miles_near", "pace_near"),
        *("expected_minutes", "detour"),
    ),
    "mean of the pair, its trips": ("minutes_by_pair", "log_pair_trips"),
    "hour, minute, weekday": ("hour", "minute_of_day", "effective_weekday"),
    "record: vendor, passengers ...": (
        *("whole_minute", "vendor", "rate_code", "passengers", "trip_type"),
    ),
    "record: the other origin": ("partial",),
}


def described(file: Path, month: Month) -> pd.DataFrame:
    """The features of a month's clean trips."""
    with tempfile.TemporaryDirectory() as name:
        clean, computed = Path(name, "clean"), Path(name, "features")
        clean_file(file, clean, taxi="green", month=month, rules=Rules())
        write_features(clean, computed, max_miles=100.0)
        return features.load_features([computed], features.FEATURES)


def rmse(recipe: str, early: pd.DataFrame, late: pd.DataFrame, without: tuple[str, ...]) -> float:
    """The error on the late days, in minutes."""
    encoder = RECIPES[recipe].encoder(0)
    matrix = encoder.fit_transform(early, early[features.TARGET].to_numpy())
    kept = [name for name in matrix if not name.startswith(without or ("\0",))]
    parameters = Boosting(RECIPES[recipe].parameters, threads=2).parameters
    bins = parameters["max_bin"]
    train = xgboost.QuantileDMatrix(matrix[kept], early[features.TARGET], max_bin=bins)
    judge = encoder.transform(late)[kept]
    judged = xgboost.QuantileDMatrix(judge, late[features.TARGET], ref=train, max_bin=bins)
    booster = xgboost.train(
        parameters,
        train,
        2000,
        evals=[(judged, "late")],
        early_stopping_rounds=40,
        verbose_eval=False,
    )
    return float(booster.best_score)


def main(folder: Path, months: list[Month]) -> None:
    """Print a Markdown table."""
    parts = {}
    for month in months:
        trips = described(folder / f"green_tripdata_{month}.parquet", month)
        parts[month] = split_by_time(trips, month.end, 7)
    columns = [(month, recipe) for month in months for recipe in ("trip", "pretrip")]
    print("| without |", " | ".join(f"{month} `{recipe}`" for month, recipe in columns), "|")
    print("|---|" + "---|" * len(columns))
    for name, without in GROUPS.items():
        errors = [f"{rmse(recipe, *parts[month], without):.3f}" for month, recipe in columns]
        print(f"| {'nothing' if name == 'all' else name} |", " | ".join(errors), "|", flush=True)


if __name__ == "__main__":
    chosen = [Month.parse(text) for text in sys.argv[2:]] or [Month(2021, 1), Month(2023, 1)]
    main(Path(sys.argv[1]), chosen)
