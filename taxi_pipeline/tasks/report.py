"""One page explains the candidate."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from luigi.task import flatten

from taxi_pipeline import commands, config
from taxi_pipeline.identity import Identity
from taxi_pipeline.storage import Output, layout
from taxi_pipeline.tasks.base import RecipeStage
from taxi_pipeline.tasks.calibrate import CalibrateIntervals
from taxi_pipeline.tasks.drift import compare_months, importance_of
from taxi_pipeline.tasks.evaluate import EvaluateModel
from taxi_pipeline.tasks.features import BuildFeatures
from taxi_pipeline.tasks.gate import ApplyGate
from taxi_pipeline.tasks.ingest import IngestTrips
from taxi_pipeline.tasks.train import TrainModel
from taxi_pipeline.tasks.transform import TransformTrips
from taxi_pipeline.tasks.tune import TuneHyperparameters

if TYPE_CHECKING:
    from taxi_pipeline.evaluation.drift import Drift
    from taxi_pipeline.evaluation.pages.facts import CandidateFacts, Lineage, Quality, SourceFile
    from taxi_pipeline.model.duration import DurationModel


class ReportCandidate(RecipeStage):
    """Explain the candidate on one page: its verdict, figures, errors, search, data and lineage.

    The page is one HTML file that needs no other.
    """

    stage = "report"
    version: ClassVar[int] = 2
    sections: ClassVar = (config.drift,)

    PAGE = "report.html"

    # The record of the gate that is told, where it is not the present one.
    _judged: Identity | None = None

    @property
    def resources(self) -> dict[str, int]:  # type: ignore[override]  # as in Stage
        """A core for each thread."""
        return {"cpu": self.thread_count}

    def requires(self) -> dict[str, Any]:
        """All that is told of the candidate."""
        later = self.evaluation_month
        return {
            "gate": self.clone(ApplyGate),
            "evaluation": self.clone(EvaluateModel),
            "model": self.clone(TrainModel),
            "tuning": self.clone(TuneHyperparameters),
            "intervals": self.clone(CalibrateIntervals),
            "features": self.in_month(BuildFeatures, later),
            "trips": [*self.months(TransformTrips), self.in_month(TransformTrips, later)],
            "published": [*self.months(IngestTrips), self.in_month(IngestTrips, later)],
        }

    def page_on(self, judged: Identity) -> Output:
        """The page that tells a record of the gate; it is made if it is not there.

        If another model became champion since the candidate was judged, the gate has judged again.
        """
        identity = self.identity()
        if identity is None:
            raise RuntimeError(f"{self.label} is asked for a page before it ran")
        inputs = {**identity.inputs, self.requires()["gate"].label: judged.key}
        identity = replace(identity, inputs=inputs)
        output = Output(self.storage, self.location(identity))
        if not output.exists():
            self._judged = judged
            self._make_with_log(identity)
        return output

    def make(self, folder: Path) -> Mapping[str, Any]:
        """Write the page."""
        from taxi_pipeline.evaluation.pages.report import render_report

        self.report("drawing")
        facts = self._facts()
        (folder / self.PAGE).write_text(render_report(facts), encoding="utf-8")
        return {
            "summary": f"{facts.verdict}, explained in {self.PAGE}",
            "rows": facts.figures["rows"],
            "rmse": facts.figures["model"]["rmse"],
        }

    def after_publish(self, identity: Identity) -> None:
        """Link to the page from the scheduler's."""
        page = layout.output_file(self.location(identity), self.PAGE)
        if url := self.context.links.browser_url(page):
            self.set_tracking_link(url)

    # --- what is told ---------------------------------------------------------------------------

    def _facts(self) -> CandidateFacts:
        import pandas as pd

        from taxi_pipeline.evaluation.contributions import contributions
        from taxi_pipeline.evaluation.pages.facts import CandidateFacts
        from taxi_pipeline.evaluation.slices import COLUMNS
        from taxi_pipeline.model.duration import DurationModel
        from taxi_pipeline.model.feature_files import FeatureFiles
        from taxi_pipeline.model.features import PART_ROWS, load_features
        from taxi_pipeline.tuning.results import TuningResult

        inputs, recipe = self.input(), self.chosen_recipe
        evaluation = inputs["evaluation"]
        predictions = evaluation.file(EvaluateModel.PREDICTIONS)
        month = inputs["features"].file(BuildFeatures.FILE)
        read = FeatureFiles([month], recipe.columns, PART_ROWS)
        tuning = TuningResult.from_json(_json(inputs["tuning"], TuneHyperparameters.CHOICE))
        depth = int(tuning.parameters.get("max_depth", 0))
        figures = _json(evaluation, EvaluateModel.METRICS)
        model = DurationModel.load(inputs["model"].file(TrainModel.MODEL), self.thread_count)
        return CandidateFacts(
            model_name=self.model_name,
            taxi=self.taxi,
            recipe=self.recipe,
            recipe_summary=recipe.summary,
            caveat=figures["caveat"],
            trained_on=self.window_in_words,
            evaluation_month=figures["evaluation_month"],
            figures=figures,
            slices=pd.read_parquet(evaluation.file(EvaluateModel.SLICES)),
            predictions=pd.read_parquet(predictions, columns=["actual", "predicted"]),
            features=load_features([month], COLUMNS),
            gate=_json(self._gate(), ApplyGate.RECORD),
            coverage=_json(inputs["intervals"], CalibrateIntervals.COVERAGE),
            contributions=contributions(model, read, recipe.columns, depth),
            own_parameters=recipe.parameters,
            tuning=tuning,
            holdout_days=config.tuning().holdout_days,
            quality=list(self._quality()),
            drift=self._drift(model),
            lineage=self._lineage(),
        )

    def _gate(self) -> Output:
        """The record of the gate."""
        gate: ApplyGate = self.requires()["gate"]
        if self._judged is None:
            output: Output = gate.output()
            return output
        return Output(self.storage, gate.location(self._judged))

    def _role(self, task: IngestTrips | TransformTrips) -> str:
        return "evaluation" if task.calendar_month == self.evaluation_month else "training"

    def _quality(self) -> Iterator[Quality]:
        from taxi_pipeline.evaluation.pages.facts import Quality

        for task in self.requires()["trips"]:
            report = _json(task.output(), TransformTrips.QUALITY)
            yield Quality(str(task.calendar_month), self._role(task), report)

    def _drift(self, model: DurationModel) -> Drift:
        """The evaluation month beside the training window; ReportDrift has a page of it."""
        *window, _ = trips = self.input()["trips"]
        months = [task.calendar_month for task in self.requires()["trips"]]
        files = [output.file(TransformTrips.FILE) for output in window]
        return compare_months(
            self.taxi,
            list(zip(months, trips, self.input()["published"], strict=True)),
            model="the candidate",
            importance=importance_of(model.predict_trips, files),
        )

    def _files(self) -> Iterator[SourceFile]:
        from taxi_pipeline.evaluation.pages.facts import SourceFile

        for task in self.requires()["published"]:
            manifest = task.output().manifest()
            yield SourceFile(
                name=f"{task.taxi} {task.calendar_month}",
                role=self._role(task),
                rows=manifest["rows"],
                url=manifest["url"],
                sha256=manifest["files"][IngestTrips.FILE]["sha256"],
            )

    def _lineage(self) -> Lineage:
        from taxi_pipeline.evaluation.pages.facts import Lineage, MadeOutput

        inputs = self.input()
        outputs = (*flatten(inputs["trips"]), inputs["features"], inputs["tuning"])
        outputs = (*outputs, inputs["model"], inputs["evaluation"], inputs["intervals"])
        outputs = (*outputs, self._gate())
        manifests = [output.manifest() for output in outputs]
        trained = inputs["model"].manifest()
        return Lineage(
            files=list(self._files()),
            outputs=[
                MadeOutput(
                    manifest["label"], manifest["key"], manifest["finished"], manifest["seconds"]
                )
                for manifest in manifests
            ],
            commit=trained["code"]["commit"] or "",
            changed=bool(trained["code"]["changed"]),
            packages=trained["packages"],
            commands=list(self._commands(trained["code"]["commit"])),
        )

    def _commands(self, commit: str | None) -> Iterator[str]:
        """Lines for a shell that make the candidate again."""
        if commit:
            yield f"git checkout {commit}"
        flags = self.to_str_params(only_significant=True) | {
            option.replace(".", "-"): value
            for stage in (
                TransformTrips,
                TuneHyperparameters,
                TrainModel,
                ApplyGate,
                ReportCandidate,
            )
            for section in stage.sections
            for option, value in section.changed_values().items()
        }
        words = ["run", "RegisterModel", "--local-scheduler"]
        for name, value in flags.items():
            words += [f"--{name}".replace("_", "-"), value]
        yield commands.write(*words)


def _json(output: Output, name: str) -> dict[str, Any]:
    content = json.loads(output.file(name).read_text())
    return dict(content)
