"""Recipes by name: of this package, registered, and of installed distributions."""

import importlib
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from own_recipes import MODULE
from processes import python

from taxi_pipeline import commands
from taxi_pipeline.errors import InvalidRecipe
from taxi_pipeline.model.recipes import (
    RECIPES,
    get_recipe,
    known_recipe,
    recipe_names,
    register_recipe,
)
from taxi_pipeline.model.recipes.linear import Linear

pytestmark = pytest.mark.usefixtures("no_own_recipes")

RAISES = "raise RuntimeError('no\\nluck')"


class Mine(Linear):
    summary = "mine"


class Other(Linear):
    summary = "another"


def error_of(call, *arguments):
    with pytest.raises(InvalidRecipe) as failure:
        call(*arguments)
    assert "\n" not in str(failure.value)
    return str(failure.value)


@pytest.mark.parametrize("name", RECIPES)
def test_this_packages_recipes_are_found_by_their_names(name):
    assert get_recipe(name) is known_recipe(name) is RECIPES[name]


def test_a_recipe_is_registered_by_a_decorator_which_leaves_the_class_as_it_is():
    assert register_recipe("mine")(Mine) is Mine
    assert isinstance(get_recipe("mine"), Mine)


@pytest.mark.parametrize("recipe", [Mine, Mine()])
def test_a_class_or_an_instance_is_registered_by_a_call(recipe):
    assert register_recipe("mine", recipe) is recipe
    assert isinstance(known_recipe("mine"), Mine)


def test_one_class_may_have_several_names():
    register_recipe("mine", Mine)
    register_recipe("mine-too", Mine)
    assert get_recipe("mine") is not get_recipe("mine-too")


def test_a_class_of_the_same_module_and_name_replaces_itself():
    register_recipe("mine", Mine)
    before = get_recipe("mine")
    register_recipe("mine", Mine)
    assert get_recipe("mine") is not before


def test_another_class_of_a_taken_name_is_refused_with_both_places():
    register_recipe("mine", Mine)
    message = error_of(register_recipe, "mine", Other)
    assert f"{__name__}:Mine" in message
    assert f"{__name__}:Other" in message
    assert isinstance(get_recipe("mine"), Mine)


@pytest.mark.parametrize("name", RECIPES)
def test_this_packages_recipes_cannot_be_shadowed(name):
    assert repr(name) in error_of(register_recipe, name, Mine)
    assert get_recipe(name) is RECIPES[name]


@pytest.mark.parametrize("name", ["", "Mine", "my recipe", "../mine", "a/b", "-mine", "mine\n", 5])
def test_a_name_that_cannot_stand_in_a_path_is_refused(name):
    assert repr(name) in error_of(register_recipe, name, Mine)


@given(st.text())
def test_whatever_is_registered_is_found_and_listed(name):
    try:
        register_recipe(name, Mine)
    except InvalidRecipe:
        assert known_recipe(name) is RECIPES.get(name)
    else:
        assert get_recipe(name) is known_recipe(name)
        assert name in recipe_names()


@given(st.text().filter(lambda name: name not in RECIPES))
def test_a_name_that_is_not_known_is_told_with_all_that_are(name):
    if known_recipe(name) is None:
        message = error_of(get_recipe, name)
        assert repr(name) in message
        assert all(known in message for known in RECIPES)


def test_a_misspelt_name_is_told_with_the_nearest():
    register_recipe("boroughs", Mine)
    assert "did you mean boroughs?" in error_of(get_recipe, "borough")


def test_an_unusable_recipe_is_refused_when_it_is_asked_for_and_others_are_not():
    class Misspelt(Linear):
        columns = ("our",)

    register_recipe("mine", Misspelt)
    register_recipe("other", Other)
    message = error_of(get_recipe, "mine")
    assert "'mine'" in message
    assert f"{Misspelt.__module__}:{Misspelt.__qualname__}" in message
    assert "did you mean hour" in message
    assert isinstance(get_recipe("other"), Other)


def test_an_installed_recipe_is_found_and_listed(install_recipes):
    install_recipes("theirs_found")
    assert get_recipe("theirs").columns == ("pickup_zone",)
    assert recipe_names() == [*RECIPES, "theirs"]


def test_an_installed_recipe_is_made_once(install_recipes):
    install_recipes("theirs_once")
    assert get_recipe("theirs") is get_recipe("theirs")


