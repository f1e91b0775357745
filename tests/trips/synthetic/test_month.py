import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from fsspec.callbacks import Callback
from fsspec.core import url_to_fs
from hypothesis import given, settings
from hypothesis import strategies as st
from places import TLC

from taxi_pipeline.month import Month
from taxi_pipeline.trips.synthetic import month as synthetic
from taxi_pipeline.trips.synthetic.month import City, SyntheticFileSystem, columns, write_month

URL = "synthetic://green_tripdata_2021-01.parquet"
OF_THE_METER = [
    *("passenger_count", "RatecodeID", "payment_type", "trip_type"),
    *("store_and_fwd_flag", "congestion_surcharge"),
]

fsspec.register_implementation("synthetic", SyntheticFileSystem, clobber=True)


@pytest.fixture(scope="module")
def month_of(tmp_path_factory):
    """Months of the same city, each written once."""
    folder, made = tmp_path_factory.mktemp("city"), {}

    def month_of(taxi, month, rows=100_000):
        if (taxi, month) not in made:
            path = folder / f"{taxi}-{month}.parquet"
            write_month(path, taxi, Month.parse(month), rows=rows, seed=7)
            made[taxi, month] = pq.read_table(path)
        return made[taxi, month]

    return month_of


def content(path, taxi="green", month="2021-01", rows=500, seed=3):
    write_month(path, taxi, Month.parse(month), rows=rows, seed=seed)
    return path.read_bytes()


def array(table, name):
    return table[name].to_numpy()


def minutes(table, prefix="lpep"):
    seconds = pc.seconds_between(
        table[f"{prefix}_pickup_datetime"], table[f"{prefix}_dropoff_datetime"]
    )
    return seconds.to_numpy() / 60


def kept(table):
    return table.filter(pa.array((minutes(table) >= 1) & (minutes(table) <= 60)))


def mean_by_pair(table):
    """Mean minutes and number of the trips of each ordered pair of zones, both (266 * 266,)."""
    pair = array(table, "PULocationID") * 266 + array(table, "DOLocationID")
    count = np.bincount(pair, minlength=266 * 266)
    return np.bincount(pair, minutes(table), 266 * 266) / np.maximum(count, 1), count


def rmse(errors):
    return float(np.sqrt(np.mean(errors**2)))


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


def test_yellow_columns_change_with_february_2023():
    old, new = columns("yellow", Month(2023, 1)), columns("yellow", Month(2023, 2))
    assert old.names[:3] == ["VendorID", "tpep_pickup_datetime", "tpep_dropoff_datetime"]
    assert old.names[:-1] == new.names[:-1]
    assert (old.names[-1], new.names[-1]) == ("airport_fee", "Airport_fee")
    assert [old.field(n).type for n in ("VendorID", "RatecodeID", "payment_type")] == [
        *(pa.int64(), pa.float64(), pa.int64())
    ]
    assert [new.field(n).type for n in ("VendorID", "RatecodeID", "payment_type")] == [
        *(pa.int32(), pa.int64(), pa.int64())
    ]


@pytest.mark.parametrize("taxi", ["green", "yellow"])
def test_the_fee_of_the_business_district_is_the_last_column_from_2025(taxi):
    before, after = columns(taxi, Month(2024, 12)), columns(taxi, Month(2025, 1))
    assert after.names == [*before.names, "cbd_congestion_fee"]
    assert after.field("cbd_congestion_fee").type == pa.float64()


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


@settings(max_examples=25, deadline=None)
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


def test_each_origin_is_in_the_order_of_its_pickups_to_the_minute_but_for_a_few_strays(month_of):
    table = month_of("green", "2021-01")
    step = np.diff(array(table, "lpep_pickup_datetime"))
    assert np.mean(step < -np.timedelta64(1, "m")) < 0.001


def test_a_city_depends_on_its_seed_only_and_its_roads_are_as_long_both_ways():
    city, again, other = City.build(1), City.build(1), City.build(2)
    assert np.array_equal(city.miles, again.miles)
    assert not np.array_equal(city.miles, other.miles)
    assert np.array_equal(city.miles, city.miles.T)
    assert city.speed.shape == (synthetic.N_ZONES, 168)
    assert city.speed.min() > 0
    assert all(np.isclose(share.sum(), 1) for share in city.pickups.values())


