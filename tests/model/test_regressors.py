"""Regressors: what is fitted is kept, and predicts as it did."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import Ridge

from taxi_pipeline.errors import InvalidRecipe
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


def test_a_loaded_booster_predicts_with_the_threads_asked_for(tmp_path):
    Boosting(threads=2).fit(MATRIX, MINUTES, 2).save(tmp_path)
    assert Boosting().load(tmp_path, 3).parameters["nthread"] == 3
