"""A stage that is about a model: of one recipe, trained on a window of months."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, TypeVar

from taxi_pipeline import config
from taxi_pipeline.config.option_names import name_options
from taxi_pipeline.config.parameters import BoundedIntParameter, CheckedParameter
from taxi_pipeline.errors import DamagedOutput, InvalidRecipe, InvalidTraining
from taxi_pipeline.evaluation.gate import CHAMPION
from taxi_pipeline.identity import is_key
from taxi_pipeline.model import recipes
from taxi_pipeline.model.recipes.source import FIRST_DIGESTS, recipe_digest
from taxi_pipeline.month import Month
from taxi_pipeline.tasks.base.identity_cache import cached
from taxi_pipeline.tasks.base.ledgers import open_ledger
from taxi_pipeline.tasks.base.monthly import MonthlyTask
from taxi_pipeline.tasks.base.stage import Stage

if TYPE_CHECKING:
    from taxi_pipeline.tracking.server import TrackingServer

Monthly = TypeVar("Monthly", bound=MonthlyTask)


def model_name(taxi: str, recipe: str) -> str:
    """The registered model of a taxi and a recipe."""
    return f"nyc-{taxi}-taxi-duration-{recipe}"


def tracking_server() -> TrackingServer:
    """The MLflow server of the configuration."""
    from taxi_pipeline.tracking.server import TrackingServer

    settings = config.tracking()
    return TrackingServer(
        settings.server_uri, settings.experiment, settings.artifacts, config.storage().root
    )


class RecipeParameter(CheckedParameter[str]):
    """The name of a recipe of this package, of a registered one or of an installed one.

    Which names there are is asked when a value is checked: a module may register a recipe after
    the tasks are imported.
    """

    def normalize(self, x: Any) -> str:
        """The name, if there is a usable recipe of that name."""
        name = str(x)
        try:
            recipes.get_recipe(name)
        except InvalidRecipe as error:
            raise self._error(f"{self._where}: {error}") from error
        return name


class ModelStage(Stage):
    """A stage that is about a registered model."""

    recipe: RecipeParameter = RecipeParameter(
        default="trip",
        description=f"The recipe of the model: {', '.join(recipes.RECIPES)}, or one of your own.",
    )

    @property
    def model_name(self) -> str:
        """The registered model that this is about."""
        return model_name(self.taxi, self.recipe)

    @property
    def thread_count(self) -> int:
        """The number of threads of one fit, as configured and as the run shares the cores."""
        return self.context.cores.threads(config.training().threads)

    @property
    def device(self) -> str:
        """Where trees are boosted, as configured.

        Raises:
            InvalidTraining: that is not to be had here.
        """
        from taxi_pipeline.model.quantiles import check_device

        device = config.training().device
        try:
            check_device(device)
        except InvalidTraining as error:
            line = name_options(str(error), (config.training,))
            raise InvalidTraining(line) from error
        return device

    def server(self) -> TrackingServer:
        """The MLflow server of the configuration."""
        return tracking_server()

    def _in_words(self, name: str, value: str) -> str:
        """A champion by its version, where its ledger knows the candidate."""
        if name == CHAMPION and is_key(value):
            with contextlib.suppress(DamagedOutput):  # who needs the ledger tells of its damage
                for change in reversed(open_ledger(self.model_name).read().changes):
                    if change.candidate_key == value:
                        return f"version {change.to_version}"
        return super()._in_words(name, value)


class RecipeStage(ModelStage):
    """A stage that makes, or judges, a model of one recipe, trained on a window of months.

    The month is the last of the training window.
    """

    window: BoundedIntParameter = BoundedIntParameter(
        1, 120, default=1, description="How many months, ending with this one, to train on."
    )

    @property
    def variant(self) -> str:
        """Recipe and window, as in the output's path."""
        return f"{self.recipe}-w{self.window}"

    @property
    def evaluation_month(self) -> Month:
        """The month after the training window, which takes no part in making the model."""
        return self.calendar_month + 1

    @property
    def chosen_recipe(self) -> recipes.Recipe:
        """The recipe itself."""
        return recipes.get_recipe(self.recipe)

    def _version(self) -> str:
        recipe = self.chosen_recipe
        version = f"{self.version}, recipe {recipe.version}"
        content = recipe_digest(recipe)
        # What was made before the code counted is found as long as the recipe is what it was then.
        return version if content == FIRST_DIGESTS.get(self.recipe) else f"{version} {content}"

    @property
    def window_in_words(self) -> str:
        """The training window: ``2021-01``, or ``2020-11 to 2021-01``."""
        first = next(iter(self.calendar_month.window(self.window)))
        return f"{first} to {self.calendar_month}" if self.window > 1 else str(first)

    @property
    def run_name(self) -> str:
        """What tells its run in MLflow from others: month and recipe, and what is unusual."""
        words = [str(self.calendar_month), self.recipe]
        if self.window > 1:
            words.append(f"w{self.window}")
        if self.taxi != "green":
            words.append(self.taxi)
        return " ".join(words)

    def months(self, task: type[Monthly]) -> list[Monthly]:
        """A monthly task for each month of the training window, oldest first."""
        last, window = self.calendar_month, self.window
        # In a reading several stages ask for the same months.
        return cached(
            (task, last, window, *self.param_kwargs.items()),
            lambda: [self.in_month(task, month) for month in last.window(window)],
        )

    def in_month(self, task: type[Monthly], month: Month) -> Monthly:
        """A monthly task of the same taxi."""
        # Windows overlap: in a reading of many tasks each month is asked for again and again.
        shared = {**self.param_kwargs, "year": month.year, "month": month.month}
        return cached(
            (task, *shared.items()),
            lambda: self.clone(task, year=month.year, month=month.month),
        )
