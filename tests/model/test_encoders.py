"""Features become numbers, without a row's own target among them."""

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_selection import SelectKBest, f_regression
from sklearn.impute import SimpleImputer
from skops.io.exceptions import UntrustedTypesFoundException

from taxi_pipeline.errors import InvalidRecipe, InvalidTraining
from taxi_pipeline.model import zones
from taxi_pipeline.model.encoders import (
    BANDWIDTH_MILES,
    MIN_TRIPS,
    CourseEncoder,
    SklearnEncoder,
    TripEncoder,
)
from taxi_pipeline.model.means import PACE_LIMITS
from taxi_pipeline.model.recipes import RECIPES

COLUMNS = RECIPES["trip"].columns
OWN = [name for name in COLUMNS if name not in {"pickup_zone", "dropoff_zone"}]
MEANS = list(TripEncoder.MEANS)
COORDINATES = [f"{end}_x{axis}" for axis in (1, 2, 3, 4) for end in ("pickup", "dropoff")]
GEOMETRY = ["road_miles", *COORDINATES]


def correlation(one, other):
    return abs(np.corrcoef(one, other)[0, 1])


@pytest.fixture(scope="module")
def noise(january):
    """Minutes of which no feature tells anything."""
    return np.random.default_rng(5).uniform(1, 60, len(january))


@pytest.fixture(scope="module")
def minutes(january):
    return january["minutes"].to_numpy()


@pytest.fixture(scope="module")
def out_of_fold(january, minutes):
    return TripEncoder(COLUMNS).fit_transform(january, minutes)


@pytest.fixture(scope="module")
def fitted(january, minutes):
    return TripEncoder(COLUMNS).fit(january, minutes)


@pytest.fixture(scope="module")
def targets(january, minutes):
    """What is averaged, each with the trips that have it."""
    known = january["miles"].notna().to_numpy()
    miles = january["miles"].to_numpy(np.float64)
    pace = np.clip(minutes / miles, *PACE_LIMITS)
    everywhere = np.full(len(january), fill_value=True)
    return {"minutes": (minutes, everywhere), "miles": (miles, known), "pace": (pace, known)}


@pytest.fixture(scope="module")
def nowhere(january):
    """Two places of TLC's where no trip began or ended."""
    met = {*january["pickup_zone"], *january["dropoff_zone"]}
    pickup, dropoff, *_ = sorted(set(range(1, 264)) - met)
    return {"pickup_zone": pickup, "dropoff_zone": dropoff}


@pytest.mark.parametrize("name", [*MEANS, "expected_minutes"])
def test_encodings_of_the_rows_learned_from_tell_nothing_of_their_own_target(january, noise, name):
    assert correlation(TripEncoder().fit_transform(january, noise)[name], noise) < 0.08


@pytest.mark.parametrize("name", ["minutes_near", "minutes_by_pair", "pace_near"])
def test_means_that_include_the_row_itself_would_tell_its_target(january, noise, name):
    assert correlation(TripEncoder().fit(january, noise).transform(january)[name], noise) > 0.2


@pytest.mark.parametrize("row", [5, 17, 1000])
def test_a_rows_own_target_moves_its_encodings_by_no_more_than_the_overall_mean(
    january, minutes, out_of_fold, row
):
    other = minutes.copy()
    other[row] += 30
    after = TripEncoder(COLUMNS).fit_transform(january, other)
    moved = (after[MEANS] - out_of_fold[MEANS]).abs()
    assert moved.loc[row].max() < 31 / len(january)
    assert moved.drop(row).to_numpy().max() > 31 / len(january)


def test_what_was_learned_orders_other_rows_rightly(january):
    half = len(january) // 2
    shuffled = january.sample(frac=1, random_state=0)
    known, others = shuffled[:half], shuffled[half:]
    encoded = TripEncoder().fit(known, known["minutes"].to_numpy()).transform(others)
    for name in ("minutes_near", "minutes_by_pair", "expected_minutes"):
        assert correlation(encoded[name], others["minutes"]) > 0.5


@pytest.mark.parametrize("target", ["minutes", "miles", "pace"])
def test_near_means_weigh_each_trip_by_the_proximity_of_both_its_ends(
    january, fitted, targets, target
):
    values, known = targets[target]
    near = zones.proximity_weights(fitted.distances_, BANDWIDTH_MILES)
    pickup, dropoff = january["pickup_zone"].to_numpy(), january["dropoff_zone"].to_numpy()
    encoded = fitted.transform(january)[f"{target}_near"]
    for row in (0, 17, 1000):
        weights = near[pickup[row], pickup] * near[dropoff[row], dropoff]
        expected = np.average(values[known], weights=weights[known])
        assert encoded[row] == pytest.approx(expected, rel=1e-2)


