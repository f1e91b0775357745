import numpy as np
import pyarrow.compute as pc
from synthetic_months import array, kept, mean_by_pair, minutes, rmse

from taxi_pipeline.trips.synthetic.driving import MAX_MILES


def test_each_origin_is_in_the_order_of_its_pickups_to_the_minute_but_for_a_few_strays(month_of):
    table = month_of("green", "2021-01")
    step = np.diff(array(table, "lpep_pickup_datetime"))
    assert np.mean(step < -np.timedelta64(1, "m")) < 0.001


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
    assert 1_000 < miles.max() <= MAX_MILES
    for zone in ("PULocationID", "DOLocationID"):
        ids = array(table, zone)
        assert ids.min() == 1
        assert {264, 265} <= set(ids)
        assert np.mean(ids >= 264) < 0.03


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
