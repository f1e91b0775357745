"""Everything that talks to MLflow: runs, registered models, aliases.

MLflow holds a copy of what stands under the storage root. Each candidate is one run, one logged
model and one model version, all found by the candidate's key before anything is made, so that
copying again completes an interrupted copy and never makes a second one.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mlflow
from filelock import FileLock, Timeout
from mlflow.data.dataset_source import DatasetSource
from mlflow.data.http_dataset_source import HTTPDatasetSource
from mlflow.data.meta_dataset import MetaDataset
from mlflow.entities import Metric, Param
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.types import ColSpec
from mlflow.types import Schema as MlflowSchema
from sqlalchemy.exc import SQLAlchemyError

from taxi_pipeline.errors import TrackingError
from taxi_pipeline.month import Month
from taxi_pipeline.redaction import redact_url, strip_credentials
from taxi_pipeline.storage import rename_exclusive
from taxi_pipeline.trips import schema

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.entities import Run
    from mlflow.entities.model_registry import ModelVersion

KEY_TAG = "candidate_key"
SEARCH_TAG = "search_key"
TRIAL_TAG = "trial"
PARENT_TAG = "mlflow.parentRunId"
MONTH_TAG = "training_month"
# A registration takes seconds.
LOCK_SECONDS = 600

CHALLENGER = "challenger"
CHAMPION = "champion"

# What a registered model needs of this package, and of others, to be loaded anywhere.
SERVING_CODE = ("errors.py", "month.py", "trips", "model")
SERVING_PACKAGES = ("numpy", "pandas", "pyarrow", "scikit-learn", "skops", "xgboost")

for _noisy in ("alembic", "mlflow.pyfunc", "mlflow.store.db.utils", "mlflow.tracking.fluent"):
    logging.getLogger(_noisy).setLevel(logging.WARNING)


@dataclass(frozen=True)
class Dataset:
    """A published file that took part in a candidate.

    Attributes:
        name: such as ``green 2021-01``.
        context: ``training`` or ``evaluation``.
        url: where it was fetched, without secrets.
        digest: sha256 of its content.
    """

    name: str
    context: str
    url: str
    digest: str


@dataclass(frozen=True)
class Candidate:
    """A model that has been trained and evaluated, with all that its run is to hold.

    Attributes:
        key: what finds it again.
        model_name: the registered model that it becomes a version of.
        taxi: ``green`` or ``yellow``.
        month: the last month of its training window.
        model: folder of :class:`taxi_pipeline.model.duration.DurationModel`.
        example: a few published rows, as an input example.
        description: a few lines of Markdown for the version's page.
        parameters: what it was made with.
        metrics: minutes on the evaluation month, and the baselines'.
        tags: further facts to search by.
        datasets: the published files.
        artifacts: folders of the run, and the local files that go there.
    """

    key: str
    model_name: str
    taxi: str
    month: Month
    model: Path
    example: pd.DataFrame
    description: str
    parameters: Mapping[str, Any]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    datasets: tuple[Dataset, ...] = ()
    artifacts: tuple[tuple[str, Path], ...] = ()


@dataclass(frozen=True)
class Search:
    """A search for hyperparameters.

    Attributes:
        key: what finds it again.
        name: of its run.
        tags: further facts to search by.
        trials: a row each: ``trial``, ``status``, ``rmse``, ``rounds``, ``seconds``, ``error`` and
            the parameters.
    """

    key: str
    name: str
    tags: Mapping[str, str]
    trials: list[dict[str, Any]]


@dataclass(frozen=True)
class Page:
    """Where something is found in MLflow.

    Attributes:
        run_id: the run.
        url: its web page; empty where no server serves one.
    """

    run_id: str
    url: str


@dataclass(frozen=True)
class Registration:
    """Where a candidate is found in MLflow, and what it became.

    Attributes:
        model_name: the registered model.
        version: its version.
        run_id: the run.
        aliases: those that it holds now.
        decision: why it is champion or not, in a few words.
        promoted: whether it became champion just now.
        url: the run's web page; empty where no server serves one.
    """

    model_name: str
    version: str
    run_id: str
    aliases: tuple[str, ...]
    decision: str
    promoted: bool
    url: str


class Tracking:
    """An MLflow tracking server with its registry.

    Args:
        uri: MLflow's tracking URI.
        experiment: name of the experiment that holds the runs; made if it is not there.
        artifacts: where a new experiment keeps its files; empty leaves that to the server.
    """

    def __init__(self, uri: str, experiment: str, artifacts: str = "") -> None:
        self.uri = uri
        self.experiment = experiment
        self.artifacts = artifacts

    def register(self, candidate: Candidate, *, promote: bool, reason: str) -> Registration:
        """Copy a candidate to MLflow, and move the aliases that it has earned.

        The newest month is ``challenger``. It becomes ``champion`` if it is to be promoted. An
        alias never moves to an older month.

        Raises:
            TrackingError: the server cannot be reached or refuses.
        """
        with self._connected() as client, self._current(), self._alone(candidate.model_name):
            run = self._run(client, candidate)
            version = self._version(client, run, candidate)
            aliases, decision, promoted = self._move_aliases(
                client, candidate, version, promote=promote, reason=reason
            )
        return Registration(
            candidate.model_name,
            str(version.version),
            run.info.run_id,
            aliases,
            decision,
            promoted,
            self._url(run),
        )

    def log_search(
        self, search: Search, *, ended: bool, wanted: Callable[[], bool] = lambda: True
    ) -> Page:
        """Copy a search to MLflow: a run, and in it a run for each trial that is not there yet.

        Args:
            search: its trials so far.
            ended: whether these are all.
            wanted: asked before each trial; once it says no, the rest is left for another time.

        Raises:
            TrackingError: the server cannot be reached or refuses.
        """
        with self._connected() as client, self._alone(search.key):
            experiment_id = self._experiment_id(client)
            run = self._find(client, experiment_id, SEARCH_TAG, search.key) or client.create_run(
                experiment_id, tags={SEARCH_TAG: search.key, **search.tags}, run_name=search.name
            )
            there = _trials(client, run)
            if not ended and run.info.status != "RUNNING":
                client.update_run(run.info.run_id, status="RUNNING")
            for row in search.trials:
                if not wanted():
                    break
                child = there.get(str(row["trial"]))
                if child is None or child.info.status == "RUNNING":
                    _log_trial(client, run, child, row)
            measured = [row["rmse"] for row in search.trials if row["rmse"] is not None]
            if measured:
                client.log_metric(run.info.run_id, "best_rmse", min(measured), step=len(measured))
            if ended:
                client.set_terminated(run.info.run_id)
            return Page(run.info.run_id, self._url(run))

    def _url(self, run: Run) -> str:
        if not self.uri.startswith(("http://", "https://")):
            return ""
        server = strip_credentials(self.uri).rstrip("/")
        return f"{server}/#/experiments/{run.info.experiment_id}/runs/{run.info.run_id}"

    @staticmethod
    def _find(client: mlflow.MlflowClient, experiment_id: str, tag: str, key: str) -> Run | None:
        found = client.search_runs([experiment_id], f"tags.{tag} = '{key}'", max_results=1)
        return found[0] if found else None

    @contextlib.contextmanager
    def _connected(self) -> Iterator[mlflow.MlflowClient]:
        try:
            if self.uri.startswith("sqlite:///"):
                _create_database(Path(self.uri.removeprefix("sqlite:///")))
            yield mlflow.MlflowClient(self.uri, self.uri)
        except (MlflowException, OSError, SQLAlchemyError) as error:
            raise TrackingError(
                f"the MLflow server {redact_url(self.uri)} {_cause(error)}: check [tracking] "
                "uri, and that the server runs; what was made is kept, and running again "
                "registers it"
            ) from None

    @contextlib.contextmanager
    def _alone(self, what: str) -> Iterator[None]:
        """Let one process of this machine at a time find or make something on this server.

        MLflow itself makes two where two ask at once. Across machines it is the resource
        ``registry`` of the central scheduler that keeps registrations apart.
        """
        if self.uri.startswith("sqlite:///"):
            folder = Path(self.uri.removeprefix("sqlite:///")).parent / ".locks"
        else:
            folder = Path(tempfile.gettempdir(), f"taxi_pipeline-{os.getuid()}")
        folder.mkdir(parents=True, exist_ok=True)
        name = hashlib.sha256(f"{self.uri} {what}".encode()).hexdigest()[:16]
        try:
            with FileLock(folder / f"{name}.lock", timeout=LOCK_SECONDS):
                yield
        except Timeout:
            raise TrackingError(
                f"another process has been registering {what} for {LOCK_SECONDS} seconds: wait for "
                "it or end it, then run again"
            ) from None

    @contextlib.contextmanager
    def _current(self) -> Iterator[None]:
        """Make this the server of MLflow's functions that know no client; for one thread only."""
        before = mlflow.get_tracking_uri()
        mlflow.set_tracking_uri(self.uri)
        try:
            yield
        finally:
            mlflow.set_tracking_uri(before)

    def _run(self, client: mlflow.MlflowClient, candidate: Candidate) -> Run:
        """The candidate's run, whole: found, completed or made."""
        experiment_id = self._experiment_id(client)
        found = self._find(client, experiment_id, KEY_TAG, candidate.key)
        if found and found.info.status == "FINISHED":
            return found
        tags = {KEY_TAG: candidate.key, MONTH_TAG: str(candidate.month), **candidate.tags}
        run = found or client.create_run(
            experiment_id, tags=tags, run_name=f"{candidate.model_name} {candidate.month}"
        )
        # The status FINISHED, set at the end, says that the run is whole.
        with mlflow.start_run(run_id=run.info.run_id):
            mlflow.log_params(dict(candidate.parameters))
            mlflow.log_metrics(dict(candidate.metrics))
            for dataset in candidate.datasets:
                mlflow.log_input(
                    MetaDataset(  # type: ignore[abstract]  # MLflow's own example makes one
                        _source(dataset.url), dataset.name, dataset.digest[:36]
                    ),
                    dataset.context,
                )
            for place, file in candidate.artifacts:
                mlflow.log_artifact(str(file), place)
            if not self._logged_model(client, run):
                self._log_model(candidate)
        return client.get_run(run.info.run_id)

    def _experiment_id(self, client: mlflow.MlflowClient) -> str:
        experiment = client.get_experiment_by_name(self.experiment)
        if experiment is not None:
            return str(experiment.experiment_id)
        try:
            return str(client.create_experiment(self.experiment, self.artifacts or None))
        except MlflowException:
            # Another process was faster.
            experiment = client.get_experiment_by_name(self.experiment)
            if experiment is None:
                raise
            return str(experiment.experiment_id)

    @staticmethod
    def _logged_model(client: mlflow.MlflowClient, run: Run) -> str | None:
        """The id of the run's model, if one was logged whole."""
        models = client.search_logged_models(
            experiment_ids=[run.info.experiment_id],
            filter_string=f"source_run_id = '{run.info.run_id}'",
        )
        ready = [str(model.model_id) for model in models if model.status == "READY"]
        return ready[0] if ready else None

    @staticmethod
    def _log_model(candidate: Candidate) -> None:
        with tempfile.TemporaryDirectory() as folder:
            mlflow.pyfunc.log_model(
                name="model",
                loader_module="taxi_pipeline.model.serving",
                data_path=str(candidate.model),
                code_paths=[str(serving_code(Path(folder)))],
                signature=signature(candidate.taxi),
                input_example=candidate.example,
                pip_requirements=[
                    f"{name}=={importlib.metadata.version(name)}" for name in SERVING_PACKAGES
                ],
                metadata={KEY_TAG: candidate.key},
            )

    def _version(self, client: mlflow.MlflowClient, run: Run, candidate: Candidate) -> ModelVersion:
        """The candidate's model version: found or made."""
        found = client.search_model_versions(
            f"name = '{candidate.model_name}' and tag.{KEY_TAG} = '{candidate.key}'"
        )
        if found:
            return found[0]
        try:
            client.create_registered_model(
                candidate.model_name,
                description=f"Duration in minutes of {candidate.taxi} taxi trips in New York, "
                "from rows as TLC publishes them.",
            )
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        model_id = self._logged_model(client, run)
        return client.create_model_version(
            candidate.model_name,
            f"models:/{model_id}",
            run.info.run_id,
            tags={KEY_TAG: candidate.key, MONTH_TAG: str(candidate.month), **candidate.tags},
            description=candidate.description,
            model_id=model_id,
        )

    @staticmethod
    def _move_aliases(
        client: mlflow.MlflowClient,
        candidate: Candidate,
        version: ModelVersion,
        *,
        promote: bool,
        reason: str,
    ) -> tuple[tuple[str, ...], str, bool]:
        promoted = False
        decision = f"champion: {reason}" if promote else f"not champion: {reason}"
        for alias in (CHALLENGER, CHAMPION) if promote else (CHALLENGER,):
            holder = _holder(client, candidate.model_name, alias)
            held_for = holder.tags.get(MONTH_TAG) if holder else None
            if held_for and Month.parse(held_for) > candidate.month:
                decision = f"{alias} stays with the newer month {held_for}"
            elif holder is None or holder.version != version.version:
                client.set_registered_model_alias(candidate.model_name, alias, version.version)
                promoted = alias == CHAMPION
        held = client.get_registered_model(candidate.model_name).aliases
        aliases = tuple(sorted(name for name in held if str(held[name]) == str(version.version)))
        # Whether to serve without a champion is a person's decision.
        if CHAMPION in aliases and not promote:
            decision = f"champion from before, would not become it now: {reason}"
        return aliases, decision, promoted


