"""What every stage has in common: month and taxi, identity, completeness, publishing.

A stage is a small class that says what it requires and, in :meth:`MonthlyTask.make`, which pure
function turns its inputs into files. This module does the rest.
"""

from __future__ import annotations

import contextlib
import functools
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import luigi
from luigi.rpc import RPCError
from luigi.task import flatten

from taxi_pipeline import config, provenance
from taxi_pipeline.config.parameters import OneOf, Whole
from taxi_pipeline.errors import TaxiPipelineError
from taxi_pipeline.identity import Identity
from taxi_pipeline.model import recipes
from taxi_pipeline.month import Month
from taxi_pipeline.observability import links as web
from taxi_pipeline.observability.logs import kept_in, logger
from taxi_pipeline.redaction import redact
from taxi_pipeline.storage import (
    MANIFEST,
    Output,
    Storage,
    describe_files,
    open_storage,
    to_json,
)
from taxi_pipeline.trips import TAXIS

if TYPE_CHECKING:
    from taxi_pipeline.tracking import Tracking

Monthly = TypeVar("Monthly", bound="MonthlyTask")
OfRecipe = TypeVar("OfRecipe", bound="RecipeTask")

Value = TypeVar("Value")

# How long a scheduler that did not answer is not told how far a task is.
QUIET_SECONDS = 30.0

_READING: ContextVar[dict[object, Any] | None] = ContextVar("reading", default=None)


