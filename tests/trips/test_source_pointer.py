"""The pointer is written and read back, and made by earlier versions it is understood."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxi_pipeline.trips.publication import Answer
from taxi_pipeline.trips.source_pointer import SourcePointer

pointers = st.builds(
    SourcePointer,
    url=st.text(),
    sha256=st.text(),
    validators=st.dictionaries(st.text(), st.text() | st.integers()),
    asked=st.none() | st.datetimes(timezones=st.just(UTC)),
)


@given(pointers)
def test_a_pointer_is_read_back_from_json(pointer):
    assert SourcePointer.parse(json.loads(json.dumps(pointer.as_dict()))) == pointer


def test_the_time_is_written_to_the_microsecond():
    pointer = SourcePointer("a", "b", asked=datetime(2021, 1, 2, tzinfo=UTC))
    assert pointer.as_dict()["asked"] == "2021-01-02T00:00:00.000000+00:00"


def test_a_pointer_of_version_0_1_has_no_validators_and_was_never_asked():
    pointer = SourcePointer.parse({"url": "a", "sha256": "b"})
    assert (pointer.validators, pointer.asked) == ({}, None)


@pytest.mark.parametrize(
    "content",
    [
        *([], "text", 1, None, {}, {"url": "a"}),
        {"url": "a", "sha256": "b", "asked": "soon"},
        {"url": "a", "sha256": "b", "validators": 5},
    ],
)
def test_what_is_no_pointer_is_a_value_error(content):
    with pytest.raises(ValueError):  # noqa: PT011  (any)
        SourcePointer.parse(content)


def test_a_confirmed_pointer_keeps_the_content_and_learns_what_the_source_says():
    earlier = SourcePointer("a", "b", {"ETag": "1", "Content-Length": 5})
    asked = datetime(2021, 1, 2, tzinfo=UTC)
    answer = Answer(published=True, validators={"Content-Length": 5, "X": "y"}, asked=asked)
    expected = SourcePointer("a", "b", {"ETag": "1", "Content-Length": 5, "X": "y"}, asked)
    assert earlier.confirmed(answer) == expected