def _create_database(file: Path) -> None:
    """Make MLflow's SQLite file under another name first, so that it is seen whole or not at all.

    MLflow takes a second and seventy steps to make one; a file that it was killed in cannot be
    used or mended, and two processes that make the same one disturb each other.
    """
    if file.exists():
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=file.parent) as folder:
        made = Path(folder, file.name)
        mlflow.MlflowClient(f"sqlite:///{made}").search_experiments(max_results=1)
        rename_exclusive(made, file)


def _trials(client: mlflow.MlflowClient, search: Run) -> dict[str, Run]:
    """The runs of a search's trials, by number."""
    found: dict[str, Run] = {}
    token = None
    while True:
        page = client.search_runs(
            [search.info.experiment_id],
            f"tags.{PARENT_TAG} = '{search.info.run_id}'",
            max_results=1000,
            page_token=token,
        )
        found |= {run.data.tags[TRIAL_TAG]: run for run in page if TRIAL_TAG in run.data.tags}
        token = page.token
        if not token:
            return found


def _log_trial(
    client: mlflow.MlflowClient, search: Run, child: Run | None, row: Mapping[str, Any]
) -> None:
    """Make or complete the run of a trial: its parameters and metrics in one request."""
    facts = {"trial", "status", "rmse", "rounds", "seconds", "error"}
    tags = {PARENT_TAG: search.info.run_id, TRIAL_TAG: str(row["trial"]), "status": row["status"]}
    if row["error"]:
        tags["error"] = row["error"]
    child = child or client.create_run(
        search.info.experiment_id, tags=tags, run_name=f"trial {row['trial']}"
    )
    now = int(time.time() * 1000)
    client.log_batch(
        child.info.run_id,
        metrics=[
            Metric(name, float(row[name]), now, 0)
            for name in ("rmse", "rounds", "seconds")
            if row[name] is not None
        ],
        params=[Param(name, str(value)) for name, value in row.items() if name not in facts],
        synchronous=True,
    )
    client.set_terminated(child.info.run_id, "FAILED" if row["status"] == "failed" else "FINISHED")


