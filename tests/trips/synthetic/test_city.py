import numpy as np
from synthetic_months import array

from taxi_pipeline.trips.synthetic.city import N_ZONES, City


def test_a_city_depends_on_its_seed_only_and_its_roads_are_as_long_both_ways():
    city, again, other = City.build(1), City.build(1), City.build(2)
    assert np.array_equal(city.miles, again.miles)
    assert not np.array_equal(city.miles, other.miles)
    assert np.array_equal(city.miles, city.miles.T)
    assert city.speed.shape == (N_ZONES, 168)
    assert city.speed.min() > 0
    assert all(np.isclose(share.sum(), 1) for share in city.pickups.values())


def test_the_two_taxis_favour_different_zones(month_of):
    favourites = [
        np.argsort(np.bincount(array(month_of(taxi, "2021-01"), "PULocationID")))[-10:]
        for taxi in ("green", "yellow")
    ]
    assert len(np.intersect1d(*favourites)) <= 3
