"""What retraining each month is worth, over a range of months."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from taxi_pipeline import config
from taxi_pipeline.config.option_names import name_options
from taxi_pipeline.config.parameters import MonthParameter
from taxi_pipeline.errors import InvalidParameter
from taxi_pipeline.identity import Identity
from taxi_pipeline.month import Month
from taxi_pipeline.storage import layout
from taxi_pipeline.tasks.base import RecipeStage
from taxi_pipeline.tasks.evaluate import EvaluateModel
from taxi_pipeline.tasks.features import BuildFeatures
from taxi_pipeline.tasks.gate import configured_rules
from taxi_pipeline.tasks.train import TrainModel

if TYPE_CHECKING:
    import pandas as pd

    from taxi_pipeline.evaluation.backtest import BacktestMonth
    from taxi_pipeline.evaluation.judge import Evaluated
    from taxi_pipeline.model.duration import DurationModel
    from taxi_pipeline.model.regressors import Minutes

MIN_MONTHS = 2


class BacktestRecipe(RecipeStage):
    """Walk forward over a range: each month's model on the month after it, and what that is worth.

    The models and evaluations are those of the ordinary tasks. Nothing is registered, and which
    models are registered, were champion or are pinned takes no part: the champions here are those
    that the gate, as it is configured now, would make of these months alone.

    Its outputs are kept as those of the last training month.
    """

    # The range takes the place of the month, which is the last one's.
    year = property(lambda self: self.calendar_month.year)
    month = property(lambda self: self.calendar_month.month)

    start: MonthParameter = MonthParameter(
        description="The first month to train on (the last one of its window), YYYY-MM."
    )
    stop: MonthParameter = MonthParameter(
        description="The month after the last one to train on, YYYY-MM, as of BackfillMonths. It "
        "is the last month on which models are judged, and so must be published."
    )

    stage = "backtest"
    sections: ClassVar = (config.gate,)

    RESULT = "backtest.json"
    TABLE = "backtest.parquet"
    # The same for people.
    TABLE_AS_TEXT = "backtest.csv"
    PAGE = "backtest.html"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.stop < self.start + MIN_MONTHS:
            raise InvalidParameter(
                f"--start {self.start} --stop {self.stop}: a backtest needs two months or more to "
                "train on, the first of which is never trained again; the stop is the month after "
                "the last one"
            )

    @property
    def resources(self) -> dict[str, int]:  # type: ignore[override]  # as in Stage
        """A core for each thread."""
        return {"cpu": self.thread_count}

    @property
    def calendar_month(self) -> Month:
        """The last month to train on."""
        return self.stop - 1

    @property
    def variant(self) -> str:
        """Recipe, window and the first month, as in the output's path."""
        return f"{super().variant}-from-{self.start}"

    @property
    def label(self) -> str:
        """The task's short name for a person."""
        months = f"{self.start} to {self.calendar_month}"
        return f"{self.task_family} {self.taxi} {months} {super().variant}"

    @property
    def training_months(self) -> list[Month]:
        """The last months of the training windows, in order."""
        months = [self.start]
        while months[-1] < self.calendar_month:
            months.append(months[-1] + 1)
        return months

    def requires(self) -> dict[str, Any]:
        """Each month's evaluation, what it is judged on, and the models that predict later months.

        The model of the last month predicts no later one.
        """
        months = self.training_months
        return {
            "evaluations": [self.in_month(EvaluateModel, month) for month in months],
            "features": [self.in_month(BuildFeatures, month + 1) for month in months],
            "models": [self.in_month(TrainModel, month) for month in months[:-1]],
        }

    def make(self, folder: Path) -> Mapping[str, Any]:
        """Write the answer, the table of the months, and the page."""
        from taxi_pipeline.evaluation.backtest import backtest
        from taxi_pipeline.evaluation.pages.backtest import render_backtest

        # Two models at a time predict: the frozen one, and the champion.
        model = functools.lru_cache(maxsize=2)(self._model)

        def predict(month: Month, features: pd.DataFrame) -> Minutes:
            return model(month).predict(features)

        found = backtest(self._evaluated(), predict, configured_rules())
        found = replace(found, months=tuple(map(self._with_options_named, found.months)))
        about = {
            "taxi": self.taxi,
            "recipe": self.recipe,
            "window": self.window,
            "trained_to": [str(month) for month in self.training_months],
            "gate": self._config_values(),
        }
        result = {**about, **found.as_dict()}
        (folder / self.RESULT).write_text(json.dumps(result, indent=2) + "\n")
        table = found.as_table()
        table.to_parquet(folder / self.TABLE, index=False)
        table.to_csv(folder / self.TABLE_AS_TEXT, index=False)
        heading = f"Recipe {self.recipe}, {self.taxi} taxis: is monthly retraining worth it?"
        page = render_backtest(
            found,
            heading=heading,
            model_name=self.model_name,
            window=self.window,
            rules={
                f"[gate] {name}": value for name, value in config.gate().to_str_params().items()
            },
            caveat=self.chosen_recipe.caveat,
            made=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        (folder / self.PAGE).write_text(page, encoding="utf-8")
        return {
            "summary": f"{found.sentence} {found.gate_sentence} All months in {self.PAGE}",
            "rows": found.retraining.rows,
            "rmse": found.retraining.first_rmse,
        }

    def _with_options_named(self, month: BacktestMonth) -> BacktestMonth:
        reasons = tuple(name_options(reason, self.sections) for reason in month.reasons)
        return replace(month, reasons=reasons)

    def _model(self, month: Month) -> DurationModel:
        from taxi_pipeline.model.duration import DurationModel

        output = self.input()["models"][self.training_months.index(month)]
        return DurationModel.load(output.file(TrainModel.MODEL), self.thread_count)

    def _evaluated(self) -> Iterator[Evaluated]:
        """The months' evaluations, each read when it is asked for."""
        import pandas as pd

        from taxi_pipeline.evaluation.judge import Evaluated
        from taxi_pipeline.evaluation.slices import COLUMNS
        from taxi_pipeline.model.features import load_features

        inputs, months = self.input(), self.training_months
        columns = dict.fromkeys([*COLUMNS, *self.chosen_recipe.columns])
        pairs = zip(months, inputs["evaluations"], inputs["features"], strict=True)
        for done, (month, evaluation, features) in enumerate(pairs):
            self.report(f"judging on {month + 1}", done, len(months))
            yield Evaluated(
                figures=json.loads(evaluation.file(EvaluateModel.METRICS).read_text()),
                predictions=pd.read_parquet(evaluation.file(EvaluateModel.PREDICTIONS)),
                features=load_features([features.file(BuildFeatures.FILE)], columns),
                month=month + 1,
            )

    def after_publish(self, identity: Identity) -> None:
        """Link to the page from the scheduler's."""
        page = layout.output_file(self.location(identity), self.PAGE)
        if url := self.context.links.browser_url(page):
            self.set_tracking_link(url)