def test_a_pairs_mean_lies_between_its_own_trips_and_its_neighbourhoods(january, fitted):
    pairs = january.groupby(["pickup_zone", "dropoff_zone"])["minutes"]
    encoded = fitted.transform(january)
    ends = np.sort(np.stack([pairs.transform("mean"), encoded["minutes_near"]]), axis=0)
    assert (encoded["minutes_by_pair"] >= ends[0] - 1e-4).all()
    assert (encoded["minutes_by_pair"] <= ends[1] + 1e-4).all()


def test_a_place_that_was_not_met_is_encoded_as_the_overall_means(
    january, fitted, targets, nowhere
):
    encoded = fitted.transform(january[:3].assign(**nowhere))
    for name in MEANS:
        values, known = targets[name.split("_")[0]]
        assert encoded[name].to_numpy() == pytest.approx(values[known].mean(), rel=1e-5)
    assert encoded["log_pair_trips"].tolist() == [0, 0, 0]


def test_a_place_that_was_not_met_lies_nowhere(january, fitted, nowhere):
    assert fitted.transform(january[:3].assign(**nowhere))[GEOMETRY].isna().all(axis=None)


@pytest.mark.parametrize("number", [0, -1, 901])
def test_a_number_that_is_no_zone_is_encoded_as_the_unknown_zone(january, fitted, number):
    strange, unknown = (
        fitted.transform(january.assign(pickup_zone=zone)) for zone in (number, 264)
    )
    pd.testing.assert_frame_equal(strange, unknown)


def test_every_row_has_every_mean_with_a_distance_or_without(january, fitted, out_of_fold):
    assert january["miles"].isna().any()
    for encoded in (fitted.transform(january), out_of_fold):
        assert np.isfinite(encoded[MEANS].to_numpy()).all()


def test_there_and_back_are_as_far_with_the_places_exchanged(january, fitted):
    back = {"pickup_zone": "dropoff_zone", "dropoff_zone": "pickup_zone"}
    there, again = fitted.transform(january), fitted.transform(january.rename(columns=back))
    np.testing.assert_allclose(again["road_miles"], there["road_miles"], rtol=1e-6)
    for axis in (1, 2, 3, 4):
        np.testing.assert_array_equal(again[f"pickup_x{axis}"], there[f"dropoff_x{axis}"])


def test_the_time_to_expect_is_that_of_the_trips_distance_at_the_pace_of_the_place(january, fitted):
    encoded = fitted.transform(january)
    expected = january["miles"] * encoded["pace_near"]
    np.testing.assert_allclose(encoded["expected_minutes"], expected, rtol=1e-5)
    detour = january["miles"] / encoded["miles_near"]
    np.testing.assert_allclose(encoded["detour"], detour, rtol=1e-5)


def test_without_the_trips_distance_that_of_earlier_trips_is_expected(january, minutes):
    encoded = TripEncoder(RECIPES["pretrip"].columns).fit(january, minutes).transform(january)
    expected = encoded["miles_near"] * encoded["pace_near"]
    np.testing.assert_allclose(encoded["expected_minutes"], expected, rtol=1e-5)
    assert "detour" not in encoded


def test_encoding_does_not_need_the_target(january, fitted):
    bare = january.drop(columns=["minutes", "pickup_at", "metered_miles", "weekday"])
    pd.testing.assert_frame_equal(fitted.transform(bare), fitted.transform(january))


def test_a_row_is_encoded_alone_as_it_is_among_others(january, fitted):
    among = fitted.transform(january)
    for row in (0, 17, len(january) - 1):
        alone = fitted.transform(january[row : row + 1])
        pd.testing.assert_frame_equal(alone, among[row : row + 1].reset_index(drop=True))


def test_a_pairs_trips_are_counted(january, fitted):
    counts = january.groupby(["pickup_zone", "dropoff_zone"])["minutes"].transform("size")
    encoded = fitted.transform(january)["log_pair_trips"]
    np.testing.assert_allclose(encoded, np.log1p(counts), rtol=1e-6)


def test_the_columns_are_the_same_in_the_same_order(january, out_of_fold, fitted):
    learned = ["log_pair_trips", *GEOMETRY, "expected_minutes", "detour"]
    expected = [*OWN, *MEANS, *learned]
    backwards = january[january.columns[::-1]]
    assert list(out_of_fold) == expected
    assert list(fitted.transform(january)) == expected
    assert list(fitted.transform(backwards)) == expected