class MonthlyTask(luigi.Task):
    """A stage of the pipeline for one taxi and one month.

    Attributes:
        stage: the stage's name, which is the first folder of its outputs. No path depends on the
            module that a class stands in.
        version: raised by the stage's author when what it makes changes its meaning.
        sections: the configuration that it reads; its values are part of the output's identity.
    """

    year: Whole = Whole(2009, 2100, description="Year of the month.")
    month: Whole = Whole(1, 12, description="Month of the year, 1 to 12.")
    taxi: OneOf = OneOf(TAXIS, default="green", description="green or yellow.")

    stage: ClassVar[str]
    version: ClassVar[int] = 1
    sections: ClassVar[tuple[type[config.Section], ...]] = ()

    # Where the log of the last run is kept; empty before that.
    log = ""
    # Whether the web page has a link that the stage gave itself.
    _linked = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        config.check()

    @classmethod
    @functools.cache
    def get_params(cls) -> Any:
        """The parameters by name; Luigi looks through all that the class has, each time."""
        return super().get_params()

    # --- names ---------------------------------------------------------------------------------

    @property
    def calendar_month(self) -> Month:
        """The month as a value."""
        return Month(self.year, self.month)

    @property
    def variant(self) -> str:
        """What tells outputs of the same stage, taxi and month apart; empty if nothing does."""
        return ""

    @property
    def label(self) -> str:
        """The task's short name for a person."""
        words = (self.task_family, self.taxi, str(self.calendar_month), self.variant)
        return " ".join(word for word in words if word)

    @property
    def _home(self) -> str:
        """The location of all outputs of this task, whatever they were made from."""
        parts = (self.stage, self.taxi, str(self.calendar_month), self.variant)
        return "/".join(part for part in parts if part)

    # --- identity ------------------------------------------------------------------------------

    @property
    def storage(self) -> Storage:
        """Where outputs are kept."""
        return open_storage(config.storage().root)

    def identity(self) -> Identity | None:
        """What the output is made from; None while a published file is not ingested."""
        return _once(self, self.read_identity)

    def read_identity(self) -> Identity | None:
        """The identity, by what is configured and ingested now."""
        inputs = {}
        for task in flatten(self.requires()):
            required = task.identity()
            if required is None:
                return None
            inputs[task.label] = required.key
        return Identity(
            task=self.task_family,
            parameters=self.to_str_params(only_significant=True),
            version=self._version(),
            config=self._config_values(),
            inputs=inputs,
        )

    @property
    def key(self) -> str | None:
        """The key of the output; None while a published file is not ingested."""
        identity = self.identity()
        return None if identity is None else identity.key

    def _version(self) -> str:
        return str(self.version)

    def _config_values(self) -> dict[str, str]:
        values: dict[str, str] = {}
        for section in self.sections:
            values |= _once(section, section.significant_values)
        return values

    def location(self, identity: Identity) -> str:
        """Where the output of an identity is kept."""
        return f"{self._home}/{identity.key}"

    def output(self) -> Output:
        """The output of the identity as it is now."""
        identity = self.identity()
        # A name that no key has: what is not ingested has no output yet.
        location = f"{self._home}/not-ingested" if identity is None else self.location(identity)
        return Output(self.storage, location)

    def complete(self) -> bool:
        """Whether the output of the identity as it is now is there."""
        with one_reading():
            return bool(super().complete())

    # --- running -------------------------------------------------------------------------------

    @property
    def resources(self) -> dict[str, int]:  # type: ignore[override]  # Luigi's is a plain value
        """What the task takes of Luigi's resources while it runs."""
        return {"cpu": 1}

    def make(self, folder: Path) -> Mapping[str, Any]:
        """Write the stage's files into a folder; what is returned goes into the manifest.

        The entry ``summary`` is the line that says what was made.
        """
        raise NotImplementedError

    def run(self) -> None:
        """Make the output and publish it, unless it is there already."""
        # Luigi does not ask again before it runs a task: the answer of an earlier attempt may
        # have been lost on its way.
        if self.complete():
            logger.info("%s: already there", self.label)
            return
        started = datetime.now(UTC)
        log = f"{self._home}/logs/{started:%Y%m%dT%H%M%S.%fZ}-{os.getpid()}.log"
        self.log = self.storage.where(log)
        # One reading: what is made is made of what is there now, whatever is ingested meanwhile.
        with one_reading(), self.storage.growing_file(log) as file, kept_in(file) as kept:
            expected = self.identity()
            why = "; ".join(self.changes(expected))
            kept.say(f"{self.label}: starts{f', since {why}' if why else ''}")
            self._show(log)
            try:
                manifest, location = self._make_and_publish(expected, started, log)
            except BaseException as error:
                kept.say(f"{self.label}: failed", error)
                raise
            if not self._linked:
                self._show(f"{location}/")
            done = f"{manifest['summary']}, in {manifest['seconds']:.1f} s"
            self.report(f"{done}; log {self.log}", 1, 1)
            logger.info(
                "%s: %s%s -> %s",
                self.label,
                done,
                f", since {why}" if why else "",
                self.storage.where(location),
            )

    def _make_and_publish(
        self, expected: Identity | None, started: datetime, log: str
    ) -> tuple[dict[str, Any], str]:
        """The manifest of what was made, and where it is."""
        clock = time.monotonic()
        with self.storage.staging() as folder:
            facts = self.make(folder)
            identity = self.confirm(expected, folder)
            manifest = {
                "task": self.task_family,
                "label": self.label,
                "key": identity.key,
                "identity": asdict(identity),
                **facts,
                "files": describe_files(folder),
                "log": log,
                "code": provenance.code(),
                "packages": provenance.packages(),
                "started": started.isoformat(timespec="seconds"),
                "finished": datetime.now(UTC).isoformat(timespec="seconds"),
                "seconds": round(time.monotonic() - clock, 3),
            }
            (folder / MANIFEST).write_text(to_json(manifest))
            location = self.location(identity)
            self.storage.publish(folder, location)
        self.published(identity)
        return manifest, location

    def confirm(self, expected: Identity | None, folder: Path) -> Identity:  # noqa: ARG002
        """The identity of what was made: as expected, where it can be known beforehand."""
        if expected is None:
            raise RuntimeError(f"{self.label} ran before what it requires")
        return expected

    def published(self, identity: Identity) -> None:
        """What a stage does once its output is visible; most do nothing."""

    def changes(self, identity: Identity | None) -> list[str]:
        """Why the task runs although it ran before; empty if it never did."""
        manifests = (
            Output(self.storage, f"{self._home}/{name}").manifest()
            for name in self.storage.folders(self._home)
            if self.storage.exists(f"{self._home}/{name}/{MANIFEST}")
        )
        newest = max(manifests, key=lambda manifest: str(manifest["finished"]), default=None)
        if newest is None or identity is None:
            return []
        return identity.changes_since(Identity(**newest["identity"]))

    def on_failure(self, exception: BaseException) -> str:
        """What the scheduler shows of a failure: the line for a user, or the traceback."""
        expected = isinstance(exception, TaxiPipelineError)
        told = str(exception) if expected else str(super().on_failure(exception))
        return redact(f"{told.rstrip()} (log {self.log})" if self.log else told)

    # --- progress ------------------------------------------------------------------------------

    def report(self, message: str, done: float | None = None, total: float | None = None) -> None:
        """Tell the web page how far the task is; at most once a second, and at the end."""
        now = time.monotonic()
        finished = done is not None and done == total
        if not finished and now - getattr(self, "_reported", 0.0) < 1.0:
            return
        self._reported = now
        self._tell(self.set_status_message, message)
        if done is not None and total:
            self._tell(self.set_progress_percentage, round(100 * done / total))

    def link(self, url: str) -> None:
        """Give the web page a link to what is known of the task elsewhere; empty for none."""
        if url:
            self._tell(self.set_tracking_url, url)
            self._linked = True

    def _show(self, location: str) -> None:
        """Give the web page a link to the storage, where a browser can see that."""
        if url := web.address(location):
            self._tell(self.set_tracking_url, url)

    def _tell(self, way: Callable[[Any], None] | None, what: Any) -> None:
        """Tell the scheduler something that no work depends on."""
        if way is None:  # outside a worker
            return
        try:
            way(what)
        except RPCError as error:
            logger.warning("%s: the scheduler was not told %s: %s", self.label, what, error.args[0])
            self._reported = time.monotonic() + QUIET_SECONDS


