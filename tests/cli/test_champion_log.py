"""The log of a champion tells its versions apart, and which errors can be compared."""

from datetime import UTC, datetime

from taxi_pipeline.cli.champion_log import as_lines
from taxi_pipeline.evaluation.champions import PROMOTED, Change
from taxi_pipeline.runtime.version_settings import Candidates

WHEN = datetime(2021, 6, 1, 12, tzinfo=UTC)


def change(number, key="a", month="2021-01"):
    facts = (number, WHEN, PROMOTED, "model", "registry", "", str(number), False, key, month)
    return Change(*facts, 5.0, "ana@host", "a gain")


def test_the_month_on_which_each_was_judged_is_a_column():
    header, row = as_lines([change(1)], Candidates({"a": "2021-02"}, {"a": {}}))[0].splitlines()
    assert "month    judged on" in header
    assert "2021-01  2021-02" in row


def test_errors_on_other_trips_are_said_not_to_compare():
    known = Candidates({"a": "2021-02", "b": "2021-02 b"}, {"a": {}, "b": {}})
    *_, last = as_lines([change(1), change(2, "b")], known)
    assert last.startswith("An RMSE compares with another only where both were judged on the same")


def test_settings_that_differ_are_told_of_each_version():
    settings = {"a": {"cleaning.max_minutes": "45.0"}, "b": {"cleaning.max_minutes": "60.0"}}
    known = Candidates({"a": "2021-02", "b": "2021-02"}, settings)
    *_, last = as_lines([change(1), change(2, "b")], known)
    assert last == (
        "Settings that differ: version 1 cleaning.max_minutes 45.0; version 2 "
        "cleaning.max_minutes 60.0."
    )


def test_without_changes_there_is_no_table():
    assert as_lines([], Candidates({}, {})) == []


def test_what_is_gone_is_empty():
    _, row = as_lines([change(1)], Candidates({}, {}))[0].splitlines()
    assert row.split()[4:7] == ["1", "2021-01", "5.0000"]
