"""What a recipe must declare."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxi_pipeline.errors import InvalidRecipe
from taxi_pipeline.model.feature_names import FEATURES
from taxi_pipeline.model.recipes import RECIPES, Recipe
from taxi_pipeline.model.recipes.linear import Linear
from taxi_pipeline.model.recipes.trip import Trip
from taxi_pipeline.model.recipes.validation import checked_recipe
from taxi_pipeline.model.space import Uniform


def error_of(recipe):
    with pytest.raises(InvalidRecipe) as failure:
        checked_recipe("mine", recipe, "my_tasks:Mine")
    message = str(failure.value)
    assert message.startswith("recipe 'mine' (my_tasks:Mine): ")
    assert "\n" not in message
    return message


def changed(base=Linear, **attributes):
    return type("Mine", (base,), attributes)


@pytest.mark.parametrize("name", RECIPES)
def test_this_packages_recipes_declare_what_a_recipe_must(name):
    assert checked_recipe(name, RECIPES[name], "here") is RECIPES[name]


def test_a_class_is_called():
    assert isinstance(checked_recipe("mine", Linear, "here"), Linear)


@pytest.mark.parametrize("thing", [None, 5, "trip", dict, len])
def test_what_is_no_recipe_is_refused(thing):
    assert "derived from taxi_pipeline.model.recipes.Recipe" in error_of(thing)


class NoRegressor(Recipe):
    summary = "incomplete"
    columns = ("hour",)

    def encoder(self, seed):
        """Nothing."""


def test_missing_methods_are_named():
    message = error_of(NoRegressor)
    assert "the method regressor" in message
    assert "encoder" not in message


def test_a_recipe_that_needs_arguments_is_refused():
    def init(self, size):
        """A recipe of some size."""

    assert "'size'" in error_of(changed(__init__=init))


class NothingSaid(Recipe):
    def encoder(self, seed):
        """Nothing."""

    def regressor(self, parameters=None, threads=1, seed=0):
        """Nothing."""


def test_a_missing_summary_is_named():
    assert "`summary`" in error_of(NothingSaid)


def test_missing_columns_are_named():
    assert "`columns`" in error_of(type("Mine", (NothingSaid,), {"summary": "no columns"}))


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("summary", ""),
        ("summary", "two\nlines"),
        ("summary", 5),
        ("caveat", None),
        ("columns", ()),
        ("columns", "hour"),
        ("training_only_columns", "hour"),
        ("version", 0),
        ("version", "2"),
        ("version", True),
        ("rounds", 0),
        ("rounds", 2.5),
        ("round_growth", 0),
        ("round_growth", "1.3"),
        ("parameters", None),
        ("parameters", {"objective": len}),
        ("space", ["max_depth"]),
    ],
)
def test_a_wrong_value_is_told_with_the_attribute(attribute, value):
    assert f"`{attribute}`" in error_of(changed(**{attribute: value}))


@pytest.mark.parametrize("attribute", ["columns", "training_only_columns"])
@pytest.mark.parametrize(
    ("misspelt", "meant"),
    [("hours", "hour"), ("pickupzone", "pickup_zone"), ("week_day", "weekday")],
)
def test_a_misspelt_feature_is_told_with_the_nearest(attribute, misspelt, meant):
    message = error_of(changed(**{attribute: ("vendor", misspelt)}))
    assert f"`{attribute}` names {misspelt!r} (did you mean {meant}" in message


@given(st.lists(st.sampled_from(list(FEATURES)), min_size=1), st.text())
def test_columns_are_right_just_if_all_are_features(names, other):
    assert checked_recipe("mine", changed(columns=tuple(names)), "here").columns == tuple(names)
    if other not in FEATURES:
        message = error_of(changed(columns=(*names, other)))
        assert repr(other) in message
        assert all(name in message for name in FEATURES)


@pytest.mark.parametrize(
    ("space", "told"),
    [
        ({"max_bin": Uniform(1, 100)}, "max_bin"),
        ({"learning_rate": Uniform(0, 1)}, "learning_rate"),
        ({"gamma": Uniform(0, 1)}, "gamma"),
        ({"max_depth": (1, 20)}, "max_depth"),
        ({"max_depth": Uniform(10, 20)}, "from 10 to 20"),
    ],
)
def test_a_space_that_cannot_be_searched_is_refused(space, told):
    assert told in error_of(changed(Trip, space=space))
