"""What tasks have in common: parameters and progress, identity and publishing, recipe and window.

Nothing here knows a concrete task.
"""

from taxi_pipeline.tasks.base.identity_cache import identity_cache, is_done
from taxi_pipeline.tasks.base.monthly import MonthlyTask
from taxi_pipeline.tasks.base.recipe import ModelStage, RecipeStage
from taxi_pipeline.tasks.base.run_context import RunContext
from taxi_pipeline.tasks.base.stage import Stage

__all__ = [
    "ModelStage",
    "MonthlyTask",
    "RecipeStage",
    "RunContext",
    "Stage",
    "identity_cache",
    "is_done",
]
