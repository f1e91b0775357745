"""A month is compared with the months that a model was trained on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from taxi_pipeline import config
from taxi_pipeline.config.option_names import name_options
from taxi_pipeline.config.parameters import BoolParameter, BoundedIntParameter, CheckedParameter
from taxi_pipeline.errors import InvalidParameter, InvalidRecipe, InvalidTraining
from taxi_pipeline.identity import Identity
from taxi_pipeline.logger import logger
from taxi_pipeline.month import Month
from taxi_pipeline.storage import Output, layout
from taxi_pipeline.tasks.base import ModelStage, RecipeStage
from taxi_pipeline.tasks.base.ledgers import ServingVersion, find_version, registry
from taxi_pipeline.tasks.base.recipe import model_name
from taxi_pipeline.tasks.ingest import IngestTrips
from taxi_pipeline.tasks.opponents import load_version, window_months
from taxi_pipeline.tasks.score import CHAMPION, choose_version
from taxi_pipeline.tasks.train import TrainModel
from taxi_pipeline.tasks.transform import TransformTrips

if TYPE_CHECKING:
    from taxi_pipeline.evaluation.drift import Drift
    from taxi_pipeline.model.scoring import Predict

NAME_THEM = "name the months to compare with by --reference-month and --window"


class ReferenceParameter(CheckedParameter[str]):
    """A calendar month as text, or none."""

    expects = "a month, written YYYY-MM"

    def convert(self, value: Any) -> str:
        """The month's text; empty for none."""
        return str(Month.parse(str(value))) if value else ""


class ReportDrift(ModelStage):
    """Compare a month with the months that a model was trained on, feature by feature.

    The months are by default those of the champion. Which version that is, and its months, are
    determined when the task is created, as in ScoreTrips: they become the values of
    ``model_version``, ``reference_month`` and ``window``, and so part of the identity.
    """

    model_version: BoundedIntParameter = BoundedIntParameter(
        0,
        default=CHAMPION,
        description="The version of the registered model whose training window is the reference; "
        "by default the champion.",
    )
    reference_month: ReferenceParameter = ReferenceParameter(
        default="",
        description="Instead: the last month of the reference, such as 2021-01. Without a version "
        "no registry and no model is needed, and features are ranked by how far they drifted.",
    )
    window: BoundedIntParameter = BoundedIntParameter(
        0,
        120,
        default=0,
        description="How many months, ending with --reference-month, are the reference; 1 unless "
        "said.",
    )
    candidate: BoolParameter = BoolParameter(
        default=False,
        description="Rank by the model that is trained on the reference, which is made if it is "
        "not there.",
    )

    stage = "drift"
    sections: ClassVar = (config.drift,)

    RECORD = "drift.json"
    TABLE = "drift.csv"
    PAGE = "drift.html"

    @classmethod
    def get_param_values(cls, params: Any, args: Any, kwargs: Any) -> list[tuple[str, Any]]:
        """The values of the parameters, with the version and the months of the reference."""
        values = dict(super().get_param_values(params, args, kwargs))
        if values["candidate"] and (values["model_version"] or not values["reference_month"]):
            raise InvalidParameter("--candidate goes with --reference-month, without a version")
        if values["reference_month"]:
            values["window"] = values["window"] or 1
        elif values["window"]:
            raise InvalidParameter("--window goes with --reference-month: a version has its own")
        else:
            values |= _of_version(values["taxi"], values["recipe"], values["model_version"])
        return list(values.items())

    @property
    def resources(self) -> dict[str, int]:  # type: ignore[override]  # as in Stage
        """A core for each thread."""
        return {"cpu": self.thread_count}

    @property
    def variant(self) -> str:
        """Whose model ranks, and the reference, as in the output's path."""
        model = f"{self.recipe}-v{self.model_version}" if self.model_version else "no-model"
        if self.candidate:
            model = f"{self.recipe}-candidate"
        return f"{model}-{self.reference_month}-w{self.window}"

    @property
    def reference(self) -> list[Month]:
        """The months that the month is compared with, oldest first."""
        return list(Month.parse(self.reference_month).window(self.window))

    def requires(self) -> dict[str, Any]:
        """The trips of the month and of the reference, and the candidate where it is one."""
        months = [*self.reference, self.calendar_month]
        required: dict[str, Any] = {
            "trips": [self.clone(TransformTrips, year=one.year, month=one.month) for one in months],
            "published": [
                self.clone(IngestTrips, year=one.year, month=one.month) for one in months
            ],
        }
        if self.candidate:
            last = self.reference[-1]
            required["model"] = self.clone(TrainModel, year=last.year, month=last.month)
        return required

    @property
    def _ranking(self) -> ServingVersion:
        return find_version(self.model_name, str(self.model_version))

    def identity_of(self, inputs: Mapping[str, str]) -> Identity:
        """The identity, with the version's model."""
        own = super().identity_of(inputs)
        if not self.model_version:
            return own
        version = self._ranking
        name = version.candidate_key or f"version {version.version} of {registry()}"
        return replace(own, config={**own.config, "model": name})

    def make(self, folder: Path) -> Mapping[str, Any]:
        """Write what drifted as JSON, as a table and as a page."""
        import pandas as pd

        from taxi_pipeline.evaluation.pages.drift import render_drift

        drift = self._compare()
        (folder / self.RECORD).write_text(json.dumps(drift.as_dict(), indent=2) + "\n")
        table = pd.DataFrame([asdict(feature) for feature in drift.features])
        table.to_csv(folder / self.TABLE, index=False)
        page = render_drift(drift, taxi=self.taxi, model_name=self.model_name)
        (folder / self.PAGE).write_text(page, encoding="utf-8")
        return {
            "summary": drift.sentence,
            "rows": self.input()["trips"][-1].manifest()["rows"],
            "psi": {feature.feature: feature.psi for feature in drift.features},
        }

    def after_publish(self, identity: Identity) -> None:
        """Link to the page from the scheduler's."""
        page = layout.output_file(self.location(identity), self.PAGE)
        if url := self.context.links.browser_url(page):
            self.set_tracking_link(url)

    # --- what is compared -----------------------------------------------------------------------

    def _compare(self) -> Drift:
        inputs = self.input()
        months = [*self.reference, self.calendar_month]
        compared = list(zip(months, inputs["trips"], inputs["published"], strict=True))
        if not self.model_version and not self.candidate:
            note = "No model is named: features are ranked by how far they drifted."
            return compare_months(self.taxi, compared, notes=[note])
        name = "the candidate" if self.candidate else f"version {self.model_version}"
        try:
            importance = self._importance(inputs)
        except (InvalidTraining, InvalidRecipe) as error:
            logger.warning("%s: %s; features are ranked by how far they drifted", name, error)
            note = f"Features are ranked by how far they drifted: {name} cannot be loaded: {error}"
            return compare_months(self.taxi, compared, notes=[note])
        return compare_months(self.taxi, compared, model=name, importance=importance)

    def _importance(self, inputs: Mapping[str, Any]) -> dict[str, float]:
        """How much the model reacts to each feature of the reference's trips."""
        self.report("asking the model what it rests on")
        files = [output.file(TransformTrips.FILE) for output in inputs["trips"][:-1]]
        if self.candidate:
            from taxi_pipeline.model.duration import DurationModel

            model = DurationModel.load(inputs["model"].file(TrainModel.MODEL), self.thread_count)
            return importance_of(model.predict_trips, files)
        with load_version(self.taxi, self.recipe, self._ranking, self.thread_count) as (predict, _):
            return importance_of(predict, files)


