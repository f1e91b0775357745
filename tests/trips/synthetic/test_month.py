import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from places import TLC
from synthetic_months import content

from taxi_pipeline.month import Month
from taxi_pipeline.trips.synthetic import month as synthetic
from taxi_pipeline.trips.synthetic.month import write_month
from taxi_pipeline.trips.synthetic.published_schema import columns


@pytest.mark.parametrize("month", ["2021-01", "2023-01", "2023-02"])
def test_a_file_has_the_schema_and_the_compression_of_the_published_one(month, tmp_path):
    published = TLC / f"green_tripdata_{month}.parquet"
    if not published.exists():
        pytest.skip(f"no published files in {TLC}: set TAXI_TLC_DIR")
    content(tmp_path / "a.parquet", month=month)
    ours, theirs = pq.ParquetFile(tmp_path / "a.parquet"), pq.ParquetFile(published)
    assert columns("green", Month.parse(month)) == theirs.schema_arrow.remove_metadata()
    assert ours.schema_arrow == theirs.schema_arrow.remove_metadata()
    assert ours.schema.equals(theirs.schema)
    codecs = [f.metadata.row_group(0).column(0).compression for f in (ours, theirs)]
    assert codecs[0] == codecs[1]


@pytest.mark.parametrize("month", ["2021-01", "2023-02", "2025-01"])
@pytest.mark.parametrize("taxi", ["green", "yellow"])
def test_the_same_arguments_give_the_same_bytes(taxi, month, tmp_path):
    first = content(tmp_path / "a.parquet", taxi, month)
    assert first == content(tmp_path / "b.parquet", taxi, month)
    assert pq.read_schema(tmp_path / "a.parquet") == columns(taxi, Month.parse(month))


@pytest.mark.parametrize(
    "other", [{"taxi": "yellow"}, {"month": "2021-02"}, {"rows": 501}, {"seed": 4}]
)
def test_other_arguments_give_other_bytes(other, tmp_path):
    assert content(tmp_path / "a.parquet") != content(tmp_path / "b.parquet", **other)


@settings(max_examples=25)
@given(
    rows=st.integers(1, 3_000),
    taxi=st.sampled_from(["green", "yellow"]),
    month=st.builds(Month, st.integers(2014, 2030), st.integers(1, 12)),
    seed=st.integers(0, 2**40),
)
def test_a_file_has_exactly_as_many_rows_as_were_asked_for(
    rows, taxi, month, seed, tmp_path_factory
):
    path = tmp_path_factory.mktemp("rows") / "a.parquet"
    write_month(path, taxi, month, rows=rows, seed=seed)
    assert pq.read_metadata(path).num_rows == rows


def test_a_file_is_written_in_chunks_and_tells_its_progress(tmp_path, monkeypatch):
    monkeypatch.setattr(synthetic, "CHUNK_ROWS", 100)
    told = []
    write_month(
        tmp_path / "a.parquet",
        "yellow",
        Month(2021, 1),
        rows=1_000,
        seed=0,
        progress=lambda done, total: told.append((done, total)),
    )
    assert pq.read_metadata(tmp_path / "a.parquet").num_row_groups == len(told) == 11
    assert told[-1] == (1_000, 1_000)
    assert told == sorted(told)
    assert {total for _, total in told} == {1_000}


@pytest.mark.parametrize(
    ("taxi", "rows", "seed", "complaint"),
    [
        ("red", 10, 0, "taxi must be one of green, yellow, not 'red'"),
        ("green", 0, 0, "rows must be at least 1, not 0"),
        ("green", 10, -1, "seed must be at least 0, not -1"),
    ],
)
def test_arguments_that_mean_nothing_are_refused(taxi, rows, seed, complaint, tmp_path):
    with pytest.raises(ValueError, match=complaint):
        write_month(tmp_path / "a.parquet", taxi, Month(2021, 1), rows=rows, seed=seed)
    assert not list(tmp_path.iterdir())
