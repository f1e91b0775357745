"""What champion and frozen version do in a month."""

import json
from dataclasses import replace

import numpy as np
import pytest
from small_models import JANUARY

from taxi_pipeline.evaluation.decay import AS_PROMISED, DECAYED, NOT_KNOWN
from taxi_pipeline.evaluation.metrics import metrics_with_intervals
from taxi_pipeline.evaluation.monitoring import MonthTrips, Watched, monitor
from taxi_pipeline.evaluation.promise import Promise, Thresholds
from taxi_pipeline.evaluation.slices import slices

THRESHOLDS = Thresholds(max_rmse_excess=0.1, max_slice_excess=0.25, min_slice_trips=100)


@pytest.fixture
def trips(january):
    return MonthTrips(january, JANUARY)


@pytest.fixture
def promise(trips, predicted):
    """What the model does in January itself, as if it had been found in December."""
    return Promise(
        "2020-12",
        metrics_with_intervals(trips.actual, predicted, trips.days),
        slices(trips.features, trips.actual, predicted, trips.days),
        "a test",
    )


@pytest.fixture
def champion(predicted, promise):
    return Watched("1", "2020-11", predicted, promise=promise)


@pytest.fixture
def worse(champion, trips):
    """The same with errors of twice the size."""
    minutes = trips.actual + 2 * (champion.minutes - trips.actual)
    return replace(champion, version="2", minutes=minutes)


def monitored(trips, champion, frozen=None, window=None):
    return monitor(trips, champion, frozen, window, THRESHOLDS)


def test_a_champion_that_does_what_was_promised_is_as_promised(trips, champion):
    found = monitored(trips, champion)
    assert found.champion.verdict == AS_PROMISED
    assert found.champion.figures == champion.promise.figures
    assert found.champion.rmse.share == found.champion.spread.share == 0.0
    assert not found.champion.slices["decayed"].any()
    assert (found.rows, found.days) == (len(trips.features), 31)
    assert (found.frozen, found.difference, found.baselines) == (None, None, {})


def test_a_champion_with_larger_errors_has_decayed_overall_and_in_slices(trips, worse):
    found = monitored(trips, worse).champion
    assert found.verdict == DECAYED
    assert found.rmse.share == pytest.approx(1.0)
    assert "100.0% above" in found.decisive[0]
    assert "`max_slice_excess` (25.0%) beyond noise in " in found.decisive[-1]
    assert found.slices["decayed"].any()


def test_the_frozen_version_stands_beside_it_on_the_same_trips(trips, champion, worse):
    found = monitored(trips, champion, worse)
    assert (found.champion.verdict, found.frozen.verdict) == (AS_PROMISED, DECAYED)
    assert found.difference.value == pytest.approx(-found.champion.figures["rmse"], rel=1e-6)
    assert found.difference.interval[1] < 0
    assert list(found.slices()["version"].unique()) == ["1", "2"]


@pytest.mark.parametrize("left_out", ["champion", "frozen"])
def test_a_version_that_does_not_count_says_why_and_the_other_is_shown(
    trips, champion, worse, left_out
):
    both = {"champion": champion, "frozen": worse}
    both[left_out] = Watched("3", "2021-01", why_not="it was trained on 2021-01")
    found = monitored(trips, **both)
    without = getattr(found, left_out)
    assert without.verdict == NOT_KNOWN
    assert without.decisive == ("version 3 is not counted: it was trained on 2021-01",)
    assert without.figures == {}
    assert found.difference is None
    assert "3" not in set(found.slices()["version"])


def test_without_a_promise_nothing_is_compared_and_that_is_said(trips, champion):
    found = monitored(trips, replace(champion, promise=None)).champion
    assert found.verdict == NOT_KNOWN
    assert found.decisive[1].startswith("no promise is known")
    assert found.figures["rmse"] > 0
    assert (found.rmse, found.spread) == (None, None)


def test_the_month_of_the_evaluation_is_told(trips, champion):
    promise = replace(champion.promise, month="2021-01")
    found = monitored(trips, replace(champion, promise=promise)).champion
    assert found.verdict == AS_PROMISED
    assert found.decisive[-1].startswith("this is the month of its evaluation")


def test_slices_that_are_not_known_are_told(trips, worse):
    promise = replace(worse.promise, slices=None)
    found = monitored(trips, replace(worse, promise=promise)).champion
    assert found.verdict == DECAYED
    assert found.decisive[-1].startswith("slices are not compared")


def test_a_champion_whose_training_is_not_known_is_judged_with_a_warning(trips, champion):
    found = monitored(trips, replace(champion, training_month="")).champion
    assert found.verdict == AS_PROMISED
    assert found.decisive[-1].endswith("these trips may be among them")


def test_the_lookup_by_pair_of_zones_is_measured_where_the_training_window_is_known(
    trips, champion, january, result
):
    found = monitored(trips, champion, window=january)
    assert set(found.baselines) == {"zone_pair"}
    measured = found.baselines["zone_pair"]["rmse"]
    assert measured == pytest.approx(result.baselines["zone_pair"]["rmse"])


def test_the_record_is_json_and_goes_without_the_slices(trips, champion, worse):
    record = json.loads(json.dumps(monitored(trips, champion, worse).as_dict()))
    assert record["champion"]["version"] == "1"
    assert record["frozen"]["rmse"]["share"] == pytest.approx(1.0)
    assert record["champion"]["promise"]["month"] == "2020-12"
    assert "slices" not in record["champion"]


def test_a_day_has_no_interval_and_so_no_decay(january, worse):
    first = january["pickup_at"] < np.datetime64("2021-01-02")
    one_day = MonthTrips(january[first].reset_index(drop=True), JANUARY)
    found = monitored(one_day, replace(worse, minutes=worse.minutes[first])).champion
    assert found.verdict == AS_PROMISED
    assert "too few days for an interval" in found.decisive[0]


def test_a_training_window_may_come_part_by_part(trips, champion):
    window = trips.features
    parts = (window.iloc[start : start + 1000] for start in range(0, len(window), 1000))
    found = monitored(trips, champion, window=parts).baselines["zone_pair"]
    assert found == pytest.approx(monitored(trips, champion, window=window).baselines["zone_pair"])
