"""Whether what arrived is a whole trip record file of its month."""

import base64
import re
import traceback

import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from places import TLC
from trip_files import JANUARY, at, check, content, pickups, trips
from trip_source import CONTENT, HIDDEN, LABEL, NAME, assert_one_line, fetch, page

from taxi_pipeline.errors import InvalidTripFile
from taxi_pipeline.month import Month
from taxi_pipeline.trips import file_checks

SECRET_URL = f"https://u:{HIDDEN}@host/{NAME}?sig={HIDDEN}"


def refusal(path, given, **options):
    """The text with which a file is refused, after what every refusal must keep to."""
    with pytest.raises(InvalidTripFile) as caught:
        check(path, given, url=SECRET_URL, **options)
    text = str(caught.value)
    assert text.startswith(f"{LABEL}: https://***@host/{NAME}?*** ")
    assert HIDDEN not in "".join(traceback.format_exception(caught.value))
    assert_one_line(text)
    return text


def test_a_whole_file_is_accepted_with_its_number_of_rows(destination):
    checked = check(destination, CONTENT)
    assert (checked.rows, checked.warnings) == (1000, ())


@pytest.mark.parametrize(
    ("given", "says"),
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
        (content(trips(DOLocationID=None)), "has no column DOLocationID;"),
        (
            content(trips(lpep_pickup_datetime=None, PULocationID=None)),
            "has no column lpep_pickup_datetime, PULocationID;",
        ),
        (
            content(trips(PULocationID=None, Pickup_longitude=[-73.9] * 1000)),
            "has no column PULocationID, but coordinates",
        ),
        (content(trips(rows=0)), "has no rows"),
    ],
    ids=range(16),
)
def test_a_file_that_is_of_no_use_is_named_for_what_it_is(destination, given, says):
    assert f" {says}" in refusal(destination, given)


def test_a_page_in_place_of_a_file_is_found_when_it_is_checked(server, destination):
    server.answers = [page]
    fetch(server.url, destination)
    assert "an HTML page" in refusal(destination, destination.read_bytes())


@settings(max_examples=50)
@given(st.binary(max_size=600), st.binary(max_size=20))
def test_any_bytes_are_refused_in_one_line(tmp_path_factory, begin, end):
    path = tmp_path_factory.mktemp("bytes") / "trips.parquet"
    for found in (begin, b"PAR1" + begin + end + b"PAR1"):
        refusal(path, found)


@pytest.mark.parametrize("codec", ["gzip", "none"])
def test_damage_to_the_pages_of_a_needed_column_names_the_column(destination, codec):
    whole = content(trips(rows=5000), compression=codec, write_page_checksum=codec == "none")
    destination.write_bytes(whole)
    zones = pq.ParquetFile(destination).metadata.row_group(0).column(4)
    place = zones.dictionary_page_offset + zones.total_compressed_size - 20
    damaged = whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1 :]
    text = refusal(destination, damaged)
    assert "is a damaged parquet file (" in text
    assert "), in the column PULocationID; try again later" in text


class OneKey(pe.KmsClient):
    """A keeper of keys that hides none."""

    def __init__(self, _):
        super().__init__()

    def wrap_key(self, key, _):
        return base64.b64encode(key)

    def unwrap_key(self, wrapped, _):
        return base64.b64decode(wrapped)


@pytest.mark.parametrize(
    ("plaintext_footer", "says"),
    [
        (True, "in the column trip_distance; have it published in plain"),
        (False, "is encrypted as a whole; have it"),
    ],
)
def test_encrypted_columns_and_encrypted_files_are_named(destination, plaintext_footer, says):
    encryption = pe.EncryptionConfiguration(
        footer_key="footer",
        column_keys={"column": ["trip_distance"]},
        plaintext_footer=plaintext_footer,
    )
    factory = pe.CryptoFactory(OneKey)  # which the properties need as long as they are used
    properties = factory.file_encryption_properties(pe.KmsConnectionConfig(), encryption)
    table = trips()
    with pq.ParquetWriter(destination, table.schema, encryption_properties=properties) as writer:
        writer.write_table(table)
    text = refusal(destination, destination.read_bytes())
    assert "encrypted" in text
    assert says in text


def test_an_optional_column_that_is_not_there_is_a_warning(destination):
    checked = check(destination, trips(passenger_count=None, trip_type=None))
    assert checked.warnings == (
        "has no column passenger_count: its values count as missing",
        "has no column trip_type: its values count as missing",
    )


def test_another_months_file_is_refused_and_named(destination):
    text = refusal(destination, at(pickups(Month(2021, 3))))
    assert " has 0 of 1,000 pickups in 2021-01 and 1,000 in 2021-03: it is another month's" in text
    assert text.endswith("; check `url`, or take it nevertheless by `min_month_share` 0")


def test_a_part_of_a_file_is_refused_beside_its_neighbours(destination):
    text = refusal(destination, trips(), neighbours={JANUARY - 1: 100_000, JANUARY + 1: 80_000})
    assert "has 1,000 rows, 1.2 % of those of the months beside it (2020-12: 100,000, " in text


def test_a_footer_of_row_groups_without_end_is_not_read(destination, monkeypatch):
    monkeypatch.setattr(file_checks, "MAX_FOOTER_BYTES", 100_000)
    table = trips(rows=300)
    assert check(destination, content(table, row_group_size=10)).rows == 300
    text = refusal(destination, content(table, row_group_size=1))
    assert re.search(r"has a footer of [34]\d\d\.\d KB, as of row groups without end", text)


def test_rows_are_read_in_batches(destination, monkeypatch):
    sizes = []
    monkeypatch.setattr(
        "taxi_pipeline.trips.column_checks.check_values",
        lambda batch, _: sizes.append(batch.num_rows),
    )
    assert check(destination, trips(rows=5000), batch_rows=2000).rows == 5000
    assert sizes == [2000, 2000, 1000]


@pytest.mark.skipif(not TLC.is_dir(), reason=f"real TLC files are not in {TLC}")
@pytest.mark.parametrize("file", sorted(TLC.rglob("*_tripdata_*.parquet")), ids=lambda f: f.stem)
def test_every_published_month_is_accepted_without_a_warning(tmp_path, file):
    taxi, _, month = file.stem.split("_")
    checked = check(
        tmp_path / "trips.parquet", file.read_bytes(), taxi=taxi, month=Month.parse(month)
    )
    assert checked.rows == pq.read_metadata(file).num_rows
    assert checked.warnings == ()
