"""Features become numbers, without a row's own target among them."""

import numpy as np
import pandas as pd
import pytest
import skops.io

from taxi_pipeline.errors import InvalidTraining
from taxi_pipeline.model.encoders import ALL_KEYS, ENCODED, TRUSTED, CourseEncoder, TripEncoder
from taxi_pipeline.model.recipes import RECIPES

COLUMNS = RECIPES["trip"].columns
LEARNED = [f"{target}_by_{key}" for target, keys in ENCODED.items() for key in keys]
NOWHERE = {"pickup_zone": 901, "dropoff_zone": 902}


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
def fitted(january, minutes):
    return TripEncoder(COLUMNS).fit(january, minutes)


@pytest.mark.parametrize("key", ALL_KEYS)
def test_encodings_of_the_rows_learned_from_tell_nothing_of_their_own_target(january, noise, key):
    encoded = TripEncoder().fit_transform(january, noise)
    assert correlation(encoded[f"minutes_by_{key}"], noise) < 0.08
    assert correlation(encoded[f"pace_by_{key}"], noise) < 0.08


def test_means_that_include_the_row_itself_would_tell_its_target(january, noise):
    pairs = [january["pickup_zone"], january["dropoff_zone"]]
    within = pd.Series(noise).groupby(pairs).transform("mean")
    assert correlation(within, noise) > 0.5
    again = TripEncoder().fit(january, noise).transform(january)
    assert correlation(again["pace_by_pair"], noise) > 0.08


def test_what_was_learned_orders_other_rows_rightly(january, minutes):
    half = len(january) // 2
    shuffled = january.sample(frac=1, random_state=0)
    known, others = shuffled[:half], shuffled[half:]
    encoder = TripEncoder().fit(known, known["minutes"].to_numpy())
    assert correlation(encoder.transform(others)["minutes_by_pickup"], others["minutes"]) > 0.1


def test_a_place_that_was_not_met_is_encoded_as_the_overall_means(january, minutes, fitted):
    encoded = fitted.transform(january[:3].assign(**NOWHERE))
    known = january["miles"].notna().to_numpy()
    miles = january["miles"].to_numpy(np.float64)[known]
    pace = np.clip(minutes[known] / miles, 1, 30)
    means = {"minutes": minutes.mean(), "miles": miles.mean(), "pace": pace.mean()}
    by_place = [name for name in LEARNED if not name.endswith("_hour_of_week")]
    assert len(by_place) == len(LEARNED) - 2
    for name in by_place:
        assert encoded[name].to_numpy() == pytest.approx(means[name.split("_by_")[0]], rel=1e-5)
    assert encoded["log_pair_trips"].tolist() == [0, 0, 0]


def test_every_row_has_every_encoding_with_a_distance_or_without(january, fitted, minutes):
    assert january["miles"].isna().any()
    for encoded in (fitted.transform(january), TripEncoder().fit_transform(january, minutes)):
        assert np.isfinite(encoded[LEARNED].to_numpy()).all()


def test_encoding_does_not_need_the_target(january, fitted):
    bare = january.drop(columns=["minutes", "pickup_at", "metered_miles"])
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


def test_the_columns_are_the_same_in_the_same_order(january, minutes, fitted):
    expected = [*LEARNED, "log_pair_trips", *COLUMNS]
    backwards = january[january.columns[::-1]]
    assert list(TripEncoder(COLUMNS).fit_transform(january, minutes)) == expected
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


def test_the_course_has_a_column_for_each_pair_and_one_for_the_distance(january):
    matrix = CourseEncoder().fit_transform(january)
    pairs = january[["pickup_zone", "dropoff_zone"]].drop_duplicates()
    assert matrix.shape == (len(january), len(pairs) + 1)
    ones = (matrix == 1).sum(axis=1).ravel() - (january["metered_miles"].to_numpy() == 1)
    assert (ones == 1).all()


def test_the_course_ignores_a_pair_that_was_not_met(january):
    encoder = CourseEncoder().fit(january)
    row = january[:1].assign(metered_miles=3.5)
    met, unmet = encoder.transform(row), encoder.transform(row.assign(**NOWHERE))
    assert sorted(met.data) == [1.0, 3.5]
    assert unmet.shape == met.shape
    assert unmet.data.tolist() == [3.5]


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_kept_encoder_encodes_as_it_did_and_needs_only_known_types(
    models, january, tmp_path, recipe
):
    encoder, file = models[recipe].encoder, tmp_path / "encoder.skops"
    skops.io.dump(encoder, file)
    assert set(skops.io.get_untrusted_types(file=file)) <= set(TRUSTED)
    kept = skops.io.load(file, trusted=list(TRUSTED)).transform(january)
    expected = encoder.transform(january)
    if isinstance(expected, pd.DataFrame):
        pd.testing.assert_frame_equal(kept, expected)
    else:
        assert (kept != expected).nnz == 0


def test_too_few_trips_to_learn_from_are_an_error_that_says_so(january):
    few = january[:10]
    with pytest.raises(InvalidTraining, match=r"10 of 10 trips have a plausible minutes"):
        TripEncoder().fit_transform(few, few["minutes"].to_numpy())


def test_no_plausible_distance_is_an_error_that_says_so(january):
    with pytest.raises(InvalidTraining, match=r"^0 of \d+ trips have a plausible miles"):
        TripEncoder().fit_transform(january.assign(miles=np.nan), january["minutes"].to_numpy())
