"""A published month tells whether the champion is as good as its evaluation promised."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from taxi_pipeline import commands, config
from taxi_pipeline.config.option_names import name_options
from taxi_pipeline.config.parameters import BoundedIntParameter
from taxi_pipeline.errors import InvalidParameter, InvalidTraining, TaxiPipelineError
from taxi_pipeline.evaluation.decay import DECAYED, last_seen, why_not_counted
from taxi_pipeline.identity import Identity
from taxi_pipeline.logger import logger
from taxi_pipeline.month import Month
from taxi_pipeline.observability import alerts
from taxi_pipeline.storage import Output, layout
from taxi_pipeline.tasks.base import ModelStage, is_done
from taxi_pipeline.tasks.base.ledgers import (
    ServingVersion,
    find_version,
    first_served,
    registry,
    served_in,
)
from taxi_pipeline.tasks.base.recipe import model_name
from taxi_pipeline.tasks.features import BuildFeatures
from taxi_pipeline.tasks.transform import TransformTrips
from taxi_pipeline.tasks.watched import watch, window_trips

BY_LEDGER = 0
"""The version number that stands for the one that the ledger names."""


class MonitorChampion(ModelStage):
    """Measure what the champion of a month, and the frozen first one, really did in it.

    Both versions are determined when the task is created, and so are part of the identity: a model
    that becomes champion later changes nothing. A version that was trained on the month, or on a
    later one, is not counted.
    """

    model_version: BoundedIntParameter = BoundedIntParameter(
        0,
        default=BY_LEDGER,
        description="The version of the registered model that is judged; by default the champion "
        "at the end of the month, by the ledger.",
    )
    frozen_version: BoundedIntParameter = BoundedIntParameter(
        0,
        default=BY_LEDGER,
        description="The version that is kept beside it as a yardstick; by default the first "
        "champion of the ledger.",
    )

    stage = "monitor"
    sections: ClassVar = (config.monitoring,)

    RECORD = "monitor.json"
    SLICES = "slices.parquet"
    SLICES_AS_TEXT = "slices.csv"

    @classmethod
    def get_param_values(cls, params: Any, args: Any, kwargs: Any) -> list[tuple[str, Any]]:
        """The values of the parameters, with the versions that are judged.

        Luigi keeps tasks by these values: tasks about different versions are different ones.
        """
        values = dict(super().get_param_values(params, args, kwargs))
        name = model_name(values["taxi"], values["recipe"])
        if values["model_version"] == BY_LEDGER:
            month = Month(values["year"], values["month"])
            values["model_version"] = int(served_in(name, month).version.version)
        if values["frozen_version"] == BY_LEDGER:
            values["frozen_version"] = int(first_served(name).version.version)
        return list(values.items())

    @property
    def resources(self) -> dict[str, int]:  # type: ignore[override]  # as in Stage
        """A core for each thread."""
        return {"cpu": self.thread_count}

    @property
    def variant(self) -> str:
        """Recipe and versions, as in the output's path."""
        beside = "" if self.is_frozen else f"-beside-v{self.frozen_version}"
        return f"{self.recipe}-v{self.model_version}{beside}"

    @property
    def is_frozen(self) -> bool:
        """Whether the champion is the frozen version itself."""
        return bool(self.model_version == self.frozen_version)

    def requires(self) -> dict[str, Any]:
        """The month's clean trips, and the features by which its slices are told."""
        return {"trips": self.clone(TransformTrips), "features": self.clone(BuildFeatures)}

    # --- identity -----------------------------------------------------------------------------

    def versions(self) -> dict[str, ServingVersion]:
        """The versions that are judged: ``champion`` and ``frozen``.

        Raises:
            InvalidParameter: the registry has no such version.
            TrackingError: the ledger does not know it, and the registry does not answer.
        """
        return {
            "champion": find_version(self.model_name, str(self.model_version)),
            "frozen": find_version(self.model_name, str(self.frozen_version), "--frozen-version"),
        }

    def compute_identity(self) -> Identity | None:
        """The identity.

        Raises:
            InvalidParameter: the month says nothing of either version: both were trained on it, or
                on a later one.
        """
        versions = self.versions().values()
        why = [why_not_counted(one.training_month, self.calendar_month) for one in versions]
        if all(why):
            told = [
                f"version {one.version}: {text}" for one, text in zip(versions, why, strict=True)
            ]
            first = min(seen for one in versions if (seen := last_seen(one.training_month))) + 1
            raise InvalidParameter(
                f"{self.calendar_month} says nothing of {self.model_name} "
                f"({'; '.join(dict.fromkeys(told))}): the first month that does is {first}"
            )
        return super().compute_identity()

    def identity_of(self, inputs: Mapping[str, str]) -> Identity:
        """The identity, with the models that are judged."""
        names = {
            role: version.candidate_key or f"version {version.version} of {registry()}"
            for role, version in self.versions().items()
        }
        own = super().identity_of(inputs)
        return replace(own, config={**own.config, **names})

    # --- what is made -------------------------------------------------------------------------

    def make(self, folder: Path) -> Mapping[str, Any]:
        """Write the record of the month, and the errors by slice."""
        from taxi_pipeline.evaluation.monitoring import MonthTrips, monitor
        from taxi_pipeline.evaluation.promise import Thresholds
        from taxi_pipeline.evaluation.slices import COLUMNS
        from taxi_pipeline.model.features import load_features

        versions, month = self.versions(), self.calendar_month
        features = load_features([self.input()["features"].file(BuildFeatures.FILE)], COLUMNS)
        trips = self.input()["trips"].file(TransformTrips.FILE)
        champion = watch(self, versions["champion"], trips)
        frozen = None
        if not self.is_frozen:
            frozen = watch(self, versions["frozen"], trips, required=False)
        self.report("comparing")
        if champion.minutes is None and (frozen is None or frozen.minutes is None):
            beside = f"; version {frozen.version}: {frozen.why_not}" if frozen else ""
            raise InvalidTraining(
                f"version {champion.version}: {champion.why_not}{beside}; name another with "
                "--frozen-version"
            )
        counted = versions["champion"] if champion.minutes is not None else versions["frozen"]
        found = monitor(
            MonthTrips(features, month),
            champion,
            frozen,
            window_trips(self, counted),
            Thresholds(**config.monitoring().param_kwargs),
        )
        record = {
            "model": self.model_name,
            "month": str(month),
            "champion_is": _champion_is(self),
            "frozen_is": _frozen_is(self),
            "options": self._config_values(),
            **found.as_dict(),
        }
        for realised in filter(None, (record["champion"], record["frozen"])):
            for name in ("reasons", "decisive"):
                realised[name] = [name_options(text, self.sections) for text in realised[name]]
        (folder / self.RECORD).write_text(json.dumps(record, indent=2) + "\n")
        slices = found.slices()
        slices.to_parquet(folder / self.SLICES, index=False)
        slices.to_csv(folder / self.SLICES_AS_TEXT, index=False)
        return {
            "summary": in_words(record),
            "rows": found.rows,
            "version": str(self.model_version),
            "verdict": found.champion.verdict,
            **({"rmse": found.champion.figures["rmse"]} if found.champion.figures else {}),
        }

    def record(self) -> dict[str, Any]:
        """What was found; only of a month that was monitored."""
        return dict(json.loads(self.output().file(self.RECORD).read_text()))

    def after_publish(self, identity: Identity) -> None:
        """Post an alert, once for a record, if the champion has decayed."""
        output = Output(self.storage, self.location(identity))
        record = json.loads(output.file(self.RECORD).read_text())
        if has_decayed(record):
            line = f"{self.label}: {self.model_name} {in_words(record)}; {self._advice()}"
            logger.warning("%s", line)
            place = layout.output_file(output.location, self.RECORD)
            alerts.post_alert(line, self.context.links.browser_url(place))

    def _advice(self) -> str:
        """What a person can do about a decay."""
        month = ("--year", str(self.year), "--month", str(self.month))
        whose = ("--taxi", self.taxi, "--recipe", self.recipe)
        retrain = commands.write("run", "RetrainOnDecay", *month, *whose)
        log = commands.write("champion", "log", "--model", self.model_name)
        return f"{retrain} registers a model of the month before, {log} says what served before"

    # --- the months of a backfill ---------------------------------------------------------------

    @classmethod
    def report_months(cls, states: Mapping[MonitorChampion, str]) -> str:
        """Write the page of the course of some months; its answer, and where it is.

        Args:
            states: what became of each month in this run, in words, oldest month first.

        Raises:
            StorageError: the root cannot be written.
        """
        return write_course(states)


