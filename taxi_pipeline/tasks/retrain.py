"""A model is trained anew where the champion has decayed, and only there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import luigi

from taxi_pipeline.config.parameters import BoundedIntParameter
from taxi_pipeline.errors import TaxiPipelineError
from taxi_pipeline.observability.run_summary import RunSummary
from taxi_pipeline.tasks.base import MonthlyTask, identity_cache, is_done
from taxi_pipeline.tasks.base.recipe import RecipeParameter
from taxi_pipeline.tasks.monitor import MonitorChampion, has_decayed, in_words
from taxi_pipeline.tasks.register import RegisterModel


class RetrainOnDecay(MonthlyTask):
    """Register a model of the month before, if the champion is found to have decayed in the month.

    The month is that of :class:`MonitorChampion`, and the evaluation month of the new model: both
    are published. The gate decides whether the new model becomes champion, and a pin holds.
    """

    recipe: RecipeParameter = RecipeParameter(
        default="trip", description="The recipe of the model."
    )
    window: BoundedIntParameter = BoundedIntParameter(
        1, 120, default=1, description="How many months to train the new model on."
    )

    @property
    def variant(self) -> str:
        """Recipe and window."""
        return f"{self.recipe}-w{self.window}"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._planned: list[luigi.Task] | None = None

    @property
    def monitor(self) -> MonitorChampion:
        """What was found in the month."""
        return self.clone(MonitorChampion)

    @property
    def retraining(self) -> RegisterModel:
        """The new model's registration."""
        before = self.calendar_month - 1
        return self.clone(RegisterModel, year=before.year, month=before.month)

    def requires(self) -> list[luigi.Task]:
        """The month's record and, once that tells a decay, the new model."""
        with identity_cache():
            monitor = self.monitor
            is_needed = is_done(monitor) and has_decayed(monitor.record())
        return [monitor, self.retraining] if is_needed else [monitor]

    def deps(self) -> list[luigi.Task]:
        """What is scheduled before this runs: what is known to be required when it is planned.

        What turns out afterwards :meth:`run` asks for. Luigi schedules and checks these, and reads
        :meth:`requires` to say at the end what was missing.
        """
        if self._planned is None:
            self._planned = self.requires()
        return self._planned

    def complete(self) -> bool:
        """Whether the month is monitored and, if the champion has decayed, the model is there."""
        with identity_cache():
            return bool(self.monitor.complete()) and all(one.complete() for one in self.requires())

    def run(self) -> Iterator[list[luigi.Task]]:
        """Ask for the new model, if there is a need: Luigi runs it, and then comes back."""
        needed = self.requires()
        if self.retraining in needed:
            self.report(f"the champion has decayed: {self.retraining.label} is needed")
        yield needed

    def on_run_end(self, summary: RunSummary) -> str:
        """What was decided, and why."""
        self._planned = None  # Luigi caches task objects: another run in this process plans anew
        return self._decision("waiting for publication" if summary.missing_external else "not run")

    @classmethod
    def report_months(cls, states: Mapping[RetrainOnDecay, str]) -> str:
        """What was decided in each of several months, a line each.

        Args:
            states: what became of each month in this run, in words, oldest month first.
        """
        return "\n".join(task._decision(state) for task, state in states.items())  # noqa: SLF001

    def _decision(self, state: str) -> str:
        """What was decided, and why; what became of the task, where nothing was."""
        try:
            monitor = self.monitor
            if not monitor.complete():
                return f"{self.label}: nothing is decided: {state}"
            record = monitor.record()
            if not has_decayed(record):
                return f"{self.label}: nothing is retrained: {in_words(record)}"
            retraining = self.retraining
            said = "is not registered yet"
            if retraining.complete():
                receipt = retraining.receipt()
                said = f"is version {receipt['version']} ({receipt['decision']})"
            line = f"{self.label}: the model of {retraining.calendar_month} {said}, since "
            return f"{line}{in_words(record)}"
        except TaxiPipelineError as error:
            return f"{self.label}: nothing is decided: {error}"
