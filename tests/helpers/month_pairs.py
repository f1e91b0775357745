"""Counts of a month, and of one of which a feature moved."""

from collections import Counter

from taxi_pipeline.evaluation.feature_drift import FEATURES
from taxi_pipeline.evaluation.month_counts import Distribution, MonthCounts
from taxi_pipeline.month import Month

JANUARY, FEBRUARY = Month(2021, 1), Month(2021, 2)
TRIPS = 4000


def even(values, missing=0):
    """So many trips with each of some values."""
    each, rest = divmod(TRIPS - missing, len(values))
    assert not rest
    return Distribution(Counter({float(value): each for value in values}), missing)


def month(which=JANUARY):
    """A month in which every value is as frequent as any other; half of the records are partial."""
    half = TRIPS // 2
    distributions = {
        "minutes": even(range(5, 25)),
        "metered_miles": even([0.5, 1.5, 2.5, 3.5, 7.5]),
        "hour": even(range(20)),
        "weekday": Distribution(Counter({float(day): 600 - 10 * day for day in range(7)})),
        "pickup_zone": even([41, 42, 74, 75, 166, 244, 95, 82]),
        "dropoff_zone": even([41, 42, 74, 75, 166, 244, 95, 82]),
        "passengers": even([1, 2, 3, 5], half),
        "vendor": Distribution(Counter({1.0: 1000, 2.0: 3000})),
        "rate_code": even([1, 5], half),
        "trip_type": even([1, 2], half),
        "partial": even([0, 1]),
    }
    assert set(distributions) == {feature.distribution for feature in FEATURES.values()}
    days = (which.end - which.start).days
    return MonthCounts(
        months=[which],
        rows_read=TRIPS + 100,
        rows_kept=TRIPS,
        dropped=Counter({"duration": 100}),
        nulls=Counter({"passenger_count": half, "VendorID": 0}),
        distributions=distributions,
        days=Counter({f"{which}-{day:02d}": 100 + day for day in range(1, days + 1)}),
        columns={"PULocationID": "int64", "ehail_fee": "null", "VendorID": "int64"},
    )


def moved(name, move, which=JANUARY):
    """The month with a distribution's values moved."""
    found = month(which)
    part = found.distributions[name]
    part.counts = Counter({move(value): count for value, count in part.counts.items()})
    return found
