"""What can be predicted without a model."""

import pandas as pd

from taxi_pipeline.evaluation.baselines import baselines


def trips(*rows):
    return pd.DataFrame(rows, columns=["pickup_zone", "dropoff_zone", "minutes"])


def test_the_zone_pair_falls_back_to_the_pickup_zone_and_then_to_the_overall_mean():
    training = trips((1, 2, 10), (1, 2, 20), (1, 3, 45), (4, 2, 5))
    month = trips((1, 2, 1), (4, 2, 1), (1, 9, 1), (9, 2, 1), (2, 1, 1))
    simple = baselines(training, month)
    assert simple["zone_pair"].tolist() == [15, 5, 25, 20, 20]
    assert simple["mean"].tolist() == [20] * 5


def test_baselines_learn_nothing_from_the_evaluation_month():
    training = trips((1, 2, 10), (1, 3, 20))
    short, long = (baselines(training, trips((1, 2, m), (5, 5, m))) for m in (1, 60))
    for name in ("mean", "zone_pair"):
        assert short[name].tolist() == long[name].tolist()
