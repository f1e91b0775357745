"""scripts/duration_prediction.py does what the course's script does, and has its figure."""

import re
import sqlite3

import pytest
from places import REPOSITORY, TLC
from processes import python

SCRIPT = REPOSITORY / "scripts" / "duration_prediction.py"
JANUARY = ("--year=2021", "--month=1")

pytestmark = pytest.mark.slow


def script(folder, source, *options):
    return python(folder, str(SCRIPT), *options, "--source-url", source, timeout=400)


@pytest.fixture(scope="module")
def synthetic(tmp_path_factory):
    """A folder in which the script has run on the synthetic city, and what it said."""
    folder = tmp_path_factory.mktemp("course")
    answer = script(folder, "synthetic://?rows=2000", *JANUARY)
    assert answer.returncode == 0, answer.stderr
    return folder, answer.stdout


def rows(folder, query):
    database = sqlite3.connect(folder / "mlflow.db")
    try:
        return database.execute(query).fetchall()
    finally:
        database.close()


def test_the_run_in_mlflow_holds_parameters_and_the_rmse_that_was_printed(synthetic):
    folder, said = synthetic
    printed = re.fullmatch(r"RMSE: (\d+\.\d{4}) minutes on 2021-02\nMLflow run: (\w{32})\n", said)
    ((run, rmse),) = rows(folder, "SELECT run_uuid, value FROM metrics WHERE key = 'rmse'")
    assert (f"{rmse:.4f}", run) == printed.groups()
    parameters = dict(rows(folder, "SELECT key, value FROM params"))
    assert parameters["max_depth"] == "30"
    assert parameters["rounds"] == "30"


def test_the_vectorizer_and_the_model_are_artifacts_of_the_run(synthetic):
    folder, _ = synthetic
    predict = (
        "import sys, mlflow, pandas as pd; from pathlib import Path\n"
        "from taxi_pipeline.model.encoders import CourseEncoder\n"
        "mlflow.set_tracking_uri('sqlite:///mlflow.db')\n"
        "(run,) = mlflow.search_runs(['1'], output_format='list')\n"
        "place = mlflow.artifacts.download_artifacts(run_id=run.info.run_id,\n"
        "    artifact_path='preprocessor')\n"
        "encoder = CourseEncoder().load(Path(place))\n"
        "model = mlflow.xgboost.load_model(f'runs:/{run.info.run_id}/model')\n"
        "trip = pd.DataFrame({'pickup_zone': [74], 'dropoff_zone': [75], 'metered_miles': [2.5]})\n"
        "print(float(model.predict(__import__('xgboost').DMatrix(encoder.transform(trip)))[0]))\n"
    )
    answer = python(folder, "-c", predict, timeout=120)
    assert answer.returncode == 0, answer.stderr
    assert 1 <= float(answer.stdout) <= 60


@pytest.mark.skipif(not TLC.is_dir(), reason=f"real TLC files are not in {TLC}")
def test_trained_on_green_2021_01_it_has_the_figure_that_the_course_published(tmp_path):
    source = f"file://{TLC}/{{taxi}}_tripdata_{{year}}-{{month:02d}}.parquet"
    answer = script(tmp_path, source, *JANUARY)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.startswith("RMSE: 6.6077 minutes on 2021-02\n")


WRONG = {
    "month": (("--year=2021", "--month=13"), "synthetic://", "month must be from 1 to 12, not 13"),
    "file": (JANUARY, "file:///nowhere/{year}-{month:02d}.parquet", "green 2021-01"),
    "url": (JANUARY, "file:///nowhere/2021.parquet", "it lacks the month and the year"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_a_user_can_mend_is_one_line(tmp_path, case):
    options, source, problem = WRONG[case]
    answer = script(tmp_path, source, *options)
    assert answer.returncode == 1
    (line,) = [line for line in answer.stderr.splitlines() if "INFO mlflow" not in line]
    assert line.startswith("ERROR: ")
    assert problem in line
