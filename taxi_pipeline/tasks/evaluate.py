"""The model is judged on the month after its training window."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from taxi_pipeline.month import Month
from taxi_pipeline.tasks.base import RecipeStage
from taxi_pipeline.tasks.features import BuildFeatures
from taxi_pipeline.tasks.train import TrainModel


class EvaluateModel(RecipeStage):
    """Measure the model, and what could be predicted without it, on the evaluation month."""

    stage = "evaluate"

    METRICS = "metrics.json"
    SLICES = "slices.csv"
    PLOT = "evaluation.png"

    # What the baselines and the slices read.
    COLUMNS = ("pickup_zone", "dropoff_zone", "hour", "weekday", "miles", "partial")

    @property
    def evaluation_month(self) -> Month:
        """The month after the training window, which took no part in making the model."""
        return self.calendar_month + 1

    @property
    def resources(self) -> dict[str, int]:  # type: ignore[override]  # as in Stage
        """A core for each thread."""
        return {"cpu": self.thread_count}

    def requires(self) -> dict[str, Any]:
        """The model, the window for the baselines, and the evaluation month."""
        return {
            "model": self.clone(TrainModel),
            "window": self.months(BuildFeatures),
            "evaluation": self.in_month(BuildFeatures, self.evaluation_month),
        }

    def make(self, folder: Path) -> Mapping[str, Any]:
        """Write metrics, metrics by slices, and a plot."""
        from taxi_pipeline.evaluation import plots, report
        from taxi_pipeline.evaluation.baselines import PAIR
        from taxi_pipeline.evaluation.gate import best_baseline
        from taxi_pipeline.model import features
        from taxi_pipeline.model.duration import DurationModel

        model = DurationModel.load(self.input()["model"].file(TrainModel.MODEL), self.thread_count)
        window = features.load_features(
            (output.file(BuildFeatures.FILE) for output in self.input()["window"]), PAIR
        )
        month = features.load_features(
            [self.input()["evaluation"].file(BuildFeatures.FILE)],
            (*self.COLUMNS, *self.chosen_recipe.columns),
        )
        self.report(f"predicting {len(month):,} trips of {self.evaluation_month}")
        predicted = model.predict(month)
        result = report.evaluate(window, month, predicted)
        figures = {
            "evaluation_month": str(self.evaluation_month),
            **result.as_dict(),
            "caveat": self.chosen_recipe.caveat,
        }
        (folder / self.METRICS).write_text(json.dumps(figures, indent=2) + "\n")
        result.slices.to_csv(folder / self.SLICES, index=False)
        actual = month[features.TARGET].to_numpy()
        plots.plot(result, actual, predicted, folder / self.PLOT)
        baseline = best_baseline(result.baselines)
        return {
            "summary": f"RMSE {result.model['rmse']:.4f} minutes on {self.evaluation_month}, "
            f"baseline {baseline} has {result.baselines[baseline]['rmse']:.4f}",
            "rows": result.rows,
            "rmse": result.model["rmse"],
        }
