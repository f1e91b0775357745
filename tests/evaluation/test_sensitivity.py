"""How much a model reacts to each feature."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from taxi_pipeline.evaluation.feature_drift import FEATURES
from taxi_pipeline.evaluation.sensitivity import sensitivity
from taxi_pipeline.model.duration import DurationModel


@pytest.fixture(scope="module")
def trips(folder):
    """Full records, and partial ones, which come last in a published file."""
    whole = pq.read_table(folder / "clean.parquet")
    return pa.concat_tables([whole.slice(0, 200), whole.slice(whole.num_rows - 200)])


def of(name):
    """A model that says what stands in a column."""
    return lambda trips: pc.fill_null(pc.cast(trips[name], pa.float64()), 0).to_numpy()


def reacts(predict, trips):
    return {name for name, minutes in sensitivity(predict, trips).items() if minutes}


@pytest.mark.parametrize(
    ("column", "features"),
    [
        ("metered_miles", {"miles"}),
        ("pickup_zone", {"pickup_zone"}),
        ("dropoff_zone", {"dropoff_zone"}),
        ("vendor", {"vendor"}),
        ("partial", {"origin"}),
        ("rate_code", {"rate_code", "origin"}),
    ],
)
def test_a_model_reacts_to_what_it_reads_and_to_nothing_else(trips, column, features):
    assert reacts(of(column), trips) == features


def test_hour_and_weekday_are_told_apart(trips):
    by_hour = lambda trips: pc.hour(trips["pickup_at"]).to_numpy().astype(float)  # noqa: E731
    by_day = lambda trips: pc.day_of_week(trips["pickup_at"]).to_numpy().astype(float)  # noqa: E731
    assert reacts(by_hour, trips) == {"hour"}
    assert reacts(by_day, trips) == {"weekday"}


def test_missing_values_stay_where_they_are(trips):
    missing = lambda trips: pc.is_null(trips["passengers"]).to_numpy().astype(float)  # noqa: E731
    assert reacts(missing, trips) == {"origin"}


def test_the_importance_is_the_mean_change_in_minutes(trips):
    constant = sensitivity(lambda trips: np.full(trips.num_rows, 10.0), trips)
    assert set(constant.values()) == {0.0}
    doubled = sensitivity(lambda trips: 2 * of("metered_miles")(trips), trips)
    assert doubled["miles"] == pytest.approx(2 * sensitivity(of("metered_miles"), trips)["miles"])


@pytest.mark.parametrize("recipe", ["trip", "pretrip", "course", "linear"])
def test_every_recipe_can_be_asked(models, trips, recipe):
    model: DurationModel = models[recipe]
    found = sensitivity(model.predict_trips, trips)
    assert set(found) == set(FEATURES) - {"minutes"}
    assert found["pickup_zone"] > 0
    assert (found["miles"] > 0) == (recipe in {"trip", "course"})
    assert (found["hour"] > 0) == (recipe in {"trip", "pretrip"})
