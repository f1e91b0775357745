"""How much a model reacts to each thing that is published of a trip."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from taxi_pipeline.evaluation.divergence import Counts
from taxi_pipeline.model.scoring import Predict

SWAPPED_TRIPS = 500
"""Trips among which values are swapped."""

SEED = 20210201
"""Every report swaps alike."""

ORIGIN = ("passengers", "rate_code", "trip_type", "partial")
"""What records of the other origin lack together."""

SWAPPED = {
    "miles": "metered_miles",
    "pickup_zone": "pickup_zone",
    "dropoff_zone": "dropoff_zone",
    "passengers": "passengers",
    "vendor": "vendor",
    "rate_code": "rate_code",
    "trip_type": "trip_type",
}
"""The column of clean trips that holds a feature."""


def sensitivity(predict: Predict, trips: pa.Table) -> dict[str, float]:
    """The minutes by which predictions change, on average, if a feature's values are swapped.

    Each feature's values are swapped among the trips while all others stay (Breiman, 2001), and the
    predictions are compared with those before rather than with what the trips took: so it counts
    how much the model reacts to a feature, whether or not these trips took part in its fit. What
    the recipe makes of a column (encodings by pair of zones, expected minutes) moves with it, so
    nothing need be known of the recipe: any model that predicts clean trips can be asked.

    Of a column with missing values those that are known are swapped. That values are missing counts
    as the record's origin: passengers, rate code and trip type are swapped together.

    Args:
        predict: the model.
        trips: clean trips.

    Returns:
        Minutes by feature, of those in :data:`taxi_pipeline.evaluation.drift.FEATURES` that are
        known before a trip ends or measured in it; 0 for what the model does not read.
    """
    variants = dict(_variants(trips))
    minutes = predict(pa.concat_tables([trips, *variants.values()])).reshape(-1, trips.num_rows)
    changes = np.abs(minutes[1:] - minutes[0]).mean(axis=1)
    return dict(zip(variants, changes.tolist(), strict=True))


def _variants(trips: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """The trips once for each feature, with its values swapped."""
    order = np.random.default_rng(SEED).permutation(trips.num_rows)
    at = trips["pickup_at"].to_numpy().astype("datetime64[us]")
    dates = at.astype("datetime64[D]").astype("datetime64[us]")
    times = at - dates
    yield "hour", _with(trips, "pickup_at", pa.array(dates + times[order]))
    yield "weekday", _with(trips, "pickup_at", pa.array(dates[order] + times))
    for feature, name in SWAPPED.items():
        yield feature, _with(trips, name, trips[name].take(_among_known(trips[name], order)))
    swapped = trips
    for name in ORIGIN:
        swapped = _with(swapped, name, trips[name].take(order))
    yield "origin", swapped


def _among_known(column: pa.ChunkedArray, order: Counts) -> Counts:
    """Which row each row takes its value from: those without a value keep that."""
    known = column.is_valid().to_numpy()
    chosen = np.arange(len(order))
    chosen[known] = order[known[order]]
    return chosen


def _with(trips: pa.Table, name: str, column: pa.Array | pa.ChunkedArray) -> pa.Table:
    place = trips.schema.get_field_index(name)
    field = trips.schema.field(place)
    return trips.set_column(place, field, column.cast(field.type))
