"""The fit of a recipe on a whole training window."""

import pytest

from taxi_pipeline.errors import InvalidRecipe
from taxi_pipeline.model import fitting
from taxi_pipeline.model.encoders import SklearnEncoder
from taxi_pipeline.model.recipes import RECIPES, register_recipe
from taxi_pipeline.model.recipes.linear import Linear

pytestmark = pytest.mark.usefixtures("no_own_recipes")


class Mine(Linear):
    summary = "mine"
    columns = ("pickup_zone",)
    version = 3


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


def test_each_round_is_reported(january):
    reported = []
    fit("trip", january, progress=lambda *done: reported.append(done))
    assert reported == [(1, 4), (2, 4), (3, 4), (4, 4)]


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
