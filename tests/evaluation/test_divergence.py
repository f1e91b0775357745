"""How far apart two distributions are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from taxi_pipeline.evaluation.divergence import (
    BINS,
    kolmogorov_smirnov,
    merge_bins,
    merge_categories,
    population_stability_index,
    wasserstein,
)


@st.composite
def pairs(draw, max_count=1000):
    """Counts of two samples in the same bins, none of them empty."""
    bins = draw(st.integers(1, 40))
    count = st.lists(st.integers(0, max_count), min_size=bins, max_size=bins).filter(any)
    return np.array(draw(count)), np.array(draw(count))


FIGURES = [
    population_stability_index,
    kolmogorov_smirnov,
    lambda before, now: wasserstein(np.arange(len(before)), before, now),
]
each_figure = pytest.mark.parametrize("figure", FIGURES, ids=["psi", "ks", "wasserstein"])


@each_figure
@given(pair=pairs())
def test_a_distance_is_not_negative_and_the_same_both_ways(figure, pair):
    before, now = pair
    assert figure(before, now) >= 0
    assert figure(before, now) == pytest.approx(figure(now, before), abs=1e-12)


@each_figure
@given(pair=pairs(), times=st.integers(1, 50))
def test_equal_shares_have_no_distance_however_many_were_counted(figure, pair, times):
    before, now = pair
    assert figure(before, before * times) == pytest.approx(0, abs=1e-9)
    assert figure(before, now * times) == pytest.approx(figure(before, now), abs=1e-9)


@given(pair=pairs())
def test_the_largest_difference_of_cumulated_shares_is_a_share(pair):
    assert 0 <= kolmogorov_smirnov(*pair) <= 1


@given(pair=pairs(max_count=30))
def test_the_statistic_of_counts_is_scipys_of_the_values_one_by_one(pair):
    values = [np.repeat(np.arange(len(counts)), counts) for counts in pair]
    expected = stats.ks_2samp(*values, method="asymp").statistic
    assert kolmogorov_smirnov(*pair) == pytest.approx(expected, abs=1e-12)


def test_the_index_of_two_known_distributions_is_as_computed_by_hand():
    # 0.1 ln(0.6 / 0.5) - 0.1 ln(0.4 / 0.5)
    found = population_stability_index(np.array([60, 40]), np.array([500, 500]))
    assert found == pytest.approx(0.0405465, abs=1e-6)


def test_a_bin_that_empties_adds_something_finite():
    found = population_stability_index(np.array([95, 5]), np.array([100, 0]))
    assert found == pytest.approx(0.05 * np.log(1 / 0.95) + 0.0499 * np.log(500), abs=1e-4)
    assert population_stability_index(np.array([1, 0]), np.array([0, 1])) == pytest.approx(
        18.42, abs=0.01
    )


def test_values_that_all_move_by_two_hours_moved_by_two_hours():
    before = np.array([0, 5, 9, 2, 0, 0, 0])
    moved = wasserstein(np.arange(7), before, np.roll(before, 2))
    assert moved == pytest.approx(2)
    assert kolmogorov_smirnov(before, np.roll(before, 2)) == pytest.approx(14 / 16)


@given(pair=pairs())
def test_merged_bins_hold_the_same_values_and_are_few(pair):
    merged = merge_bins(*pair)
    for counts, few in zip(pair, merged, strict=True):
        assert few.sum() == counts.sum()
        assert len(few) <= BINS
    swapped = merge_bins(*reversed(pair))
    np.testing.assert_array_equal(merged[0], swapped[1])


def test_a_merged_bin_has_about_a_tenth_of_the_values():
    before, _ = merge_bins(np.ones(1000), np.ones(1000))
    assert before.tolist() == [100] * BINS


def test_small_categories_are_one_category_together():
    before, now = merge_categories(np.array([500, 3, 496, 1]), np.array([400, 2, 597, 1]))
    assert before.tolist() == [500, 496, 4]
    assert now.tolist() == [400, 597, 3]
