"""The parameter that names a recipe, and what a stage knows of it."""

import importlib
import re

import pytest
from own_recipes import MODULE
from places import REPOSITORY

from taxi_pipeline import TrainModel
from taxi_pipeline.errors import InvalidParameter
from taxi_pipeline.model.recipes import RECIPES, recipe_names, register_recipe
from taxi_pipeline.model.recipes.linear import Linear
from taxi_pipeline.tasks.base.recipe import RecipeStage

pytestmark = pytest.mark.usefixtures("no_own_recipes", "luigi_config")


class Mine(Linear):
    summary = "mine"


def of(recipe):
    return TrainModel(year=2021, month=1, recipe=recipe)


@pytest.mark.parametrize("name", RECIPES)
def test_this_packages_recipes_are_values(name):
    assert of(name).chosen_recipe is RECIPES[name]


def test_a_recipe_that_is_registered_after_the_tasks_were_imported_is_a_value():
    with pytest.raises(InvalidParameter):
        of("mine")
    register_recipe("mine", Mine)
    assert isinstance(of("mine").chosen_recipe, Mine)


def test_a_registered_recipe_names_outputs_and_the_model_as_others_do():
    register_recipe("mine", Mine)
    assert of("mine").variant == "mine-w1"
    assert of("mine").model_name == "nyc-green-taxi-duration-mine"


@pytest.mark.parametrize("name", ["soup", "", "Trip", "trip,linear", 5, None, ["trip"]])
def test_a_wrong_name_is_one_line_that_names_parameter_value_and_recipes(name):
    with pytest.raises(InvalidParameter) as failure:
        of(name)
    message = str(failure.value)
    assert message.startswith(f"--recipe: no recipe is named {str(name)!r}")
    assert all(known in message for known in recipe_names())
    assert "\n" not in message


def test_an_unusable_installed_recipe_is_a_wrong_value(install_recipes):
    install_recipes("theirs_unusable", source=MODULE.replace("pickup_zone", "pickup"))
    with pytest.raises(InvalidParameter, match=r"^--recipe: .*did you mean pickup_zone"):
        of("theirs")


def test_the_help_names_this_packages_recipes():
    assert all(name in RecipeStage.recipe.description for name in RECIPES)


@pytest.mark.parametrize(("name", "version"), [("trip", 2), ("linear", 1)])
def test_the_version_of_this_packages_recipes_is_part_of_the_identity(name, version):
    # One that was edited since code counts has its digest behind that.
    assert re.fullmatch(f"1, recipe {version}( [0-9a-f]{{16}})?", of(name)._version())


def test_an_edited_recipe_of_this_package_has_another_identity(monkeypatch, tmp_path):
    """The edited one simply differs from the table of first digests: nothing is to be renewed."""
    text = (REPOSITORY / "taxi_pipeline" / "model" / "recipes" / "linear.py").read_text()
    edited = text.replace('handle_unknown="ignore"', 'handle_unknown="error"')
    assert edited != text
    (tmp_path / "edited_linear.py").write_text(edited)
    monkeypatch.syspath_prepend(tmp_path)
    before = of("linear")._version()
    monkeypatch.setitem(RECIPES, "linear", importlib.import_module("edited_linear").Linear())
    assert re.fullmatch(f"{before} [0-9a-f]{{16}}", of("linear")._version())


@pytest.mark.parametrize(
    "change", [{"columns": ("hour",)}, {"parameters": {"a": 1}}, {"rounds": 3}, {"version": 2}]
)
def test_what_a_registered_recipe_declares_is_part_of_the_identity(change):
    register_recipe("mine", Mine)
    before = of("mine")._version()
    register_recipe("mine", type("Mine", (Mine,), {"__module__": __name__, **change}))
    assert of("mine")._version() != before


def test_the_summary_of_a_registered_recipe_is_no_part_of_the_identity():
    register_recipe("mine", Mine)
    before = of("mine")._version()
    changes = {"__module__": __name__, "summary": "described better"}
    register_recipe("mine", type("Mine", (Mine,), changes))
    assert of("mine")._version() == before


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ({}, "2021-04 trip"),
        ({"recipe": "linear"}, "2021-04 linear"),
        ({"window": 3}, "2021-04 trip w3"),
        ({"window": 3, "taxi": "yellow"}, "2021-04 trip w3 yellow"),
    ],
)
def test_a_run_is_named_by_month_and_recipe_and_by_what_is_unusual(parameters, name):
    assert TrainModel(year=2021, month=4, **parameters).run_name == name
