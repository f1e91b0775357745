"""Evaluations of months whose models have errors of a known size."""

import numpy as np
import pandas as pd

from taxi_pipeline.evaluation.bootstrap import day_numbers
from taxi_pipeline.evaluation.judge import Evaluated, Rules
from taxi_pipeline.evaluation.metrics import metrics_with_intervals
from taxi_pipeline.month import Month

FIRST = Month(2021, 2)
RULES = Rules(min_gain=0.0, min_champion_gain=0.0, max_slice_loss=0.1, min_slice_trips=1000)
"""Those of the pipeline; no part of these small months has trips enough to be compared."""


def judged(month, error, *, seed=0, rows=400, days=28, baseline=9.0):
    """A month whose own model has errors of a size in minutes.

    The features hold what :func:`predicting` needs to err by any other size.
    """
    random = np.random.default_rng([seed, month.year, month.month])
    # Each day has trips, so that the number of days is known.
    day = np.resize(np.arange(days), rows)
    actual = random.uniform(5, 50, rows).astype(np.float32)
    noise = random.normal(0, 1, rows)
    predictions = pd.DataFrame(
        {
            "pickup_day": np.datetime64(month.start, "D") + day,
            "actual": actual,
            "predicted": (actual + error * noise).astype(np.float32),
            "mean_baseline": (actual + baseline * random.normal(0, 1, rows)).astype(np.float32),
        }
    )
    features = pd.DataFrame(
        {
            "hour": random.integers(0, 24, rows),
            "weekday": (np.datetime64(month.start, "D") + day).astype(int) % 7,
            "pickup_zone": random.integers(1, 264, rows),
            "dropoff_zone": random.integers(1, 264, rows),
            "miles": random.uniform(0, 25, rows),
            "partial": random.integers(0, 2, rows),
            "actual": actual,
            "noise": noise,
        }
    )
    number = day_numbers(predictions["pickup_day"].to_numpy(), month)
    measured = {
        name: metrics_with_intervals(
            actual.astype(float), predictions[column].to_numpy(np.float64), number
        )
        for name, column in (("model", "predicted"), ("mean", "mean_baseline"))
    }
    figures = {"model": measured["model"], "baselines": {"mean": measured["mean"]}}
    return Evaluated(figures, predictions, features, month)


def months(errors, **further):
    """Consecutive months, each by the size of the errors of its own model."""
    return [judged(FIRST + place, error, **further) for place, error in enumerate(errors)]


def predicting(errors):
    """What models predict whose errors in later months have given sizes, by their place."""

    def predict(trained, features):
        place = (trained.year - FIRST.year) * 12 + trained.month - (FIRST - 1).month
        return features["actual"].to_numpy(np.float64) + errors[place] * features["noise"]

    return lambda trained, features: predict(trained, features).to_numpy(np.float64)
