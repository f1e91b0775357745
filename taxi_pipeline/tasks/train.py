"""The model is fitted on the whole training window."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any, ClassVar

from taxi_pipeline import config
from taxi_pipeline.tasks.base import RecipeStage
from taxi_pipeline.tasks.features import BuildFeatures
from taxi_pipeline.tasks.tune import TuneHyperparameters


class TrainModel(RecipeStage):
    """Fit the recipe with the parameters chosen by tuning."""

    stage = "train"
    sections: ClassVar = (config.features, config.training)

    MODEL = "model"
    IMPORTANCE = "importance.json"

    @property
    def resources(self) -> dict[str, int]:  # type: ignore[override]  # as in Stage
        """A core for each thread."""
        return {"cpu": self.thread_count}

    def requires(self) -> dict[str, Any]:
        """The tuning's choice, and the features of the training window."""
        return {"tuning": self.clone(TuneHyperparameters), "window": self.months(BuildFeatures)}

    def make(self, folder: Path) -> Mapping[str, Any]:
        """Write the model's folder, and what its features weigh."""
        from taxi_pipeline.model import fitting
        from taxi_pipeline.model.feature_files import FeatureFiles

        choice = json.loads(self.input()["tuning"].file(TuneHyperparameters.CHOICE).read_text())
        window = FeatureFiles(
            (output.file(BuildFeatures.FILE) for output in self.input()["window"]),
            self.chosen_recipe.training_columns,
            progress=lambda read: self.report(
                f"encoding {window.rows:,} trips, which were read {read / window.rows:.1f} times"
            ),
        )
        self.report(f"encoding {window.rows:,} trips")
        with self.cluster() if fitting.boosts(self.recipe) else nullcontext() as cluster:
            model = fitting.fit(
                self.recipe,
                window,
                choice["parameters"],
                choice["rounds"],
                taxi=self.taxi,
                max_miles=config.features().max_miles,
                seed=config.training().seed,
                threads=self.thread_count,
                device=self.device,
                external_memory=config.training().external_memory,
                progress=lambda done, rounds: self.report(
                    f"round {done:,}/{rounds:,}", done, rounds
                ),
                cluster=cluster,
            )
        model.save(folder / self.MODEL)
        importance = model.regressor.importance()
        (folder / self.IMPORTANCE).write_text(json.dumps(importance, indent=2) + "\n")
        return {"summary": f"{self.recipe} fitted on {window.rows:,} trips", "rows": window.rows}
