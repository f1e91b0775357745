"""Where zones lie, learned from the distances of trips between them."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from taxi_pipeline.model import zones
from taxi_pipeline.model.means import PairSums
from taxi_pipeline.model.zones import N_ZONE_IDS

brief = settings(max_examples=30)
places = st.integers(1, 12)
trips = st.lists(st.tuples(places, places, st.floats(0.1, 50)), min_size=1, max_size=40)
plane = arrays(np.float64, st.tuples(st.integers(3, 20), st.just(2)), elements=st.floats(-9, 9))


def road_distances(rows):
    sums = PairSums()
    pickup, dropoff, miles = (np.array(column) for column in zip(*rows, strict=True))
    sums.add(pickup * N_ZONE_IDS + dropoff, np.ones(len(rows)), miles.astype(np.float64))
    total = sums.total()
    return zones.road_distances(total["miles"], total["known"])


def apart(points):
    return np.linalg.norm(points[:, None] - points[None], axis=-1)


def agree(some, others):
    np.testing.assert_allclose(some, others, rtol=1e-9, atol=1e-9)


@given(st.lists(st.integers(-2, 270) | st.sampled_from([-(2**15), 2**15 - 1]), max_size=20))
@example([0, 1, 265, 266])
def test_a_zone_is_its_number_and_one_that_tlc_does_not_know_the_unknown_zone(numbers):
    expected = [number if 1 <= number <= 265 else 264 for number in numbers]
    assert zones.indices(np.array(numbers, np.int16)).tolist() == expected


@brief
@given(trips)
def test_road_distances_are_a_metric(rows):
    distances = road_distances(rows)
    assert distances.shape == (N_ZONE_IDS, N_ZONE_IDS)
    agree(distances, distances.T)
    assert (distances.diagonal() == 0).all()
    met = distances[:13, :13]
    chained = (met[:, :, None] + met[None]).min(axis=1)
    assert (met <= chained + 1e-9).all()


@brief
@given(trips)
def test_a_pair_is_no_further_apart_than_the_mean_of_its_trips_either_way(rows):
    distances = road_distances(rows)
    for one, other, _ in rows:
        between = [miles for *pair, miles in rows if sorted(pair) == sorted((one, other))]
        assert distances[one, other] <= np.mean(between) + 1e-9


def test_a_pair_that_was_not_met_is_as_far_as_the_shortest_chain():
    distances = road_distances([(1, 2, 2.0), (2, 1, 4.0), (3, 2, 5.0), (3, 4, 1.0), (1, 4, 99.0)])
    assert distances[1, 2] == pytest.approx(3)
    assert distances[1, 3] == pytest.approx(8)
    assert distances[4, 1] == pytest.approx(9)


@brief
@given(trips, trips)
def test_zones_that_no_chain_of_trips_joins_are_infinitely_far(here, there):
    elsewhere = [(pickup + 100, dropoff + 100, miles) for pickup, dropoff, miles in there]
    distances = road_distances(here + elsewhere)
    assert np.isinf(distances[1:13, 101:113]).all()
    assert np.isinf(distances[0, 1:]).all()


@brief
@given(trips, places, places)
def test_a_trip_of_unknown_distance_changes_nothing(rows, pickup, dropoff):
    more = road_distances([*rows, (pickup, dropoff, np.nan)])
    np.testing.assert_array_equal(more, road_distances(rows))


@brief
@given(plane)
def test_points_in_a_plane_are_found_again_but_for_where_and_how_it_is_turned(points):
    placed = zones.coordinates(apart(points), 2)
    np.testing.assert_allclose(apart(placed), apart(points), atol=1e-5)
    np.testing.assert_allclose(placed.mean(axis=0), 0, atol=1e-6)


@brief
@given(plane)
def test_a_plane_needs_no_third_coordinate_and_the_first_spreads_widest(points):
    spread = zones.coordinates(apart(points), 3).std(axis=0)
    assert spread[2] < 1e-5
    assert spread[0] >= spread[1] - 1e-5


def test_zones_outside_the_largest_group_have_no_coordinates():
    chain = [(zone, zone + 1, 1.0) for zone in range(10, 16)]
    distances = road_distances([*chain, (1, 2, 1.0), (2, 3, 1.0)])
    placed = zones.coordinates(distances, 2)
    assert np.flatnonzero(np.isfinite(placed).all(axis=1)).tolist() == list(range(10, 17))
    agree(apart(placed[10:17]), distances[10:17, 10:17])


def test_no_chain_leads_through_what_is_no_place():
    distances = road_distances([(1, 264, 1.0), (264, 2, 1.0), (1, 265, 1.0), (265, 2, 1.0)])
    assert np.isinf(distances[1, [2, 264, 265]]).all()


def test_axes_point_the_same_way_whatever_rounding_does():
    points = np.random.default_rng(3).normal(size=(50, 2))
    noise = np.random.default_rng(4).normal(scale=1e-12, size=(50, 50))
    distances = apart(points)
    agree(zones.coordinates(distances, 2), zones.coordinates(distances + noise + noise.T, 2))


def test_coordinates_beyond_what_the_zones_need_are_zero():
    placed = zones.coordinates(np.array([[0.0, 2.0], [2.0, 0.0]]), 4)
    agree(np.abs(placed), [[1, 0, 0, 0], [1, 0, 0, 0]])


@given(arrays(np.float64, 6, elements=st.floats(0, 1e3) | st.just(np.inf)), st.floats(0.01, 10))
def test_proximity_falls_from_one_at_no_distance_to_none_where_no_trip_leads(distances, bandwidth):
    distances = np.sort(distances)
    near = zones.proximity_weights(distances, bandwidth)
    assert ((near >= 0) & (near <= 1)).all()
    assert (np.diff(near) <= 0).all()
    assert (near[distances == 0] == 1).all()
    assert (near[np.isinf(distances)] == 0).all()


def test_proximity_falls_by_e_over_the_bandwidth():
    np.testing.assert_allclose(zones.proximity_weights(np.array([0.5, 1.0]), 0.5), np.exp([-1, -2]))
