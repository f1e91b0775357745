"""A search that is killed, or made twice at once, comes to the same end."""

import hashlib
import json
import shutil
import socket
import time

import mlflow
import pytest
from command_line import CommandLine

TRIALS = 12
# Trials that take a few tenths of a second, so that there is a middle to be killed in.
OPTIONS = (
    *("--year", "2021", "--month", "1", "--local-scheduler"),
    *("--source-url", "synthetic://?rows=3000", "--tuning-trials", str(TRIALS)),
    *("--tuning-rounds", "256", "--tuning-max-rounds", "50"),
)
TUNE = ("TuneHyperparameters", *OPTIONS)
REGISTER = ("RegisterModel", *OPTIONS)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """What a search finds that nothing happens to."""
    command = CommandLine(tmp_path_factory.mktemp("uninterrupted"))
    result = command(*TUNE, "--tracking-uri", "sqlite:///mlflow.db")
    assert result.returncode == 0, result.stderr
    return findings(choice(command))


@pytest.fixture(scope="module")
def empty_database(tmp_path_factory):
    """A database as MLflow makes it, which takes seconds."""
    file = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    uri = f"sqlite:///{file}"
    mlflow.MlflowClient(uri, uri).search_experiments()
    return file


@pytest.fixture
def with_database(luigi, empty_database):
    folder = luigi.folder / "data" / "mlflow"
    folder.mkdir(parents=True)
    shutil.copy(empty_database, folder)
    return luigi


def journal(command):
    """The files of trials, and what they hold."""
    files = command.folder.glob("data/tune/green/2021-01/trip-w1/trials-*/*")
    return {path.relative_to(command.folder): path.read_bytes() for path in sorted(files)}


def output(command):
    (manifest,) = command.folder.glob("data/tune/green/2021-01/trip-w1/[0-9a-f]*/manifest.json")
    return manifest.parent


def choice(command):
    return json.loads((output(command) / "choice.json").read_text())


def findings(choice):
    """All that a choice says but for the seconds that it took."""
    return {**choice, "trials": [{**trial, "seconds": None} for trial in choice["trials"]]}


def wait_until(process, condition):
    """Wait, no longer than the process goes on, and say what it was that became true."""
    deadline = time.monotonic() + 60
    while not (found := condition()):
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline, "nothing happens"
        time.sleep(0.005)
    return found


def assert_whole(folder):
    described = json.loads((folder / "manifest.json").read_text())["files"]
    assert set(described) == {"choice.json", "late.parquet", "trials.csv", "search.png"}
    for name, known in described.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == known["sha256"]


def runs(command):
    """MLflow's runs of the search, and of its trials."""
    uri = f"sqlite:///{command.folder}/data/mlflow/mlflow.db"
    client = mlflow.MlflowClient(uri, uri)
    experiment = client.get_experiment_by_name("nyc-taxi-duration")
    found = client.search_runs([experiment.experiment_id])
    searches = [run for run in found if "search_key" in run.data.tags]
    trials = [run for run in found if "mlflow.parentRunId" in run.data.tags]
    return searches, trials


@pytest.mark.slow
def test_a_search_killed_again_and_again_ends_as_if_nothing_had_been(with_database, uninterrupted):
    luigi, before = with_database, {}
    for enough in (1, 3, 5):
        with luigi.started(*TUNE) as process:
            wait_until(process, lambda enough=enough: len(journal(luigi)) >= enough)
            process.kill()
            process.wait(30)
        killed = journal(luigi)
        assert enough <= len(killed) < TRIALS
        assert {name: killed[name] for name in before} == before
        before = killed
        assert list(luigi.folder.glob("data/tune/**/manifest.json")) == []

    result = luigi(*REGISTER)
    assert result.returncode == 0, result.stderr
    after = journal(luigi)
    assert len(after) == TRIALS
    assert {name: after[name] for name in before} == before
    assert_whole(output(luigi))
    assert findings(choice(luigi)) == uninterrupted

    (search,), trials = runs(luigi)
    assert search.info.status == "FINISHED"
    assert sorted(int(run.data.tags["trial"]) for run in trials) == list(range(1, TRIALS + 1))
    assert {run.info.status for run in trials} == {"FINISHED"}


def test_two_that_search_the_same_at_once_share_their_trials_and_end_well(
    with_database, uninterrupted
):
    luigi = with_database
    # Luigi itself keeps the same command from running twice on a machine, but not on two.
    with luigi.started(*TUNE, "--no-lock") as one, luigi.started(*TUNE, "--no-lock") as other:
        told = [process.communicate(timeout=120)[1] for process in (one, other)]
        assert [process.returncode for process in (one, other)] == [0, 0], told
    # What one makes the other waits for.
    label = "TuneHyperparameters green 2021-01 trip-w1"
    made = ["-> data/tune/green/2021-01/trip-w1/" in said for said in told]
    assert any(made)
    for said, is_made in zip(told, made, strict=True):
        assert is_made or f"{label}: already there" in said or "Did not run any tasks" in said
        assert "Traceback" not in said
    written = [json.loads(content) for content in journal(luigi).values()]
    assert [trial["number"] for trial in written] == list(range(1, TRIALS + 1))
    assert_whole(output(luigi))
    found = choice(luigi)
    assert findings(found) == uninterrupted
    # Whoever made it, it is the one trial that both have gone by.
    assert [trial["seconds"] for trial in found["trials"]] == [one["seconds"] for one in written]


@pytest.mark.slow
def test_a_search_killed_while_mlflow_makes_its_database_can_still_be_registered(luigi):
    mlflow = luigi.folder / "data" / "mlflow"
    few = ("--tuning-trials", "2")
    with luigi.started(*TUNE, *few) as process:
        wait_until(process, lambda: any(mlflow.glob(".new-*/mlflow.db")))
        process.kill()
    assert not (mlflow / "mlflow.db").exists()
    result = luigi(*REGISTER, *few)
    assert result.returncode == 0, result.stderr


@pytest.mark.slow
def test_a_search_ends_although_the_mlflow_server_never_answers(luigi):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        server = f"http://127.0.0.1:{silent.getsockname()[1]}"
        result = luigi(*TUNE, "--tuning-trials", "2", "--tracking-uri", server, timeout=90)
    assert result.returncode == 0, result.stderr
    assert "the MLflow server takes too long" in result.stderr
