"""The gate: whether a candidate may become champion, and why."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from taxi_pipeline import config
from taxi_pipeline.config.option_names import name_options
from taxi_pipeline.errors import DamagedOutput, InvalidTraining
from taxi_pipeline.identity import Identity, digest
from taxi_pipeline.logger import warn_once
from taxi_pipeline.month import Month
from taxi_pipeline.storage import Output, layout
from taxi_pipeline.tasks.base import RecipeStage
from taxi_pipeline.tasks.base.identity_cache import cached
from taxi_pipeline.tasks.base.ledgers import (
    ServingVersion,
    open_ledger,
    read_serving_version,
    registry,
    serving_version,
)
from taxi_pipeline.tasks.drift import ReportDrift, candidate_drift
from taxi_pipeline.tasks.evaluate import EvaluateModel
from taxi_pipeline.tasks.features import BuildFeatures
from taxi_pipeline.tasks.opponents import predict_as_champion
from taxi_pipeline.tasks.transform import TransformTrips
from taxi_pipeline.tracking.ledger import user_and_host

if TYPE_CHECKING:
    from taxi_pipeline.evaluation.champions import Verdict
    from taxi_pipeline.evaluation.judge import Opponent, Rules

CHAMPION = "champion"
"""The name under which the compared champion stands in identities."""

NOBODY = "none"

COMPARED_ANEW = "the candidate is compared with the present champion"
"""What becomes of a candidate whose pointer is damaged."""


class ApplyGate(RecipeStage):
    """Compare the candidate with every baseline, and with the champion on the same month.

    The compared champion is part of the identity. Which it is stands in a small pointer beside the
    outputs, one for each candidate, gate and registry: a candidate is judged once, and a later
    champion makes nothing stale. Without a pointer it is the present champion.
    """

    stage = "gate"
    sections: ClassVar = (config.gate,)

    RECORD = "gate.json"

    POINTED = "identity"
    """The entry of a pointer that says whose it is: the key of the identity without a champion."""

    @property
    def resources(self) -> dict[str, int]:  # type: ignore[override]  # as in Stage
        """A core for each thread."""
        return {"cpu": self.thread_count}

    def requires(self) -> dict[str, Any]:
        """The evaluation, and its month's trips for the champion to predict.

        The drift only where it may decide: what was judged without it is judged.
        """
        required: dict[str, Any] = {
            "evaluation": self.clone(EvaluateModel),
            "features": self.in_month(BuildFeatures, self.evaluation_month),
            "trips": self.in_month(TransformTrips, self.evaluation_month),
        }
        if math.isfinite(cached("max_drift", lambda: config.gate().max_drift)):
            required["drift"] = candidate_drift(self)
        return required

    # --- identity -----------------------------------------------------------------------------

    def identity_of(self, inputs: Mapping[str, str]) -> Identity:
        """The identity, with the champion that the candidate is compared with."""
        own = super().identity_of(inputs)
        return _with_champion(own, self._compared(own))

    def _compared(self, own: Identity) -> ServingVersion | None:
        """The champion that a candidate was compared with, or else the present one."""
        pointed = self._pointed(own)
        return serving_version(self.model_name) if pointed is None else pointed["champion"]

    def _pointer(self, own: Identity) -> str:
        return layout.champion_pointer(self.task_dir, digest([own.key, registry()]))

    @staticmethod
    def pointed_key(identity: Identity) -> str:
        """What the pointer that leads to an output of an identity holds as :data:`POINTED`."""
        return _without_champion(identity).key

    def _pointed(self, own: Identity) -> dict[str, ServingVersion | None] | None:
        location = self._pointer(own)
        try:
            content = self.storage.read_json(location)
            if content is None:
                return None
            champion = content["champion"]
            return {"champion": None if champion is None else ServingVersion(**champion)}
        except DamagedOutput as error:
            warn_once(f"{error}; {COMPARED_ANEW}")
        except (KeyError, TypeError):
            pointer = self.storage.uri(location)
            warn_once(f"{pointer} is damaged: it names no champion; {COMPARED_ANEW}")
        return None

    def final_identity(self, expected: Identity | None, folder: Path) -> Identity:
        """The identity as expected; from now on it is that of the candidate.

        The pointer is written before the output is visible: who is killed between the two compares
        with the same champion again.
        """
        identity = super().final_identity(expected, folder)
        own = _without_champion(identity)
        if self._pointed(own) is None:
            self._point(own, serving_version(self.model_name))
        return identity

    def _point(self, own: Identity, champion: ServingVersion | None) -> None:
        content = {self.POINTED: own.key, CHAMPION: champion._asdict() if champion else None}
        self.storage.write_json(self._pointer(own), content)

    # --- the verdict --------------------------------------------------------------------------

    def make(self, folder: Path) -> Mapping[str, Any]:
        """Write the verdict, its reasons, and the differences that led to it."""
        import pandas as pd

        from taxi_pipeline.evaluation.judge import Evaluated, judge
        from taxi_pipeline.evaluation.slices import COLUMNS
        from taxi_pipeline.model.features import load_features

        identity = self.identity()
        champion = self._compared(_without_champion(identity)) if identity else None
        opponent, loaded = self._opponent(champion) if champion else (None, "")
        evaluation = self.input()["evaluation"]
        evaluated = Evaluated(
            figures=json.loads(evaluation.file(EvaluateModel.METRICS).read_text()),
            predictions=pd.read_parquet(evaluation.file(EvaluateModel.PREDICTIONS)),
            features=load_features([self.input()["features"].file(BuildFeatures.FILE)], COLUMNS),
            month=self.evaluation_month,
        )
        self.report("comparing")
        objections, accepted = _judged_drift(self.input().get("drift"))
        judgement = judge(evaluated, opponent, configured_rules(), objections)
        compared = {**champion._asdict(), "loaded": loaded} if champion else None
        record = {
            "candidate": evaluation.manifest()["key"],
            "model": self.model_name,
            "training_month": str(self.calendar_month),
            "evaluation_month": str(self.evaluation_month),
            "compared_with": compared,
            "options": self._config_values(),
            **judgement.as_dict(),
        }
        for name in ("reasons", "decisive"):
            record[name] = [name_options(text, self.sections) for text in record[name]]
        others = _other_trips(self, champion) if champion else []
        record["reasons"] += [*accepted, *others]
        # The pin is a fact beside the verdict: it may be lifted before the candidate is registered.
        pin = _pin(self.model_name)
        record["reasons"] += pin
        (folder / self.RECORD).write_text(json.dumps(record, indent=2) + "\n")
        told = [*record["decisive"], *accepted, *others, *pin]
        return {
            "summary": f"{judgement.verdict}: {'; '.join(told)}",
            "verdict": judgement.verdict,
        }

    def verdict(self) -> tuple[Verdict, Identity]:
        """The verdict that is recorded, and the identity of the record, once it is up to date.

        If another model became champion since the candidate was judged, as in a backfill of several
        months at once, it is judged again: nothing replaces a champion that it was not compared
        with.
        """
        from taxi_pipeline.evaluation.champions import Verdict
        from taxi_pipeline.evaluation.gate import PROMOTED

        identity = self.identity()
        if identity is None:
            raise RuntimeError(f"{self.label} is asked for a verdict before it ran")
        present = read_serving_version(self.model_name)
        own = _without_champion(identity)
        candidate = self.input()["evaluation"].manifest()["key"]
        if present and present.name not in {identity.config[CHAMPION], candidate}:
            self._point(own, present)
            identity = _with_champion(own, present)
            if not Output(self.storage, self.location(identity)).exists():
                self._make_with_log(identity)
        output = Output(self.storage, self.location(identity))
        record = json.loads(output.file(self.RECORD).read_text())
        verdict = Verdict(
            promote=record["verdict"] == PROMOTED,
            reason="; ".join(record["decisive"]),
            record=layout.output_file(output.location, self.RECORD),
            word=record["verdict"],
        )
        return verdict, identity

    def _opponent(self, champion: ServingVersion) -> tuple[Opponent, str]:
        """The champion as the candidate is compared with it, and how it was loaded.

        A champion that cannot be loaded in any way stays: that a model is better than one that is
        not known would be no more than a guess, and a person can still promote the candidate. A
        registration that failed instead would never succeed.
        """
        from taxi_pipeline.evaluation.judge import Opponent

        number, month = champion.version, champion.training_month
        if champion.candidate_key == self.input()["evaluation"].manifest()["key"]:
            return Opponent("it is the champion itself"), ""
        not_fair = f"the champion, version {number}, is not compared and stays: "
        if not month:
            why = "on which months it was trained is not known; PromoteModel replaces it"
            return Opponent(number, why_not=f"{not_fair}{why}"), ""
        if Month.parse(month) > self.calendar_month:
            why = (
                f"it is of the newer month {month}, so that it was not kept from "
                f"{self.evaluation_month}, on which the candidate is judged"
            )
            return Opponent(number, why_not=f"{not_fair}{why}"), ""
        try:
            trips = self.input()["trips"].file(TransformTrips.FILE)
            minutes, loaded = predict_as_champion(self, champion, trips)
        except InvalidTraining as error:
            why = f"{not_fair}{error}; PromoteModel replaces it"
            return Opponent(number, why_not=why), ""
        return Opponent(f"version {number} of {month}", minutes), loaded


def configured_rules() -> Rules:
    """What a candidate must show, as configured."""
    from taxi_pipeline.evaluation.judge import Rules

    settings = config.gate()
    return Rules(
        min_gain=settings.min_gain,
        min_champion_gain=settings.min_champion_gain,
        max_slice_loss=settings.max_slice_loss,
        min_slice_trips=settings.min_slice_trips,
    )


def _with_champion(own: Identity, champion: ServingVersion | None) -> Identity:
    return replace(own, config={**own.config, CHAMPION: champion.name if champion else NOBODY})


def _without_champion(identity: Identity) -> Identity:
    own = {name: value for name, value in identity.config.items() if name != CHAMPION}
    return replace(identity, config=own)


def _other_trips(gate: ApplyGate, champion: ServingVersion) -> list[str]:
    """That the champion was made of trips that other rules had left, so that RMSEs differ."""
    if not (champion.training_month and champion.candidate_key):
        return []
    month = Month.parse(champion.training_month)
    evaluation = gate.clone(EvaluateModel, year=month.year, month=month.month)
    changes = evaluation.changes_since(champion.candidate_key)
    rules = [change for change in changes if change.startswith("cleaning.")]
    number = champion.version
    return [f"for version {number} other trips counted: {'; '.join(rules)}"] if rules else []


def _judged_drift(drift: Output | None) -> list[list[str]]:
    """What the drift speaks against, and what of it a person has accepted."""
    if drift is None:
        return [[], []]
    from taxi_pipeline.evaluation.drift_gate import judge_drift

    settings = config.gate()
    record = json.loads(drift.file(ReportDrift.RECORD).read_text())
    by = f"{user_and_host()} at {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
    found = judge_drift(record, settings.max_drift, settings.accept_drift, by)
    return [[name_options(text, (config.gate,)) for text in texts] for texts in found]


def _pin(model_name: str) -> list[str]:
    """That a person has pinned the champion, and what that means; empty if nobody has."""
    pin = open_ledger(model_name).read().pin_text
    today = datetime.now(UTC).date()
    means = "no candidate becomes champion until that is lifted"
    return [f"as of {today}, {pin}: {means}"] if pin else []
