"""The model becomes a version of a registered model, and champion if it has earned that."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from taxi_pipeline import config
from taxi_pipeline.identity import Identity
from taxi_pipeline.observability import alerts
from taxi_pipeline.redaction import redact_url
from taxi_pipeline.storage import layout
from taxi_pipeline.tasks.base.ledgers import open_ledger
from taxi_pipeline.tasks.calibrate import CalibrateIntervals
from taxi_pipeline.tasks.evaluate import EvaluateModel
from taxi_pipeline.tasks.gate import ApplyGate
from taxi_pipeline.tasks.ingest import IngestTrips
from taxi_pipeline.tasks.months_page import write_months_page
from taxi_pipeline.tasks.receipt import ReceiptStage
from taxi_pipeline.tasks.registered_files import artifacts, datasets, example_rows, judgement
from taxi_pipeline.tasks.report import ReportCandidate
from taxi_pipeline.tasks.train import TrainModel
from taxi_pipeline.tasks.transform import TransformTrips
from taxi_pipeline.tasks.tune import TuneHyperparameters

if TYPE_CHECKING:
    from taxi_pipeline.tracking.records import Candidate
    from taxi_pipeline.tuning.results import TuningResult


class RegisterModel(ReceiptStage):
    """Copy the model, and all that is known of it, to MLflow.

    The output is a receipt, one for each tracking server. It counts as long as the registry has the
    version that it certifies: what is lost there is registered again.
    """

    stage = "register"
    sections: ClassVar = (config.tracking,)

    # The record of the gate that decided; None before there is one.
    _judged: Identity | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Where there is no server to register with, nothing else needs to begin.
        _ = config.tracking().server_uri

    @property
    def resources(self) -> dict[str, int]:  # type: ignore[override]  # as in Stage
        """The registry: one model at a time."""
        return {"cpu": 1, "registry": 1}

    def requires(self) -> dict[str, Any]:
        """All that the model's run is to hold."""
        return {
            "model": self.clone(TrainModel),
            "tuning": self.clone(TuneHyperparameters),
            "evaluation": self.clone(EvaluateModel),
            "gate": self.clone(ApplyGate),
            "report": self.clone(ReportCandidate),
            "intervals": self.clone(CalibrateIntervals),
            "trips": self.months(TransformTrips),
            "published": self.months(IngestTrips),
            "published later": self.in_month(IngestTrips, self.evaluation_month),
        }

    def identifying(self) -> list[Any]:
        """All that is required but page and intervals: without them it is the same model."""
        beside = (ReportCandidate, CalibrateIntervals)
        return [task for task in super().identifying() if not isinstance(task, beside)]

    def candidate_of(self, identity: Identity) -> str | None:
        """The key of the evaluated model."""
        return identity.inputs.get(self.requires()["evaluation"].label)

    def earlier_identities(self, identity: Identity) -> Sequence[Identity]:
        """Those that held the root's place, or were of before the gate was a stage, or both."""
        evaluation, gate = self.requires()["evaluation"], self.requires()["gate"]
        earlier = list(super().earlier_identities(identity))
        if identity.inputs.get(evaluation.label) == evaluation.key:
            inputs = {**identity.inputs, evaluation.label: evaluation.first_identity().key}
            inputs.pop(gate.label, None)
            option = {"gate.min_gain": config.gate.significant_values()["gate.min_gain"]}
            earlier += [
                replace(found, inputs=inputs, config={**found.config, **option})
                for found in (identity, *earlier)
            ]
        return earlier

    def final_identity(self, expected: Identity | None, folder: Path) -> Identity:
        """The identity as expected, with the record of the gate that decided."""
        if expected and self._judged:
            inputs = {**expected.inputs, self.requires()["gate"].label: self._judged.key}
            expected = replace(expected, inputs=inputs)
        return super().final_identity(expected, folder)

    def make(self, folder: Path) -> Mapping[str, Any]:
        """Register the candidate and write down where it is found."""
        from taxi_pipeline.tracking.registration import register
        from taxi_pipeline.tracking.searches import log_search
        from taxi_pipeline.tuning.results import TuningResult

        figures = self._json("evaluation", EvaluateModel.METRICS)
        verdict, self._judged = self.requires()["gate"].verdict()
        page = self.requires()["report"].page_on(self._judged)
        server = self.server()
        tuned = TuningResult.from_json(self._json("tuning", TuneHyperparameters.CHOICE))
        search_run = ""
        if tuned.trials:
            self.report("copying the search")
            search = self.clone(TuneHyperparameters).search(tuned.trials)
            search_run = log_search(server, search, ended=True).run_id
        self.report(f"registering {self.model_name}")
        candidate = self._candidate(figures, tuned, search_run)
        candidate = replace(candidate, judgement=tuple(judgement(self, self._judged, page)))
        ledger = open_ledger(self.model_name)
        registration = register(server, ledger, candidate, verdict)
        self.set_tracking_link(registration.url)
        if registration.promoted:
            alerts.post_alert(
                f"{registration.model_name} version {registration.version} is champion: trained to "
                f"{self.calendar_month}, RMSE {figures['model']['rmse']:.4f} minutes on "
                f"{figures['evaluation_month']}; {verdict.reason}",
                registration.url,
            )
        receipt = {
            "model": registration.model_name,
            "version": registration.version,
            "aliases": list(registration.aliases),
            "decision": registration.decision,
            "run_id": registration.run_id,
            "tracking_uri": redact_url(config.tracking().server_uri),
            "metrics": figures["model"],
            "baselines": figures["baselines"],
            "evaluation_month": figures["evaluation_month"],
            "verdict": verdict.word,
            "report": layout.output_file(page.location, ReportCandidate.PAGE),
        }
        (folder / self.RECEIPT).write_text(json.dumps(receipt, indent=2) + "\n")
        return {
            "summary": f"{registration.model_name} version {registration.version} "
            f"({registration.decision})",
            "rows": self.input()["model"].manifest()["rows"],
            "rmse": figures["model"]["rmse"],
            "version": registration.version,
            "run_id": registration.run_id,
        }

    @classmethod
    def report_months(cls, states: Mapping[ReceiptStage, str]) -> str:
        """Write the page of some months side by side; the line that says where it is.

        Args:
            states: what became of each month in this run, in words, oldest month first.

        Raises:
            StorageError: the root cannot be written.
        """
        return f"The months side by side: {write_months_page(states)}"

    def _candidate(
        self, figures: Mapping[str, Any], tuned: TuningResult, search_run: str
    ) -> Candidate:
        from taxi_pipeline.tracking.records import Candidate

        trained = self.input()["model"].manifest()
        coverage = self._json("intervals", CalibrateIntervals.COVERAGE)
        why_not = coverage.get("why_not")
        facts = {
            "recipe": self.recipe,
            "window": self.window,
            "training_month": str(self.calendar_month),
            "evaluation_month": figures["evaluation_month"],
            "rows": trained["rows"],
            "rounds": tuned.rounds,
        }
        caveat = f"\n\n{figures['caveat']}" if figures["caveat"] else ""
        if why_not:
            caveat += f"\n\nNo intervals: {why_not}."
        return Candidate(
            key=self.input()["evaluation"].manifest()["key"],
            name=self.run_name,
            model_name=self.model_name,
            taxi=self.taxi,
            month=self.calendar_month,
            model=self.input()["model"].file(TrainModel.MODEL),
            example=example_rows(self),
            description=f"{self.chosen_recipe.summary}. Trained on {self.window} month(s) to "
            f"{self.calendar_month}, evaluated on {figures['evaluation_month']}.{caveat}",
            # A recipe may name its parameters as it likes: none hides what the pipeline says.
            parameters={
                **facts,
                **{
                    f"parameter_{name}" if name in facts else name: value
                    for name, value in tuned.parameters.items()
                },
            },
            metrics={
                **figures["model"],
                **{
                    f"{name}_baseline_rmse": measured["rmse"]
                    for name, measured in figures["baselines"].items()
                },
                **({} if tuned.rmse is None else {"tuning_rmse": tuned.rmse}),
                **{
                    f"interval_{name}": coverage[name]
                    for name in ("coverage", "width")
                    if not why_not
                },
            },
            tags={
                "recipe": self.recipe,
                "taxi": self.taxi,
                **({"search_run_id": search_run} if search_run else {}),
                **({"tuned_by": tuned.tuned_by} if tuned.tuned_by else {}),
                "mlflow.source.git.commit": trained["code"]["commit"] or "unknown",
                "code_changed": str(trained["code"]["changed"]).lower(),
            },
            datasets=tuple(datasets(self)),
            intervals=None if why_not else self.input()["intervals"].file(CalibrateIntervals.FILE),
            artifacts=tuple(artifacts(self)),
        )

    def _json(self, requirement: str, name: str) -> dict[str, Any]:
        content = json.loads(self.input()[requirement].file(name).read_text())
        return dict(content)