def is_done(task: luigi.Task) -> bool:
    """Whether a task is done; no, if that cannot be known: Luigi asks too, and tells why."""
    try:
        return bool(task.complete())
    except Exception:  # noqa: BLE001  (one task of many must not stop the others)
        return False


@contextlib.contextmanager
def one_reading() -> Iterator[None]:
    """Within, identities and the configuration are read once: many tasks have them in common."""
    if _READING.get() is not None:
        yield
        return
    token = _READING.set({})
    try:
        yield
    finally:
        _READING.reset(token)


def _once(key: object, read: Callable[[], Value]) -> Value:
    """What was read in this reading before, or is now."""
    reading = _READING.get()
    if reading is None:
        return read()
    if key not in reading:
        reading[key] = read()
    value: Value = reading[key]
    return value


class RecipeTask(MonthlyTask):
    """A stage that is about a model: of one recipe, trained on a window of months.

    The month is the last of the training window.
    """

    recipe: OneOf = OneOf(
        tuple(recipes.RECIPES), default="trip", description="The recipe of the model."
    )
    window: Whole = Whole(
        1, 120, default=1, description="How many months, ending with this one, to train on."
    )

    @property
    def variant(self) -> str:
        """Recipe and window, as in the output's path."""
        return f"{self.recipe}-w{self.window}"

    @property
    def chosen_recipe(self) -> recipes.Recipe:
        """The recipe itself."""
        return recipes.RECIPES[self.recipe]

    def _version(self) -> str:
        return f"{self.version}, recipe {self.chosen_recipe.version}"

    @property
    def model_name(self) -> str:
        """The registered model that this is about."""
        return f"nyc-{self.taxi}-taxi-duration-{self.recipe}"

    def server(self) -> Tracking:
        """The MLflow server of the configuration."""
        from taxi_pipeline.tracking import Tracking

        settings = config.tracking()
        return Tracking(settings.server_uri, settings.experiment, settings.artifacts)

    def months(self, task: type[Monthly]) -> list[Monthly]:
        """A monthly task for each month of the training window, oldest first."""
        return [self.in_month(task, month) for month in self.calendar_month.window(self.window)]

    def in_month(self, task: type[Monthly], month: Month) -> Monthly:
        """A monthly task of the same taxi."""
        return task(year=month.year, month=month.month, taxi=self.taxi)

    def same(self, task: type[OfRecipe]) -> OfRecipe:
        """Another stage of the same model."""
        return task(**{name: getattr(self, name) for name in self.get_param_names()})
