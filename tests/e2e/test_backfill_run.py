"""Months catch up from the command line, with workers and with others at the same time."""

import hashlib
import json
import re
import time
from collections import Counter

import mlflow
import pytest
from command_line import SMALL

from taxi_pipeline import RegisterModel

# The same command in another folder is another run.
LOCAL = ("--local-scheduler", "--lock-pid-dir", "locks")
QUICK = ("--of-params", '{"recipe": "linear"}', "--source-url", "synthetic://?rows=1500")


def backfill(start, stop, *options, of="RegisterModel"):
    return ("BackfillMonths", "--of", of, "--start", start, "--stop", stop, *LOCAL, *options)


def table(said):
    """The cells of each month in the table at the end."""
    end = said.rpartition("\nmonth ")[2].splitlines()
    rows = [re.split(" {2,}", line) for line in end if re.match(r"\d{4}-\d\d ", line)]
    return {month: cells for month, *cells in rows}


def logs(folder):
    return set(folder.glob("data/**/logs/*.log"))


def assert_whole(folder):
    """Every output is as its manifest says."""
    manifests = list(folder.glob("data/*/green/**/manifest.json"))
    assert manifests
    for path in manifests:
        for name, known in json.loads(path.read_text())["files"].items():
            content = (path.parent / name).read_bytes()
            assert hashlib.sha256(content).hexdigest() == known["sha256"], path


def registry(folder):
    """MLflow's client, its runs, and the versions of its models."""
    uri = f"sqlite:///{folder}/data/mlflow/mlflow.db"
    client = mlflow.MlflowClient(uri, uri)
    experiment = client.get_experiment_by_name("nyc-taxi-duration")
    return (
        client,
        client.search_runs([experiment.experiment_id]),
        client.search_model_versions(),
    )


def champion_month(client):
    version = client.get_model_version_by_alias("nyc-green-taxi-duration-trip", "champion")
    return version.tags["training_month"]


def test_two_workers_make_every_month_and_a_second_run_nothing(luigi):
    asked = backfill("2021-01", "2021-04", *QUICK, "--workers", "2")
    first = luigi(*asked, timeout=180)
    assert first.returncode == 0, first.stderr
    assert first.stderr.endswith("\nAll of 3 months there.\n")
    made = table(first.stderr)
    assert list(made) == ["2021-01", "2021-02", "2021-03"]
    for state, rows, rmse, version in made.values():
        assert state == "made"
        assert re.fullmatch(r"1,\d{3}", rows)
        assert re.fullmatch(r"\d+\.\d{4}", rmse)
        assert version.isdigit()
    assert sorted(cells[-1] for cells in made.values()) == ["1", "2", "3"]

    before = logs(luigi.folder)
    second = luigi(*asked, timeout=60)
    assert second.returncode == 0
    assert table(second.stderr) == {
        month: ["already there", *cells[1:]] for month, cells in made.items()
    }
    assert logs(luigi.folder) == before


UNPUBLISHED = (
    *backfill("2021-01", "2021-03"),
    *("--of-params", '{"recipe": "linear"}', "--source-url", "synthetic://?rows=1500&last=2021-02"),
)


def test_a_month_that_is_not_published_is_waited_for_with_20_and_without_an_error(luigi):
    result = luigi(*UNPUBLISHED)
    assert result.returncode == 20
    states = {month: cells[0] for month, cells in table(result.stderr).items()}
    assert states == {"2021-01": "made", "2021-02": "waiting for publication"}
    assert "ERROR" not in result.stderr
    assert "WARNING" not in result.stderr


@pytest.mark.slow
def test_cron_is_told_nothing_of_what_is_made_or_waited_for(luigi):
    result = luigi(*UNPUBLISHED, "--log-level", "WARNING", "--workers", "2")
    assert (result.returncode, result.stdout, result.stderr) == (20, "", "")
    assert len(list(luigi.folder.glob("data/register/**/manifest.json"))) == 1


MONTHS = ("--start", "2021-01", "--stop", "2021-03")
TOO_FAR = RegisterModel.year.maximum + 1
WRONG = {
    "--start 2021-03 --stop 2021-01": ("--start", "2021-03", "--stop", "2021-01"),
    "--start 2021-03 --stop 2021-03": ("--start", "2021-03", "--stop", "2021-03"),
    "--start is '2021-13'": ("--start", "2021-13"),
    "--stop is 'soon'": ("--start", "2021-01", "--stop", "soon"),
    "--year is 2008": ("--start", "2008-01", "--stop", "2021-01"),
    f"--year is {TOO_FAR}": ("--start", f"{TOO_FAR - 1}-01", "--stop", f"{TOO_FAR}-03"),
    "No task RegistrModel": (*MONTHS, "--of", "RegistrModel"),
    "--of BackfillMonths": (*MONTHS, "--of", "BackfillMonths"),
    "--of-params windw": (*MONTHS, "--of-params", '{"windw": 3}'),
    "--window is 'many'": (*MONTHS, "--of-params", '{"window": "many"}'),
    "--of-params": (*MONTHS, "--of-params", "window=3"),
    "--of-params ": (*MONTHS, "--of-params", "[3]"),
    "--task-limit is '0'": (*MONTHS, "--task-limit", "0"),
    "--reverse is 'maybe'": (*MONTHS, "--reverse", "maybe"),
}


