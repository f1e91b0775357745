"""Months of the synthetic city, and figures of their trips."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from taxi_pipeline.month import Month
from taxi_pipeline.trips.synthetic.month import write_month


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
