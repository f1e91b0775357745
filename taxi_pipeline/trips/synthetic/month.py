"""A synthetic city: files of trip records like those TLC publishes, made without a network.

A deterministic simulator for the demo, the tests and the benchmarks. The city (where its zones
lie, how popular and how fast they are) follows from the seed alone, so that what a model learns
from one month holds in the next; the trips follow from the seed, the taxi, the month and the
number of rows. The records have the published columns, types, order and compression, and the
published kinds of dirt at about the published shares.

Figures called *measured* are those of the files that TLC published for green taxis of January
2021, rounded. Distances are in miles, speeds in miles an hour and amounts in dollars, as in the
published files; a time is in whole seconds since 1970 in New York's local time.

As in the published files, the rows of metered trips come first and those of dispatched trips
after them, each in the order of their pickups.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from fsspec.callbacks import DEFAULT_CALLBACK, Callback
from fsspec.spec import AbstractFileSystem
from numpy.random import Generator, SeedSequence, default_rng
from numpy.typing import NDArray

from taxi_pipeline.month import Month
from taxi_pipeline.trips import TAXIS, schema
from taxi_pipeline.trips.synthetic.city import (
    ATTRACTION,
    GRAVITY,
    LENGTH_POWER,
    N_ZONES,
    NEAR,
    City,
    Floats,
    Ints,
)

CHUNK_ROWS = 250_000
"""Rows of a row group, the most that is held in memory."""

NEW_TYPES = Month(2023, 2)
"""The first month of the present column types and compression."""

NEW_TARIFF = Month(2023, 1)
"""The first whole month of the tariff that came into force on 2022-12-19."""

CBD_FEE = Month(2025, 1)
"""The first month of the fee for driving into the central business district."""

UNKNOWN_ZONE, OUTSIDE_ZONE = schema.UNKNOWN_ZONES

LONGEST_MILES = 244_152.01
"""The greatest distance ever published (green, 2021-01)."""

HOUR, DAY = 3_600, 86_400
"""Seconds of an hour and of a day."""

# --- what TLC publishes -----------------------------------------------------------------------

_ORDER = {
    "green": (
        "VendorID lpep_pickup_datetime lpep_dropoff_datetime store_and_fwd_flag RatecodeID"
        " PULocationID DOLocationID passenger_count trip_distance fare_amount extra mta_tax"
        " tip_amount tolls_amount ehail_fee improvement_surcharge total_amount payment_type"
        " trip_type congestion_surcharge"
    ),
    "yellow": (
        "VendorID tpep_pickup_datetime tpep_dropoff_datetime passenger_count trip_distance"
        " RatecodeID store_and_fwd_flag PULocationID DOLocationID payment_type fare_amount extra"
        " mta_tax tip_amount tolls_amount improvement_surcharge total_amount congestion_surcharge"
        " airport_fee"
    ),
}
_IDS = ("VendorID", "PULocationID", "DOLocationID")
_COUNTS = ("passenger_count", "RatecodeID", "payment_type", "trip_type")
_OF_THE_METER = (*_COUNTS, "store_and_fwd_flag", "congestion_surcharge", "airport_fee")
_AMOUNTS = (
    *("fare_amount", "extra", "mta_tax", "tip_amount", "tolls_amount", "improvement_surcharge"),
    *("congestion_surcharge", "airport_fee", "cbd_congestion_fee"),
)


def columns(taxi: str, month: Month) -> pa.Schema:
    """The columns of the file that TLC publishes for a month: names, order and types.

    Args:
        taxi: "green" or "yellow".
        month: the month of the file; the types changed with 2023-02, and 2025-01 has one more
            column.

    Raises:
        ValueError: there is no such taxi.
    """
    _check_taxi(taxi)
    new = month >= NEW_TYPES
    types = {
        **dict.fromkeys(_IDS, pa.int32() if new else pa.int64()),
        **dict.fromkeys(_COUNTS, pa.int64() if new else pa.float64()),
        schema.pickup_column(taxi): pa.timestamp("us"),
        schema.dropoff_column(taxi): pa.timestamp("us"),
        "store_and_fwd_flag": pa.large_string() if new else pa.string(),
        "ehail_fee": pa.float64() if new else pa.null(),
    }
    if taxi == "yellow":
        types["payment_type"] = pa.int64()
    names = _ORDER[taxi].split()
    if month >= CBD_FEE:
        names.append("cbd_congestion_fee")
    published = {"airport_fee": "Airport_fee"} if new else {}
    return pa.schema([(published.get(name, name), types.get(name, pa.float64())) for name in names])


def _check_taxi(taxi: str) -> None:
    if taxi not in TAXIS:
        raise ValueError(f"taxi must be one of {', '.join(TAXIS)}, not {taxi!r}")


# --- who orders the trips ---------------------------------------------------------------------


@dataclass(frozen=True)
class Origin:
    """A population of trips, and how its records go wrong; shares are of its rows.

    Attributes:
        by_hour: demand of each hour of the day, relative.
        by_weekday: demand of each day of the week from Monday, relative.
        evenness: power of the zones' popularity; 1 is that of metered pickups, 0 is even.
        reach: miles beyond which the wish to go somewhere falls with `GRAVITY`.
        overhead: mean minutes before and after the driving.
        complete: whether the meter's columns are recorded, or null together.
        whole_minutes: share of trips whose times are rounded to minutes.
        cancelled: trips that end within a minute.
        waiting: trips that wait on the way for most of an hour or some hours.
        no_distance: zero miles, besides those of the cancelled trips.
        absurd_distance: up to `LONGEST_MILES`.
        never_stopped: meters that ran on for more than 23 hours.
        reversed: rows that take back the row before.
    """

    by_hour: tuple[float, ...]
    by_weekday: tuple[float, ...]
    evenness: float
    reach: float
    overhead: float
    complete: bool
    whole_minutes: float
    cancelled: float
    waiting: float
    no_distance: float
    absurd_distance: float
    never_stopped: float
    reversed: float


# Measured, except evenness, reach, overhead and waiting: these are set so that the lengths and
# durations of the trips agree with the measured ones.
METERED = Origin(
    by_hour=(
        *(0.30, 0.20, 0.15, 0.10, 0.10, 0.16, 0.40, 0.85, 1.28, 1.47, 1.50, 1.51),
        *(1.55, 1.69, 1.79, 1.96, 2.03, 1.81, 1.64, 1.33, 0.90, 0.63, 0.51, 0.39),
    ),
    by_weekday=(0.92, 0.99, 1.02, 1.05, 1.18, 1.08, 0.76),
    evenness=1.0,
    reach=1.0,
    overhead=1.0,
    complete=True,
    whole_minutes=0.0,
    cancelled=0.035,
    waiting=0.012,
    no_distance=0.025,
    absurd_distance=0.00005,
    never_stopped=0.0025,
    reversed=0.003,
)
DISPATCHED = Origin(
    by_hour=(
        *(0.08, 0.05, 0.03, 0.05, 0.18, 0.40, 0.67, 1.34, 1.89, 2.37, 2.43, 2.18),
        *(2.11, 2.11, 1.84, 1.59, 1.35, 0.97, 0.71, 0.61, 0.43, 0.26, 0.21, 0.13),
    ),
    by_weekday=(1.06, 1.19, 1.22, 1.19, 1.19, 0.64, 0.51),
    evenness=0.45,
    reach=2.6,
    overhead=3.0,
    complete=False,
    whole_minutes=0.98,
    cancelled=0.0005,
    waiting=0.003,
    no_distance=0.014,
    absurd_distance=0.001,
    never_stopped=0.0,
    reversed=0.0001,
)

# What every population shares. No negative duration was measured; other files have a few.
_OTHER_MONTH, _NEGATIVE, _UNKNOWN, _OUTSIDE = 0.0002, 0.0001, 0.006, 0.004
_AT_ONCE = 0.03  # of the cancelled trips: begun and ended in the same second
_CLOCK_RESET = int(np.datetime64("2009-01-01", "s").astype(np.int64))

_DISTANCE_SPREAD, _DURATION_SPREAD = 0.12, 0.24  # of the logarithms, trip by trip


def _dispatched_share(taxi: str, month: Month) -> float:
    """The share of dispatched trips: 5 % of yellow ones; 47 % of green in 2021-01, 6 % in 2023."""
    if taxi == "yellow":
        return 0.05
    years = month.year + (month.month - 1) / 12
    return float(np.interp(years, [2021.0, 2023.0], [0.47, 0.06]))


# --- what happens -----------------------------------------------------------------------------


@dataclass(frozen=True)
class _Stream:
    """All trips of one population in one month, as distributions to draw from."""

    city: City
    taxi: str
    month: Month
    origin: Origin
    demand: Floats
    """Share of the month's trips before each of its hours and before its end, from 0 to 1."""
    pairs: Floats
    """Share of trips up to each ordered pair of zones, in the order of the raveled matrix."""

    @classmethod
    def of(cls, city: City, taxi: str, month: Month, origin: Origin) -> _Stream:
        hours = np.arange((month.end - month.start).days * 24)
        weekday = (month.start.weekday() + hours // 24) % 7
        demand = np.array(origin.by_hour)[hours % 24] * np.array(origin.by_weekday)[weekday]
        wish = sum(city.pickups.values()) ** ATTRACTION / (1 + city.miles / origin.reach) ** GRAVITY
        wish[np.diag_indices(N_ZONES)] *= NEAR
        wish /= wish.sum(axis=1, keepdims=True)
        pairs = city.pickups[taxi][:, None] ** origin.evenness * wish
        return cls(
            city,
            taxi,
            month,
            origin,
            demand=np.concatenate([[0.0], _cumulative(demand)]),
            pairs=_cumulative(pairs),
        )


def _cumulative(weights: Floats) -> Floats:
    """The share of all weight up to each element, flattened; the last is exactly 1."""
    total: Floats = np.cumsum(weights)
    shares: Floats = total / total[-1]
    return shares


@dataclass
class _Trips:
    """Trips, one an element; what the records say, right or wrong."""

    pickup: Ints
    seconds: Ints
    """From pickup to dropoff."""
    start: Ints
    """Zone id of the pickup."""
    end: Ints
    """Zone id of the dropoff."""
    miles: Floats


def _drive(stream: _Stream, rng: Generator, rows: int, part: tuple[float, float]) -> _Trips:
    """Trips as they happen, in the order of their pickups.

    Args:
        stream: the population and the month.
        rng: the source of chance.
        rows: how many trips.
        part: which part of the month's demand they cover, as shares from 0 to 1.
    """
    city, origin = stream.city, stream.origin
    when = np.sort(rng.uniform(*part, rows))
    hours = np.interp(when, stream.demand, np.arange(len(stream.demand)))
    pickup = _epoch(stream.month) + (hours * HOUR).astype(np.int64)
    start, end = np.divmod(np.searchsorted(stream.pairs, rng.random(rows)), N_ZONES)
    cancelled = _some(rng, rows, origin.cancelled)
    end[cancelled] = start[cancelled]

    miles = city.miles[start, end] * _noise(rng, rows, _DISTANCE_SPREAD)
    miles += (city.within[start] + city.within[end]) * rng.standard_gamma(2.0, rows, np.float32) / 4

    hour = _hour_of_week(pickup)
    speed = np.sqrt(city.speed[start, hour] * city.speed[end, hour])
    minutes = origin.overhead + 60 * miles ** (1 - LENGTH_POWER) / speed
    minutes *= _noise(rng, rows, _DURATION_SPREAD)
    waiting = _some(rng, rows, origin.waiting)
    minutes[waiting] += rng.uniform(40, 180, len(waiting))
    seconds = (minutes * 60).astype(np.int64)

    miles[cancelled] = rng.choice([0.0, 0.0, 0.0, 0.01, 0.1], len(cancelled))
    seconds[cancelled] = rng.integers(1, 60, len(cancelled))
    return _Trips(pickup, seconds, start + 1, end + 1, miles.astype(np.float64))


def _misrecord(trips: _Trips, stream: _Stream, rng: Generator) -> None:
    """Spoil a few records, and round the times of the population that rounds them."""
    origin, rows = stream.origin, len(trips.pickup)
    rounded = rng.random(rows) < origin.whole_minutes
    trips.pickup[rounded] -= trips.pickup[rounded] % 60
    trips.seconds[rounded] -= trips.seconds[rounded] % 60

    trips.miles[_some(rng, rows, origin.no_distance)] = 0.0
    absurd = _some(rng, rows, origin.absurd_distance)
    trips.miles[absurd] = LONGEST_MILES ** rng.uniform(0.4, 1.0, len(absurd))

    running = _some(rng, rows, origin.never_stopped)
    trips.seconds[running] = rng.integers(23 * HOUR, DAY, len(running))
    trips.seconds[_some(rng, rows, origin.cancelled * _AT_ONCE)] = 0
    negative = _some(rng, rows, _NEGATIVE)
    trips.seconds[negative] = -rng.integers(1, HOUR, len(negative))

    unknown = _some(rng, rows, _UNKNOWN)
    trips.end[unknown] = UNKNOWN_ZONE
    trips.start[unknown[::2]] = UNKNOWN_ZONE
    outside = _some(rng, rows, _OUTSIDE)
    trips.end[outside] = OUTSIDE_ZONE
    trips.start[outside[::3]] = OUTSIDE_ZONE

    strays = _some(rng, rows, _OTHER_MONTH)
    reset, late, early = strays[::3], strays[1::3], strays[2::3]
    trips.pickup[reset] = _CLOCK_RESET + rng.integers(0, DAY, len(reset))
    trips.pickup[late] = _epoch(stream.month + 1) + rng.integers(0, 8 * HOUR, len(late))
    trips.pickup[early] = _epoch(stream.month) - rng.integers(1, 7 * DAY, len(early))


def _epoch(month: Month) -> int:
    return int(np.datetime64(month.start, "s").astype(np.int64))


def _hour_of_week(seconds: Ints) -> Ints:
    """Hours since Monday 0:00 of times since 1970, which began on a Thursday."""
    return (seconds // HOUR + 3 * 24) % (7 * 24)


def _some(rng: Generator, rows: int, share: float) -> Ints:
    """The indices of about this share of the rows, in no order."""
    return rng.integers(0, rows, rng.binomial(rows, share))


def _noise(rng: Generator, rows: int, spread: float) -> Floats:
    """Factors around 1 whose logarithm has this standard deviation, shape (rows,)."""
    factors: Floats = np.exp(rng.standard_normal(rows, np.float32) * np.float32(spread))
    return factors


# --- what is recorded -------------------------------------------------------------------------


class Tariff(NamedTuple):
    """What a meter counts (TLC's taxi fare), in dollars."""

    at_start: float
    unit: float
    """For a fifth of a mile, or for a minute below 12 miles an hour."""
    rush: float
    """Extra on weekdays from 16:00 to 20:00."""
    night: float
    """Extra from 20:00 to 6:00."""
    improvement: float


_OLD_TARIFF = Tariff(2.50, 0.50, 1.00, 0.50, 0.30)
_NEW_TARIFF = Tariff(3.00, 0.70, 2.50, 1.00, 1.00)
_CONGESTION = {"green": 2.75, "yellow": 2.50}
_AIRPORT, _CBD, _MTA, _TOLL = 1.25, 0.75, 0.50, 6.55
_TIP_SPREAD = 0.4  # of the logarithm of a tip's share of the fare
_TOLLED = 0.3  # of the trips between boroughs

# One of these is drawn for each row: the measured shares, in thousandths.
_PASSENGERS = np.repeat([1, 2, 5, 3, 6, 4, 0], [900, 59, 18, 8, 8, 4, 3])
_PAYMENTS = np.repeat([1, 2, 3, 4], [604, 387, 7, 2])
_RATES = np.repeat([1, 5], [966, 34])
_VENDORS = np.repeat([1, 2], [176, 824])
_FLAGS = np.repeat([0, 1], [993, 7])
_CARD, _DISPUTE, _NEGOTIATED = 1, 4, 5


def _payments(trips: _Trips, stream: _Stream, rng: Generator) -> dict[str, NDArray[Any]]:
    """How each trip is paid and what for: the columns of the fare, without the total."""
    city, rows = stream.city, len(trips.pickup)
    tariff = _NEW_TARIFF if stream.month >= NEW_TARIFF else _OLD_TARIFF
    start, end = trips.start - 1, trips.end - 1
    rate, payment = rng.choice(_RATES, rows), rng.choice(_PAYMENTS, rows)
    negotiated = rate == _NEGOTIATED
    metered = ~negotiated & stream.origin.complete

    units = np.ceil(np.maximum(5 * trips.miles, trips.seconds / 60))
    fare = tariff.at_start + tariff.unit * units
    fare[negotiated] = np.ceil(fare[negotiated])
    tip = fare * np.where(payment == _CARD, 0.2, 0.0) * _noise(rng, rows, _TIP_SPREAD)
    tolled = (city.borough[start] != city.borough[end]) & (rng.random(rows) < _TOLLED)
    central = city.central[start] | city.central[end]
    return {
        "RatecodeID": rate,
        "trip_type": np.where(negotiated, 2, 1),
        "payment_type": payment,
        "fare_amount": fare,
        "extra": _extras(tariff)[_hour_of_week(trips.pickup)] * metered,
        "mta_tax": _MTA * metered,
        "tip_amount": tip,
        "tolls_amount": _TOLL * tolled,
        "improvement_surcharge": np.full(rows, tariff.improvement),
        "congestion_surcharge": _CONGESTION[stream.taxi] * central,
        "airport_fee": _AIRPORT * (start == city.airport),
        "cbd_congestion_fee": _CBD * central,
    }


def _extras(tariff: Tariff) -> Floats:
    """The extra of each hour of the week, shape (168,)."""
    week = np.zeros((7, 24))
    week[:5, 16:20] = tariff.rush
    week[:, 20:] = week[:, :6] = tariff.night
    return week.ravel()


def _take_back(values: dict[str, NDArray[Any]], originals: Ints) -> None:
    """Make the row after each of these reverse it: the same trip with negative amounts."""
    for column in values.values():
        column[originals + 1] = column[originals]
    for name in _AMOUNTS:
        values[name][originals + 1] *= -1
    values["payment_type"][originals + 1] = _DISPUTE


def _leave_out_meter(values: dict[str, NDArray[Any]], taxi: str) -> None:
    """Leave out, which is to say null, what only a meter records; yellow says payment 0."""
    for name in _OF_THE_METER:
        del values[name]
    if taxi == "yellow":
        values["payment_type"] = np.zeros_like(values["VendorID"])


def _arrow(column: NDArray[Any] | None, kind: pa.DataType, rows: int) -> pa.Array:
    """A column in its published type: null where there is none, amounts and miles to the cent."""
    if column is None:
        return pa.nulls(rows, kind)
    if pa.types.is_timestamp(kind):
        return pa.array(column.astype("datetime64[s]").astype("datetime64[us]"), kind)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return pa.DictionaryArray.from_arrays(pa.array(column), ["N", "Y"]).cast(kind)
    return pa.array(column.astype(kind.to_pandas_dtype(), copy=False).round(2))


def _records(
    stream: _Stream, rng: Generator, rows: int, part: tuple[float, float]
) -> pa.RecordBatch:
    """The published records of a part of the month (see `_drive` for the arguments)."""
    trips = _drive(stream, rng, rows, part)
    values = _payments(trips, stream, rng)
    _misrecord(trips, stream, rng)
    values |= {
        "VendorID": rng.choice(_VENDORS, rows),
        schema.pickup_column(stream.taxi): trips.pickup,
        schema.dropoff_column(stream.taxi): trips.pickup + trips.seconds,
        "store_and_fwd_flag": rng.choice(_FLAGS, rows),
        "PULocationID": trips.start,
        "DOLocationID": trips.end,
        "passenger_count": rng.choice(_PASSENGERS, rows),
        "trip_distance": trips.miles,
    }
    _take_back(values, 2 * _some(rng, rows // 2, 2 * stream.origin.reversed))
    if not stream.origin.complete:
        _leave_out_meter(values, stream.taxi)

    published = columns(stream.taxi, stream.month)
    names = ["airport_fee" if name == "Airport_fee" else name for name in published.names]
    paid = [values[name] for name in names if name in values.keys() & _AMOUNTS]
    values["total_amount"] = np.sum(paid, axis=0)
    arrays = [
        _arrow(values.get(name), field.type, rows)
        for name, field in zip(names, published, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=published)


# --- the file ---------------------------------------------------------------------------------


def write_month(  # noqa: PLR0913 - what determines the file, and how to tell of its progress
    path: Path,
    taxi: str,
    month: Month,
    *,
    rows: int,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write the file of a month, the same bytes for the same arguments.

    It is written in row groups of at most `CHUNK_ROWS` rows, so that memory does not grow with
    the number of rows. A failure may leave a part of the file at the path.

    Args:
        path: the file to write; its folder exists.
        taxi: "green" or "yellow".
        month: the month of the trips.
        rows: how many, at least 1.
        seed: chooses the city and, with all of the above but the path, the trips; at least 0.
        progress: is told the rows written so far and the rows in all, after each row group.

    Raises:
        ValueError: there is no such taxi, or rows or seed is too small.
    """
    _check_taxi(taxi)
    _check_at_least("rows", rows, 1)
    _check_at_least("seed", seed, 0)
    compression = "zstd" if month >= NEW_TYPES else "gzip"
    published = columns(taxi, month)
    written = 0
    with pq.ParquetWriter(
        path, published, version="1.0", compression=compression, compression_level=1
    ) as writer:
        for batch in _batches(taxi, month, rows, seed):
            writer.write_batch(batch)
            written += batch.num_rows
            if progress is not None:
                progress(written, rows)


def _batches(taxi: str, month: Month, rows: int, seed: int) -> Iterator[pa.RecordBatch]:
    city = City.build(seed)
    dispatched = round(rows * _dispatched_share(taxi, month))
    for number, (origin, size) in enumerate(
        [(METERED, rows - dispatched), (DISPATCHED, dispatched)]
    ):
        stream = _Stream.of(city, taxi, month, origin)
        for first in range(0, size, CHUNK_ROWS):
            last = min(first + CHUNK_ROWS, size)
            chance = [seed, TAXIS.index(taxi), month.year, month.month, number, first]
            rng = default_rng(SeedSequence(chance))
            yield _records(stream, rng, last - first, (first / size, last / size))


def _check_at_least(name: str, value: int, least: int) -> None:
    if value < least:
        raise ValueError(f"{name} must be at least {least}, not {value}")


# --- as a filesystem --------------------------------------------------------------------------

_EXAMPLE = "green_tripdata_2021-01.parquet"
_FILE = re.compile(r"(green|yellow)_tripdata_(\d{4}-\d{2})\.parquet")


class _Request(NamedTuple):
    """What a path of the synthetic filesystem asks for."""

    taxi: str
    month: Month
    rows: int
    seed: int

    @classmethod
    def parse(cls, path: str) -> _Request:
        """The request of ``{taxi}_tripdata_{YYYY-MM}.parquet?rows=...&seed=...&last=...``.

        Raises:
            ValueError: the path has another form, or a value means nothing.
            FileNotFoundError: the month is after the last one that is published.
        """
        name, _, query = path.partition("?")
        match = _FILE.fullmatch(name)
        if match is None:
            raise ValueError(f"a synthetic file is named like {_EXAMPLE}, not {name!r}")
        month = Month.parse(match[2])
        options = dict(parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query)))
        rows = _integer("rows", options.pop("rows", "20000"), 1)
        seed = _integer("seed", options.pop("seed", "0"), 0)
        last = Month.parse(options.pop("last", str(month)))
        if options:
            raise ValueError(f"a synthetic file has rows, seed and last, not {min(options)!r}")
        if month > last:
            raise FileNotFoundError(f"{name} is not published: the last month is {last}")
        return cls(match[1], month, rows, seed)


def _integer(name: str, text: str, least: int) -> int:
    if re.fullmatch(r"-?[0-9]{1,18}", text) is None:
        raise ValueError(f"{name} must be an integer, not {text!r}")
    _check_at_least(name, int(text), least)
    return int(text)


class SyntheticFileSystem(AbstractFileSystem):  # type: ignore[misc] # fsspec carries no types
    """The files of a synthetic city, made when they are fetched.

    A path is ``synthetic://{taxi}_tripdata_{YYYY-MM}.parquet?rows=20000&seed=0&last=YYYY-MM``
    with an optional query: how many rows, which city, and the last month that is published
    (every month, if it is not given).

    Every method raises `ValueError`, in one line, for a path of another form.
    """

    protocol = "synthetic"

    def info(self, path: str, **_options: Any) -> dict[str, Any]:
        """The name of the file and its type; its size is None, being known only once it is made.

        Raises:
            FileNotFoundError: the month is after the last one that is published.
        """
        path = self._strip_protocol(path)
        _Request.parse(path)
        return {"name": path, "size": None, "type": "file"}

    def exists(self, path: str, **_options: Any) -> bool:
        """Whether the month is published."""
        try:
            self.info(path)
        except FileNotFoundError:
            return False
        return True

    def get_file(
        self, rpath: str, lpath: str, callback: Callback = DEFAULT_CALLBACK, **_options: Any
    ) -> None:
        """Make the file at a local path, by way of `write_month`.

        Args:
            rpath: which file.
            lpath: the local path; its folder exists.
            callback: is told of the progress; its unit is rows, not bytes.

        Raises:
            FileNotFoundError: the month is after the last one that is published.
        """
        asked = _Request.parse(self._strip_protocol(rpath))
        callback.set_size(asked.rows)
        write_month(
            Path(lpath),
            asked.taxi,
            asked.month,
            rows=asked.rows,
            seed=asked.seed,
            progress=lambda done, _total: callback.absolute_update(done),
        )
