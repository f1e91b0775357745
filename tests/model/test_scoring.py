"""A file is scored: every row, in its order, by nothing but what was known of it."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taxi_pipeline.errors import InvalidRecords
from taxi_pipeline.model.recipes import RECIPES
from taxi_pipeline.model.scoring import score, score_file

ABOUT = {"model": "nyc-green-taxi-duration-linear", "version": "3", "candidate_key": "abc"}
KEYS = ["VendorID", "lpep_pickup_datetime", "lpep_dropoff_datetime", "PULocationID", "DOLocationID"]


@pytest.fixture(scope="module")
def published(folder):
    return pq.read_table(folder / "published.parquet")


@pytest.fixture
def scored(tmp_path):
    def of(source, predict, **options):
        if isinstance(source, pa.Table):
            pq.write_table(source, tmp_path / "source.parquet")
            source = tmp_path / "source.parquet"
        destination = tmp_path / "predictions.parquet"
        found = score_file(
            source, destination, taxi="green", predict=predict, about=ABOUT, **options
        )
        return pq.read_table(destination), found

    return of


def with_nulls(table, name, rows):
    """The table without the values of a column in some rows."""
    number = table.column_names.index(name)
    gone = np.isin(np.arange(table.num_rows), rows)
    return table.set_column(number, name, pc.if_else(pa.array(gone), None, table[name]))


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_batch_agrees_with_serving_to_the_last_digit(models, published, recipe):
    minutes = score(published, "green", models[recipe].predict_trips)
    expected = models[recipe].predict_published(published.to_pandas())
    np.testing.assert_array_equal(minutes.to_numpy(), expected)


@pytest.mark.parametrize("recipe", ["trip", "linear"])
@pytest.mark.parametrize("batch_rows", [1000, 777, 3000], ids=str)
def test_batches_are_irrelevant(models, published, scored, recipe, batch_rows):
    table, found = scored(published, models[recipe].predict_trips, batch_rows=batch_rows)
    expected = score(published, "green", models[recipe].predict_trips)
    assert found.rows == published.num_rows
    assert table["minutes"].combine_chunks().equals(expected)


def test_all_published_rows_are_there_in_their_order_with_what_identifies_them(
    models, published, scored
):
    table, found = scored(published, models["linear"].predict_trips, batch_rows=999)
    assert (found.rows, found.unscored) == (3000, 0)
    assert table["row"].to_pylist() == list(range(3000))
    assert table.column_names == ["row", *KEYS, "minutes"]
    assert table.select(KEYS).cast(published.select(KEYS).schema).equals(published.select(KEYS))


def test_the_metadata_say_which_model_it_was(models, published, scored):
    table, _ = scored(published, models["linear"].predict_trips)
    assert table.schema.metadata == {name.encode(): text.encode() for name, text in ABOUT.items()}


@pytest.mark.parametrize("column", ["lpep_pickup_datetime", "PULocationID", "DOLocationID"])
@pytest.mark.parametrize("recipe", ["trip", "linear"])
def test_rows_without_pickup_time_or_zones_have_no_minutes_and_are_counted(
    models, published, scored, column, recipe
):
    gone = [0, 5, 1700, 2999]
    predict = models[recipe].predict_trips
    table, found = scored(with_nulls(published, column, gone), predict, batch_rows=700)
    expected = score(published, "green", predict).to_pylist()
    assert found.unscored == 4
    assert table["minutes"].to_pylist() == [
        None if row in gone else minutes for row, minutes in enumerate(expected)
    ]


def test_when_a_trip_ended_takes_no_part(models, published):
    predict = models["trip"].predict_trips
    without = published.drop_columns(["lpep_dropoff_datetime"])
    assert score(without, "green", predict).equals(score(published, "green", predict))


def test_missing_optional_columns_and_unknown_zones_are_scored(models, published):
    needed = published.select(["lpep_pickup_datetime", "PULocationID", "DOLocationID"])
    zones = pa.array(np.full(needed.num_rows, 9999))
    minutes = score(
        needed.set_column(1, "PULocationID", zones), "green", models["trip"].predict_trips
    )
    assert minutes.null_count == 0
    assert np.isfinite(minutes.to_numpy()).all()


def test_a_csv_file_is_scored_alike(models, published, scored, tmp_path):
    pyarrow.csv.write_csv(published, tmp_path / "rows.csv")
    predict = models["trip"].predict_trips
    table, found = scored(tmp_path / "rows.csv", predict)
    assert found.rows == 3000
    assert table["minutes"].combine_chunks().equals(score(published, "green", predict))


def test_a_file_without_rows_gives_one_without_rows(models, published, scored):
    table, found = scored(published.slice(0, 0), models["trip"].predict_trips)
    assert (found.rows, table.num_rows) == (0, 0)
    assert table.column_names == ["row", *KEYS, "minutes"]


def test_a_file_of_something_else_is_one_line(scored, models):
    with pytest.raises(InvalidRecords) as caught:
        scored(pa.table({"a": [1]}), models["linear"].predict_trips)
    assert "source.parquet has no column lpep_pickup_datetime, PULocationID, DOLo" in str(
        caught.value
    )
    assert "\n" not in str(caught.value)


def test_progress_is_told_with_the_total(models, published, scored):
    told = []
    scored(
        published,
        models["linear"].predict_trips,
        batch_rows=1500,
        progress=lambda *figures: told.append(figures),
    )
    assert told == [(1500, 3000), (3000, 3000)]


@settings(max_examples=25)
@given(st.data())
def test_a_row_has_the_same_minutes_whatever_rows_are_beside_it(models, published, data):
    rows = data.draw(st.lists(st.integers(0, 2999), min_size=1, max_size=40))
    predict = models["trip"].predict_trips
    alone = score(published.take(rows), "green", predict).to_numpy()
    everything = score(published, "green", predict).to_numpy()
    np.testing.assert_array_equal(alone, everything[rows])
