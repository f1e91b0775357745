"""What a source says of a file, by which a changed one is told."""

import os
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxi_pipeline.trips import validators

names = st.sampled_from(["ETag", "Last-Modified", "Content-Length", "mtime_ns", "size"])
said = st.dictionaries(names, st.text(max_size=5) | st.integers(0, 10))


@given(said)
def test_nothing_has_changed_where_all_is_as_it_was(known):
    assert validators.changed(known, dict(known)) == []


@given(said, said)
def test_what_both_have_decides_and_without_it_all_counts_as_changed(before, now):
    common = before.keys() & now.keys()
    changed = validators.changed(before, now)
    assert set(changed) <= (common or now.keys())
    if not common:
        assert changed == list(now)


@pytest.mark.parametrize("before", ['"a"', 'W/"a"'])
@pytest.mark.parametrize("now", ['"a"', 'W/"a"'])
def test_an_entity_tag_that_became_weak_on_its_way_is_no_change(before, now):
    assert validators.changed({"ETag": before}, {"ETag": now}) == []


def test_one_validator_that_differs_is_enough():
    before = {"ETag": '"a"', "Last-Modified": "Monday", "Content-Length": 5}
    now = {**before, "Last-Modified": "Tuesday"}
    assert validators.changed(before, now) == ["Last-Modified"]


def test_a_validator_that_only_one_has_is_not_compared():
    assert validators.changed({"ETag": '"a"', "size": 3}, {"size": 3, "mtime_ns": 4}) == []


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, {}),
        ({"ETag": "", "Last-Modified": ""}, {}),
        ({"Content-Length": "12", "ETag": '"a"'}, {"Content-Length": 12, "ETag": '"a"'}),
        ({"Content-Length": "0"}, {}),  # as some servers answer HEAD
        ({"Content-Length": "many"}, {}),
        ({"Content-Length": "12", "Content-Encoding": "identity"}, {"Content-Length": 12}),
        ({"Content-Length": "12", "Content-Encoding": "gzip"}, {}),
        ({"Date": "Monday", "Age": "12"}, {}),
    ],
)
def test_the_headers_that_tell_a_file_are_kept(headers, expected):
    assert validators.of_headers(headers) == expected


def test_a_file_is_told_by_time_and_size_also_through_a_link(tmp_path):
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_bytes(b"12345")
    link.symlink_to(file)
    os.utime(file, ns=(1, 1_234_567_890_123_456_789))
    expected = {"mtime_ns": 1_234_567_890_123_456_789, "size": 5}
    assert validators.of_stat(link.stat()) == expected


@pytest.mark.parametrize(
    ("info", "expected"),
    [
        ({"name": "a", "type": "file", "size": None}, {}),
        (
            {"ETag": '"a"', "LastModified": datetime(2021, 1, 2, tzinfo=UTC), "size": 5},
            {"ETag": '"a"', "LastModified": "2021-01-02T00:00:00+00:00", "size": 5},
        ),
        ({"etag": "a", "md5Hash": "b==", "VersionId": None}, {"etag": "a", "md5Hash": "b=="}),
        ({"content_md5": bytearray(b"\x01\xff")}, {"content_md5": "01ff"}),
        ({"mtime": 1234.5, "size": 5}, {"mtime": "1234.5", "size": 5}),
    ],
)
def test_what_a_store_says_of_an_object_is_kept_as_text(info, expected):
    assert validators.of_info(info) == expected


@pytest.mark.parametrize(
    ("known", "expected"), [({"Content-Length": 5}, 5), ({"size": 6}, 6), ({"ETag": "a"}, None)]
)
def test_the_length_is_known_where_the_source_tells_it(known, expected):
    assert validators.length(known) == expected
