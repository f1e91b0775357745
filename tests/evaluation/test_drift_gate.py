"""Whether drift speaks against a candidate."""

import json

import pytest
from month_pairs import FEBRUARY, month, moved

from taxi_pipeline.evaluation.drift import compare
from taxi_pipeline.evaluation.drift_gate import judge_drift
from taxi_pipeline.evaluation.feature_drift import Thresholds

BY = "ann@host at 2026-01-02 03:04:05 UTC"


@pytest.fixture(scope="module")
def record():
    now = moved("hour", lambda hour: hour + 3, FEBRUARY)
    found = compare(
        month(), now, Thresholds(), taxi="green", model="a", importance={"hour": 1, "miles": 9}
    )
    return json.loads(json.dumps(found.as_dict()))


def test_a_drift_beyond_the_limit_is_an_objection_that_says_what_to_do(record):
    found = judge_drift(record, 0.1, "", BY)
    (text,) = found.objections
    assert text.startswith("2021-02 drifted from the training window, 2021-01, beyond `max_drift`")
    assert "in hour of the pickup (PSI " in text
    assert text.endswith("or say in `accept_drift` why it may serve")
    assert found.accepted == []


def test_a_drift_within_the_limit_is_none(record):
    assert judge_drift(record, 9.0, "", BY) == ([], [])
    assert judge_drift(record, 9.0, "a reason", BY) == ([], [])


def test_a_reason_accepts_it_and_is_recorded_with_who_and_when(record):
    found = judge_drift(record, 0.1, "  the clocks\nchanged ", BY)
    assert found.objections == []
    (text,) = found.accepted
    assert text.endswith(f": accepted by {BY} (the clocks changed)")


@pytest.mark.parametrize("reason", ["", "  ", "\n\t"], ids=["empty", "spaces", "lines"])
def test_no_words_are_no_reason(record, reason):
    assert judge_drift(record, 0.1, reason, BY).objections
