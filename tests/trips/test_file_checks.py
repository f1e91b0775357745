"""Whether what arrived is a whole trip record file."""

import traceback

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trip_source import (
    CONTENT,
    HIDDEN,
    LABEL,
    NAME,
    REQUIRED,
    assert_one_line,
    fetch,
    page,
    parquet,
)

from taxi_pipeline.errors import InvalidTripFile
from taxi_pipeline.trips.file_checks import check_file


def check(path, content):
    path.write_bytes(content)
    return check_file(
        path, label=LABEL, url=f"https://u:{HIDDEN}@host/{NAME}?sig={HIDDEN}", required=REQUIRED
    )


def test_a_whole_file_is_accepted_with_its_number_of_rows(destination):
    assert check(destination, CONTENT) == 1000


def test_only_the_ends_of_a_file_are_read(destination):
    footer = 4 + 4 + int.from_bytes(CONTENT[-8:-4], "little")
    assert (
        check(destination, b"PAR1".ljust(len(CONTENT) - footer, b"\0") + CONTENT[-footer:]) == 1000
    )


OLD = {"lpep_pickup_datetime": [1], "Pickup_longitude": [-73.9], "Pickup_latitude": [40.7]}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"\n<!DOCTYPE html><html></html>", "is an HTML page instead of a parquet file"),
        (b"\xef\xbb\xbf<HTML></HTML>", "is an HTML page instead of a parquet file"),
        (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "is an XML document"),
        (b'{"error": "not found"}', "is a JSON document"),
        (b"VendorID,lpep_pickup\n1,2\n", "is something that begins with b'VendorID'"),
        (b"P", "is something that begins with b'P'"),
        (b"PAR1", "is a damaged parquet file"),
        (b"PAR1" * 2, "is a damaged parquet file"),
        (CONTENT[:500], "is truncated"),
        (CONTENT[:-1], "is truncated"),
        (CONTENT[:-9] + b"\xff" + CONTENT[-8:], "is a damaged parquet file"),
        (parquet(lpep_pickup_datetime=[1]), "has no column PULocationID;"),
        (parquet(other=[1]), "has no column lpep_pickup_datetime, PULocationID;"),
        (parquet(**OLD), "has no column PULocationID, but coordinates"),
        (parquet(rows=0), "has no rows"),
    ],
)
def test_a_file_that_is_of_no_use_is_named_for_what_it_is(destination, content, says):
    with pytest.raises(InvalidTripFile) as caught:
        check(destination, content)
    text = str(caught.value)
    assert text.startswith(f"{LABEL}: https://***@host/{NAME}?*** {says}")
    assert HIDDEN not in "".join(traceback.format_exception(caught.value))
    assert_one_line(text)


def test_a_page_in_place_of_a_file_is_found_when_it_is_checked(server, destination):
    server.answers = [page]
    fetch(server.url, destination)
    with pytest.raises(InvalidTripFile, match="an HTML page"):
        check_file(destination, label=LABEL, url=server.url, required=REQUIRED)


@settings(deadline=None, max_examples=50)
@given(st.binary(max_size=600), st.binary(max_size=20))
def test_any_bytes_are_refused_in_one_line(tmp_path_factory, begin, end):
    path = tmp_path_factory.mktemp("bytes") / "trips.parquet"
    for content in (begin, b"PAR1" + begin + end + b"PAR1"):
        with pytest.raises(InvalidTripFile) as caught:
            check(path, content)
        assert_one_line(str(caught.value))