def candidate_drift(task: RecipeStage) -> ReportDrift:
    """The drift of a candidate's evaluation month, beside its training window.

    Args:
        task: of the candidate.
    """
    later = task.evaluation_month
    return task.clone(
        ReportDrift,
        year=later.year,
        month=later.month,
        reference_month=str(task.calendar_month),
        candidate=True,
    )


def _of_version(taxi: str, recipe: str, number: int) -> dict[str, Any]:
    """A version, or the champion, and the months that it was trained on, as parameters.

    Raises:
        InvalidParameter: there is no such version, or its months are not known.
        TrackingError: the ledger does not know it, and the registry does not answer.
    """
    name = model_name(taxi, recipe)
    version = find_version(name, choose_version(name, number, None))
    window = window_months(taxi, version) if version.training_month else None
    if window is None:
        raise InvalidParameter(
            f"on which months version {version.version} of {name} was trained is not known under "
            f"this root: {NAME_THEM}"
        )
    month = version.training_month
    return {"model_version": int(version.version), "reference_month": month, "window": window}


def compare_months(
    taxi: str, months: Sequence[tuple[Month, Output, Output]], **ranking: Any
) -> Drift:
    """How the last of some months differs from the others.

    Args:
        taxi: ``green`` or ``yellow``.
        months: each with the outputs of its TransformTrips and IngestTrips.
        ranking: what ranks the features, as of :func:`taxi_pipeline.evaluation.drift.compare`.
    """
    import pyarrow.parquet as pq

    from taxi_pipeline.evaluation.drift import compare
    from taxi_pipeline.evaluation.feature_drift import Thresholds
    from taxi_pipeline.evaluation.month_counts import add_up, count_month

    *before, now = (
        count_month(
            month,
            json.loads(trips.file(TransformTrips.QUALITY).read_text()),
            trips.file(TransformTrips.FILE),
            pq.read_schema(published.file(IngestTrips.FILE)),
        )
        for month, trips, published in months
    )
    thresholds = Thresholds(**config.drift().param_kwargs)
    drift = compare(add_up(before), now, thresholds, taxi=taxi, **ranking)
    return replace(drift, notes=tuple(name_options(note, (config.drift,)) for note in drift.notes))


def importance_of(predict: Predict, files: Sequence[Path]) -> dict[str, float]:
    """How much a model reacts to each feature of clean trips in some files."""
    from taxi_pipeline.evaluation.month_counts import sample_trips
    from taxi_pipeline.evaluation.sensitivity import SWAPPED_TRIPS, sensitivity

    return sensitivity(predict, sample_trips(files, SWAPPED_TRIPS))
