"""Errors of parts of a month."""

import numpy as np
import pandas as pd
import pytest

from taxi_pipeline.evaluation.bootstrap import MIN_DAYS
from taxi_pipeline.evaluation.metrics import metrics, metrics_with_intervals
from taxi_pipeline.evaluation.slices import slice_trips, slices

SLICES = ("hour", "weekday", "borough_pair", "miles", "origin")


@pytest.mark.parametrize("name", SLICES)
def test_the_parts_of_a_slice_add_up_to_the_month(january, result, name):
    parts = result.slices[result.slices["slice"] == name]
    assert len(parts) > 1
    assert parts["value"].is_unique
    assert parts["rows"].sum() == len(january)
    square = (parts["rows"] * parts["rmse"] ** 2).sum() / len(january)
    assert square**0.5 == pytest.approx(result.model["rmse"])
    bias = (parts["rows"] * parts["bias"]).sum() / len(january)
    assert bias == pytest.approx(result.model["bias"])


def test_a_slice_has_the_figures_of_its_trips(january, predicted, result):
    parts = result.slices.set_index(["slice", "value"])
    for name, value, column, marker in [
        ("hour", "15", "hour", 15),
        ("weekday", "Sunday", "weekday", 6),
        ("origin", "partial record", "partial", 1),
    ]:
        mine = (january[column] == marker).to_numpy()
        expected = metrics(january["minutes"].to_numpy()[mine], predicted[mine])
        found = parts.loc[(name, value)]
        assert found["rows"] == mine.sum() > 0
        for figure in ("rmse", "mae", "bias"):
            assert found[figure] == pytest.approx(expected[figure])


def trips(**columns):
    some = {"hour": 1.0, "weekday": 0.0, "miles": 1.5, "partial": 0.0}
    zones = {"pickup_zone": 4, "dropoff_zone": 4}
    return pd.DataFrame(some | zones | columns)


def parts_of(frame, name):
    sliced = slice_trips(frame)[name]
    return [sliced.parts[part] for part in sliced.part]


def test_a_pair_of_boroughs_is_named_from_pickup_to_dropoff():
    frame = trips(pickup_zone=[4, 132, 264, 300, 1], dropoff_zone=[2, 4, 265, 4, 61])
    assert parts_of(frame, "borough_pair") == [
        "Manhattan to Queens",
        "Queens to Manhattan",
        "Unknown to Outside of NYC",
        "Unknown to Manhattan",
        "EWR to Brooklyn",
    ]


def test_a_band_of_distance_holds_its_upper_edge():
    miles = np.array([0.01, 1, 1.01, 20, 20.01, 99, np.nan], np.float32)
    assert parts_of(trips(miles=miles), "miles") == [
        "0 to 1 miles",
        "0 to 1 miles",
        "1 to 2 miles",
        "12 to 20 miles",
        "over 20 miles",
        "over 20 miles",
        "unknown",
    ]


def test_parts_are_in_order_and_those_without_trips_are_left_out():
    frame = trips(hour=[23.0, 2.0, 2.0], weekday=[6.0, 1.0, 0.0])
    found = slices(frame, np.full(3, 9.0), np.full(3, 8.0), np.array([0, 0, 1]))
    by_slice = found.groupby("slice", sort=False)["value"].agg(list)
    assert list(by_slice.index) == list(SLICES)
    assert by_slice["hour"] == ["2", "23"]
    assert by_slice["weekday"] == ["Monday", "Tuesday", "Sunday"]
    hours = found[found["slice"] == "hour"]
    assert hours["rows"].tolist() == [2, 1]
    assert hours["days"].tolist() == [2, 1]


def test_intervals_of_parts_hold_their_figure_and_lack_where_days_are_few(result):
    few = result.slices["days"] < MIN_DAYS
    assert few.any()
    assert not few.all()
    for figure in ("rmse", "mae", "bias"):
        low, high = (result.slices[f"{figure}_{end}"] for end in ("low", "high"))
        assert (low.isna() == few).all()
        assert (high.isna() == few).all()
        holds = (low <= result.slices[figure]) & (result.slices[figure] <= high)
        assert (holds | few).all()


def test_a_part_that_is_the_whole_month_has_the_months_intervals(january, predicted, days):
    whole = january.assign(partial=0.0)
    actual = january["minutes"].to_numpy()
    found = slices(whole, actual, predicted, days)
    (part,) = found[found["slice"] == "origin"].to_dict("records")
    expected = metrics_with_intervals(actual, predicted, days)
    for figure in ("rmse", "mae", "bias"):
        for name in (figure, f"{figure}_low", f"{figure}_high"):
            assert part[name] == pytest.approx(expected[name])
