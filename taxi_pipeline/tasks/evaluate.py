"""The model is judged on the month after its training window."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from taxi_pipeline.identity import Identity
from taxi_pipeline.tasks.base import RecipeStage
from taxi_pipeline.tasks.features import BuildFeatures
from taxi_pipeline.tasks.train import TrainModel


class EvaluateModel(RecipeStage):
    """Measure the model, and what could be predicted without it, on the evaluation month."""

    stage = "evaluate"
    version: ClassVar[int] = 2

    METRICS = "metrics.json"
    SLICES = "slices.parquet"
    # The same for people: browsers and MLflow's pages show it.
    SLICES_AS_TEXT = "slices.csv"
    PREDICTIONS = "predictions.parquet"
    PLOT = "evaluation.png"

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

    def first_identity(self) -> Identity | None:
        """The identity of the same evaluation in version 1, which knew no intervals.

        Candidates were registered under its key.
        """
        identity = self.identity()
        if identity is None:
            return None
        recipe = identity.version.removeprefix(str(self.version))
        return replace(identity, version=f"1{recipe}")

    def make(self, folder: Path) -> Mapping[str, Any]:
        """Write metrics, errors by slices, predictions, and a plot."""
        import numpy as np

        from taxi_pipeline.evaluation import plots, report
        from taxi_pipeline.evaluation.baselines import PAIR
        from taxi_pipeline.evaluation.gate import best_baseline
        from taxi_pipeline.evaluation.slices import COLUMNS
        from taxi_pipeline.model import features
        from taxi_pipeline.model.duration import DurationModel

        model = DurationModel.load(self.input()["model"].file(TrainModel.MODEL), self.thread_count)
        later = self.input()["evaluation"].file(BuildFeatures.FILE)
        self.report(f"predicting the trips of {self.evaluation_month}")
        parts = features.feature_parts([later], self.chosen_recipe.columns)
        predicted = np.concatenate([model.predict(part) for part in parts])
        window = features.feature_parts(
            (output.file(BuildFeatures.FILE) for output in self.input()["window"]), PAIR
        )
        month = features.load_features([later], COLUMNS)
        result = report.evaluate(window, month, predicted, self.evaluation_month)
        figures = {
            "evaluation_month": str(self.evaluation_month),
            **result.as_dict(),
            "caveat": self.chosen_recipe.caveat,
        }
        (folder / self.METRICS).write_text(json.dumps(figures, indent=2) + "\n")
        result.slices.to_parquet(folder / self.SLICES, index=False)
        result.slices.to_csv(folder / self.SLICES_AS_TEXT, index=False)
        result.predictions.to_parquet(folder / self.PREDICTIONS, index=False, compression="zstd")
        heading = f"{self.taxi} taxis in {self.evaluation_month}, recipe {self.recipe}"
        plots.plot(result, heading, folder / self.PLOT)
        baseline = best_baseline(result.baselines)
        return {
            "summary": f"RMSE {result.model['rmse']:.4f} minutes on {self.evaluation_month}, "
            f"baseline {baseline} has {result.baselines[baseline]['rmse']:.4f}",
            "rows": result.rows,
            "rmse": result.model["rmse"],
        }