def _cause(error: Exception) -> str:
    """What is wrong with a server, in a few words."""
    text = str(error).splitlines()[0]
    # MLflow wraps what its HTTP library says of a connection, with the URL that may hold secrets.
    if "Connection" in text or "timed out" in text:
        return "cannot be reached"
    return f"refuses: {text}"


def _holder(client: mlflow.MlflowClient, model_name: str, alias: str) -> ModelVersion | None:
    if alias not in client.get_registered_model(model_name).aliases:
        return None
    return client.get_model_version_by_alias(model_name, alias)


class _PlaceDatasetSource(DatasetSource):
    """A place that is not on the web: a file, a bucket, the synthetic city."""

    def __init__(self, place: str) -> None:
        self.place = place

    @staticmethod
    def _get_source_type() -> str:
        return "place"

    def load(self) -> Any:
        """Not offered: the pipeline's own ingestion loads it."""
        raise NotImplementedError

    @staticmethod
    def _can_resolve(raw_source: Any) -> bool:  # noqa: ARG004  (MLflow's signature)
        return False

    @classmethod
    def _resolve(cls, raw_source: Any) -> _PlaceDatasetSource:
        return cls(str(raw_source))

    def to_dict(self) -> dict[Any, Any]:
        """The form that MLflow keeps."""
        return {"uri": self.place}

    @classmethod
    def from_dict(cls, source_dict: dict[Any, Any]) -> _PlaceDatasetSource:
        """The source that :meth:`to_dict` described."""
        return cls(source_dict["uri"])


