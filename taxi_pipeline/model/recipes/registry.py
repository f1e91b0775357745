"""Recipes by name: those of this package, those that a module registers, and those installed.

Importing this costs nothing. What is installed beside this package is looked through only when a
recipe is asked for that is not one of this package.
"""

from __future__ import annotations

import functools
import pkgutil
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, overload

from taxi_pipeline import commands
from taxi_pipeline.errors import InvalidRecipe
from taxi_pipeline.model.recipes.base import Recipe
from taxi_pipeline.model.recipes.course import Course
from taxi_pipeline.model.recipes.linear import Linear
from taxi_pipeline.model.recipes.pretrip import Pretrip
from taxi_pipeline.model.recipes.trip import Trip
from taxi_pipeline.model.recipes.validation import checked_name, checked_recipe, nearest

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

ENTRY_POINTS = "taxi_pipeline.recipes"
"""The group of entry points in which a distribution names its recipes."""

RECIPES: dict[str, Recipe] = {
    "trip": Trip(),
    "pretrip": Pretrip(),
    "course": Course(),
    "linear": Linear(),
}
"""The recipes of this package."""

_registered: dict[str, type[Recipe] | Recipe] = {}
_checked: dict[str, Recipe] = {}

Declared = TypeVar("Declared", bound=type[Recipe] | Recipe)


@overload
def register_recipe(name: str) -> Callable[[Declared], Declared]: ...


@overload
def register_recipe(name: str, recipe: Declared) -> Declared: ...


def register_recipe(name: str, recipe: Any = None) -> Any:
    """Give a recipe a name, so that ``--recipe`` takes it.

    Either as ``register_recipe("mine", Mine)``, or above the class as ``@register_recipe("mine")``.
    The same class may be registered again, as it is when its module is loaded again. What the
    recipe declares is checked when it is first asked for, so that ``--recipe`` tells what is wrong
    with it as it tells of any other value.

    Args:
        name: lower-case letters, digits, ``-`` and ``_``.
        recipe: a class derived from :class:`Recipe`, or an instance of one.

    Returns:
        The recipe as it was given.

    Raises:
        InvalidRecipe: the name is taken or no name.
    """
    if recipe is None:
        return functools.partial(register_recipe, name)
    place = _place(recipe)
    checked_name(name, place)
    if name in RECIPES:
        raise InvalidRecipe(f"{place} cannot be the recipe {name!r}: taxi_pipeline has one")
    if name in _registered and _place(_registered[name]) != place:
        raise _two_of_a_name(name, [_place(_registered[name]), place])
    _registered[name] = recipe
    _checked.pop(name, None)
    return recipe


def get_recipe(name: str) -> Recipe:
    """The recipe of a name.

    Raises:
        InvalidRecipe: there is none, or more than one, or it cannot be imported, or it lacks what a
            recipe must declare.
    """
    if name in RECIPES:
        return RECIPES[name]
    installed = [entry for entry in _entry_points() if entry.name == name]
    places = {entry.value: _distribution(entry) for entry in installed}
    if name in _registered:
        places[_place(_registered[name])] = _place(_registered[name])
    if len(places) > 1:
        raise _two_of_a_name(name, list(places.values()))
    recipe = known_recipe(name)
    if recipe is not None:
        return recipe
    if installed:
        return _load(installed[0])
    names = recipe_names()
    raise InvalidRecipe(
        f"no recipe is named {name!r}{nearest(name, names)}; the recipes are {', '.join(names)}; "
        f"{_how_to_register(name)}"
    )


def _how_to_register(name: str) -> str:
    """What makes a recipe of one's own known, after what was given to the present command."""
    modules = commands.given().modules
    if not modules:
        return "one of your own is known once its module is named, such as --module my_recipes.mine"
    inner = [
        f"{module}.{found.name}"
        for module in modules
        for found in pkgutil.iter_modules(getattr(sys.modules.get(module), "__path__", ()))
    ]
    inner.sort(key=lambda module: module.rpartition(".")[2] != name)
    one = len(modules) == 1
    return (
        f"{', '.join(modules)} {'was' if one else 'were'} imported, and "
        f"{'registers' if one else 'register'} none of that name: name the module in which "
        f'@register_recipe("{name}") stands' + (f", such as --module {inner[0]}" if inner else "")
    )


def known_recipe(name: str) -> Recipe | None:
    """The recipe of a name, if it is one of this package or registered in this process.

    Raises:
        InvalidRecipe: the one registered lacks what a recipe must declare.
    """
    if name in RECIPES:
        return RECIPES[name]
    if name in _registered and name not in _checked:
        recipe = _registered[name]
        _checked[name] = checked_recipe(name, recipe, _place(recipe))
    return _checked.get(name)


def recipe_names() -> list[str]:
    """The names of all recipes: this package's, registered ones, and installed ones."""
    installed = (entry.name for entry in _entry_points())
    return list(dict.fromkeys([*RECIPES, *_registered, *installed]))


@functools.cache
def _entry_points() -> tuple[EntryPoint, ...]:
    from importlib.metadata import entry_points

    return tuple(entry_points(group=ENTRY_POINTS))


@functools.cache
def _load(entry: EntryPoint) -> Recipe:
    place = _distribution(entry)
    checked_name(entry.name, place)
    try:
        recipe = entry.load()
    except InvalidRecipe:
        raise
    except Exception as error:  # (a module may raise anything while it is imported)
        message = " ".join(f"{type(error).__name__}: {error}".split())
        raise InvalidRecipe(
            f"recipe {entry.name!r} of {place} cannot be imported: {message}"
        ) from error
    return checked_recipe(entry.name, recipe, place)


def _two_of_a_name(name: str, places: list[str]) -> InvalidRecipe:
    return InvalidRecipe(
        f"{len(places)} recipes are named {name!r}: {' and '.join(places)}; rename all but one"
    )


def _place(recipe: Any) -> str:
    """The module and the name of the recipe's class."""
    kind = recipe if isinstance(recipe, type) else type(recipe)
    return f"{kind.__module__}:{kind.__qualname__}"


def _distribution(entry: EntryPoint) -> str:
    """The distribution and the class that an entry point names."""
    if entry.dist is None:
        return entry.value
    return f"{entry.dist.name} {entry.dist.version}, {entry.value}"
