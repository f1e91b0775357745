"""A month beside the months before it, in figures and in words."""

import json

import pytest
from month_pairs import FEBRUARY, month, moved

from taxi_pipeline.evaluation.drift import ZONES_SHOWN, compare
from taxi_pipeline.evaluation.feature_drift import STRONG, FeatureDrift, Thresholds
from taxi_pipeline.evaluation.month_counts import add_up

IMPORTANCE = {"miles": 6.0, "hour": 3.5, "vendor": 0.5, "pickup_zone": 0.1}


def drift(before, now, model="version 3", importance=IMPORTANCE, **thresholds):
    return compare(
        before, now, Thresholds(**thresholds), taxi="green", model=model, importance=importance
    )


def later(name, move):
    return moved(name, move, FEBRUARY)


def test_the_same_month_is_said_to_be_the_same():
    found = drift(month(), month(FEBRUARY))
    assert found.sentence.startswith("2021-02 beside 2021-01: no drift; ")
    assert found.schema == found.missing == ()
    assert found.zones == {"pickup_zone": (), "dropoff_zone": ()}


def test_what_moved_most_and_matters_is_said():
    found = drift(month(), later("hour", lambda hour: hour + 3))
    assert "hour of the pickup (PSI " in found.sentence
    assert found.sentence.endswith(
        "drifted most, strong, and it matters: 34.7% of what moves the predictions of version 3"
    )


def test_what_moved_most_and_matters_little_is_followed_by_what_matters():
    now = later("pickup_zone", lambda zone: zone + 1)
    assert drift(month(), now).sentence.endswith(
        "but it matters little: 1.0% of what moves the predictions of version 3; what matters is "
        "stable"
    )
    now.distributions["hour"] = later("hour", lambda hour: hour + 3).distributions["hour"]
    found = drift(month(), now).sentence
    assert "; of what matters, hour of the pickup (PSI " in found
    assert found.endswith("drifted most, strong")


def test_the_target_is_what_the_model_predicts():
    found = drift(month(), later("minutes", lambda minutes: minutes + 9))
    assert found.sentence.endswith("drifted most, strong, and it is what version 3 predicts")


def test_without_a_model_nothing_is_said_of_what_matters():
    found = drift(month(), later("hour", lambda hour: hour + 3), model="", importance=None)
    assert found.sentence.endswith("drifted most, strong")


def test_few_trips_are_said_to_be_too_few():
    found = drift(month(), later("hour", lambda hour: hour + 3), min_rows=4001)
    assert "too few trips to tell; hour of the pickup" in found.sentence
    assert found.notes[0].startswith("There are 4,000 trips, and a verdict asks for 4,001")


def test_what_the_calendar_does_to_weekdays_is_told():
    # January 2021 has five Fridays, Saturdays and Sundays, February four of each day.
    (note,) = drift(month(), month(FEBRUARY)).notes
    assert "would give weekdays a PSI of 0.012; they have 0.000" in note
    (same,) = drift(month(), month()).notes
    assert "would give weekdays a PSI of 0.000" in same


def test_volume_is_told_by_the_day():
    before, now = drift(month(), month(FEBRUARY)).trips_per_day
    assert before == pytest.approx(4000 / 31)
    assert now == pytest.approx(4000 / 28)
    both = drift(add_up([month(), month()]), month(FEBRUARY))
    assert both.trips_per_day[0] == pytest.approx(4000 / 31)
    assert both.kept[0].before == pytest.approx(4000 / 4100, abs=1e-6)
    assert list(both.days) == ["2021-01", "2021-02"]
    assert both.days["2021-02"]["2021-02-28"] == 128
    assert len(both.days["2021-01"]) == 31


def test_zones_that_gained_or_lost_are_named_losses_first():
    gone = {41.0: 74.0, 42.0: 75.0}
    now = month(FEBRUARY)
    counts = now.distributions["pickup_zone"].counts
    for zone, to in gone.items():
        counts[to] += counts.pop(zone)
    found = drift(month(), now)
    names = [(one.name, one.now > one.before) for one in found.zones["pickup_zone"]]
    assert names == [
        ("Central Harlem", False),
        ("Central Harlem North", False),
        ("East Harlem North", True),
        ("East Harlem South", True),
    ]
    assert len(names) <= 2 * ZONES_SHOWN
    assert found.zones["dropoff_zone"] == ()
    (zone,) = [one for one in found.features if one.feature == "pickup_zone"]
    assert zone.verdict == STRONG


def test_columns_that_came_went_or_changed_are_told_with_whether_they_are_read():
    now = month(FEBRUARY)
    del now.columns["ehail_fee"]
    now.columns |= {"PULocationID": "int32", "cbd_congestion_fee": "double"}
    found = {one.column: (one.before, one.now, one.is_read) for one in drift(month(), now).schema}
    assert found == {
        "PULocationID": ("int64", "int32", True),
        "ehail_fee": ("null", "", False),
        "cbd_congestion_fee": ("", "double", False),
    }


def test_missing_values_are_told_where_their_share_changed():
    now = month(FEBRUARY)
    now.nulls["VendorID"] = 410
    (change,) = drift(month(), now).missing
    assert (change.name, change.before, change.now) == ("VendorID", 0.0, 0.1)


def test_the_record_can_be_written_and_its_features_read_again():
    found = drift(month(), later("hour", lambda hour: hour + 3))
    record = json.loads(json.dumps(found.as_dict()))
    assert [FeatureDrift(**one) for one in record["features"]] == list(found.features)


def test_distributions_are_shares():
    found = drift(month(), month(FEBRUARY)).distributions
    for name, part in found.items():
        assert sum(part["before"]) + part["missing"][0] == pytest.approx(1, abs=1e-4), name
