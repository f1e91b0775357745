"""What there is: the models of each month, whether they are current, and what serves."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from taxi_pipeline import config
from taxi_pipeline.config.luigi_settings import settings_files
from taxi_pipeline.errors import DamagedOutput, TaxiPipelineError
from taxi_pipeline.model.recipes import recipe_names
from taxi_pipeline.month import Month
from taxi_pipeline.runtime import run_start
from taxi_pipeline.runtime.champions import Serving, ledger_names
from taxi_pipeline.runtime.evaluations import SettingsReader
from taxi_pipeline.runtime.other_sources import explain, from_elsewhere
from taxi_pipeline.storage import Output, Storage, open_storage
from taxi_pipeline.storage.inventory import TaskDir, task_dirs
from taxi_pipeline.tasks.base import identity_cache
from taxi_pipeline.tasks.base.ledgers import open_ledger
from taxi_pipeline.tasks.base.recipe import model_name
from taxi_pipeline.tasks.ingest import IngestTrips
from taxi_pipeline.tasks.register import RegisterModel
from taxi_pipeline.tracking.lookup import RegisteredModel, look_up

State = Literal["current", "stale", "unfinished", "unknown", "other"]

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
            cannot be said; ``other`` if it serves, and the present configuration means another.
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
        root: the storage root, as a whole path or a URL.
        registry: why the registry could not be asked; empty if it was.
        ingested: the months that are ingested, by taxi.
        models: the models, by taxi, recipe, window and month.
        champions: what serves of each registered model that has a ledger.
        settings: the files of settings that were read; none if these are the defaults.
        elsewhere: which ingested months are from another source than that of the configuration, and
            how to name it; empty if there are none that a model needs.
    """

    root: str
    registry: str
    ingested: Mapping[str, Sequence[str]]
    models: Sequence[ModelStatus]
    champions: Sequence[ChampionStatus] = ()
    settings: Sequence[str] = ()
    elsewhere: str = ""

    def as_json(self) -> dict[str, Any]:
        """The status as plain values."""
        return asdict(self)


def status(taxi: str | None = None) -> Status:
    """What there is under the configured root, with the configuration as it is now.

    The sources are not asked: a run does that, and so does a plan.

    Args:
        taxi: ``green`` or ``yellow``; None for both.
    """
    storage = open_storage(config.storage().root)
    found = [folder for folder in task_dirs(storage) if taxi in (None, folder.taxi)]
    registry = _Registry()
    models: dict[tuple[str, str, Month], list[TaskDir]] = {}
    for folder in found:
        if folder.stage in MODEL_STAGES:
            models.setdefault((folder.taxi, folder.variant, folder.month), []).append(folder)
    names = [name for name in ledger_names(storage) if taxi is None or f"-{taxi}-" in name]
    elsewhere: dict[str, IngestTrips] = {}
    with identity_cache():
        described = []
        for _, folders in sorted(models.items()):
            described.append(_describe(storage, folders, registry, elsewhere))
            described += _serving_otherwise(storage, folders, registry, described[-1])
    ingested: dict[str, list[str]] = {}
    for folder in found:
        if folder.stage == IngestTrips.stage and folder.keys:
            ingested.setdefault(folder.taxi, []).append(str(folder.month))
    champions = [_champion(name, registry) for name in names]
    return Status(
        root=run_start.root(),
        registry=registry.hindrance,
        ingested=ingested,
        models=described,
        champions=champions,
        settings=[str(file) for file in settings_files()],
        elsewhere=explain(elsewhere.values()) if elsewhere else "",
    )


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


def _describe(
    storage: Storage,
    folders: Sequence[TaskDir],
    registry: _Registry,
    elsewhere: dict[str, IngestTrips],
) -> ModelStatus:
    """A model of a month, as the configuration is now.

    Args:
        storage: of the root.
        folders: of its stages.
        registry: that it may be registered with.
        elsewhere: gets the months that it needs and another source gave, by their labels.
    """
    place = folders[0]
    recipe, _, window = place.variant.rpartition("-w")
    newest = {folder.stage: _newest(storage, folder) for folder in folders}
    parameters = {"year": place.month.year, "month": place.month.month, "taxi": place.taxi}
    state: State
    try:
        task = RegisterModel(**parameters, recipe=recipe, window=window)
        if task.complete():
            newest[task.stage] = task.output().manifest()
        if others := from_elsewhere(task) if task.identity() is None else []:
            elsewhere |= {ingest.label: ingest for ingest in others}
            state, reason = "unknown", f"{others[0].calendar_month} is from another source"
        else:
            state, reason = _state(task, newest)
    except TaxiPipelineError as error:
        state, reason = "unknown", str(error)
        if recipe not in recipe_names():
            reason = f"no recipe is named {recipe!r} here: --module names the module that has it"
    version = str(newest.get(RegisterModel.stage, {}).get("version", ""))
    aliases = registry.aliases(model_name(place.taxi, recipe), version)
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


def _serving_otherwise(
    storage: Storage, folders: Sequence[TaskDir], registry: _Registry, shown: ModelStatus
) -> Iterator[ModelStatus]:
    """The model of the same month that serves, if it is another than the one that is shown."""
    name = model_name(shown.taxi, shown.recipe)
    with contextlib.suppress(DamagedOutput):  # the line of its champion tells
        champion = open_ledger(name).read().champion
        if champion is None or champion.version == shown.version:
            return
        for folder in folders:
            for key in folder.keys if folder.stage == RegisterModel.stage else ():
                output = folder.output(storage, key)
                manifest = _manifest(output)
                if (
                    str(manifest.get("version")) == champion.version
                    and champion.since.candidate_key in manifest["identity"]["inputs"].values()
                ):
                    yield replace(
                        shown,
                        rows=manifest["rows"],
                        rmse=manifest["rmse"],
                        version=champion.version,
                        aliases=registry.aliases(name, champion.version),
                        made=manifest["finished"],
                        state="other",
                        reason=_other_settings(storage, output),
                    )
                    return


def _other_settings(storage: Storage, output: Output) -> str:
    """In which options what an output was made by differs from the configuration."""
    made_by, now = SettingsReader(storage).of(output), config.significant_options()
    changes = [
        f"{name} was {made_by[name]}, is {value}"
        for name, value in now.items()
        if name in made_by and made_by[name] != value and not name.startswith("tracking.")
    ]
    return "; ".join(changes) or "made of other files, or by other code"


def _manifest(output: Output) -> dict[str, Any]:
    """A manifest; empty if it is damaged."""
    with contextlib.suppress(DamagedOutput):
        return output.manifest()
    return {}


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
    manifests = filter(None, (_manifest(folder.output(storage, key)) for key in folder.keys))
    return max(manifests, key=lambda manifest: str(manifest["finished"]), default={})
