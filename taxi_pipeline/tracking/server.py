"""An MLflow server: client, lock, experiment, URLs."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import mlflow
from filelock import FileLock, Timeout
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from taxi_pipeline.errors import TrackingError
from taxi_pipeline.redaction import redact_url, strip_credentials
from taxi_pipeline.storage import disk, locks, open_storage
from taxi_pipeline.tracking.lookup import DATABASES, scheme
from taxi_pipeline.tracking.new_database import create_database
from taxi_pipeline.tracking.relocation import relocate, sqlite_file

if TYPE_CHECKING:
    from mlflow.entities import Run

Found = TypeVar("Found")

TRAINING = "workflowType=machine_learning"
"""What a link into MLflow's pages says so that they are those of models, not of chats."""

LOCK_SECONDS = 600
"""Seconds that another registration is waited for; one takes seconds."""

for _noisy in (
    "alembic",
    "mlflow.pyfunc",
    "mlflow.store.model_registry.abstract_store",
):
    logging.getLogger(_noisy).setLevel(logging.WARNING)
# It logs each error of a database with its traceback, and raises it as well.
logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)


@dataclass(frozen=True)
class TrackingServer:
    """An MLflow tracking server with its registry.

    Args:
        uri: MLflow's tracking URI.
        experiment: name of the experiment that holds the runs; made if it is not there.
        artifacts: where a new experiment keeps its files; empty leaves that to the server.
        root: the storage root, under which locks are held; empty for those of this machine only.
    """

    uri: str
    experiment: str
    artifacts: str = ""
    root: str = ""

    @contextlib.contextmanager
    def client(self) -> Iterator[mlflow.MlflowClient]:
        """A client of this server, within which the server's failures are one line.

        Raises:
            TrackingError: the server cannot be reached or refuses.
        """
        file = sqlite_file(self.uri)
        try:
            if file:
                create_database(file)
                relocate(file)
            self._check_schema(file)
            with _without_progress_bars():
                yield mlflow.MlflowClient(self.uri, self.uri)
        except (MlflowException, OSError, SQLAlchemyError) as error:
            if file and (line := disk.explain(error, file.parent, "[tracking] uri")):
                raise TrackingError(line) from None
            raise TrackingError(
                f"the MLflow server {redact_url(self.uri)} {_cause(error)}: check [tracking] "
                "uri, and that the server runs; what was made is kept, and running again "
                "registers it"
            ) from None

    @contextlib.contextmanager
    def lock(self, what: str) -> Iterator[None]:
        """Let one process at a time find or make something on this server.

        MLflow itself creates two where two processes ask at once. The processes of this machine are
        kept apart whatever their roots are, and those of one root on whatever machines they run.

        Args:
            what: the registered model, the search or the upgrade of the database.

        Raises:
            TrackingError: another process of this machine has held it for :data:`LOCK_SECONDS`.
            StorageError: one of another machine has, or the root cannot be written.
        """
        if file := sqlite_file(self.uri):
            folder = file.parent / ".locks"
        else:
            folder = Path(tempfile.gettempdir(), f"taxi_pipeline-{os.getuid()}")
        folder.mkdir(parents=True, exist_ok=True)
        name = hashlib.sha256(f"{self.uri} {what}".encode()).hexdigest()[:16]
        with contextlib.ExitStack() as held:
            try:
                held.enter_context(FileLock(folder / f"{name}.lock", timeout=LOCK_SECONDS))
            except Timeout:
                raise TrackingError(
                    f"another process has been busy with {what} for {LOCK_SECONDS} seconds: wait "
                    "for it or end it, then run again"
                ) from None
            if self.root:
                # Machines may name the server differently: what is made is the same.
                shared = f"tracking{hashlib.sha256(what.encode()).hexdigest()[:16]}"
                storage = open_storage(self.root)
                held.enter_context(locks.lock(storage, shared, what, wait_seconds=LOCK_SECONDS))
            yield

    def _check_schema(self, file: Path | None) -> None:
        """See that the schema of a database is this MLflow's."""
        if scheme(self.uri) not in DATABASES:
            return
        # A client of a web server does without MLflow's tables.
        from taxi_pipeline.tracking import migration

        if file is None:
            migration.require_current_schema(self.uri)
        elif migration.outdated_schema(self.uri):
            with self.lock("the upgrade of MLflow's database"):
                migration.upgrade_sqlite(self.uri, file)

    def experiment_id(self, client: mlflow.MlflowClient) -> str:
        """The experiment that holds the runs: found or made.

        Raises:
            TrackingError: it was deleted, and so keeps its name for itself.
        """
        experiment = client.get_experiment_by_name(self.experiment)
        if experiment is None:
            try:
                return str(client.create_experiment(self.experiment, self.artifacts or None))
            except MlflowException:
                # Another process was faster.
                experiment = client.get_experiment_by_name(self.experiment)
                if experiment is None:
                    raise
        if experiment.lifecycle_stage != "active":
            raise TrackingError(
                f"the experiment {self.experiment} of the MLflow server {redact_url(self.uri)} was "
                f"deleted: restore it with MLFLOW_TRACKING_URI={redact_url(self.uri)} mlflow "
                f"experiments restore --experiment-id {experiment.experiment_id}, or set another "
                "[tracking] experiment"
            )
        return str(experiment.experiment_id)

    def find_run(self, client: mlflow.MlflowClient, tag: str, key: str) -> Run | None:
        """The run whose tag holds a key, if there is one."""
        found = client.search_runs(
            [self.experiment_id(client)], f"tags.{tag} = '{key}'", max_results=1
        )
        return found[0] if found else None

    def run_url(self, run: Run) -> str:
        """A run's web page; empty where no server serves one."""
        if not self.uri.startswith(("http://", "https://")):
            return ""
        server = strip_credentials(self.uri).rstrip("/")
        return f"{server}/#/experiments/{run.info.experiment_id}/runs/{run.info.run_id}?{TRAINING}"


def found(look_up: Callable[[], Found]) -> Found | None:
    """What a look-up answers; None where MLflow says that there is no such thing (any more)."""
    try:
        return look_up()
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return None


@contextlib.contextmanager
def _without_progress_bars() -> Iterator[None]:
    """MLflow draws a bar for files that it copies, in the middle of the console's lines."""
    variable = "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"
    ours = variable not in os.environ
    os.environ.setdefault(variable, "false")
    try:
        yield
    finally:
        if ours:
            os.environ.pop(variable, None)


def _cause(error: Exception) -> str:
    """What is wrong with a server, in a few words."""
    text = (str(error).strip() or type(error).__name__).splitlines()[0]
    # MLflow quotes its HTTP library, and with it the URL, which may hold secrets.
    if "Connection" in text or "timed out" in text:
        return "cannot be reached"
    return f"refuses: {text}"
