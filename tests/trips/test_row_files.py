"""Files of published rows that a person has are read in batches, whatever their form."""

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from trip_files import trips

from taxi_pipeline.trips import schema
from taxi_pipeline.trips.reading import UnusableFile
from taxi_pipeline.trips.row_files import open_rows

READ = ["VendorID", "lpep_pickup_datetime", "lpep_dropoff_datetime", "RatecodeID", "PULocationID"]
READ += ["DOLocationID", "passenger_count", "trip_distance", "trip_type"]


def rows_of(path, taxi="green", **options):
    with open_rows(path, taxi, **options) as rows:
        return rows.columns, rows.total, pa.concat_tables(rows.batches)


@pytest.fixture
def parquet(tmp_path):
    def written(table):
        pq.write_table(table, tmp_path / "rows.parquet")
        return tmp_path / "rows.parquet"

    return written


@pytest.fixture
def csv(tmp_path):
    def written(text):
        (tmp_path / "rows.CSV").write_text(text)
        return tmp_path / "rows.CSV"

    return written


def refusal(path, taxi="green"):
    with pytest.raises(UnusableFile) as caught:
        rows_of(path, taxi)
    return f"{caught.value.problem}; {caught.value.advice}"


def test_the_columns_of_a_prediction_and_the_drop_off_time_are_read(parquet):
    table = trips(rows=50)
    columns, total, rows = rows_of(parquet(table), batch_rows=7)
    assert columns.names == READ
    assert total == 50
    assert rows.equals(table.select(READ))


def test_a_csv_file_has_the_same_trips_as_text(tmp_path, parquet):
    table = trips(rows=50)
    pyarrow.csv.write_csv(table, tmp_path / "rows.csv")
    columns, total, rows = rows_of(tmp_path / "rows.csv")
    assert set(columns.types) == {pa.string()}
    assert total is None
    assert schema.canonical(rows, "green").equals(
        schema.canonical(rows_of(parquet(table))[2], "green")
    )


@pytest.mark.parametrize("missing", ["lpep_pickup_datetime", "PULocationID", "DOLocationID"])
def test_a_file_without_a_needed_column_is_refused(parquet, missing):
    line = refusal(parquet(trips(**{missing: None})))
    assert line.startswith(f"has no column {missing}; check that these are rows of green taxis")


def test_a_file_of_the_other_taxi_is_refused(parquet):
    assert "has no column tpep_pickup_datetime" in refusal(parquet(trips()), "yellow")


def test_the_drop_off_time_and_the_fare_may_be_missing_or_anything(parquet):
    table = trips(lpep_dropoff_datetime=None, fare_amount=pa.array([b"?"] * 1000))
    assert rows_of(parquet(table))[2].num_rows == 1000


def test_a_value_that_is_no_number_is_told(csv):
    path = csv("lpep_pickup_datetime,PULocationID,DOLocationID\n2021-01-01 10:00:00,seventy,41\n")
    assert "PULocationID of type string with the value 'seventy'" in refusal(path)


@pytest.mark.parametrize("text", ["", "a,b\n1\n1,2,3\n"], ids=["empty", "ragged"])
def test_what_is_no_csv_is_told_in_one_line(csv, text):
    line = refusal(csv(text))
    assert "\n" not in line


def test_what_is_no_parquet_is_told(tmp_path):
    (tmp_path / "rows.parquet").write_text("hello, I am text and no table at all")
    assert refusal(tmp_path / "rows.parquet") == (
        "is no Parquet file; name a whole Parquet file, or a CSV file by a name that ends in .csv "
        "or .csv.gz"
    )


def test_a_parquet_file_of_ones_own_that_is_cut_off_is_not_said_to_be_published(tmp_path):
    (tmp_path / "rows.parquet").write_bytes(b"PAR1 cut off")
    line = refusal(tmp_path / "rows.parquet")
    assert line.startswith("is a damaged parquet file (")
    assert line.endswith(
        "; name a whole Parquet file, or a CSV file by a name that ends in .csv or .csv.gz"
    )
