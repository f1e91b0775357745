"""A registered model as MLflow packaged it: in a process of its own, with its own code."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import mlflow
import numpy as np
import pyarrow as pa
from mlflow.exceptions import MlflowException

from taxi_pipeline.errors import InvalidParameter, InvalidTraining
from taxi_pipeline.model import intervals
from taxi_pipeline.model.regressors import Minutes
from taxi_pipeline.processes import temporary_folder
from taxi_pipeline.redaction import redact
from taxi_pipeline.tracking.artifacts import damage_of_files
from taxi_pipeline.tracking.server import TrackingServer, found

_PREDICT = """
import os, sys
answers = os.fdopen(os.dup(1), "wb")
os.dup2(2, 1)  # what libraries print is no answer
import mlflow.pyfunc, numpy, pyarrow
model = mlflow.pyfunc.load_model(sys.argv[1], suppress_warnings=True)
params = {"interval": float(sys.argv[2])} if sys.argv[2:] else None
for batch in pyarrow.ipc.open_stream(sys.stdin.buffer):
    rows = batch.to_pandas()
    minutes = numpy.empty((len(rows), 3 if params else 1))
    # A signature lets the provider be absent, but no whole number be missing in some rows.
    unknown = rows["VendorID"].isna() if "VendorID" in rows else rows.index < 0
    for part in (rows[~unknown], rows[unknown].drop(columns="VendorID", errors="ignore")):
        if "VendorID" in part:
            part = part.astype({"VendorID": "int64"})
        if len(part):
            found = numpy.asarray(model.predict(part, params=params))
            minutes[part.index] = found.reshape(minutes[part.index].shape)
    answers.write(minutes.tobytes())
    answers.flush()
