"""A registered model as MLflow packaged it: in a process of its own, with its own code."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import mlflow
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from mlflow.exceptions import MlflowException

from taxi_pipeline.errors import InvalidTraining
from taxi_pipeline.model.regressors import Minutes
from taxi_pipeline.processes import temporary_folder
from taxi_pipeline.redaction import redact
from taxi_pipeline.tracking.artifacts import damage_of_files
from taxi_pipeline.tracking.server import TrackingServer, found

_PREDICT = """
import sys
import mlflow.pyfunc, numpy, pandas
model = mlflow.pyfunc.load_model(sys.argv[1], suppress_warnings=True)
minutes = model.predict(pandas.read_parquet(sys.argv[2]))
numpy.save(sys.argv[3], numpy.asarray(minutes, dtype="float64"))
"""


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
    name = f"version {version} of {model_name}"
    with temporary_folder() as folder:
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
        pq.write_table(published, folder / "published.parquet")
        return _predict(Path(files), folder, name)


def _predict(files: Path, folder: Path, name: str) -> Minutes:
    """What a packaged model predicts for ``published.parquet`` in a folder."""
    flavor = mlflow.models.Model.load(str(files)).flavors[mlflow.pyfunc.FLAVOR_NAME]
    code = files / flavor["code"]
    # Its own code comes before this package; classes of people's own are found as they are here.
    path = os.pathsep.join(filter(None, [str(code), os.environ.get("PYTHONPATH", "")]))
    arguments = (str(files), str(folder / "published.parquet"), str(folder / "minutes.npy"))
    process = subprocess.run(  # noqa: S603  (this interpreter, and files of our own)
        [sys.executable, "-c", _PREDICT, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    if process.returncode:
        last = _line(process.stderr.strip().rpartition("\n")[2])
        raise InvalidTraining(f"{name} does not load as MLflow packaged it ({last})")
    minutes: Minutes = np.load(folder / "minutes.npy")
    return minutes


def _line(text: str) -> str:
    return redact((text.strip() or "no reason is given").splitlines()[0])
