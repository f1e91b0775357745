"""The page of a month's drift."""

import re

import pytest
from month_pairs import FEBRUARY, month, moved

from taxi_pipeline.evaluation.drift import compare
from taxi_pipeline.evaluation.feature_drift import Thresholds
from taxi_pipeline.evaluation.pages.drift import category, render_drift

NAME = "nyc-green-taxi-duration-trip"
IMPORTANCE = {"hour": 1.0, "pickup_zone": 3.0, "miles": 6.0}


def drift(now, model="version 2", importance=IMPORTANCE, **thresholds):
    return compare(
        month(), now, Thresholds(**thresholds), taxi="green", model=model, importance=importance
    )


def render(found):
    return render_drift(found, taxi="green", model_name=NAME)


@pytest.fixture(scope="module")
def found():
    now = moved("pickup_zone", lambda zone: zone + 1, FEBRUARY)
    now.distributions["hour"] = moved("hour", lambda hour: hour + 2).distributions["hour"]
    now.nulls["VendorID"] = 1000
    now.columns["cbd_congestion_fee"] = "double"
    return drift(now)


@pytest.fixture(scope="module")
def text(found):
    return render(found)


@pytest.fixture(scope="module")
def read(text, page):
    return page(text)


def test_the_first_thing_that_is_said_is_what_moved_most(read, found):
    title = "Drift of green trips: 2021-02 beside 2021-01"
    assert read.text.startswith(f"{title} {found.sentence}.")


def test_features_stand_in_the_order_of_their_importance(read):
    order = ["duration, which is predicted", "metered distance", "zone of the pickup"]
    assert "metered distance trip_distance 0.000 stable 60.0 % 6.00 minutes" in read.text
    assert " strong 30.0 % 3.00 minutes" in read.text
    features = read.text.index("what is predicted comes first")
    table = read.text[features:]
    assert [table.index(name) for name in order] == sorted(table.index(name) for name in order)


def test_zones_missing_values_and_columns_are_told(read):
    assert "Central Harlem" in read.text
    assert "VendorID 0.0 % 24.4 %" in read.text
    assert "cbd_congestion_fee not there double no" in read.text


def test_charts_say_in_words_what_is_to_be_seen(read):
    assert read.described[0].startswith("Zone of the pickup. PSI ")
    assert any(text.startswith("Trips by day. ") for text in read.described)
    assert len(read.described) == 5


def test_every_element_is_closed_and_nothing_is_loaded_from_elsewhere(text, read):
    assert read.open == []
    assert len(read.ids) == len(set(read.ids))
    assert all(link.startswith(("#", "data:")) for link in read.links)
    assert "<script" not in text
    assert not re.search(r"url\((?!#)", text)


@pytest.mark.parametrize(
    ("now", "model", "options", "verdict"),
    [
        (month(FEBRUARY), "a", {}, "stable"),
        (moved("vendor", lambda one: one + 5, FEBRUARY), "a", {}, "stable"),
        (moved("vendor", lambda one: one + 5, FEBRUARY), "", {}, "strong"),
        (moved("hour", lambda one: one + 3, FEBRUARY), "a", {"alert_psi": 9}, "moderate"),
        (month(FEBRUARY), "a", {"min_rows": 10**9}, "too-few-trips"),
    ],
    ids=["same", "little", "no-model", "moderate", "few"],
)
def test_the_look_is_that_of_the_strongest_drift_that_matters(now, model, options, verdict):
    importance = IMPORTANCE if model else None
    page = render(drift(now, model=model, importance=importance, **options))
    assert f'class="panel verdict {verdict}"' in page


def test_a_month_that_is_the_same_has_no_tables_of_changes(page):
    told = page(render(drift(month(FEBRUARY)))).text
    assert "The same columns, of the same types." in told
    assert "As many as before in each column that is read." in told


def test_a_column_without_any_value_left_is_drawn_as_missing(page):
    now = month(FEBRUARY)
    part = now.distributions["passengers"]
    part.missing += part.counts.total()
    part.counts.clear()
    read = page(render(drift(now)))
    (described,) = [one for one in read.described if one.startswith("Number of passengers")]
    assert "missing in 0.0 % before, 100.0 % now" in described


@pytest.mark.parametrize(
    ("feature", "value", "text"),
    [("weekday", 0.0, "Mon"), ("origin", 1.0, "partial"), ("pickup_zone", 74.0, "74")],
)
def test_a_category_is_named(feature, value, text):
    assert category(feature, value) == text


def test_the_same_drift_gives_the_same_page(found, text):
    assert render(found) == text
