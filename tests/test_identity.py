import json
import string
from dataclasses import asdict, fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxi_pipeline.identity import KEY_LENGTH, Identity, digest

mappings = st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=4)
identities = st.builds(Identity, st.text(), mappings, st.text(), mappings, mappings)

TRANSFORMED = Identity(
    task="TransformTrips",
    parameters={"year": "2021", "month": "1", "taxi": "green"},
    version="1",
    config={"cleaning.min_minutes": "1.0", "cleaning.max_minutes": "60.0"},
    inputs={"IngestTrips green 2021-01": "aaaa"},
)


def reordered(mapping):
    return dict(reversed(mapping.items()))


@given(identities)
def test_the_order_of_mappings_does_not_matter(identity):
    other = replace(
        identity,
        parameters=reordered(identity.parameters),
        config=reordered(identity.config),
        inputs=reordered(identity.inputs),
    )
    assert other.key == identity.key


@given(identities, identities)
def test_identities_share_a_key_only_if_they_are_equal(one, other):
    assert (one.key == other.key) == (one == other)


@pytest.mark.parametrize("part", [field.name for field in fields(Identity)])
@given(data=st.data())
def test_another_value_of_any_part_gives_another_key(part, data):
    identity = data.draw(identities)
    values = mappings if isinstance(getattr(identity, part), dict) else st.text()
    changed = data.draw(values.filter(lambda value: value != getattr(identity, part)))
    assert replace(identity, **{part: changed}).key != identity.key


@pytest.mark.parametrize("part", ["parameters", "config", "inputs"])
@given(identity=identities, name=st.text(), value=st.text())
def test_one_more_entry_gives_another_key(part, identity, name, value):
    before = {known: text for known, text in getattr(identity, part).items() if known != name}
    without = replace(identity, **{part: before})
    assert replace(identity, **{part: before | {name: value}}).key != without.key


@given(identities, st.text(), st.text())
def test_an_entry_counts_for_the_part_that_it_stands_in(identity, name, value):
    bare = replace(identity, parameters={}, config={}, inputs={})
    keys = {replace(bare, **{part: {name: value}}).key for part in ("parameters", "config")}
    assert len(keys | {replace(bare, inputs={name: value}).key}) == 3


def test_a_key_is_hexadecimal_and_of_fixed_length():
    assert len(TRANSFORMED.key) == KEY_LENGTH
    assert set(TRANSFORMED.key) <= set(string.hexdigits.lower())


def test_a_key_stays_what_it_was_in_the_releases_before():
    assert TRANSFORMED.key == "72dcea29578e21ca"


@given(identities)
def test_an_identity_is_read_back_from_json_with_the_same_key(identity):
    assert Identity(**json.loads(json.dumps(asdict(identity)))).key == identity.key


def test_a_digest_is_that_of_the_compact_json():
    assert digest({"b": 1, "a": [None]}) == digest({"a": [None], "b": 1})
    assert digest("text") != digest(["text"])


@given(identities)
def test_nothing_has_changed_since_the_same_identity(identity):
    assert identity.changes_since(replace(identity)) == []


@pytest.mark.parametrize(
    ("part", "value", "phrase"),
    [
        (
            "config",
            {"cleaning.min_minutes": "1.0", "cleaning.max_minutes": "90.0"},
            "cleaning.max_minutes was 60.0, is 90.0",
        ),
        (
            "config",
            TRANSFORMED.config | {"cleaning.known_zones": "true"},
            "cleaning.known_zones was not set, is true",
        ),
        ("config", {"cleaning.min_minutes": "1.0"}, "cleaning.max_minutes is gone"),
        ("version", "2", "its version was 1, is 2"),
        (
            "inputs",
            {"IngestTrips green 2021-01": "bbbb"},
            "source republished (green 2021-01)",
        ),
        (
            "inputs",
            TRANSFORMED.inputs | {"BuildFeatures green 2021-01": "cccc"},
            "BuildFeatures green 2021-01 changed",
        ),
        (
            "inputs",
            TRANSFORMED.inputs | {"IngestTripsOfBikes green 2021-01": "dddd"},
            "IngestTripsOfBikes green 2021-01 changed",
        ),
        ("inputs", {}, "IngestTrips green 2021-01 is no longer read"),
    ],
)
def test_each_change_is_one_phrase(part, value, phrase):
    assert replace(TRANSFORMED, **{part: value}).changes_since(TRANSFORMED) == [phrase]


def test_all_changes_are_told():
    changed = replace(
        TRANSFORMED,
        config={"cleaning.min_minutes": "2.0"},
        version="2",
        inputs={"IngestTrips green 2021-01": "bbbb"},
    )
    assert changed.changes_since(TRANSFORMED) == [
        "cleaning.min_minutes was 1.0, is 2.0",
        "cleaning.max_minutes is gone",
        "its version was 1, is 2",
        "source republished (green 2021-01)",
    ]


@pytest.mark.parametrize(
    ("older", "newer", "phrase"),
    [
        ("2, recipe 2", "2, recipe 2 0123456789abcdef", "its recipe has changed"),
        ("1, recipe 1 0123456789abcdef", "1, recipe 1 fedcba9876543210", "its recipe has changed"),
        (
            "1, recipe 1 0123456789abcdef",
            "1, recipe 2 fedcba9876543210",
            "its version was 1, recipe 1, is 1, recipe 2",
        ),
    ],
)
def test_of_a_recipes_digest_only_that_it_changed_is_told(older, newer, phrase):
    before, after = (replace(TRANSFORMED, version=version) for version in (older, newer))
    assert after.changes_since(before) == [phrase]


@given(identities, identities)
def test_a_change_that_gives_another_key_is_told_unless_it_is_another_task(one, other):
    same_task = replace(other, task=one.task, parameters=one.parameters)
    assert bool(same_task.changes_since(one)) == (same_task.key != one.key)


def test_a_changed_input_is_explained_by_who_knows_it():
    changed = replace(TRANSFORMED, inputs={"IngestTrips green 2021-01": "bbbb"})
    was = TRANSFORMED.inputs["IngestTrips green 2021-01"]
    told = changed.changes_since(TRANSFORMED, lambda label, key: [f"{label} {key}", "again"])
    assert told == [f"IngestTrips green 2021-01 {was}", "again"]


def test_a_reason_that_several_inputs_have_is_told_once():
    inputs = {"TrainModel": "a", "EvaluateModel": "b"}
    older = replace(TRANSFORMED, inputs=inputs)
    changed = replace(TRANSFORMED, inputs=dict.fromkeys(inputs, "c"))
    assert changed.changes_since(older, lambda *_: ["the cause"]) == ["the cause"]


def test_values_are_shown_as_a_person_knows_them():
    older = replace(TRANSFORMED, config={"a.b": "1"})
    changed = replace(TRANSFORMED, config={"a.b": "2"})
    told = changed.changes_since(older, show=lambda name, value: f"{name} {value}")
    assert told == ["a.b was a.b 1, is a.b 2"]
