"""The main job from the command line to a prediction, each in a process of its own."""

import json
import re

import pytest
from command_line import SMALL, STEPS
from processes import python

RUN = ("RegisterModel", "--year", "2021", "--month", "1", "--local-scheduler", *SMALL)

PREDICT = """
import sys
import mlflow, pandas as pd
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model("models:/nyc-green-taxi-duration-trip@challenger")
rows = pd.read_parquet(sys.argv[2])
print(len(rows), float(model.predict(rows).mean()))
print("luigi" in sys.modules)
"""


def test_the_main_job_registers_a_model_and_exits_with_0(finished):
    command, result = finished
    assert result.returncode == 0, result.stderr
    found = command.folder.glob("data/register/green/2021-01/trip-w1/*/receipt.json")
    (file,) = [receipt for receipt in found if receipt.parent.name != "latest"]
    receipt = json.loads(file.read_text())
    assert receipt["model"] == "nyc-green-taxi-duration-trip"
    assert "challenger" in receipt["aliases"]


def test_the_console_has_one_line_a_step_with_its_time_and_no_traceback(finished):
    _, result = finished
    said = result.stderr.splitlines()
    # On a machine that is very busy some step says every half minute how far it is.
    steps = [line for line in said if "green 2021" in line and " so far" not in line]
    assert len(steps) == STEPS
    assert all(re.search(r", in \d+\.\d s -> data/", line) for line in steps), steps
    assert "Traceback" not in result.stderr


def test_each_step_has_a_log_of_its_own_that_its_manifest_names(finished):
    command, _ = finished
    data = command.folder / "data"
    manifests = [json.loads(path.read_text()) for path in data.rglob("manifest.json")]
    stages = [manifest for manifest in manifests if "label" in manifest]
    assert len({manifest["log"] for manifest in stages}) == STEPS
    for manifest in stages:
        lines = (data / manifest["log"]).read_text().splitlines()
        assert f"INFO {manifest['label']}: starts" in lines[0]
        assert f"INFO {manifest['label']}: {manifest['summary']}, in " in lines[-1]


def test_the_second_run_does_nothing_and_exits_with_0(finished):
    command, _ = finished
    result = command(*RUN)
    assert result.returncode == 0
    assert "Did not run any tasks" in result.stderr
    assert " -> data/" not in result.stderr


def test_a_fresh_process_without_luigi_predicts_the_published_rows_of_a_later_month(finished):
    command, _ = finished
    later = "IngestTrips", "--year", "2021", "--month", "3", "--local-scheduler", *SMALL
    assert command(*later).returncode == 0
    published = command.folder / "data/ingest/green/2021-03/latest/trips.parquet"
    uri = f"sqlite:///{command.folder}/data/mlflow/mlflow.db"
    answer = python(command.folder, "-c", PREDICT, uri, str(published), timeout=120)
    assert answer.returncode == 0, answer.stderr
    first, second = answer.stdout.splitlines()[-2:]
    rows, mean = first.split()
    assert int(rows) == 3000
    assert 5 < float(mean) < 40
    assert second == "False"


def test_two_workers_make_the_same_outputs_as_one(finished, luigi):
    command, _ = finished
    result = luigi(*RUN, "--workers", "2")
    assert result.returncode == 0, result.stderr

    def outputs(folder):
        stages = ("transform", "features", "tune", "train", "evaluate")
        return {
            path.relative_to(folder)
            for stage in stages
            for path in folder.glob(f"data/{stage}/**/manifest.json")
        }

    assert outputs(luigi.folder) == outputs(command.folder)


@pytest.mark.parametrize(
    ("year", "taxi"),
    [("2023", "green"), pytest.param("2024", "yellow", marks=pytest.mark.slow)],
)
def test_months_whose_schema_changes_between_them_are_trained_and_evaluated(luigi, year, taxi):
    month = "1" if year == "2023" else "12"
    arguments = ("EvaluateModel", "--year", year, "--month", month, "--taxi", taxi)
    result = luigi(*arguments, "--recipe", "linear", "--local-scheduler", *SMALL)
    assert result.returncode == 0, result.stderr
