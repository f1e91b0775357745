"""Bits of real files are flipped: no traceback, and no values but those that were published.

Months to 2023-01 are in gzip, which has a checksum of each page. Those from 2023-02 on are in
Zstandard without one, and no month has the checksums of Parquet's own: there a flip may change
values without a sign, and these tests only show that it makes no traceback.
"""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from places import TLC
from trip_files import check, content, trips
from trip_source import assert_one_line

from taxi_pipeline.errors import InvalidTripFile
from taxi_pipeline.month import Month
from taxi_pipeline.trips import schema
from taxi_pipeline.trips.columns import floats
from taxi_pipeline.trips.reading import open_file, read_batches

FLIPS = 250
"""Flips in the pages of a file, and as many in its footer."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not TLC.is_dir(), reason=f"real TLC files are not in {TLC}"),
]


def values(path):
    """What cleaning makes of a file, before it drops rows."""
    with open_file(path) as file:
        columns = schema.columns_to_read(file.schema_arrow.names, "green")
        table = pa.concat_tables(read_batches(file, columns))
    fares = [name for name in columns if name.lower() == "fare_amount"]
    fare = floats(table[fares[0]]) if fares else pa.nulls(len(table), pa.float64())
    return schema.canonical(table, "green").append_column("fare", fare)


def flipped(whole, part, seed):
    """A file's bytes with one bit of its pages or of its footer changed, and where."""
    footer = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    chance = np.random.default_rng(seed)
    first, end = (0, footer) if part == "pages" else (footer, len(whole))
    place, bit = int(chance.integers(first, end)), int(chance.integers(8))
    changed = bytearray(whole)
    changed[place] ^= 1 << bit
    return bytes(changed), f"byte {place}, bit {bit}"


def outcomes(path, month, part):
    """How many flips are refused, harmless, and accepted with other values; and the latter."""
    whole = (TLC / f"green_tripdata_{month}.parquet").read_bytes()
    path.write_bytes(whole)
    published = values(path)
    refused, harmless, changed = 0, 0, []
    for seed in range(FLIPS):
        damaged, place = flipped(whole, part, seed)
        try:
            check(path, damaged, month=Month.parse(month))
        except InvalidTripFile as error:
            assert_one_line(str(error))
            refused += 1
            continue
        found = values(path)
        if found.equals(published):
            harmless += 1
        else:
            names = [name for name in found.column_names if found[name] != published[name]]
            changed.append(f"{place}: {', '.join(names)}")
    return refused, harmless, changed


@pytest.mark.parametrize("part", ["pages", "footer"])
def test_a_flipped_bit_of_a_month_in_gzip_changes_no_value(destination, part):
    refused, harmless, changed = outcomes(destination, "2021-01", part)
    assert changed == []
    assert refused + harmless == FLIPS
    assert refused > FLIPS / 5


@pytest.mark.parametrize("part", ["pages", "footer"])
def test_a_flipped_bit_of_a_month_without_checksums_is_no_traceback(destination, part):
    refused, _, _ = outcomes(destination, "2023-02", part)
    assert refused > 0


@pytest.mark.parametrize("month", ["2021-01", "2023-02"])
def test_published_months_have_no_checksums_of_parquets_own(month):
    """With them, a flipped bit could be found in months in Zstandard, too."""
    assert has_checksum(content(trips(), write_page_checksum=True))
    file = TLC / f"green_tripdata_{month}.parquet"
    codec = pq.read_metadata(file).row_group(0).column(0).compression
    assert codec == ("GZIP" if month == "2021-01" else "ZSTD")
    assert not has_checksum(file.read_bytes())


def has_checksum(whole):
    """Whether the first page has the checksum of Parquet's own: field 4 of its header."""
    # Thrift's compact form: a header begins with fields 1 to 3, each a number of its own length.
    place, field = 4, 0
    while whole[place] & 0x0F == 5 and field < 4:
        field += whole[place] >> 4
        place += 1
        while field < 4 and whole[place] & 0x80:
            place += 1
        place += field < 4
    return field == 4
