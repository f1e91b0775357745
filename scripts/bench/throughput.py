"""Transform and features of a large month, beside polars and DuckDB doing the same.

Usage: .venv/bin/python scripts/bench/throughput.py [--rows N] [--threads N] [--repeat N]
           [--json FILE]

A yellow month of the synthetic city is written once. The sides then run in turn, each in a process
of its own with so many threads, from the same file to the same two files: the clean trips (of 1 to
60 minutes, zones that exist, canonical columns) with the figures on their quality (rows dropped,
nulls, seven histograms), and the features of each trip; both compressed by zstd. Times are without
imports, the peak is of the whole process. The columns of all sides are compared; DuckDB's rows may
come in another order, where the pipeline and polars keep that of the published file.
"""

import argparse
import datetime as dt
import os
import sys
import tempfile
from pathlib import Path

import sides

from taxi_pipeline import Month

MONTH = Month(2023, 3)
MAX_MILES = 100.0
YEARS = (dt.date(2000, 1, 1), dt.date(2030, 12, 31))
HISTOGRAMS = {  # width of a bin, and the last one
    "minutes": (0.5, 120),
    "metered_miles": (0.25, 120),
    "passengers": (1, 9),
    "pickup_zone": (1, 265),
    "dropoff_zone": (1, 265),
    "hour": (1, 23),
    "weekday": (1, 6),
}
READ = {
    "VendorID": "vendor",
    "tpep_pickup_datetime": "pickup_at",
    "tpep_dropoff_datetime": "dropoff_at",
    "passenger_count": "passengers",
    "trip_distance": "metered_miles",
    "RatecodeID": "rate_code",
    "PULocationID": "pickup_zone",
    "DOLocationID": "dropoff_zone",
    "fare_amount": "fare",
}


def ours(published: Path, folder: Path) -> None:
    """What TransformTrips and BuildFeatures do."""
    from taxi_pipeline.model.feature_writing import write_features
    from taxi_pipeline.trips.cleaning import Rules, clean_file

    sides.start()
    trips = folder / "trips.parquet"
    clean_file(published, trips, taxi="yellow", month=MONTH, rules=Rules()).as_dict()
    write_features(trips, folder / "features.parquet", max_miles=MAX_MILES)


def holidays() -> list[dt.date]:
    """The federal holidays of all years that a pickup may be in."""
    from pandas.tseries.holiday import USFederalHolidayCalendar

    return list(USFederalHolidayCalendar().holidays(*YEARS).date)


def polars(published: Path, folder: Path) -> None:
    """The same by polars, streaming."""
    import polars as pl

    days = holidays()
    sides.start()
    rows = pl.scan_parquet(published).select(pl.col(name).alias(to) for name, to in READ.items())
    elapsed = (pl.col("dropoff_at") - pl.col("pickup_at")).dt.total_microseconds()
    count = pl.col("passengers").cast(pl.Int16)
    trips = rows.select(
        pickup_at="pickup_at",
        minutes=elapsed / 60e6,
        **{
            name: pl.when(pl.col(name).is_between(0, 2**15 - 1)).then(name).cast(pl.Int16)
            for name in ("pickup_zone", "dropoff_zone")
        },
        metered_miles=pl.when(pl.col("metered_miles").abs() <= 1e9).then("metered_miles"),  # noqa: PLR2004
        **{
            name: pl.when(pl.col(name).is_between(0, 2**15 - 1)).then(name).cast(pl.Int16)
            for name in ("vendor", "rate_code", "passengers")
        },
        trip_type=pl.lit(None, pl.Int16),
        partial=count.is_null(),
    ).filter(
        pl.col("minutes").is_between(1, 60),
        pl.col("pickup_zone").is_between(1, 265),
        pl.col("dropoff_zone").is_between(1, 265),
    )
    trips.sink_parquet(folder / "trips.parquet", compression="zstd", compression_level=1)
    clean = pl.scan_parquet(folder / "trips.parquet")
    hour, weekday = pl.col("pickup_at").dt.hour(), pl.col("pickup_at").dt.weekday() - 1
    described = clean.with_columns(hour=hour, weekday=weekday)
    figures = [rows.select(pl.len().alias("rows"), pl.all().null_count())]
    for name, (width, last) in HISTOGRAMS.items():
        figures += [
            described.select(
                mean=pl.col(name).mean(),
                std=pl.col(name).cast(pl.Float64).std(),
                min=pl.col(name).min(),
                max=pl.col(name).max(),
                nulls=pl.col(name).null_count(),
            ),
            described.group_by((pl.col(name) / width).floor().clip(0, last)).len(),
        ]
    pl.collect_all(figures, engine="streaming")
    number = pl.Float32
    is_holiday = pl.col("pickup_at").dt.date().is_in(days)
    miles = pl.col("metered_miles")
    features = clean.select(
        pickup_at="pickup_at",
        minutes="minutes",
        pickup_zone="pickup_zone",
        dropoff_zone="dropoff_zone",
        hour=hour.cast(number),
        weekday=weekday.cast(number),
        effective_weekday=pl.when(is_holiday).then(6).otherwise(weekday).cast(number),
        minute_of_day=(hour.cast(pl.Int32) * 60 + pl.col("pickup_at").dt.minute()).cast(number),
        whole_minute=(pl.col("pickup_at").dt.second() == 0).cast(number),
        metered_miles="metered_miles",
        miles=pl.when((miles > 0) & (miles < MAX_MILES)).then(miles).cast(number),
        **{
            name: pl.col(name).cast(number)
            for name in ("vendor", "rate_code", "passengers", "trip_type", "partial")
        },
    )
    features.sink_parquet(folder / "features.parquet", compression="zstd", compression_level=1)