def test_listing_installed_recipes_does_not_import_them(install_recipes):
    install_recipes("theirs_listed", source=RAISES)
    assert "theirs" in recipe_names()
    assert "theirs_listed" not in sys.modules


def test_an_installed_recipe_that_cannot_be_imported_is_told_with_distribution_and_cause(
    install_recipes,
):
    install_recipes("theirs_broken", source=RAISES)
    message = error_of(get_recipe, "theirs")
    assert "theirs_broken 1.5" in message
    assert "RuntimeError: no luck" in message


def test_an_installed_recipe_that_is_not_there_is_told_with_its_distribution(install_recipes):
    install_recipes("theirs_absent", "theirs = theirs_absent:Missing")
    message = error_of(get_recipe, "theirs")
    assert "theirs_absent 1.5" in message
    assert "Missing" in message


def test_an_unusable_installed_recipe_is_told_with_its_distribution(install_recipes):
    install_recipes("theirs_wrong", source=MODULE.replace("pickup_zone", "pick_up_zone"))
    message = error_of(get_recipe, "theirs")
    assert "theirs_wrong 1.5" in message
    assert "did you mean pickup_zone" in message


def test_an_installed_recipe_of_a_bad_name_is_told_with_its_distribution(install_recipes):
    install_recipes("theirs_named", "The irs = theirs_named:Theirs")
    assert "theirs_named 1.5" in error_of(get_recipe, "The irs")


def test_two_distributions_with_a_recipe_of_one_name_are_both_told(install_recipes):
    install_recipes("theirs_one")
    install_recipes("theirs_two")
    message = error_of(get_recipe, "theirs")
    assert "theirs_one 1.5" in message
    assert "theirs_two 1.5" in message


def test_a_registered_and_an_installed_recipe_of_one_name_are_both_told(install_recipes):
    install_recipes("theirs_too")
    register_recipe("theirs", Mine)
    message = error_of(get_recipe, "theirs")
    assert "theirs_too 1.5" in message
    assert f"{__name__}:Mine" in message


def test_a_class_may_be_registered_and_installed(install_recipes):
    source = MODULE + (
        "from taxi_pipeline.model.recipes import register_recipe\n"
        "register_recipe('theirs', Theirs)\n"
    )
    install_recipes("theirs_both", source=source)
    assert get_recipe("theirs") is not None
    assert get_recipe("theirs") is known_recipe("theirs")


def test_an_installed_recipe_does_not_shadow_one_of_this_package(install_recipes):
    install_recipes("theirs_trip", "trip = theirs_trip:Theirs")
    assert get_recipe("trip") is RECIPES["trip"]


def test_what_is_installed_is_not_looked_through_for_a_recipe_of_this_package(tmp_path):
    code = (
        "import taxi_pipeline\n"
        "from taxi_pipeline.model.recipes import registry\n"
        "taxi_pipeline.RegisterModel(year=2021, month=1)\n"
        "print(registry._entry_points.cache_info().misses)\n"
    )
    done = python(tmp_path, "-c", code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "0"


def unknown(*modules):
    """What is said of a recipe that is not known where some modules were given."""
    before = commands.repeat(lambda: commands.Given(modules))
    try:
        return error_of(get_recipe, "ridge")
    finally:
        commands.repeat(before)


def test_without_a_module_an_unknown_recipe_is_said_to_need_one():
    assert unknown().endswith(
        "one of your own is known once its module is named, such as --module my_recipes.mine"
    )


def test_a_module_that_registers_no_such_recipe_is_named_with_what_to_do(tmp_path, monkeypatch):
    for name in ("linear", "ridge"):
        (tmp_path / "front_models").mkdir(exist_ok=True)
        (tmp_path / "front_models" / f"{name}.py").touch()
    (tmp_path / "front_models" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    importlib.import_module("front_models")
    told = "imported, and registers none of that name: name the module in which @register_recipe"
    assert unknown("json.decoder").endswith(f'json.decoder was {told}("ridge") stands')
    assert "json.decoder, pkgutil were imported, and register none" in unknown(
        "json.decoder", "pkgutil"
    )
    assert unknown("front_models").endswith(
        f'front_models was {told}("ridge") stands, such as --module front_models.ridge'
    )
