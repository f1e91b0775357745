"""A search whose trials run on a Dask cluster of real processes."""

from dataclasses import fields
from datetime import datetime

import dask_clusters
import pytest

from taxi_pipeline.compute.cluster import connect
from taxi_pipeline.errors import ClusterError
from taxi_pipeline.model.recipes import get_recipe
from taxi_pipeline.tuning.budget import Budget
from taxi_pipeline.tuning.search import search
from taxi_pipeline.tuning.trials import MemoryJournal

pytest.importorskip("distributed", reason="Dask is not installed")

TRIALS = 6


def findings(january, executor=None, journal=None):
    """All that a search finds but for the seconds that it took."""
    result = search(
        get_recipe("trip"),
        january,
        window_end=datetime(2021, 2, 1),
        holdout_days=7,
        budget=Budget(trials=TRIALS, rows=1000, max_rounds=12),
        seed=1,
        threads=2,
        executor=executor,
        journal=journal,
    )
    trials = [{**trial.as_row(), "seconds": None} for trial in result.trials]
    return result.parameters, result.rounds, result.rmse, trials


class Killing:
    """An executor of which a trial kills workers."""

    def __init__(self, executor, number, marker=None):
        self.executor, self.number, self.marker = executor, number, marker

    def submit(self, attempt):
        if attempt.number != self.number:
            return self.executor.submit(attempt)
        values = {field.name: getattr(attempt, field.name) for field in fields(attempt)}
        return self.executor.submit(dask_clusters.Deadly(**values, marker=self.marker))


@pytest.fixture(scope="module")
def executor(dask_cluster):
    with connect(dask_cluster.scheduler_address) as cluster:
        yield cluster.executor(once=("data",))


@pytest.fixture(scope="module")
def local(january):
    return findings(january)


def test_trials_on_a_cluster_are_those_of_this_machine(january, local, executor):
    assert findings(january, executor) == local


def test_a_trial_whose_worker_is_killed_runs_again(january, local, impatient, tmp_path):
    marker = tmp_path / "killed"
    executor = impatient.executor(once=("data",))
    assert findings(january, Killing(executor, 3, marker)) == local
    assert marker.exists()


def test_workers_that_die_again_and_again_end_the_search_and_blame_no_trial(january, impatient):
    journal = MemoryJournal()
    with pytest.raises(ClusterError, match=r"2 workers of .* died"):
        findings(january, Killing(impatient.executor(once=("data",)), 5), journal)
    assert journal.get(1).rmse
    assert journal.get(5) is None
