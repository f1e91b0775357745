"""Recipes: what a model is made of. How to add one: docs/how-to/add_a_recipe.md.

Importing a recipe costs nothing: its packages are imported when a task runs it.
"""

from taxi_pipeline.model.recipes.base import Recipe
from taxi_pipeline.model.recipes.registry import (
    RECIPES,
    get_recipe,
    known_recipe,
    recipe_names,
    register_recipe,
)

__all__ = [
    "RECIPES",
    "Recipe",
    "get_recipe",
    "known_recipe",
    "recipe_names",
    "register_recipe",
]
