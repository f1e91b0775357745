"""Recipes: what a model is made of. To add one, write a class in a file here and name it below.

Importing a recipe costs nothing: its packages are imported when a task runs it.
"""

from taxi_pipeline.model.recipes.base import Recipe
from taxi_pipeline.model.recipes.course import Course
from taxi_pipeline.model.recipes.linear import Linear
from taxi_pipeline.model.recipes.pretrip import Pretrip
from taxi_pipeline.model.recipes.trip import Trip

RECIPES: dict[str, Recipe] = {
    "trip": Trip(),
    "pretrip": Pretrip(),
    "course": Course(),
    "linear": Linear(),
}

__all__ = ["RECIPES", "Recipe"]