FEW = {"--start is '2021-13'", "No task RegistrModel", "--of-params windw"}
"""Those of them that are tried in the short run as well."""


@pytest.mark.parametrize(
    "named",
    [name if name in FEW else pytest.param(name, marks=pytest.mark.slow) for name in WRONG],
)
def test_what_is_wrong_with_a_backfill_is_one_line_within_seconds(luigi, named):
    asked = WRONG[named]
    of = () if "--of" in asked else ("--of", "RegisterModel")
    result = luigi("BackfillMonths", *of, *asked, *LOCAL, *SMALL, timeout=20)
    assert result.returncode == 40
    (line,) = (result.stdout + result.stderr).strip().splitlines()
    assert line.startswith("ERROR: ")
    assert named in line
    assert not (luigi.folder / "data").exists()


def at_once(luigi, one, other):
    """What two clients say that begin together and end well."""
    with luigi.started(*one) as first, luigi.started(*other) as second:
        told = [process.communicate(timeout=120)[1] for process in (first, second)]
        assert [process.returncode for process in (first, second)] == [0, 0], told
    assert not any(word in said for said in told for word in ("Traceback", "ERROR"))
    return told


def assert_registered_once(folder, months, trials):
    """Each month is one version and one run of the candidate, of the search and of each trial."""
    client, runs, versions = registry(folder)
    assert sorted(version.tags["training_month"] for version in versions) == months
    kinds = ("candidate_key", "search_key", "trial")
    found = Counter(next(kind for kind in kinds if kind in run.data.tags) for run in runs)
    once = len(months)
    assert found == {"candidate_key": once, "search_key": once, "trial": once * trials}
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert champion_month(client) == months[-1]


def test_two_clients_that_share_no_scheduler_make_everything_whole_and_register_it_once(luigi):
    asked = backfill("2021-01", "2021-02", *SMALL)
    flags = (["--training-threads", "1"], ["--training-threads", "2"])
    for said in at_once(luigi, *([*asked, *own] for own in flags)):
        assert table(said)["2021-01"][-1] == "1"
    assert_whole(luigi.folder)
    assert_registered_once(luigi.folder, ["2021-01"], 2)


@pytest.mark.slow
def test_two_clients_that_register_the_same_models_at_once_register_each_once(luigi):
    asked = (*SMALL, "--tuning-trials", "6", "--no-lock")
    # All is made, and MLflow knows nothing of it.
    elsewhere = ("--tracking-uri", "sqlite:///elsewhere.db")
    ready = luigi(*backfill("2021-01", "2021-03", *asked, *elsewhere, of="EvaluateModel"))
    assert ready.returncode == 0, ready.stderr
    register = backfill("2021-01", "2021-03", *asked)
    at_once(luigi, register, register)
    assert_registered_once(luigi.folder, ["2021-01", "2021-02"], 6)


@pytest.mark.slow
@pytest.mark.parametrize("attempt", range(2))
def test_two_workers_that_tune_never_hang(luigi, attempt):
    result = luigi(*backfill("2021-01", "2021-03", *SMALL, "--workers", "2"), timeout=120)
    assert result.returncode == 0, result.stderr
    assert {cells[0] for cells in table(result.stderr).values()} == {"made"}
    client, _, versions = registry(luigi.folder)
    assert champion_month(client) == "2021-02"
    assert len(versions) == 2


@pytest.mark.slow
def test_fourteen_years_with_nothing_to_do_are_measured_beside_one_month(luigi, capsys):
    source = ("--source-url", "synthetic://?rows=1000")
    years = backfill("2013-08", "2027-08", *source, of="IngestTrips")
    month = ("IngestTrips", "--year", "2021", "--month", "1", *LOCAL, *source)
    assert luigi(*years).returncode == 0

    def seconds(asked):
        began = time.perf_counter()
        result = luigi(*asked, timeout=60)
        assert result.returncode == 0, result.stderr
        assert "Did not run any tasks" in result.stderr
        return time.perf_counter() - began

    measured = [(seconds(years), seconds(month)) for _ in range(5)]
    long, short = (min(column) for column in zip(*measured, strict=True))
    with capsys.disabled():
        print(  # noqa: T201  (figures for a person)
            f"\n168 months: {long:.2f} s, one month: {short:.2f} s, {long / short:.1f} times"
        )
