"""Boosting on the workers of a Dask cluster of real processes."""

import itertools
import os
import signal
import threading

import dask_clusters
import numpy as np
import pytest
import xgboost
from dask_clusters import local_cluster

from taxi_pipeline.compute import cluster as clusters
from taxi_pipeline.compute.cluster import connect
from taxi_pipeline.errors import ClusterError
from taxi_pipeline.evaluation.metrics import metrics
from taxi_pipeline.model import fitting
from taxi_pipeline.model.recipes import get_recipe

pytest.importorskip("distributed", reason="Dask is not installed")
from taxi_pipeline.model import cluster_boosting
from taxi_pipeline.model.cluster_boosting import boost

ROUNDS = 40
LONG = 400
"""Rounds that take long enough for a worker to be killed in their midst."""


@pytest.fixture(scope="module")
def cluster(dask_cluster):
    with connect(dask_cluster.scheduler_address) as connected:
        yield connected


@pytest.fixture
def killed(fresh_cluster):
    """A cluster whose workers are killed."""
    with connect(fresh_cluster.scheduler_address) as connected:
        yield connected


@pytest.fixture
def soon_lost(monkeypatch):
    """Seconds that a frozen scheduler is waited for; a busy one answers sooner."""
    monkeypatch.setattr(clusters, "SILENT_SECONDS", 8.0)


def fitted(january, cluster=None, recipe="trip", rounds=ROUNDS, progress=None):
    parameters = get_recipe(recipe).parameters
    return fitting.fit(
        recipe,
        january,
        parameters,
        rounds,
        taxi="green",
        max_miles=100.0,
        seed=1,
        threads=2,
        progress=progress,
        cluster=cluster,
    )


@pytest.fixture(scope="module")
def chunk(january):
    """Encoded trips and their minutes."""
    minutes = january["minutes"].to_numpy()
    return get_recipe("trip").encoder(seed=1).fit_transform(january, minutes), minutes


def boosted(cluster, chunk, progress=None, rounds=LONG):
    """The bytes of a booster."""
    parameters = {**get_recipe("trip").parameters, "seed": 1}
    return bytes(boost(cluster, parameters, [chunk], rounds, progress).save_raw("ubj"))


def rmse(model, january):
    return metrics(january["minutes"], model.predict(january))["rmse"]


class Killing:
    """Progress that kills a worker after the first round of each of the first attempts."""

    def __init__(self, dask_cluster, times):
        self.nannies, self.times = dask_cluster.workers, times
        self.told = []

    def __call__(self, done, rounds):
        self.told.append((done, rounds))
        if done == 1 and self.times:
            self.times -= 1
            os.kill(self.nannies[0].pid, signal.SIGKILL)


def test_a_fit_on_a_cluster_is_as_good_as_one_here(january, cluster):
    here, there = fitted(january), fitted(january, cluster)
    assert len(there.regressor.boosters) == len(here.regressor.boosters) > 1
    for one, other in zip(here.regressor.boosters, there.regressor.boosters, strict=True):
        assert one.feature_names == other.feature_names
        assert one.feature_types == other.feature_types
        assert other.num_boosted_rounds() == ROUNDS
    # So few trips that the bins of a half of them differ from those of all.
    assert rmse(there, january) == pytest.approx(rmse(here, january), rel=0.02)


def test_a_fit_whose_worker_is_killed_begins_anew_and_is_the_same(
    chunk, killed, fresh_cluster, caplog
):
    killing = Killing(fresh_cluster, 1)
    disturbed = boosted(killed, chunk, killing)
    assert killing.times == 0
    assert [told for told in killing.told if told[0] == 1] == [(1, LONG)] * 2
    assert disturbed == boosted(killed, chunk)
    (warning,) = [one.getMessage() for one in caplog.records if one.levelname == "WARNING"]
    assert warning == (
        f"a worker of the Dask cluster at {killed.scheduler} died while a model was fitted: the "
        "fit begins anew"
    )


