"""How far each feature drifted, and which of them matter."""

from dataclasses import replace

import pytest
from month_pairs import month, moved

from taxi_pipeline.evaluation.feature_drift import (
    FEATURES,
    MODERATE,
    STABLE,
    STRONG,
    TOO_FEW,
    Thresholds,
    drift_of_features,
    in_words,
    ranked,
    too_far,
)

IMPORTANCE = {"miles": 6.0, "hour": 3.5, "vendor": 0.5}


def drift(before, now, thresholds=Thresholds(), importance=IMPORTANCE):  # noqa: B008
    return {one.feature: one for one in drift_of_features(before, now, thresholds, importance)}


def test_the_same_month_has_no_drift_in_any_feature():
    found = drift(month(), month())
    assert set(found) == set(FEATURES)
    for one in found.values():
        assert one.psi == 0
        assert one.verdict == STABLE
        assert not one.ks
        assert not one.wasserstein


def test_numbers_have_distances_in_their_unit_and_categories_have_none():
    found = drift(month(), moved("hour", lambda hour: hour + 3))
    assert found["hour"].wasserstein == pytest.approx(3, abs=1e-6)
    assert found["hour"].unit == "hours"
    assert found["hour"].mean_now == pytest.approx(found["hour"].mean_before + 3, abs=1e-3)
    assert found["hour"].verdict == STRONG
    assert found["pickup_zone"].ks is found["pickup_zone"].wasserstein is None
    assert {one.feature for one in found.values() if one.drifted} == {"hour"}


@pytest.mark.parametrize(
    ("psi", "verdict"), [(0.0001, STRONG), (0.2, MODERATE), (0.9, STABLE)], ids=str
)
def test_the_thresholds_decide_on_the_verdict(psi, verdict):
    before, now = month(), moved("vendor", lambda vendor: 3 - vendor)
    found = drift(before, now)["vendor"]
    assert found.psi > 0.25
    limits = {
        STRONG: Thresholds(psi, psi),
        MODERATE: Thresholds(psi, found.psi + 1),
        STABLE: Thresholds(found.psi + 1, found.psi + 2),
    }
    assert drift(before, now, limits[verdict])["vendor"].verdict == verdict


def test_of_few_trips_there_is_no_verdict():
    found = drift(month(), moved("hour", lambda hour: hour + 3), Thresholds(min_rows=10**9))
    assert {one.verdict for one in found.values()} == {TOO_FEW}
    assert not too_far(found.values(), 0.0)


def test_what_partial_records_lack_counts_as_their_origin():
    now = month()
    now.distributions["partial"].counts.update({0.0: -1600, 1.0: 1600})
    for name in ("passengers", "rate_code", "trip_type"):
        now.distributions[name].missing += 1600
    found = drift(month(), now)
    assert found["origin"].verdict == STRONG
    for name in ("passengers", "rate_code", "trip_type"):
        assert found[name].psi == 0


@pytest.mark.parametrize("name", ["vendor", "rate_code", "passengers"])
def test_a_column_that_is_missing_altogether_has_drifted(name):
    now = month()
    part = now.distributions[name]
    part.missing += part.counts.total()
    part.counts.clear()
    found = drift(month(), now)[name]
    assert found.verdict == STRONG
    assert found.ks is found.wasserstein is found.mean_now is None


def test_a_feature_that_neither_month_has_is_left_out():
    before, now = month(), month()
    for part in (before, now):
        part.distributions["trip_type"].counts.clear()
    assert "trip_type" not in drift(before, now)


def test_the_target_comes_first_and_then_what_the_model_rests_on_most():
    order = [one.feature for one in ranked(drift(month(), month()).values())]
    assert order[:4] == ["minutes", "miles", "hour", "vendor"]


def test_without_a_model_the_index_ranks():
    found = ranked(
        drift(month(), moved("vendor", lambda vendor: 3 - vendor), importance=None).values()
    )
    assert [one.feature for one in found[:2]] == ["minutes", "vendor"]
    assert {one.share for one in found} == {None}


def test_shares_of_importance_add_up_to_one():
    found = drift(month(), month())
    assert sum(one.share or 0 for one in found.values()) == pytest.approx(1)
    assert found["miles"].share == pytest.approx(0.6)
    assert found["minutes"].share is None


def test_too_far_is_what_matters_and_drifted_beyond_the_limit():
    found = drift(month(), month())
    far = [replace(one, psi=0.4) for one in found.values()]
    assert {one.feature for one in too_far(far, 0.3)} == {"minutes", "miles", "hour", "vendor"}
    assert not too_far(far, 0.4)
    assert not too_far([replace(found["vendor"], psi=9.0, share=0.049)], 0.3)


def test_a_drift_in_words_has_its_index_and_its_means():
    found = drift(month(), moved("hour", lambda hour: hour + 3))
    assert in_words(found["hour"]) == (
        f"hour of the pickup (PSI {found['hour'].psi:.3f}, mean 9.5 before and 12.5 now)"
    )
    assert in_words(found["vendor"]) == "provider of the record (PSI 0.000)"
