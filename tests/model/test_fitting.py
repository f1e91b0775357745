"""The fit of a recipe on a whole training window."""

import numpy as np
import pytest

from taxi_pipeline.errors import InvalidRecipe
from taxi_pipeline.model import fitting
from taxi_pipeline.model.encoders import SklearnEncoder, TripEncoder
from taxi_pipeline.model.feature_files import FeatureFiles
from taxi_pipeline.model.recipes import RECIPES, register_recipe
from taxi_pipeline.model.recipes.linear import Linear
from taxi_pipeline.model.regressors import Boosting

pytestmark = pytest.mark.usefixtures("no_own_recipes")


class Mine(Linear):
    summary = "mine"
    columns = ("pickup_zone",)
    version = 3


class Doubled(TripEncoder):
    """Has a column more, also of the trips that it learns from."""

    def fit_transform(self, features, minutes):
        return super().fit_transform(features, minutes).assign(doubled=1.0)

    def transform(self, features):
        return super().transform(features).assign(doubled=1.0)


class Halved(Boosting):
    """Remembers the last column that it was fitted on."""

    def __init__(self, parameters=None, threads=1, seed=0, seen=()):
        super().__init__(parameters, threads, seed)
        self.seen = seen

    def fit(self, matrix, minutes, rounds, progress=None):
        self.seen.append(matrix.columns[-1])
        return super().fit(matrix, minutes, rounds, progress)


def fit(recipe, january, **changed):
    settings = {"taxi": "green", "max_miles": 100.0, "seed": 0, "threads": 1} | changed
    return fitting.fit(recipe, january, RECIPES["trip"].parameters, 4, **settings)


def test_a_registered_recipe_is_fitted_on_its_columns(january):
    register_recipe("mine", Mine)
    model = fit("mine", january[["minutes", "pickup_zone"]])
    assert (model.recipe, model.recipe_version) == ("mine", 3)
    assert model.predict(january)[0] == pytest.approx(
        january["minutes"][january["pickup_zone"] == january["pickup_zone"][0]].mean(), rel=0.1
    )


def test_each_round_of_each_member_is_reported(january):
    reported = []
    fit("trip", january, progress=lambda *done: reported.append(done))
    rounds = 4 * RECIPES["trip"].members
    assert reported == [(round_, rounds) for round_ in range(1, rounds + 1)]


def test_trips_of_files_are_fitted_batch_by_batch_as_if_they_were_one(january, folder):
    features = folder / "features.parquet"
    in_batches = FeatureFiles([features], RECIPES["trip"].training_columns, batch_rows=1000)
    whole = FeatureFiles([features], RECIPES["trip"].training_columns)
    expected = fit("trip", january).predict(january)
    np.testing.assert_array_equal(fit("trip", whole).predict(january), expected)
    # The borders of bins are found batch by batch, and differ a little.
    difference = fit("trip", in_batches).predict(january) - expected
    assert np.sqrt(np.mean(np.square(difference))) < 0.1 * np.std(expected)
    assert abs(difference.mean()) < 0.01 * expected.mean()


def test_external_memory_makes_the_same_model_and_leaves_no_files(
    january, folder, tmp_path, monkeypatch
):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    columns = RECIPES["trip"].training_columns
    files = FeatureFiles([folder / "features.parquet"], columns, batch_rows=1000)
    seen = []
    there = fit(
        "trip",
        files,
        external_memory=True,
        progress=lambda *_: seen.append(sum(file.is_file() for file in tmp_path.rglob("*"))),
    )
    assert min(seen) > 0
    assert list(tmp_path.iterdir()) == []
    np.testing.assert_array_equal(there.predict(january), fit("trip", files).predict(january))


def test_a_recipe_that_cannot_learn_batch_by_batch_is_given_the_whole(january, folder):
    files = FeatureFiles([folder / "features.parquet"], RECIPES["course"].columns, batch_rows=100)
    found = fit("course", files).predict(january)
    np.testing.assert_array_equal(found, fit("course", january).predict(january))


def test_a_subclass_with_its_own_way_of_fitting_is_given_the_whole(january):
    recipe = type(RECIPES["trip"])
    seen = []

    class Mine(recipe):
        def encoder(self, seed):
            return Doubled(self.columns, seed)

        def regressor(self, parameters=None, threads=1, seed=0):
            return Halved(parameters, threads, seed, seen)

    register_recipe("doubled", Mine)
    model = fit("doubled", january)
    assert seen == ["doubled"]
    assert "doubled" in model.encoder.transform(january)


def test_a_recipe_that_there_is_not_is_told(january):
    with pytest.raises(InvalidRecipe, match="no recipe is named 'soup'"):
        fit("soup", january)


def test_what_could_not_be_saved_is_told_before_the_fit(january):
    class Inside(SklearnEncoder):
        fit_transform = pytest.fail

    class Unsaved(Mine):
        def encoder(self, seed):  # noqa: ARG002  (a recipe's signature)
            return Inside()

    register_recipe("mine", Unsaved)
    with pytest.raises(InvalidRecipe, match="top of a module"):
        fit("mine", january)
