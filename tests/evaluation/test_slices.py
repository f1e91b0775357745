"""Metrics of parts of a month."""

import pytest

from taxi_pipeline.evaluation.metrics import metrics


@pytest.mark.parametrize("name", ["hour", "weekday", "origin"])
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
        ("hour", 15.0, "hour", 15),
        ("weekday", 6.0, "weekday", 6),
        ("origin", "partial record", "partial", 1),
    ]:
        mine = (january[column] == marker).to_numpy()
        expected = metrics(january["minutes"].to_numpy()[mine], predicted[mine])
        assert parts.loc[(name, value), "rows"] == mine.sum() > 0
        assert parts.loc[(name, value), "mae"] == pytest.approx(expected["mae"])


def test_the_bands_of_distance_are_in_order_and_hold_every_trip(result, january):
    bands = result.slices[result.slices["slice"] == "miles"]
    assert bands["rows"].sum() == len(january)
    assert list(bands["value"])[:3] == ["0 to 1", "1 to 2", "2 to 3"]
    assert list(bands["value"])[-1] == "unknown"
