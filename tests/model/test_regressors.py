"""Regressors: what is fitted is kept, and predicts as it did."""

import numpy as np
import pytest
import xgboost
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import Ridge

from taxi_pipeline.errors import InvalidRecipe
from taxi_pipeline.model import regressors
from taxi_pipeline.model.quantiles import quantile_matrix
from taxi_pipeline.model.regressors import Boosting, LeastSquares, SklearnRegressor

MATRIX = np.random.default_rng(1).normal(size=(200, 3))
MINUTES = MATRIX @ np.array([3.0, -2.0, 1.0]) + 10


@pytest.mark.parametrize(
    "make",
    [Boosting, LeastSquares, lambda: SklearnRegressor(Ridge(0.1))],
    ids=["boosting", "least squares", "scikit-learn"],
)
def test_a_saved_regressor_predicts_as_it_did(make, tmp_path):
    fitted = make().fit(MATRIX, MINUTES, 20)
    fitted.save(tmp_path)
    kept = type(fitted)(**fitted.settings()).load(tmp_path, 2)
    np.testing.assert_array_equal(kept.predict(MATRIX), fitted.predict(MATRIX))
    assert np.corrcoef(fitted.predict(MATRIX), MINUTES)[0, 1] > 0.9


def test_an_estimator_that_could_not_be_loaded_is_not_kept(tmp_path):
    fitted = SklearnRegressor(RandomForestRegressor(2)).fit(MATRIX, MINUTES)
    with pytest.raises(InvalidRecipe, match=r"^a RandomForestRegressor cannot be kept.*Tree"):
        fitted.save(tmp_path)


def test_boosting_needs_a_number_of_rounds():
    with pytest.raises(InvalidRecipe, match="rounds"):
        Boosting().fit(MATRIX, MINUTES, None)


def test_each_boosting_round_is_reported():
    reported = []
    Boosting().fit(MATRIX, MINUTES, 3, lambda *done: reported.append(done))
    assert reported == [(1, 3), (2, 3), (3, 3)]


def test_members_are_averaged_and_each_has_a_seed_of_its_own(tmp_path):
    columns = {"colsample_bynode": 0.4}
    alone = [
        Boosting(columns, seed=seed).fit(MATRIX, MINUTES, 9).predict(MATRIX) for seed in (4, 5)
    ]
    both = Boosting(columns, threads=2, seed=4, members=2).fit(MATRIX, MINUTES, 9)
    assert not np.array_equal(*alone)
    np.testing.assert_allclose(both.predict(MATRIX), np.mean(alone, axis=0), rtol=1e-5)
    both.save(tmp_path)
    np.testing.assert_array_equal(Boosting().load(tmp_path).predict(MATRIX), both.predict(MATRIX))
    assert sum(both.importance().values()) == pytest.approx(1, abs=1e-4)


def test_members_have_borders_of_bins_of_their_own():
    few = {"max_bin": 24, "colsample_bynode": 1.0}
    found = Boosting(few, members=2).fit(MATRIX, MINUTES, 5)
    expected = [Boosting({"max_bin": bins}).fit(MATRIX, MINUTES, 5) for bins in (24, 16)]
    mean = np.mean([one.predict(MATRIX) for one in expected], axis=0)
    np.testing.assert_allclose(found.predict(MATRIX), mean, rtol=1e-5)


def test_members_that_are_fitted_elsewhere_have_the_same_parameters():
    here = Boosting({"max_bin": 24}, seed=4, members=3).fit(MATRIX, MINUTES, 5)
    elsewhere, asked = Boosting({"max_bin": 24}, seed=4, members=3), []

    def boost(parameters, batches, rounds, _report):
        asked.append((parameters["seed"], parameters["max_bin"]))
        data = quantile_matrix(batches, parameters["max_bin"], 1)
        return xgboost.train(parameters, data, rounds)

    elsewhere.boost_elsewhere = boost
    elsewhere.fit(MATRIX, MINUTES, 5)
    assert asked == [(4, 24), (5, 16), (6, 32)]
    np.testing.assert_array_equal(elsewhere.predict(MATRIX), here.predict(MATRIX))


def test_the_more_rows_the_fewer_members(monkeypatch):
    monkeypatch.setattr(regressors, "AVERAGED_ROWS", 3 * len(MATRIX))
    assert len(Boosting(members=4).fit(MATRIX, MINUTES, 1).boosters) == 3
    monkeypatch.setattr(regressors, "AVERAGED_ROWS", len(MATRIX) - 1)
    assert len(Boosting(members=4).fit(MATRIX, MINUTES, 1).boosters) == 1


def test_rounds_of_all_members_are_reported():
    reported = []
    Boosting(threads=2, members=3).fit(MATRIX, MINUTES, 5, lambda *done: reported.append(done))
    assert reported == [(done, 15) for done in range(1, 16)]


def test_what_goes_wrong_in_a_fit_ends_the_other_members_at_once():
    def progress(done, _):
        if done == 10:
            raise RuntimeError("stop here")

    fitted = Boosting(threads=2, members=2)
    with pytest.raises(RuntimeError, match="stop here"):
        fitted.fit(MATRIX, MINUTES, 100_000, progress)
    assert fitted.boosters == []


@pytest.mark.parametrize(("bins", "fewest", "most"), [(16, 8, 16), (None, 17, 256)])
def test_a_feature_of_batches_is_split_at_no_more_places_than_it_has_bins(bins, fewest, most):
    parts = [(MATRIX[:150], MINUTES[:150]), (MATRIX[150:], MINUTES[150:])]
    found = Boosting({"max_bin": bins} if bins else {}).fit_batches(lambda _: parts, 200, 20)
    (booster,) = found.boosters
    nodes = booster.trees_to_dataframe()
    splits = nodes[nodes["Feature"] != "Leaf"].groupby("Feature")["Split"].nunique()
    assert fewest <= splits.max() <= most


def test_a_loaded_booster_predicts_with_the_threads_asked_for(tmp_path):
    Boosting(threads=2).fit(MATRIX, MINUTES, 2).save(tmp_path)
    assert Boosting().load(tmp_path, 3).parameters["nthread"] == 3
