"""Who serves, and who served when, follows from the changes alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxi_pipeline.evaluation.champions import (
    ACTIONS,
    BY_MONTH,
    BY_TIME,
    FIRST,
    FOUND,
    MOVED_BY_HAND,
    PINNED,
    PROMOTED,
    ROLLED_BACK,
    UNPINNED,
    Change,
    champion_at,
    champion_in,
    champion_of,
    first_champion,
    predecessors,
)
from taxi_pipeline.month import Month

START = datetime(2021, 6, 1, tzinfo=UTC)


def history(*steps):
    """Changes a day apart: each an action, the version that serves then, and whether pinned."""
    changes, serving = [], ""
    for number, (action, named, pinned) in enumerate(steps, 1):
        version = serving if action in {PINNED, UNPINNED} else named
        changes.append(
            Change(
                number=number,
                when=START + timedelta(days=number - 1),
                action=action,
                model="model",
                registry="registry",
                from_version=serving,
                to_version=version,
                pinned=pinned,
                candidate_key=f"key {version}",
                training_month="2021-01",
                rmse=5.5,
                by="ana@host",
                why="a reason",
            )
        )
        serving = version
    return changes


def test_nobody_is_champion_before_the_first_change():
    assert champion_of([]) is None
    assert predecessors([]) == []


def test_the_last_version_that_was_promoted_serves_since_then():
    changes = history((PROMOTED, "1", False), (PROMOTED, "2", False))
    champion = champion_of(changes)
    assert (champion.version, champion.since, champion.pin) == ("2", changes[1], None)
    assert champion.pin_text == ""


def test_a_pin_does_not_change_since_when_a_version_serves():
    changes = history((PROMOTED, "1", False), (PINNED, "1", True))
    champion = champion_of(changes)
    assert (champion.since, champion.pin) == tuple(changes)
    assert champion.pin_text == "version 1 is pinned since 2021-06-02 by ana@host (a reason)"


def test_a_pin_that_was_lifted_is_none():
    changes = history((PROMOTED, "1", False), (PINNED, "1", True), (UNPINNED, "1", False))
    assert champion_of(changes).pin is None
    assert champion_of(changes).since == changes[0]


def test_nobody_serves_once_the_alias_was_deleted():
    assert champion_of(history((PROMOTED, "1", False), (MOVED_BY_HAND, "", False))) is None


def test_each_date_has_the_champion_of_the_last_change_up_to_it():
    changes = history((FOUND, "1", False), (PROMOTED, "2", False), (ROLLED_BACK, "1", True))

    def at(days):
        champion = champion_at(changes, START + timedelta(days=days))
        return champion and champion.version

    assert [at(days) for days in (-0.5, 0, 0.5, 1, 1.5, 2, 100)] == [
        *(None, "1", "1", "2", "2", "1", "1")
    ]


def test_a_rollback_goes_back_step_by_step():
    changes = history(*((PROMOTED, version, False) for version in "123"))
    assert predecessors(changes) == ["2", "1"]
    assert predecessors([*changes, *history((ROLLED_BACK, "2", True))]) == ["1"]


def test_a_rollback_from_nobody_goes_to_the_version_that_served_last():
    assert predecessors(history((PROMOTED, "1", False), (MOVED_BY_HAND, "", False))) == ["1"]


def test_a_number_that_was_given_to_another_candidate_is_not_the_champion():
    champion = champion_of(history((PROMOTED, "1", False)))
    assert champion.is_version("1", "key 1")
    assert champion.is_version("1", "")
    assert not champion.is_version("1", "another")
    assert not champion.is_version("2", "key 1")


versions = st.sampled_from(["", "1", "2", "3", "4"])
steps = st.lists(st.tuples(st.sampled_from(ACTIONS), versions, st.booleans()), max_size=12)


@given(steps)
def test_changes_are_read_as_they_were_written(made):
    changes = history(*made)
    assert [Change.from_json(change.as_json()) for change in changes] == changes


@pytest.mark.parametrize(
    "spoilt",
    [
        {},
        {"when": "yesterday"},
        {"when": "2021-06-01T00:00:00"},
        {"action": "bribed"},
        {"further": 1},
    ],
    ids=["empty", "no-time", "no-zone", "unknown-action", "unknown-entry"],
)
def test_what_is_no_change_is_refused(spoilt):
    (change,) = history((PROMOTED, "1", False))
    with pytest.raises(ValueError):  # noqa: PT011  (whatever is wrong with them)
        Change.from_json({**change.as_json(), **spoilt} if spoilt else {})


@given(steps)
def test_the_champion_now_is_the_champion_at_the_time_of_the_last_change(made):
    changes = history(*made)
    for end, change in enumerate(changes, 1):
        assert champion_at(changes, change.when) == champion_of(changes[:end])


@given(steps)
def test_predecessors_have_served_and_are_neither_the_champion_nor_named_twice(made):
    changes = history(*made)
    names = predecessors(changes)
    served = {change.to_version for change in changes} - {""}
    champion = champion_of(changes)
    assert len(set(names)) == len(names)
    assert set(names) <= served - ({champion.version} if champion else set())


@given(st.lists(st.sampled_from("1234"), min_size=1, max_size=8))
def test_rolling_back_again_and_again_ends_with_the_first_that_is_left(promoted):
    made = [(PROMOTED, version, False) for version in promoted]
    seen = []
    while names := predecessors(history(*made)):
        assert names[0] not in seen
        seen.append(names[0])
        made.append((ROLLED_BACK, names[0], True))
    assert champion_of(history(*made)).version == promoted[0]


# --- the champion of a month ------------------------------------------------------------------


def trained(changes, *months):
    """The same changes, each about a version that was trained to another month."""
    return [
        replace(change, training_month=month) for change, month in zip(changes, months, strict=True)
    ]


PROMOTIONS = history((PROMOTED, "1", False), (PROMOTED, "2", False), (PROMOTED, "3", False))
AFTERWARDS = trained(PROMOTIONS, "2020-01", "2020-02", "2020-03")


@pytest.mark.parametrize(
    ("month", "version"), [("2021-06", "3"), ("2021-07", "3")], ids=["its own", "a later"]
)
def test_who_served_at_the_end_of_a_month_is_its_champion(month, version):
    champion, known_by = champion_in(PROMOTIONS, Month.parse(month))
    assert (champion.version, known_by) == (version, BY_TIME)


def test_a_month_at_whose_end_none_served_has_no_champion():
    changes = history((PROMOTED, "1", False), (MOVED_BY_HAND, "", False))
    assert champion_in(changes, Month(2021, 6)) == (None, BY_TIME)


@pytest.mark.parametrize(
    ("month", "version", "known_by"),
    [
        ("2020-01", "1", FIRST),
        ("2020-02", "1", FIRST),
        ("2020-03", "1", BY_MONTH),
        ("2020-04", "2", BY_MONTH),
        ("2020-05", "3", BY_MONTH),
        ("2021-05", "3", BY_MONTH),
    ],
)
def test_before_the_ledger_it_is_the_last_champion_that_could_have_served(month, version, known_by):
    champion, how = champion_in(AFTERWARDS, Month.parse(month))
    assert (champion.version, how) == (version, known_by)


@pytest.mark.parametrize("tag", ["", "spring"], ids=["unknown", "nonsense"])
def test_a_version_of_an_unknown_month_is_none_that_could_have_served(tag):
    changes = trained(PROMOTIONS, "2020-01", tag, "2020-03")
    champion, known_by = champion_in(changes, Month(2020, 4))
    assert (champion.version, known_by) == ("1", BY_MONTH)


def test_what_a_person_rolled_back_to_counts_before_the_ledger_as_well():
    changes = history((PROMOTED, "1", False), (PROMOTED, "2", False), (ROLLED_BACK, "1", True))
    changes = trained(changes, "2020-01", "2020-02", "2020-01")
    champion, known_by = champion_in(changes, Month(2020, 6))
    assert (champion.version, champion.pin, known_by) == ("1", changes[2], BY_MONTH)


MONTHS = st.builds(Month, st.integers(2019, 2021), st.integers(1, 12))


@given(st.lists(MONTHS, min_size=1, max_size=8), MONTHS)
def test_a_registration_that_the_month_asks_for_does_not_change_its_champion(months, month):
    """A model of the month before is evaluated on the month itself."""
    steps = [(PROMOTED, str(number), False) for number in range(1, len(months) + 2)]
    changes = trained(history(*steps), *map(str, months), str(month - 1))
    before, _ = champion_in(changes[:-1], month)
    after, _ = champion_in(changes, month)
    if month.end.replace(tzinfo=UTC) <= changes[-1].when:  # it is registered after the month
        assert after.version == before.version


@given(st.lists(MONTHS, min_size=1, max_size=8), MONTHS)
def test_the_champion_of_a_month_before_the_ledger_was_judged_on_an_earlier_one(months, month):
    steps = [(PROMOTED, str(number), False) for number in range(1, len(months) + 1)]
    changes = trained(history(*steps), *map(str, months))
    champion, known_by = champion_in(changes, month)
    if known_by == BY_MONTH:
        assert Month.parse(champion.since.training_month) + 1 < month
    else:
        assert champion.version == ("1" if known_by == FIRST else str(len(months)))


def test_the_first_champion_is_the_first_version_that_served():
    changes = history((MOVED_BY_HAND, "", False), (PROMOTED, "4", False), (PROMOTED, "5", False))
    assert first_champion(changes).version == "4"
    assert first_champion(changes[:1]) is None
