"""The model's predictions get intervals."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from taxi_pipeline import config
from taxi_pipeline.config.option_names import name_options
from taxi_pipeline.errors import InvalidTraining
from taxi_pipeline.tasks.base import RecipeStage
from taxi_pipeline.tasks.evaluate import EvaluateModel
from taxi_pipeline.tasks.features import BuildFeatures
from taxi_pipeline.tasks.tune import TuneHyperparameters

if TYPE_CHECKING:
    import pandas as pd

    from taxi_pipeline.model.intervals import Intervals


class CalibrateIntervals(RecipeStage):
    """Learn intervals of the predictions, and measure them on the evaluation month.

    They are learned from the window's last days, predicted by a model that was fitted on the days
    before: the chosen final fit of tuning, whose predictions are among its files. A recipe that is
    not tuned is fitted on those days here, as is one that was tuned by an earlier version.
    """

    stage = "intervals"
    sections: ClassVar = (config.tuning, config.training)

    FILE = "intervals.npz"
    COVERAGE = "coverage.json"

    @property
    def resources(self) -> dict[str, int]:  # type: ignore[override]  # as in Stage
        """A core for each thread."""
        return {"cpu": self.thread_count}

    def requires(self) -> dict[str, Any]:
        """Tuning, the window whose last days are learned from, and what was evaluated."""
        return {
            "tuning": self.clone(TuneHyperparameters),
            "window": self.months(BuildFeatures),
            "evaluation": self.clone(EvaluateModel),
            "later": self.in_month(BuildFeatures, self.evaluation_month),
        }

    def make(self, folder: Path) -> Mapping[str, Any]:
        """Write the intervals and their coverage, or why there are none."""
        try:
            intervals, bias = self._learned()
        except InvalidTraining as error:
            why = name_options(str(error), self.sections)
            self._write(folder, {"why_not": why})
            return {"summary": f"no intervals: {why}"}
        intervals.save(folder / self.FILE)
        coverage = self._measured(intervals, bias)
        self._write(folder, coverage)
        return {
            "summary": f"{coverage['level']:.0%} intervals hold {coverage['coverage']:.1%} of the "
            f"trips of {self.evaluation_month} and are {coverage['width']:.1f} minutes long",
            "rows": coverage["rows"],
            "coverage": coverage["coverage"],
            "width": coverage["width"],
        }

    def _write(self, folder: Path, content: Mapping[str, Any]) -> None:
        (folder / self.COVERAGE).write_text(json.dumps(content, indent=2) + "\n")

    def _learned(self) -> tuple[Intervals, float]:
        """The intervals, and the bias of the predictions that they were learned from."""
        from taxi_pipeline.model.features import TARGET
        from taxi_pipeline.model.intervals import DISTANCES, calibrate

        trips, late = self._late_trips()
        predicted, actual = late["predicted"].to_numpy("float64"), trips[TARGET].to_numpy()
        reads_distance = not DISTANCES.isdisjoint(self.chosen_recipe.columns)
        intervals = calibrate(trips, predicted, actual, reads_distance=reads_distance)
        return intervals, float((predicted - actual).mean())

    def _late_trips(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Trips of the window's last days, and what a model of its earlier days predicts."""
        import pandas as pd

        from taxi_pipeline.model.feature_files import FeatureFiles
        from taxi_pipeline.model.intervals import COLUMNS
        from taxi_pipeline.tuning.holdout import predict_late
        from taxi_pipeline.tuning.results import TuningResult

        tuning, recipe = self.input()["tuning"], self.chosen_recipe
        files = [output.file(BuildFeatures.FILE) for output in self.input()["window"]]
        if TuneHyperparameters.LATE in tuning.manifest()["files"]:
            late = pd.read_parquet(tuning.file(TuneHyperparameters.LATE))
            return FeatureFiles(files, COLUMNS).take(late["row"].to_numpy()), late
        choice = json.loads(tuning.file(TuneHyperparameters.CHOICE).read_text())
        tuned = TuningResult.from_json(choice)
        window = FeatureFiles(files, (*COLUMNS, *recipe.training_columns)).read()
        self.report("fitting the window's earlier days")
        late = predict_late(
            recipe,
            window,
            tuned.parameters,
            tuned.late_rounds,
            window_end=self.calendar_month.end,
            holdout_days=config.tuning().holdout_days,
            seed=config.training().seed,
            threads=self.thread_count,
        )
        return window.iloc[late["row"]], late

    def _measured(self, intervals: Intervals, bias: float) -> dict[str, Any]:
        import pandas as pd

        from taxi_pipeline.evaluation.coverage import measure_coverage
        from taxi_pipeline.evaluation.slices import COLUMNS
        from taxi_pipeline.model.features import TARGET, load_features

        month = load_features([self.input()["later"].file(BuildFeatures.FILE)], COLUMNS)
        evaluated = self.input()["evaluation"].file(EvaluateModel.PREDICTIONS)
        predicted = pd.read_parquet(evaluated, columns=["predicted"])["predicted"]
        return measure_coverage(
            intervals,
            month,
            predicted.to_numpy("float64"),
            month[TARGET].to_numpy(),
            learned_bias=bias,
        )