def write_course(states: Mapping[MonitorChampion, str]) -> str:
    """Write the page of the course of some months; its answer, and where it is.

    Args:
        states: what became of each month in this run, in words, oldest month first.

    Raises:
        StorageError: the root cannot be written.
    """
    from taxi_pipeline.evaluation.pages.course import MonitoredMonth, answer, render_course

    first, *_, last = (*states, *states)
    span = (str(first.calendar_month), str(last.calendar_month))
    location = layout.months_page(first.taxi, f"{first.recipe}-{first.stage}", *span)
    months = [
        MonitoredMonth(str(task.calendar_month), state, _record_of(task))
        for task, state in states.items()
    ]
    page = render_course(
        f"The champion of {first.taxi} taxis, recipe {first.recipe}, {' to '.join(span)}",
        first.model_name,
        datetime.now(UTC).isoformat(timespec="seconds"),
        months,
    )
    first.storage.write_text(location, page)
    return f"{answer(months)} The course: {first.storage.uri(location)}"


def _champion_is(task: MonitorChampion) -> str:
    """How it is known that the version served, in words, as of now."""
    try:
        served, how = served_in(task.model_name, task.calendar_month)
    except InvalidParameter:
        return "asked for by its number: no champion of the month is known"
    if served.version == str(task.model_version):
        return how
    return f"asked for by its number; version {served.version} is {how}"


def _frozen_is(task: MonitorChampion) -> str:
    """What the frozen version is, in words, as of now."""
    try:
        first, how = first_served(task.model_name)
    except InvalidParameter:
        return "asked for by its number"
    return how if first.version == str(task.frozen_version) else "asked for by its number"


def _record_of(task: MonitorChampion) -> dict[str, Any] | None:
    try:
        return task.record() if is_done(task) else None
    except TaxiPipelineError:  # told when the task was checked
        return None


def has_decayed(record: Mapping[str, Any]) -> bool:
    """Whether a record says that the champion has decayed."""
    return bool(record["champion"]["verdict"] == DECAYED)


def in_words(record: Mapping[str, Any]) -> str:
    """What a record says of the champion."""
    champion = record["champion"]
    verdict = str(champion["verdict"]).lower()
    trained = f" of {champion['training_month']}" if champion["training_month"] else ""
    return (
        f"version {champion['version']}{trained} in {record['month']}: {verdict}: "
        f"{'; '.join(champion['decisive'])}"
    )
