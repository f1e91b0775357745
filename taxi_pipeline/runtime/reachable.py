"""Which outputs are needed, and why the others are not.

Needed are, each with all that it was made from:

- what is made as the configuration and the code are now, from whatever any source offers;
- the versions in the registry, with their receipts, pages and intervals, and receipts of other
  registries;
- the champions of the ledgers;
- what is young, and what a run works on;
- whatever cannot be judged here: of a stage or a recipe that is not imported, or without a
  manifest that can be read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from luigi.task_register import Register, TaskClassException

from taxi_pipeline import config
from taxi_pipeline.errors import DamagedOutput, InvalidConfig, StorageError, TrackingError
from taxi_pipeline.identity import KEY_LENGTH, Identity
from taxi_pipeline.redaction import redact_url
from taxi_pipeline.runtime.champions import ledger_names
from taxi_pipeline.runtime.leftovers import Unknown, leftovers
from taxi_pipeline.storage import Storage, layout, prune
from taxi_pipeline.storage.inventory import TaskDir
from taxi_pipeline.storage.leases import Lease
from taxi_pipeline.storage.prune import Contents, Made, Removal
from taxi_pipeline.tasks.base import ModelStage, Stage, identity_cache
from taxi_pipeline.tasks.base.ledgers import open_ledger
from taxi_pipeline.tasks.calibrate import CalibrateIntervals
from taxi_pipeline.tasks.evaluate import EvaluateModel
from taxi_pipeline.tasks.receipt import ReceiptStage
from taxi_pipeline.tasks.report import ReportCandidate
from taxi_pipeline.tracking.lookup import CannotBeAsked, RegisteredModel, look_up


@dataclass
class Survey:
    """What may be removed under a root, and what is kept.

    Attributes:
        removals: what nothing needs; what was made of something comes before it.
        unknown: why the outputs of a task cannot be judged, by the task's location.
        outputs: the number of all outputs.
        registered: the number of outputs that are kept only since a version in the registry, or a
            champion of a ledger, was made from them.
        young: the number of outputs that are kept only since they, or what was made of them, are
            young.
        in_use: likewise of those that a run works on.
    """

    removals: list[Removal] = field(default_factory=list)
    unknown: dict[str, str] = field(default_factory=dict)
    outputs: int = 0
    registered: int = 0
    young: int = 0
    in_use: int = 0


def survey(storage: Storage, leases: Sequence[Lease], before: datetime) -> Survey:
    """What is under a root and not needed.

    Args:
        storage: the root.
        leases: of the runs that go on.
        before: what was made after this is kept.

    Raises:
        TrackingError: the registry does not answer, or cannot be asked.
        StorageError: the root cannot be read.
    """
    contents = prune.read(storage)
    with identity_cache():
        tasks = Tasks(storage, contents)
        reasons = {made: tasks.reasons(made) for made in contents.outputs}
        registered = contents.with_inputs(_registered(storage, contents, tasks))
        current = contents.with_inputs(made for made, why in reasons.items() if not why)
        pages = _pages(contents, tasks, registered)
        needed = current | contents.with_inputs([*registered, *pages])

        others = [made for made in contents.outputs if made not in needed]
        in_use = {made for made in others if _covered(made.task_dir, leases)}
        young = {made for made in others if made.finished is None or made.finished > before}
        kept = needed | contents.with_inputs(in_use | young)
        unneeded = [made for made in others if made not in kept]
        removals = [
            prune.of_output(storage, made, "; ".join(reasons[made]))
            for made in prune.downstream_first(contents, unneeded)
        ]
        identities = defaultdict(list)
        for made in kept:
            if made.identity is not None:
                identities[made.task_dir.location].append(made.identity)
        for folder in contents.task_dirs:
            place = folder.location
            if not _covered(folder, leases) and place not in tasks.unknown:
                try:
                    removals += leftovers(storage, folder, identities[place], before)
                except Unknown as error:
                    tasks.unknown[place] = str(error)
    removals += prune.of_damaged(storage, before)
    return Survey(
        removals,
        dict(sorted(tasks.unknown.items())),
        outputs=len(contents.outputs),
        registered=len(needed - current),
        young=len(others) - len(unneeded) - len(in_use),
        in_use=len(in_use),
    )


def _covered(folder: TaskDir, leases: Sequence[Lease]) -> bool:
    """Whether a run works on a task."""
    return any(lease.covers(folder.location) for lease in leases)


class Tasks:
    """The tasks that outputs are of, and whether these are as the tasks would make them now.

    Attributes:
        unknown: why the outputs of a task cannot be judged, by the task's location.
    """

    def __init__(self, storage: Storage, contents: Contents) -> None:
        self._storage = storage
        self._contents = contents
        self._reasons: dict[Made, list[str]] = {}
        self._pointed: dict[str, set[str]] = {}
        self.unknown: dict[str, str] = {}

    def task(self, made: Made) -> Stage | None:
        """The task that an output is of; None if it is not known here."""
        try:
            return self._task(made)
        except Unknown as error:
            self.unknown[made.task_dir.location] = str(error)
            return None

    def reasons(self, made: Made) -> list[str]:
        """Why an output would not be made so now; empty if it would, or if that is not known.

        Where an input of it would not be made so now, the reasons are the input's.
        """
        if made not in self._reasons:
            self._reasons[made] = []
            try:
                self._reasons[made] = list(dict.fromkeys(self._differences(made)))
            except Unknown as error:
                self.unknown[made.task_dir.location] = str(error)
        return self._reasons[made]

    def _task(self, made: Made) -> Stage:
        if made.identity is None:
            raise Unknown("an output has no usable manifest: see verify")
        family, place = made.identity.task, made.task_dir
        try:
            kind = Register.get_task_cls(family)
        except TaskClassException:
            raise Unknown(
                f"no task {family} is known here: name its module with --module"
            ) from None
        if not issubclass(kind, Stage):
            raise Unknown(f"{family} is no stage here")
        try:
            task = kind.from_str_params(dict(made.identity.parameters))
            is_here = task.task_dir == place.location
        except (InvalidConfig, StorageError):
            raise
        except Exception as error:  # people's own tasks may raise anything
            raise Unknown(f"{family} cannot be made: {' '.join(str(error).split())}") from error
        if not is_here:
            raise Unknown(f"{family} keeps its outputs elsewhere now")
        assert isinstance(task, Stage)  # noqa: S101  (for the type checker)
        return task

    def _differences(self, made: Made) -> Iterator[str]:
        if "content" in made.inputs:
            if made.key not in self._pointed_keys(made.task_dir):
                yield f"source republished ({made.task_dir.taxi} {made.task_dir.month})"
            return
        task = self._task(made)
        try:
            current = task.identity()
            as_now = task.identity_of(made.inputs)
            required = {needed.label: needed.key for needed in task.identifying()}
        except DamagedOutput as error:
            raise Unknown(f"{error}; see verify") from None
        except (InvalidConfig, StorageError):
            raise
        except Exception as error:  # people's own tasks may raise anything
            raise Unknown(f"{task.label} has no identity: {error}") from error
        if current is not None and made.key in keys_of(task, current):
            return
        if made.key not in keys_of(task, as_now) and made.identity is not None:
            yield from as_now.changes_since(made.identity) or ["an earlier version made it"]
        yield from (f"{label} is read now" for label in required if label not in made.inputs)
        yield from (f"{label} is no longer read" for label in made.inputs if label not in required)
        for label in required.keys() & made.inputs.keys():
            yield from self._input_reasons(label, made.inputs[label], required[label])

    def _input_reasons(self, label: str, key: str, current: str | None) -> Iterator[str]:
        """Why an input would not be made so now, by its key and the one that it has now."""
        if found := self._contents.by_key.get(key):
            yield from self.reasons(found[0])
        elif current not in {None, key}:
            yield f"{label} changed"

    def _pointed_keys(self, folder: TaskDir) -> set[str]:
        """The contents that any source is known to have offered last for a month."""
        if folder.location not in self._pointed:
            keys = set()
            for name in self._storage.file_sizes(folder.location):
                if layout.is_source_pointer(name):
                    try:
                        pointer = self._storage.read_json(f"{folder.location}/{name}")
                        keys.add(str(pointer["sha256"])[:KEY_LENGTH])
                    except (DamagedOutput, KeyError, TypeError):
                        raise Unknown(f"{name} is damaged: see verify") from None
            self._pointed[folder.location] = keys
        if not self._pointed[folder.location]:
            raise Unknown("nothing says which content its source offers: see verify")
        return self._pointed[folder.location]


def keys_of(task: Stage, identity: Identity) -> set[str]:
    """The key of an identity, and those that earlier versions gave to the same output."""
    return {found.key for found in (identity, *task.earlier_identities(identity))}


# --- the registry ---------------------------------------------------------------------------------


def _registered(storage: Storage, contents: Contents, tasks: Tasks) -> Iterator[Made]:
    """The candidates and the receipts of versions in the registry, and of other registries.

    Also the candidates that are champions by a ledger.
    """
    known = [(made, task) for made in contents.outputs if (task := tasks.task(made))]
    names = {task.model_name for _, task in known if isinstance(task, ModelStage)}
    models = ask_registry(names)
    for name in ledger_names(storage):
        for champion in open_ledger(name).champions():
            yield from contents.by_key.get(champion.since.candidate_key, ())
    for registered in models.values():
        for version in registered.versions.values():
            yield from contents.by_key.get(version.candidate_key, ())
    for made, task in known:
        if isinstance(task, ReceiptStage):
            model = models.get(task.model_name)
            number = str((made.manifest or {}).get("version"))
            is_true = model is not None and number in model.versions
            if is_true or not is_of_this_registry(task, made):
                yield made


def _pages(contents: Contents, tasks: Tasks, registered: Collection[Made]) -> Iterator[Made]:
    """The pages and the intervals of candidates in a registry, which no receipt names."""
    candidates = {made.key for made in registered if made.task_dir.stage == EvaluateModel.stage}
    for made in contents.outputs:
        beside = (ReportCandidate, CalibrateIntervals)
        if candidates & set(made.inputs.values()) and isinstance(tasks.task(made), beside):
            yield made


def is_of_this_registry(task: ReceiptStage, made: Made) -> bool:
    """Whether a receipt is one of the configured registry."""
    if made.identity is None:
        return False
    return made.identity.config.get("tracking.uri") in task.registry_names()


def ask_registry(names: Collection[str]) -> Mapping[str, RegisteredModel]:
    """What the configured registry holds of some models; those that it lacks are left out.

    Raises:
        TrackingError: it does not answer, or cannot be asked.
    """
    uri = config.tracking().server_uri
    try:
        answers = {name: look_up(uri, name) for name in sorted(names)}
    except CannotBeAsked:
        raise TrackingError(
            f"the registry {redact_url(uri)} cannot be asked which versions it has, without which "
            "it is not known what they need: set [tracking] uri to one that http:// or a database "
            "leads to"
        ) from None
    return {name: answer for name, answer in answers.items() if answer is not None}
