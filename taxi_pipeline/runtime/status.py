"""What there is: the models of each month, whether they are current, and what serves."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from taxi_pipeline import config
from taxi_pipeline.errors import DamagedOutput, TaxiPipelineError
from taxi_pipeline.month import Month
from taxi_pipeline.runtime.champions import Serving, ledger_names
from taxi_pipeline.storage import Storage, open_storage
from taxi_pipeline.storage.inventory import TaskDir, task_dirs
from taxi_pipeline.tasks.base import identity_cache
from taxi_pipeline.tasks.base.ledgers import open_ledger
from taxi_pipeline.tasks.ingest import IngestTrips
from taxi_pipeline.tasks.register import RegisterModel
from taxi_pipeline.tracking.lookup import RegisteredModel, look_up

State = Literal["current", "stale", "unfinished", "unknown"]

JUDGED = ("EvaluateModel", "RegisterModel")
"""The tasks whose outputs have an RMSE on the evaluation month."""

MODEL_STAGES = ("tune", "train", "evaluate", "register")
"""The stages of a model, first to last."""


@dataclass(frozen=True)
class ModelStatus:
    """A model of a month, by recipe and window.

    Attributes:
        taxi: ``green`` or ``yellow``.
        recipe: the recipe's name.
        window: months that it was trained on.
        month: the last of them.
        rows: trips that it was trained on; None if it was never trained.
        rmse: minutes on the month after; None if it was never evaluated.
        version: of the registered model, which it was when it was last registered; or empty.
        aliases: those that this version holds in the registry.
        made: when the latest of its outputs was made, in UTC.
        state: ``current`` if a run would do nothing; ``stale`` if something that it was made from
            has changed; ``unfinished`` if it was never registered so far; ``unknown`` if this
            cannot be said.
        reason: why it is not current; empty if it is.
    """

    taxi: str
    recipe: str
    window: int
    month: str
    rows: int | None
    rmse: float | None
    version: str
    aliases: tuple[str, ...]
    made: str
    state: State
    reason: str


@dataclass(frozen=True)
class ChampionStatus:
    """What serves of a registered model, by its ledger.

    Attributes:
        model: the registered model.
        version: that serves; empty if none does; None if that is not known.
        month: the last month that it was trained on; empty if that is not known.
        since: when it became champion, in UTC; empty if there is none.
        pinned: that a person has pinned it, and why; empty if nobody has.
        problem: what keeps this from being known, or what the registry says otherwise; or empty.
    """

    model: str
    version: str | None
    month: str
    since: str
    pinned: str
    problem: str


@dataclass(frozen=True)
class Status:
    """What there is under a storage root.

    Attributes:
        root: the storage root.
        registry: why the registry could not be asked; empty if it was.
        ingested: the months that are ingested, by taxi.
        models: the models, by taxi, recipe, window and month.
        champions: what serves of each registered model that has a ledger.
    """

    root: str
    registry: str
    ingested: Mapping[str, Sequence[str]]
    models: Sequence[ModelStatus]
    champions: Sequence[ChampionStatus] = ()

    def as_json(self) -> dict[str, Any]:
        """The status as plain values."""
        return asdict(self)


def status(taxi: str | None = None) -> Status:
    """What there is under the configured root, with the configuration as it is now.

    The sources are not asked: a run does that, and so does a plan.

    Args:
        taxi: ``green`` or ``yellow``; None for both.
    """
    root = config.storage().root
    storage = open_storage(root)
    found = [folder for folder in task_dirs(storage) if taxi in (None, folder.taxi)]
    registry = _Registry()
    models: dict[tuple[str, str, Month], list[TaskDir]] = {}
    for folder in found:
        if folder.stage in MODEL_STAGES:
            models.setdefault((folder.taxi, folder.variant, folder.month), []).append(folder)
    with identity_cache():
        described = [_describe(storage, folders, registry) for _, folders in sorted(models.items())]
    ingested: dict[str, list[str]] = {}
    for folder in found:
        if folder.stage == IngestTrips.stage and folder.keys:
            ingested.setdefault(folder.taxi, []).append(str(folder.month))
    names = [name for name in ledger_names(storage) if taxi is None or f"-{taxi}-" in name]
    champions = [_champion(name, registry) for name in names]
    return Status(root, registry.hindrance, ingested, described, champions)


class _Registry:
    """The registered models, each asked for once; once the registry fails it is not asked again."""

    def __init__(self) -> None:
        self.uri = config.tracking().server_uri
        self.hindrance = ""
        self._models: dict[str, RegisteredModel | None] = {}

    def model(self, model_name: str) -> RegisteredModel | None:
        """A registered model; None if there is none, or if that is not known."""
        if model_name not in self._models and not self.hindrance:
            try:
                self._models[model_name] = look_up(self.uri, model_name)
            except TaxiPipelineError as error:
                self.hindrance = str(error)
        return self._models.get(model_name)

    def aliases(self, model_name: str, version: str) -> tuple[str, ...]:
        """The aliases that a version of a model holds."""
        model = self.model(model_name)
        # An alias may be left pointing to a version that was deleted.
        if model is None or version not in model.versions:
            return ()
        return tuple(sorted(alias for alias, held in model.aliases.items() if held == version))


def _champion(name: str, registry: _Registry) -> ChampionStatus:
    try:
        history = open_ledger(name).read()
    except DamagedOutput as error:
        return ChampionStatus(name, None, "", "", "", str(error))
    registered = registry.model(name)
    problem = Serving(history, registered, registry.hindrance).difference
    champion = history.champion
    if champion is None:
        return ChampionStatus(name, "", "", "", "", problem)
    return ChampionStatus(
        model=name,
        version=champion.version,
        month=champion.since.training_month,
        since=champion.since.when.isoformat(timespec="seconds"),
        pinned=champion.pin_text,
        problem=problem,
    )


def _describe(storage: Storage, folders: Sequence[TaskDir], registry: _Registry) -> ModelStatus:
    place = folders[0]
    recipe, _, window = place.variant.rpartition("-w")
    newest = {folder.stage: _newest(storage, folder) for folder in folders}
    parameters = {"year": place.month.year, "month": place.month.month, "taxi": place.taxi}
    try:
        task = RegisterModel(**parameters, recipe=recipe, window=window)
        if task.complete():
            newest[task.stage] = task.output().manifest()
        state, reason = _state(task, newest)
        version = str(newest.get(task.stage, {}).get("version", ""))
        aliases = registry.aliases(task.model_name, version)
    except TaxiPipelineError as error:
        # Such as a recipe that is not known here.
        state, reason, version, aliases = "unknown", str(error), "", ()
    made = [newest[stage] for stage in reversed(MODEL_STAGES) if newest.get(stage)]
    return ModelStatus(
        taxi=place.taxi,
        recipe=recipe,
        window=int(window),
        month=str(place.month),
        rows=(newest.get("register") or newest.get("train") or {}).get("rows"),
        rmse=next((facts["rmse"] for facts in made if facts["task"] in JUDGED), None),
        version=version,
        aliases=aliases,
        made=made[0]["finished"] if made else "",
        state=state,
        reason=reason,
    )


def _state(task: RegisterModel, newest: Mapping[str, Any]) -> tuple[State, str]:
    """Whether a model is current, and why it is not."""
    if task.complete():
        return "current", ""
    if task.identity() is None:
        return "stale", "a month that it needs is not ingested"
    if newest.get(task.stage):
        return "stale", "; ".join(task.change_reasons(task.identity())) or "its receipt is damaged"
    reached = [stage for stage in MODEL_STAGES if newest.get(stage)]
    return "unfinished", f"made as far as {reached[-1]}" if reached else "nothing is made"


def _newest(storage: Storage, folder: TaskDir) -> dict[str, Any]:
    """The manifest of the output that was made last; empty if there is none."""
    manifests = []
    for key in folder.keys:
        with contextlib.suppress(DamagedOutput):
            manifests.append(folder.output(storage, key).manifest())
    return max(manifests, key=lambda manifest: str(manifest["finished"]), default={})