"""
"""Reads rows as an Arrow stream, and answers each batch with its minutes, or with intervals."""


def predict_packaged(
    server: TrackingServer, model_name: str, version: str, published: pa.Table
) -> Minutes:
    """The minutes that a version predicts, whatever its features mean to the code of this process.

    Args:
        server: of the registry.
        model_name: the registered model.
        version: its version.
        published: rows in the columns that TLC publishes.

    Raises:
        InvalidTraining: the version or its files are not there, or do not load here.
        TrackingError: the server cannot be reached or refuses.
    """
    with packaged_model(server, model_name, version) as predict:
        return predict(published)


@contextlib.contextmanager
def packaged_model(
    server: TrackingServer, model_name: str, version: str, interval: float | None = None
) -> Iterator[Callable[[pa.Table], Minutes]]:
    """A version in a process of its own, which predicts batch by batch.

    Args:
        server: of the registry.
        model_name: the registered model.
        version: its version.
        interval: the level of the intervals to answer with; None for minutes alone.

    Yields:
        Minutes for rows in the columns that TLC publishes, in the same columns each time; with an
        interval three columns: minutes, low and high.

    Raises:
        InvalidParameter: the version has no intervals.
        InvalidTraining: the version or its files are not there, or do not load here.
        TrackingError: the server cannot be reached or refuses.
    """
    name = f"version {version} of {model_name}"
    with temporary_folder() as folder:
        files = fetch_packaged(server, model_name, version, folder)
        if interval is not None and not _has_intervals(files):
            raise InvalidParameter(
                f"{name} has no intervals: an earlier version of the pipeline registered it, or "
                "its window had too few trips to learn them from; score without an interval, or "
                "delete that version and its run in MLflow and run RegisterModel, which registers "
                "it anew"
            )
        with (
            (folder / "errors").open("w+b") as errors,
            _started(files, errors, interval) as process,
        ):
            yield _Packaged(process, errors, name, 1 if interval is None else 3).predict


def fetch_packaged(server: TrackingServer, model_name: str, version: str, folder: Path) -> Path:
    """Copy the files of a version into a folder; the model's folder in it.

    Args:
        server: of the registry.
        model_name: the registered model.
        version: its version.
        folder: where to.

    Raises:
        InvalidTraining: the version or its files are not there, or are damaged.
        TrackingError: the server cannot be reached or refuses.
    """
    name = f"version {version} of {model_name}"
    with server.client() as client:
        location = found(lambda: client.get_model_version_download_uri(model_name, version))
        if location is None:
            raise InvalidTraining(f"{name} is not in the registry any more")
        try:
            files = mlflow.artifacts.download_artifacts(
                artifact_uri=location, dst_path=str(folder), tracking_uri=server.uri
            )
        except (MlflowException, OSError) as error:
            raise InvalidTraining(f"{name} cannot be fetched ({_line(str(error))})") from error
    if problem := damage_of_files(Path(files)):
        raise InvalidTraining(f"{name} cannot be loaded ({problem})")
    return Path(files)


def _has_intervals(files: Path) -> bool:
    """Whether a model was registered with intervals."""
    flavor = mlflow.models.Model.load(str(files)).flavors[mlflow.pyfunc.FLAVOR_NAME]
    return Path(files, flavor["data"], intervals.FILE).is_file()


def packaged_environment(files: Path) -> dict[str, str]:
    """The environment of a process that loads a packaged model with the model's own code.

    Args:
        files: the model's folder.
    """
    flavor = mlflow.models.Model.load(str(files)).flavors[mlflow.pyfunc.FLAVOR_NAME]
    code = files / flavor["code"]
    # Its own code comes before this package; classes of people's own are found as they are here.
    path = os.pathsep.join(filter(None, [str(code), os.environ.get("PYTHONPATH", "")]))
    return {**os.environ, "PYTHONPATH": path}


@contextlib.contextmanager
def _started(
    files: Path, errors: BinaryIO, interval: float | None
) -> Iterator[subprocess.Popen[bytes]]:
    """The process of a packaged model; it does not outlive the block."""
    level = [] if interval is None else [str(interval)]
    process = subprocess.Popen(  # noqa: S603  (this interpreter, and files of our own)
        [sys.executable, "-c", _PREDICT, str(files), *level],
        cwd=files.parent,
        env=packaged_environment(files),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
    )
    try:
        yield process
    finally:
        process.kill()
        with contextlib.suppress(BrokenPipeError):  # what it has not read when it failed
            process.communicate()


class _Packaged:
    """A packaged model that runs in a process.

    Args:
        process: reads and answers as :data:`_PREDICT` does.
        errors: what the process writes of its failure.
        name: of the version.
        columns: how many it answers with: minutes alone, or also low and high.
    """

    def __init__(
        self, process: subprocess.Popen[bytes], errors: BinaryIO, name: str, columns: int
    ) -> None:
        self._process, self._errors, self._name = process, errors, name
        self._columns = columns
        self._stream: pa.RecordBatchStreamWriter | None = None

    def predict(self, published: pa.Table) -> Minutes:
        """Minutes for each row.

        Raises:
            InvalidTraining: the process has failed.
        """
        process, rows = self._process, published.num_rows
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the process has no pipes")
        if not rows:
            return self._shaped(np.empty(0))
        try:
            if self._stream is None:
                self._stream = pa.ipc.new_stream(process.stdin, published.schema)
            self._stream.write_table(published.combine_chunks())
            process.stdin.flush()
        except BrokenPipeError:
            raise self._failure() from None
        size = rows * self._columns * np.float64().itemsize
        answer = process.stdout.read(size)
        if len(answer) < size:
            raise self._failure()
        return self._shaped(np.frombuffer(answer, np.float64))

    def _shaped(self, values: Minutes) -> Minutes:
        return values if self._columns == 1 else values.reshape(-1, self._columns)

    def _failure(self) -> InvalidTraining:
        self._process.wait()
        self._errors.seek(0)
        last = self._errors.read().decode(errors="replace").strip().rpartition("\n")[2]
        return InvalidTraining(f"{self._name} does not load as MLflow packaged it ({_line(last)})")


def _line(text: str) -> str:
    return redact((text.strip() or "no reason is given").splitlines()[0])
