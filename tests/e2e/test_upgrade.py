"""What the version before made is found complete by this one, and its models load."""

import json
import re
import sqlite3
import tarfile
from pathlib import Path

import pytest
from command_line import CommandLine
from processes import python

ARCHIVE = Path(__file__).parents[1] / "fixtures" / "made_by_0.1.0.tar.xz"
AS_BEFORE = (
    *("--local-scheduler", "--storage-root", "root", "--tracking-uri", "sqlite:///tracking.db"),
    *("--source-url", "synthetic://?rows=150", "--tuning-trials", "2"),
)
PREDICT = """
import json, sys
import mlflow, pandas as pd
if sys.argv[1] == "with the package":
    import taxi_pipeline
mlflow.set_tracking_uri("sqlite:///tracking.db")
rows = pd.read_parquet(sys.argv[2]).head(20)
answers = {
    name: mlflow.pyfunc.load_model(f"models:/{name}").predict(rows).tolist()
    for name in sys.argv[3:]
}
print(json.dumps(answers))
"""


@pytest.fixture(scope="module")
def made_before(tmp_path_factory):
    """The command line in a folder with a root and a registry made by the version before."""
    folder = tmp_path_factory.mktemp("before")
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    for described in folder.rglob("MLmodel"):
        described.write_text(described.read_text().replace("@HERE@", str(folder)))
    dump = (folder / "tracking.sql").read_text().replace("@HERE@", str(folder))
    with sqlite3.connect(folder / "tracking.db") as database:
        database.executescript(dump)
    return CommandLine(folder)


def test_a_model_registered_before_is_found_and_nothing_runs(made_before):
    month = ("--year", "2021", "--month", "1", "--recipe", "linear")
    result = made_before("RegisterModel", *month, *AS_BEFORE)
    assert result.returncode == 0, result.stderr
    assert "Did not run any tasks" in result.stderr


def test_a_recipe_that_has_changed_since_is_made_anew_of_the_features_made_before(made_before):
    months = ("--of", "RegisterModel", "--start", "2021-01", "--stop", "2021-02")
    result = made_before("BackfillMonths", *months, *AS_BEFORE)
    assert result.returncode == 0, result.stderr
    assert re.search(r"TuneHyperparameters .* since its recipe has changed", result.stderr)
    assert not re.search("(IngestTrips|TransformTrips|BuildFeatures) green 2021", result.stderr)


@pytest.mark.parametrize("process", ["with the package", "without the package"])
def test_models_registered_before_load_and_predict_the_same(made_before, process):
    expected = json.loads((made_before.folder / "predictions.json").read_text())
    (rows,) = made_before.folder.glob("root/ingest/green/2021-03/*/trips.parquet")
    told = (process, str(rows), *expected)
    answer = python(made_before.folder, "-c", PREDICT, *told, timeout=120)
    assert answer.returncode == 0, answer.stderr
    answers = json.loads(answer.stdout.splitlines()[-1])
    assert answers.keys() == expected.keys()
    for name, minutes in expected.items():
        assert answers[name] == pytest.approx(minutes, abs=1e-4), name
