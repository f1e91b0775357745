"""What a recipe must declare, checked when the recipe is first asked for."""

from __future__ import annotations

import difflib
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, get_args

from taxi_pipeline.errors import InvalidRecipe
from taxi_pipeline.model.feature_names import FEATURES
from taxi_pipeline.model.recipes.base import Recipe
from taxi_pipeline.model.space import Distribution

NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
NOT_TUNED = ("learning_rate", "max_bin")
"""Parameters that all trials of a search share."""


def checked_name(name: Any, place: str) -> str:
    """The name, if it can stand in paths and in the name of a registered model.

    Raises:
        InvalidRecipe: it cannot.
    """
    if isinstance(name, str) and NAME.fullmatch(name):
        return name
    raise InvalidRecipe(
        f"{place} cannot be the recipe {name!r}: a name is made of lower-case letters, digits, "
        "- and _"
    )


def checked_recipe(name: str, recipe: Any, place: str) -> Recipe:
    """An instance of the recipe, if it declares what a recipe must declare.

    Args:
        name: the name that it is to have.
        recipe: a class, or an instance of one.
        place: where it was found, for the error.

    Raises:
        InvalidRecipe: it is no recipe; the text names it, its place and what is wrong.
    """
    try:
        instance = _instance(recipe)
        for check in _CHECKS:
            check(instance)
    except InvalidRecipe as error:
        raise InvalidRecipe(f"recipe {name!r} ({place}): {error}") from error.__cause__
    return instance


def nearest(name: str, names: Iterable[str]) -> str:
    """A question for what was meant, to be put behind a name that is not known."""
    near = difflib.get_close_matches(str(name), list(names))
    return f" (did you mean {' or '.join(near)}?)" if near else ""


def _instance(recipe: Any) -> Recipe:
    if isinstance(recipe, Recipe):
        return recipe
    if not (isinstance(recipe, type) and issubclass(recipe, Recipe)):
        raise InvalidRecipe("it must be a class derived from taxi_pipeline.model.recipes.Recipe")
    missing = sorted(getattr(recipe, "__abstractmethods__", ()))
    if missing:
        raise InvalidRecipe(f"it must have the method {' and the method '.join(missing)}")
    try:
        return recipe()
    except Exception as error:
        raise InvalidRecipe(f"its class cannot be called without arguments: {error}") from error


def _check_texts(recipe: Recipe) -> None:
    summary = getattr(recipe, "summary", None)
    if not isinstance(summary, str) or not summary.strip() or "\n" in summary:
        raise InvalidRecipe("`summary` must be a line that says what the recipe is")
    if not isinstance(recipe.caveat, str):
        raise InvalidRecipe("`caveat` must be a text")


def _check_columns(recipe: Recipe) -> None:
    for attribute in ("columns", "training_only_columns"):
        names = getattr(recipe, attribute, ())
        if not isinstance(names, (tuple, list)):
            raise InvalidRecipe(
                f"`{attribute}` must be a tuple of names of features, such as ('hour',)"
            )
        unknown = [name for name in names if name not in FEATURES]
        if unknown:
            questions = [f"{name!r}{nearest(name, FEATURES)}" for name in unknown]
            raise InvalidRecipe(
                f"`{attribute}` names {', '.join(questions)}, but the features are "
                f"{', '.join(FEATURES)}"
            )
    if not getattr(recipe, "columns", ()):
        raise InvalidRecipe("`columns` must name the features that it predicts from")


def _check_numbers(recipe: Recipe) -> None:
    def is_count(value: Any) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and value > 0

    if not is_count(recipe.version):
        raise InvalidRecipe("`version` must be a whole number, 1 or more")
    if recipe.rounds is not None and not is_count(recipe.rounds):
        raise InvalidRecipe("`rounds` must be a whole number, 1 or more, or None")
    growth = recipe.round_growth
    if isinstance(growth, bool) or not isinstance(growth, int | float) or not 0 < growth < math.inf:
        raise InvalidRecipe("`round_growth` must be a number above 0, such as 1.3")


def _check_space(recipe: Recipe) -> None:
    for attribute in ("parameters", "space"):
        if not isinstance(getattr(recipe, attribute), Mapping):
            raise InvalidRecipe(f"`{attribute}` must be a dict")
    try:
        json.dumps(dict(recipe.parameters))
    except (TypeError, ValueError) as error:
        raise InvalidRecipe(f"`parameters` must be what JSON can hold: {error}") from error
    for parameter, distribution in recipe.space.items():
        if parameter in NOT_TUNED:
            raise InvalidRecipe(f"`space` must not name {parameter}, which all trials share")
        if not isinstance(distribution, get_args(Distribution)):
            raise InvalidRecipe(f"`space` must give {parameter} a distribution of model/space.py")
        own = recipe.parameters.get(parameter)
        if own is None or not distribution.low <= own <= distribution.high:
            raise InvalidRecipe(
                f"`parameters` must give {parameter} a value of its `space`, from "
                f"{distribution.low:g} to {distribution.high:g}: the search begins there"
            )


_CHECKS: tuple[Callable[[Recipe], None], ...] = (
    _check_texts,
    _check_columns,
    _check_numbers,
    _check_space,
)