def test_the_two_taxis_favour_different_zones(month_of):
    favourites = [
        np.argsort(np.bincount(array(month_of(taxi, "2021-01"), "PULocationID")))[-10:]
        for taxi in ("green", "yellow")
    ]
    assert len(np.intersect1d(*favourites)) <= 3


def test_durations_are_like_those_of_the_published_files(month_of):
    table = month_of("green", "2021-01")
    usual = kept(table)
    metered = pc.is_valid(usual["passenger_count"])
    assert 0.955 < len(usual) / len(table) < 0.97
    assert 12 < minutes(usual.filter(metered)).mean() < 16
    assert 19 < minutes(usual.filter(pc.invert(metered))).mean() < 24
    assert 10 < minutes(usual).std() < 12.5


def test_the_published_kinds_of_dirt_are_there(month_of):
    table = month_of("green", "2021-01")
    pickup, duration = array(table, "lpep_pickup_datetime"), minutes(table)
    miles = array(table, "trip_distance")
    month = pickup.astype("datetime64[M]")
    assert 3 <= np.sum(month != np.datetime64("2021-01")) <= 100
    assert np.any(pickup.astype("datetime64[D]") == np.datetime64("2009-01-01"))
    assert np.any(duration == 0)
    assert 1 <= np.sum(duration < 0) <= 50
    assert 0.0005 < np.mean(duration > 23 * 60) < 0.004
    assert 0.02 < np.mean(miles == 0) < 0.06
    assert 10 < np.sum(miles > 100) < 150
    assert 1_000 < miles.max() <= synthetic.LONGEST_MILES
    for zone in ("PULocationID", "DOLocationID"):
        ids = array(table, zone)
        assert ids.min() == 1
        assert {264, 265} <= set(ids)
        assert np.mean(ids >= 264) < 0.03


def test_a_negative_fare_takes_back_the_row_before(month_of):
    table = month_of("green", "2021-01").drop_columns(["ehail_fee", "payment_type"])
    reversals = np.flatnonzero(array(table, "fare_amount") < 0)
    assert 50 < len(reversals) < 500
    taken_back, originals = table.take(reversals), table.take(reversals - 1)
    for name in table.column_names:
        sign = -1 if name.endswith(("amount", "surcharge", "extra", "tax")) else 1
        expected = originals[name]
        if sign < 0:
            expected = pc.negate(expected)
        assert taken_back[name].to_pylist() == expected.to_pylist(), name


@pytest.mark.parametrize(
    ("month", "share"), [("2021-01", 0.47), ("2023-01", 0.06), ("2024-05", 0.06)]
)
def test_what_only_a_meter_records_is_null_together(month_of, month, share):
    table = month_of("green", month)
    null = pc.is_null(table["passenger_count"])
    for name in OF_THE_METER:
        assert pc.is_null(table[name]).equals(null), name
    assert np.isclose(np.mean(null.to_numpy()), share, atol=0.001)
    second = pc.second(table.filter(null)["lpep_pickup_datetime"]).to_numpy()
    assert np.mean(second == 0) > 0.9
    assert table["ehail_fee"].null_count == len(table)
    for name in {*table.column_names} - {*OF_THE_METER, "ehail_fee"}:
        assert table[name].null_count == 0, name


@pytest.mark.parametrize("month", ["2021-01", "2023-03"])
def test_a_yellow_record_without_a_meter_says_payment_0(month_of, month):
    table = month_of("yellow", month, 20_000)
    null = pc.is_null(table["passenger_count"])
    names = ["RatecodeID", "store_and_fwd_flag", "congestion_surcharge", table.column_names[-1]]
    for name in names:
        assert pc.is_null(table[name]).equals(null), name
    assert pc.equal(table["payment_type"], 0).equals(null)
    assert np.isclose(np.mean(null.to_numpy()), 0.05, atol=0.001)


@pytest.mark.parametrize(("taxi", "month"), [("green", "2021-01"), ("yellow", "2025-01")])
def test_a_total_is_the_sum_of_its_amounts(taxi, month, month_of):
    table = month_of(taxi, month, 20_000)
    total = array(table, "total_amount")
    amounts = ("amount", "extra", "tax", "surcharge", "Airport_fee", "cbd_congestion_fee")
    names = [n for n in table.column_names if n.endswith(amounts) and n != "total_amount"]
    paid = sum(np.nan_to_num(array(table, name)) for name in names)
    assert np.allclose(total, paid, atol=0.011)


