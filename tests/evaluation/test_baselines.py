"""What can be predicted without a model."""

import numpy as np
import pandas as pd
import pytest

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
    for name in ("mean", "zone_pair", "linear"):
        assert short[name].tolist() == long[name].tolist()


def test_least_squares_is_that_of_the_recipe_linear(january, models):
    """The recipe's solver goes near the solution step by step; this one solves for it."""
    expected = models["linear"].predict(january)
    assert baselines(january, january)["linear"] == pytest.approx(expected, abs=0.02)


def test_least_squares_is_exact():
    generator = np.random.default_rng(0)
    zones = generator.integers(1, 8, (200, 2))
    month = trips(*np.column_stack([zones, generator.uniform(1, 60, 200)]).tolist())
    one_hot = np.hstack([np.eye(8)[zones[:, 0]], np.eye(8)[zones[:, 1]]])
    solution = np.linalg.lstsq(one_hot, month["minutes"])[0]
    assert baselines(month, month)["linear"] == pytest.approx(one_hot @ solution)


def test_a_zone_that_did_not_occur_has_the_mean_effect_of_those_that_did():
    training = trips((1, 3, 10), (1, 4, 14), (2, 3, 20), (2, 4, 24), (2, 4, 24))
    month = trips((1, 3, 1), (2, 4, 1), (9, 4, 1), (1, 9, 1), (9, 9, 1))
    assert baselines(training, month)["linear"] == pytest.approx([10, 24, 19, 12, 17])


def test_zones_that_tlc_does_not_know_are_the_unknown_zone():
    training = trips((264, 1, 10), (300, 1, 20), (2, 2, 3))
    assert baselines(training, trips((0, 1, 1)))["zone_pair"] == pytest.approx([15])


def test_baselines_do_not_depend_on_the_order_of_the_window(january):
    shuffled = january.sample(frac=1, random_state=1)
    for name, minutes in baselines(january, january).items():
        assert np.allclose(baselines(shuffled, january)[name], minutes), name


def test_a_window_that_comes_in_parts_teaches_what_it_does_as_a_whole(january):
    whole = baselines(january, january)
    parts = baselines((january.iloc[first::3] for first in range(3)), january)
    assert list(parts) == list(whole) == ["mean", "zone_pair", "linear"]
    assert len(parts) == len(whole)
    for name, minutes in whole.items():
        assert parts[name] == pytest.approx(minutes, rel=1e-9), name