def _source(url: str) -> DatasetSource:
    return HTTPDatasetSource(url) if url.startswith("http") else _PlaceDatasetSource(url)


def signature(taxi: str) -> ModelSignature:
    """Rows as TLC publishes them; pickup time and zones are required, the rest may be missing."""
    inputs = [
        ColSpec("datetime", schema.pickup_column(taxi)),
        ColSpec("long", "PULocationID"),
        ColSpec("long", "DOLocationID"),
        # Doubles, since pandas reads whole numbers with nulls among them so. A column of any type
        # would be kinder, but MLflow 3.16 gives it another index than the rest.
        *(
            ColSpec("long" if name == "VendorID" else "double", name, required=False)
            for name in schema.optional_columns(taxi)
        ),
    ]
    return ModelSignature(MlflowSchema(list(inputs)), MlflowSchema([ColSpec("double")]))


def serving_code(folder: Path) -> Path:
    """Copy what a registered model needs of this package, which is neither Luigi nor MLflow."""
    package = Path(__file__).parent.parent
    copy = folder / package.name
    copy.mkdir()
    (copy / "__init__.py").write_text('"""The part of taxi_pipeline that predicts."""\n')
    for name in SERVING_CODE:
        if (package / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(package / name, copy / name, ignore=ignored)
        else:
            shutil.copy(package / name, copy / name)
    return copy