class Spreading:
    """Chunks of the trips; before one of them is handed out something is done, once."""

    def __init__(self, chunk, number, act):
        matrix, minutes = chunk
        borders = np.linspace(0, len(minutes), 4).astype(int)
        self.chunks = [
            (matrix[start:end], minutes[start:end]) for start, end in itertools.pairwise(borders)
        ]
        self.number, self.act = number, act

    def __iter__(self):
        for number in range(len(self.chunks) + 1):
            if number == self.number:
                self.number = None
                self.act()
            yield from self.chunks[number : number + 1]


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(0, id="before the first chunk", marks=pytest.mark.slow),
        pytest.param(2, id="between chunks"),
        pytest.param(3, id="after the last chunk", marks=pytest.mark.slow),
    ],
)
def test_a_fit_whose_worker_is_killed_while_trips_are_spread_begins_anew_and_is_the_same(
    chunk, killed, fresh_cluster, caplog, number
):
    spreading = Spreading(
        chunk, number, lambda: os.kill(fresh_cluster.workers[0].pid, signal.SIGKILL)
    )
    parameters = get_recipe("trip").parameters
    disturbed, undisturbed = (
        bytes(boost(killed, parameters, spreading, 5).save_raw("ubj")) for _ in range(2)
    )
    assert disturbed == undisturbed
    assert "the fit begins anew" in caplog.text


@pytest.mark.parametrize("end", ["kill", "freeze"])
def test_a_scheduler_that_answers_no_more_while_trips_are_spread_is_one_line(
    chunk, separate_cluster, soon_lost, end
):
    spreading = Spreading(chunk, 2, getattr(separate_cluster, end))
    with (
        connect(separate_cluster.address) as cluster,
        pytest.raises(ClusterError, match="was lost") as caught,
    ):
        boost(cluster, get_recipe("trip").parameters, spreading, 5)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("end", ["kill", "freeze"])
def test_a_scheduler_that_answers_no_more_in_the_midst_of_a_fit_is_one_line(
    chunk, separate_cluster, soon_lost, end
):
    told = []

    def progress(done, _):
        if not told:
            getattr(separate_cluster, end)()
        told.append(done)

    with (
        connect(separate_cluster.address) as cluster,
        pytest.raises(ClusterError, match="was lost") as caught,
    ):
        boosted(cluster, chunk, progress, rounds=100 * LONG)
    assert told
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_workers_that_die_in_each_attempt_are_one_line(chunk, killed, fresh_cluster, monkeypatch):
    monkeypatch.setattr(cluster_boosting, "ATTEMPTS", 2)
    killing = Killing(fresh_cluster, 2)
    with pytest.raises(ClusterError, match="died in each of 2 attempts to fit a model") as caught:
        boosted(killed, chunk, killing)
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_a_cluster_that_ends_under_a_fit_is_one_line(chunk):
    with local_cluster() as ending, connect(ending.scheduler_address) as cluster:

        def end():
            dask_clusters.worker_that_trains(cluster.client)
            ending.close()

        thread = threading.Thread(target=end)
        thread.start()
        with pytest.raises(ClusterError) as caught:
            boosted(cluster, chunk, rounds=100 * LONG)
        thread.join()
    assert "\n" not in str(caught.value)
    assert ending.scheduler_address in str(caught.value)


def test_a_failure_that_is_no_workers_is_raised_as_it_is(chunk, cluster, monkeypatch):
    monkeypatch.setattr(cluster_boosting, "NOTICE_SECONDS", 0.1)
    with pytest.raises(xgboost.core.XGBoostError, match="max_depth"):
        boost(cluster, {"max_depth": -5}, [chunk], 3)


def test_trips_may_come_in_any_number_of_chunks(chunk, cluster):
    matrix, minutes = chunk
    chunks = [(matrix[:1], minutes[:1]), (matrix[1:2000], minutes[1:2000])]
    chunks.append((matrix[2000:], minutes[2000:]))
    parameters = {"max_depth": 4, "max_bin": 4096}
    several = boost(cluster, parameters, chunks, 5)
    one = boost(cluster, parameters, [chunk], 5)
    data = xgboost.DMatrix(matrix)
    np.testing.assert_allclose(several.predict(data), one.predict(data), atol=0.05)


def test_one_hot_columns_are_boosted_on_a_cluster_as_well(january, cluster):
    here, there = (fitted(january, on, "course", 5) for on in (None, cluster))
    assert rmse(there, january) == pytest.approx(rmse(here, january), rel=1e-3)


def test_what_is_not_boosted_is_fitted_here(january, cluster):
    assert fitted(january, cluster, "linear", None).predict(january) == pytest.approx(
        fitted(january, None, "linear", None).predict(january)
    )