def duckdb(published: Path, folder: Path) -> None:
    """The same by DuckDB."""
    import duckdb as engine

    days = ", ".join(f"DATE '{day}'" for day in holidays())
    sides.start()
    database = engine.connect()
    database.execute(f"SET threads = {len(os.sched_getaffinity(0))}")
    target = "(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)"

    def small(name: str) -> str:
        return f"CASE WHEN {name} BETWEEN 0 AND 32767 THEN {name}::SMALLINT END"

    database.execute(
        f"""COPY (
        SELECT * FROM (
            SELECT tpep_pickup_datetime AS pickup_at,
                epoch_us(tpep_dropoff_datetime - tpep_pickup_datetime) / 60e6 AS minutes,
                {small("PULocationID")} AS pickup_zone, {small("DOLocationID")} AS dropoff_zone,
                CASE WHEN abs(trip_distance) <= 1e9 THEN trip_distance END AS metered_miles,
                {small("VendorID")} AS vendor, {small("RatecodeID")} AS rate_code,
                {small("passenger_count")} AS passengers, NULL::SMALLINT AS trip_type,
                passenger_count IS NULL AS partial
            FROM '{published}'
        ) WHERE minutes BETWEEN 1 AND 60
            AND pickup_zone BETWEEN 1 AND 265 AND dropoff_zone BETWEEN 1 AND 265
        ) TO '{folder}/trips.parquet' {target}"""  # noqa: S608  (names of our own)
    )
    nulls = ", ".join(f"count(*) - count({name})" for name in READ)
    database.execute(f"SELECT count(*), {nulls} FROM '{published}'").fetchall()  # noqa: S608
    derived = f"""(SELECT *, hour(pickup_at) AS hour, isodow(pickup_at) - 1 AS weekday
        FROM '{folder}/trips.parquet')"""  # noqa: S608
    moments = ", ".join(
        f"avg({name}), stddev({name}), min({name}), max({name}), count({name})"
        for name in HISTOGRAMS
    )
    bins = ", ".join(
        f"histogram(least(greatest(floor({name} / {width}), 0), {last})::SMALLINT)"
        for name, (width, last) in HISTOGRAMS.items()
    )
    database.execute(f"SELECT {moments}, {bins} FROM {derived}").fetchall()  # noqa: S608
    kept = ", ".join(
        f"{name}::FLOAT AS {name}"
        for name in ("vendor", "rate_code", "passengers", "trip_type", "partial")
    )
    database.execute(
        f"""COPY (
        SELECT pickup_at, minutes, pickup_zone, dropoff_zone, hour(pickup_at)::FLOAT AS hour,
            (isodow(pickup_at) - 1)::FLOAT AS weekday,
            CASE WHEN pickup_at::DATE IN ({days}) THEN 6 ELSE isodow(pickup_at) - 1 END::FLOAT
                AS effective_weekday,
            (hour(pickup_at) * 60 + minute(pickup_at))::FLOAT AS minute_of_day,
            (second(pickup_at) = 0)::FLOAT AS whole_minute, metered_miles,
            CASE WHEN metered_miles > 0 AND metered_miles < {MAX_MILES} THEN metered_miles
                END::FLOAT AS miles, {kept}
        FROM '{folder}/trips.parquet') TO '{folder}/features.parquet' {target}"""  # noqa: S608
    )


SIDES = {"pipeline": ours, "polars": polars, "duckdb": duckdb}


def compare(folder: Path, others: list[str]) -> None:
    """End with a line if a side has made something else."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    def numbers(column: pa.ChunkedArray) -> np.ndarray:
        counted = column.cast("int64") if pa.types.is_timestamp(column.type) else column
        return counted.cast("float64").to_numpy()

    def same(mine: np.ndarray, theirs: np.ndarray) -> bool:
        return np.allclose(mine, theirs, rtol=1e-12, atol=0, equal_nan=True)

    for name in ("trips", "features"):
        made = pq.read_table(folder / "pipeline" / f"{name}.parquet")
        for side in others:
            other = pq.read_table(folder / side / f"{name}.parquet")
            for column in made.column_names:
                mine, theirs = (numbers(table[column]) for table in (made, other))
                if not same(mine, theirs) and not same(np.sort(mine), np.sort(theirs)):
                    sys.exit(f"{side} has another column {column} in {name}")


def main() -> None:
    """Write the month, measure the sides, print and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=3_400_000)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--side", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        folder = options.folder / options.side
        folder.mkdir(exist_ok=True)
        SIDES[options.side](options.folder / "published.parquet", folder)
        sides.stop()
        return

    from taxi_pipeline.trips.synthetic.month import write_month

    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.threads])
    names = ["pipeline", *sides.available("polars", "duckdb")]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_month(folder / "published.parquet", "yellow", MONTH, rows=options.rows, seed=0)
        figures = sides.in_turn(__file__, names, ["--folder", name], options.repeat)
        compare(folder, names[1:])
    print(f"{options.rows:,} rows, {options.threads} threads, medians of {options.repeat}")
    sides.show(figures, options.rows)
    sides.save(figures, options.json, rows=options.rows, threads=options.threads)


if __name__ == "__main__":
    main()