def test_the_same_seed_gives_the_same_encodings_and_another_seed_other_folds(january, minutes):
    first, again, other = (
        TripEncoder(COLUMNS, seed).fit_transform(january, minutes) for seed in (3, 3, 4)
    )
    pd.testing.assert_frame_equal(first, again)
    assert not first["minutes_by_pair"].equals(other["minutes_by_pair"])


def test_the_seed_does_not_change_how_other_rows_are_encoded(january, minutes, fitted):
    other = TripEncoder(COLUMNS, seed=4).fit(january, minutes)
    pd.testing.assert_frame_equal(other.transform(january), fitted.transform(january))


def test_a_transformer_is_handed_the_target(january, minutes):
    features = january[["vendor"]].assign(right=minutes)
    picked = SklearnEncoder(SelectKBest(f_regression, k=1)).fit_transform(features, minutes)
    assert (picked.ravel() == minutes).all()


def test_the_course_has_a_column_for_each_pair_and_one_for_the_distance(january):
    matrix = CourseEncoder().fit_transform(january)
    pairs = january[["pickup_zone", "dropoff_zone"]].drop_duplicates()
    assert matrix.shape == (len(january), len(pairs) + 1)
    ones = (matrix == 1).sum(axis=1).ravel() - (january["metered_miles"].to_numpy() == 1)
    assert (ones == 1).all()


def test_the_course_ignores_a_pair_that_was_not_met(january, nowhere):
    encoder = CourseEncoder()
    encoder.fit_transform(january)
    row = january[:1].assign(metered_miles=3.5)
    met, unmet = encoder.transform(row), encoder.transform(row.assign(**nowhere))
    assert sorted(met.data) == [1.0, 3.5]
    assert unmet.shape == met.shape
    assert unmet.data.tolist() == [3.5]


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_kept_encoder_encodes_as_it_did(models, january, tmp_path, recipe):
    encoder = models[recipe].encoder
    encoder.save(tmp_path)
    kept = RECIPES[recipe].encoder(seed=1).load(tmp_path).transform(january)
    expected = encoder.transform(january)
    if isinstance(expected, pd.DataFrame):
        pd.testing.assert_frame_equal(kept, expected)
    else:
        assert (kept != expected).nnz == 0


def test_what_a_trip_encoder_keeps_are_plain_numbers(fitted, tmp_path):
    fitted.save(tmp_path)
    (file,) = tmp_path.iterdir()
    with np.load(file, allow_pickle=False) as arrays:
        assert {arrays[name].dtype.kind for name in arrays.files} == {"f", "i"}


@pytest.mark.parametrize("recipe", ["course", "linear"])
def test_what_a_transformer_keeps_are_types_that_skops_knows(models, tmp_path, recipe):
    models[recipe].encoder.save(tmp_path)
    (file,) = tmp_path.iterdir()
    assert skops.io.get_untrusted_types(file=file) == []


def test_a_transformer_that_keeps_its_numbers_type_is_loaded(january, minutes, tmp_path):
    encoder = SklearnEncoder(SimpleImputer())
    encoded = encoder.fit_transform(january[["miles"]], minutes)
    encoder.save(tmp_path)
    kept = SklearnEncoder().load(tmp_path)
    np.testing.assert_array_equal(kept.transform(january[["miles"]]), encoded)


class Stranger(TransformerMixin, BaseEstimator):
    """A type that skops does not know."""


def test_a_transformer_of_another_type_is_not_kept(tmp_path):
    with pytest.raises(InvalidRecipe, match=r"a Stranger cannot be kept: .*Stranger"):
        SklearnEncoder(Stranger()).save(tmp_path)


def test_a_transformer_of_another_type_is_not_loaded(tmp_path):
    skops.io.dump(Stranger(), tmp_path / SklearnEncoder.FILE)
    with pytest.raises(UntrustedTypesFoundException, match="Stranger"):
        SklearnEncoder().load(tmp_path)


def test_too_few_distances_to_learn_from_are_an_error_of_one_line(january):
    known = january.dropna(subset="miles")
    enough, few = known[:MIN_TRIPS], known[: MIN_TRIPS - 1]
    TripEncoder().fit_transform(enough, enough["minutes"].to_numpy())
    with pytest.raises(
        InvalidTraining, match=r"^19 of 19 trips have a plausible distance"
    ) as refusal:
        TripEncoder().fit_transform(few, few["minutes"].to_numpy())
    assert "\n" not in str(refusal.value)


def test_no_plausible_distance_is_an_error_that_says_so(january, minutes):
    with pytest.raises(InvalidTraining, match=r"^0 of \d+ trips have a plausible distance"):
        TripEncoder().fit_transform(january.assign(miles=np.nan), minutes)
