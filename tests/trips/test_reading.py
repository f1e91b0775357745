"""Published files are read in bounded memory, whatever their row groups and their damage."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from processes import python
from trip_files import content, trips

from taxi_pipeline.trips.reading import UnusableFile, check_footer, open_file, read_batches

COLUMNS = ["PULocationID", "trip_distance"]


def read(path, columns=COLUMNS, **options):
    with open_file(path) as file:
        return list(read_batches(file, columns, **options))


@pytest.mark.parametrize("row_group_rows", [1, 7, 1000, 5000])
@pytest.mark.parametrize("batch_rows", [100, 999, 5000])
def test_batches_have_as_many_rows_as_is_asked_for(destination, row_group_rows, batch_rows):
    table = trips(rows=3000)
    pq.write_table(table, destination, row_group_size=row_group_rows)
    batches = read(destination, batch_rows=batch_rows)
    sizes = [batch.num_rows for batch in batches]
    assert max(sizes) == min(batch_rows, 3000)
    assert sum(sizes) == 3000
    assert pa.concat_tables(batches).equals(table.select(COLUMNS))


def test_a_huge_row_group_is_read_in_a_fraction_of_its_memory(tmp_path):
    rows = 4_000_000  # some 62 MiB, which no compression makes smaller
    program = f"""
import numpy as np, pyarrow as pa, pyarrow.parquet as pq
from pathlib import Path
from taxi_pipeline.trips.reading import open_file, read_batches
random = np.random.default_rng(0)
table = pa.table({{name: random.random({rows}) for name in "ab"}})
pq.write_table(table, "huge.parquet", row_group_size={rows}, use_dictionary=False)
del table
before = pa.total_allocated_bytes()
most = 0
with open_file(Path("huge.parquet")) as file:
    for batch in read_batches(file, ["a", "b"], 10_000):
        most = max(most, pa.total_allocated_bytes() - before)
print(Path("huge.parquet").stat().st_size, most)
"""
    answer = python(tmp_path, "-c", program)
    assert answer.returncode == 0, answer.stderr
    size, most = map(int, answer.stdout.split())
    assert most < size / 5


def test_rows_that_the_footer_does_not_announce_are_damage(destination):
    whole = content(trips())
    # 1,000 as thrift writes it: once for the file, and once for the row group.
    announced = bytes([0x16, 0xD0, 0x0F])
    place = whole.index(announced, len(whole) - int.from_bytes(whole[-8:-4], "little") - 8)
    destination.write_bytes(whole[: place + 1] + bytes([0xD2]) + whole[place + 2 :])
    with pytest.raises(UnusableFile, match="announces 1,001 rows and holds 1,000") as caught:
        read(destination)
    assert caught.value.args[1].startswith("try again later")


def test_a_column_that_a_footer_names_in_two_ways_is_damage(destination):
    whole = content(trips(), store_schema=False)
    destination.write_bytes(whole.replace(b"passenger_count", b"massenger_count", 1))
    with open_file(destination) as file:
        check_footer(file, {"trip_distance"})
        with pytest.raises(UnusableFile, match="two names for the column massenger_count, "):
            check_footer(file, {"massenger_count"})


def test_a_column_to_which_a_footer_gives_two_types_is_damage(destination):
    whole = content(trips(), store_schema=False, write_statistics=False)
    # A double, as thrift writes the schema's element, becomes a whole number of 32 bits.
    element = bytes([0x15, 0x0A, 0x25, 0x02, 0x18, 0x0D]) + b"trip_distance"
    assert whole.count(element) == 1
    destination.write_bytes(whole.replace(element, b"\x15\x02" + element[2:]))
    with (
        open_file(destination) as file,
        pytest.raises(UnusableFile, match="two types for the column trip_distance, INT32 and DOUB"),
    ):
        check_footer(file, {"trip_distance"})


def test_an_error_of_the_disk_is_not_taken_for_damage(tmp_path):
    with pytest.raises(FileNotFoundError):
        open_file(tmp_path / "missing.parquet")
