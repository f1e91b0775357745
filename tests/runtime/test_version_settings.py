"""Versions are told apart by what their candidates were made by."""

from datetime import UTC, datetime

import luigi
import pytest

from taxi_pipeline import EvaluateModel, config
from taxi_pipeline.evaluation.champions import PROMOTED, Change
from taxi_pipeline.runtime.version_settings import candidates
from taxi_pipeline.storage import open_storage

WHEN = datetime(2021, 6, 1, 12, tzinfo=UTC)


def change(number, key, month="2021-01"):
    facts = (number, WHEN, PROMOTED, "model", "registry", "", str(number), False, key, month)
    return Change(*facts, 5.0, "ana@host", "a gain")


@pytest.fixture
def evaluate(tmp_path, luigi_config):
    """Evaluates a month's model with some options, and tells the key."""
    luigi_config("storage", "root", str(tmp_path / "data"))
    luigi_config("source", "url", "synthetic://?rows=300")
    luigi_config("training", "threads", "1")

    def run(month=1, **cleaning):
        for name, value in {"max_minutes": 60, **cleaning}.items():
            luigi_config("cleaning", name, value)
        task = EvaluateModel(year=2021, month=month, recipe="linear")
        assert luigi.build([task], local_scheduler=True, workers=1)
        return task.key

    return run


def of(*changes):
    return candidates(open_storage(config.storage().root), "green", changes)


def test_candidates_that_were_judged_on_other_trips_are_told_apart(evaluate):
    first, cleaned, later = evaluate(), evaluate(max_minutes=45), evaluate(month=2)
    found = of(change(1, first), change(2, cleaned), change(3, later, "2021-02"))
    assert found.judged_on == {first: "2021-02", cleaned: "2021-02 b", later: "2021-03"}
    assert not found.are_comparable
    assert found.settings == {
        first: {"cleaning.max_minutes": "60.0"},
        cleaned: {"cleaning.max_minutes": "45.0"},
        later: {"cleaning.max_minutes": "60.0"},
    }


def test_candidates_of_the_same_trips_compare_and_have_no_settings_that_differ(evaluate):
    key = evaluate()
    found = of(change(1, key), change(2, key))
    assert found.are_comparable
    assert found.settings == {key: {}}
    assert found.as_json() == {"judged_on": {key: "2021-02"}, "settings": {key: {}}}


def test_a_candidate_whose_evaluation_is_gone_is_left_out(evaluate):
    evaluate()
    assert of(change(1, "0" * 16), change(2, ""), change(3, "0" * 16, "")).judged_on == {}
