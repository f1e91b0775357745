"""The main job on a Dask cluster of real processes, beside the same on this machine."""

import json
import os
import signal
import socket

import pandas as pd
import pytest
from command_line import SMALL, STEPS, CommandLine
from dask_clusters import distributed_client, local_cluster, worker_that_trains

from taxi_pipeline.storage import sha256

pytest.importorskip("distributed", reason="Dask is not installed")
pytestmark = pytest.mark.slow

RUN = ("RegisterModel", "--year", "2021", "--month", "1", "--local-scheduler", *SMALL)
TOLERANCE = 0.02
"""Share by which the RMSE may differ: bins begin elsewhere, on some 3,000 trips."""


@pytest.fixture(scope="module")
def cluster():
    with local_cluster() as running:
        yield running


@pytest.fixture(scope="module")
def elsewhere(cluster, tmp_path_factory):
    """The main job with two of Luigi's workers on the cluster, in a folder of its own."""
    command = CommandLine(tmp_path_factory.mktemp("elsewhere"))
    on_cluster = ("--compute-scheduler", cluster.scheduler_address)
    return command, command(*RUN, *on_cluster, "--workers", "2")


def outputs(command):
    """The folders of the outputs, whose names are their keys."""
    root = command.folder / "data"
    return {
        path.parent.relative_to(root)
        for path in root.rglob("manifest.json")
        if path.parent.name != "latest" and "artifacts" not in path.parts
    }


def output(command, stage, month="2021-01"):
    (folder,) = (path for path in outputs(command) if path.parts[:3] == (stage, "green", month))
    return command.folder / "data" / folder


def rmse(command):
    return json.loads((output(command, "evaluate") / "manifest.json").read_text())["rmse"]


def test_the_job_ends_well_and_keys_are_those_of_this_machine(finished, elsewhere):
    command, result = elsewhere
    assert result.returncode == 0, result.stderr
    assert "Traceback" not in result.stderr
    made = outputs(command)
    assert len(made) == STEPS
    assert made <= outputs(finished[0])  # to which other tests add more


@pytest.mark.parametrize("month", ["2021-01", "2021-02"])
def test_features_are_byte_for_byte_those_of_this_machine(finished, elsewhere, month):
    here, there = (
        output(command, "features", month) / "features.parquet"
        for command, _ in (finished, elsewhere)
    )
    assert sha256(there) == sha256(here)


def test_trials_and_choice_are_those_of_this_machine(finished, elsewhere):
    trials, choices = [], []
    for command, _ in (finished, elsewhere):
        folder = output(command, "tune")
        trials.append(pd.read_csv(folder / "trials.csv").drop(columns="seconds"))
        choice = json.loads((folder / "choice.json").read_text())
        choices.append([choice[name] for name in ("parameters", "rounds", "rmse")])
    pd.testing.assert_frame_equal(*trials)
    assert choices[0] == choices[1]


def test_the_model_is_as_good_as_that_of_this_machine(finished, elsewhere):
    assert rmse(elsewhere[0]) == pytest.approx(rmse(finished[0]), rel=TOLERANCE)


def test_a_worker_killed_in_the_middle_of_training_leads_to_a_finished_run(
    cluster, finished, luigi
):
    from distributed import Client

    tuned = ("TuneHyperparameters", *RUN[1:])
    assert luigi(*tuned).returncode == 0
    train = ("TrainModel", *RUN[1:], "--compute-scheduler", cluster.scheduler_address)
    with (
        Client(cluster.scheduler_address, set_as_default=False) as client,
        luigi.started(*train) as process,
    ):
        processes = client.run(os.getpid)
        address = worker_that_trains(client)
        os.kill(processes[address], signal.SIGKILL)
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert "died while a model was fitted: the fit begins anew" in errors
    assert "Traceback" not in errors
    assert output(luigi, "train").name == output(finished[0], "train").name


def test_a_scheduler_killed_in_the_middle_of_training_is_one_line_within_seconds(
    separate_cluster, luigi
):
    assert luigi("TuneHyperparameters", *RUN[1:]).returncode == 0
    train = ("TrainModel", *RUN[1:], "--compute-scheduler", separate_cluster.address)
    with (
        distributed_client(separate_cluster.address) as client,
        luigi.started(*train) as process,
    ):
        worker_that_trains(client)
        separate_cluster.kill()
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 30, errors
    (line,) = (line for line in errors.splitlines() if "was lost" in line and "ERROR" in line)
    assert f"the Dask cluster at {separate_cluster.address} was lost" in line
    assert "Traceback" not in errors
    assert luigi("TrainModel", *RUN[1:]).returncode == 0


def test_a_cluster_that_is_gone_is_one_line_and_the_code_of_a_failed_task(luigi):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
    result = luigi("BuildFeatures", *RUN[1:], "--compute-scheduler", address)
    assert result.returncode == 30
    (line,) = (line for line in result.stderr.splitlines() if "no Dask cluster answers" in line)
    assert "or change [compute] scheduler" in line
    assert "Traceback" not in result.stderr
