"""Hyperparameters are chosen inside the training window."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar

from taxi_pipeline import config
from taxi_pipeline.tasks.base import RecipeTask
from taxi_pipeline.tasks.features import BuildFeatures


class TuneHyperparameters(RecipeTask):
    """Search for the parameters and rounds with which the recipe does best."""

    sections: ClassVar = (config.tuning,)

    CHOICE = "choice.json"
    TRIALS = "trials.csv"

    def requires(self) -> list[BuildFeatures]:
        """The features of the training window."""
        return self.months(BuildFeatures)

    def window_files(self) -> list[Path]:
        """The feature files of the training window, oldest month first."""
        return [output.file(BuildFeatures.FILE) for output in self.input()]

    def make(self, folder: Path) -> Mapping[str, Any]:
        """Write the choice, and the trials as a table."""
        import pandas as pd  # noqa: PLC0415  (a running task only)

        from taxi_pipeline.model import features, tuning  # noqa: PLC0415  (likewise)

        settings = config.tuning()
        choice = tuning.search(
            self.chosen_recipe,
            features.read(self.window_files(), self.chosen_recipe.training_columns),
            window_end=self.calendar_month.end,
            holdout_days=settings.holdout_days,
            budget=tuning.Budget(
                trials=settings.trials,
                max_rounds=settings.max_rounds,
                patience=settings.patience,
                max_rows=settings.max_rows,
            ),
            seed=settings.seed,
            threads=config.training().thread_count,
            progress=lambda done, total, best: self.report(
                f"trial {done}/{total}, best {best:.4f}", done, total
            ),
        )
        (folder / self.CHOICE).write_text(json.dumps(asdict(choice), indent=2) + "\n")
        pd.DataFrame(choice.trials).to_csv(folder / self.TRIALS, index=False)
        if choice.rmse is None:
            return {"summary": f"recipe {self.recipe} is not tuned", "trials": 0}
        return {
            "summary": f"best of {len(choice.trials)} trials has RMSE {choice.rmse:.4f} on the "
            f"window's last {settings.holdout_days} days",
            "trials": len(choice.trials),
            "rmse": choice.rmse,
        }