def test_what_is_learnt_from_one_month_holds_in_the_next(month_of):
    first, second = kept(month_of("green", "2021-01")), kept(month_of("green", "2021-02"))
    (before, seen), (after, met) = mean_by_pair(first), mean_by_pair(second)
    often = (seen >= 20) & (met >= 20)
    assert np.corrcoef(before[often], after[often])[0, 1] > 0.95

    overall = minutes(first).mean()
    pair = array(second, "PULocationID") * 266 + array(second, "DOLocationID")
    looked_up = np.where(seen > 0, before, overall)[pair]
    ratio = rmse(minutes(second) - looked_up) / rmse(minutes(second) - overall)
    assert 0.6 < ratio < 0.8


def test_rush_hours_are_slower_than_nights(month_of):
    table = kept(month_of("green", "2021-01"))
    hour = pc.hour(table["lpep_pickup_datetime"]).to_numpy()
    miles = array(table, "trip_distance")
    usual = (miles > 0) & (miles < 100)

    def speed(hours):
        these = usual & np.isin(hour, hours)
        return miles[these].sum() / minutes(table)[these].sum()

    assert speed([1, 2, 3, 4]) > 1.2 * speed([15, 16, 17])


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


def test_a_url_fetches_the_month_it_names(tmp_path):
    fs, path = url_to_fs(f"{URL}?rows=321&seed=3&last=2021-01")
    assert path == "green_tripdata_2021-01.parquet?rows=321&seed=3&last=2021-01"
    fs.get_file(path, str(tmp_path / "a.parquet"))
    assert (tmp_path / "a.parquet").read_bytes() == content(tmp_path / "b.parquet", rows=321)
    fsspec.filesystem("synthetic").get_file(f"{URL}?rows=321&seed=3", tmp_path / "c.parquet")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "c.parquet").read_bytes()


def test_a_url_without_a_query_has_20000_rows_of_seed_0_and_the_callback_counts_them(tmp_path):
    callback = Callback()
    fsspec.filesystem("synthetic").get_file(URL, str(tmp_path / "a.parquet"), callback=callback)
    assert (callback.size, callback.value) == (20_000, 20_000)
    assert (tmp_path / "a.parquet").read_bytes() == content(
        tmp_path / "b.parquet", rows=20_000, seed=0
    )


def test_a_month_after_the_last_is_not_published(tmp_path):
    fs = fsspec.filesystem("synthetic")
    late = "synthetic://green_tripdata_2021-03.parquet?last=2021-02"
    assert fs.exists(f"{URL}?last=2021-01")
    assert not fs.exists(late)
    for ask in (fs.info, lambda url: fs.get_file(url, str(tmp_path / "a.parquet"))):
        with pytest.raises(FileNotFoundError, match="not published: the last month is 2021-02"):
            ask(late)
    assert not list(tmp_path.iterdir())


def test_the_info_of_a_month_is_that_of_a_file_of_unknown_size():
    fs, path = url_to_fs(f"{URL}?rows=9")
    assert fs.info(path) == {"name": path, "size": None, "type": "file"}
    assert fs.isfile(path)
    assert not fs.isdir(path)


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        (f"{URL}?columns=3", "rows, seed and last, not 'columns'"),
        (f"{URL}?rows=many", "rows must be an integer, not 'many'"),
        (f"{URL}?rows=1.5", "rows must be an integer, not '1.5'"),
        (f"{URL}?rows=", "rows must be an integer, not ''"),
        (f"{URL}?rows=0", "rows must be at least 1, not 0"),
        (f"{URL}?seed=-1", "seed must be at least 0, not -1"),
        (f"{URL}?last=2021", "a month is written YYYY-MM, not '2021'"),
        (f"{URL}?rows", "bad query field: 'rows'"),
        ("synthetic://green_tripdata_2021-13.parquet", "month must be from 1 to 12, not 13"),
        ("synthetic://red_tripdata_2021-01.parquet", "is named like .* not 'red_tripdata"),
        ("synthetic://green_tripdata_2021-1.parquet", "is named like"),
        ("synthetic://", "is named like .* not ''"),
    ],
)
def test_a_url_that_means_nothing_is_refused_in_one_line(url, complaint, tmp_path):
    fs, path = url_to_fs(url)
    for ask in (fs.info, fs.exists, lambda path: fs.get_file(path, str(tmp_path / "a.parquet"))):
        with pytest.raises(ValueError, match=complaint) as refused:
            ask(path)
        assert "\n" not in str(refused.value)
