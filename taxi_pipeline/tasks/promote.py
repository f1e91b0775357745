"""A person makes a version the champion."""

from __future__ import annotations

from typing import Any

import luigi

from taxi_pipeline import config
from taxi_pipeline.config.parameters import BoundedIntParameter, CheckedParameter, ChoiceParameter
from taxi_pipeline.errors import TrackingError
from taxi_pipeline.logger import logger
from taxi_pipeline.observability import alerts
from taxi_pipeline.tasks.base.ledgers import open_ledger
from taxi_pipeline.tasks.base.recipe import RecipeParameter, model_name, tracking_server
from taxi_pipeline.tracking.ledger import Ledger, alias_version
from taxi_pipeline.tracking.lookup import CannotBeAsked, look_up
from taxi_pipeline.trips import TAXIS


class ReasonParameter(CheckedParameter[str]):
    """Why something is done; it is not part of a task's identity."""

    expects = "a few words that say why"

    def convert(self, value: Any) -> str:
        """The reason in one line."""
        words = " ".join(value.split())
        if not words:
            raise ValueError(value)
        return words


class PromoteModel(luigi.Task):
    """Make a version of a registered model the champion, and pin it.

    No registration replaces it until ``taxi-pipeline champion unpin``. The task is
    complete as long as the version is the champion, by the ledger and by the registry's alias.
    """

    taxi: ChoiceParameter = ChoiceParameter(TAXIS, default="green", description="green or yellow.")
    recipe: RecipeParameter = RecipeParameter(
        default="trip", description="The recipe of the model."
    )
    version: BoundedIntParameter = BoundedIntParameter(
        1, description="The version of the registered model that is to be champion."
    )
    reason: ReasonParameter = ReasonParameter(
        significant=False, description="Why, for the ledger and for those who ask later."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        config.check()

    @property
    def resources(self) -> dict[str, int]:  # type: ignore[override]  # Luigi's is a plain value
        """The registry."""
        return {"registry": 1}

    @property
    def model_name(self) -> str:
        """The registered model."""
        return model_name(self.taxi, self.recipe)

    @property
    def label(self) -> str:
        """The task's short name for a person."""
        return f"{self.task_family} {self.taxi} {self.recipe} {self.version}"

    @property
    def ledger(self) -> Ledger:
        """The ledger of the model."""
        return open_ledger(self.model_name)

    def complete(self) -> bool:
        """Whether the version is the champion, and the alias agrees as far as it can be asked."""
        version = str(self.version)
        history = self.ledger.read()
        if history.version != version or not history.is_confirmed:
            return False
        try:
            registered = look_up(config.tracking().server_uri, self.model_name)
            return alias_version(registered) == version
        except CannotBeAsked:
            return True
        except TrackingError:
            # What run() needs does not answer: it fails with the line that says so.
            return False

    def run(self) -> None:
        """Change the ledger, and have the alias follow."""
        from taxi_pipeline.tracking.champion import promote_version

        change = promote_version(tracking_server(), self.ledger, str(self.version), self.reason)
        line = (
            f"{self.model_name} version {self.version} is champion: {change.action} by {change.by} "
            f"({change.why})"
        )
        alerts.post_alert(line)
        logger.info("%s: %s", self.label, line)
