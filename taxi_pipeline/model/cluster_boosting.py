"""Gradient boosting by XGBoost on the workers of a Dask cluster."""

from __future__ import annotations

import asyncio
import importlib
import os
import time
import uuid
from collections.abc import Coroutine, Iterable, Mapping
from typing import Any

import distributed
import numpy as np
import xgboost
from xgboost import dask as dask_xgboost

from taxi_pipeline.compute.cluster import Cluster
from taxi_pipeline.errors import ClusterError
from taxi_pipeline.logger import logger
from taxi_pipeline.model.regressors import Minutes, RoundProgress

ATTEMPTS = 3
"""How often a fit is begun in all: one that loses a worker cannot go on."""

NOTICE_SECONDS = 3.0
"""Seconds within which the scheduler knows that a worker has died."""

SURVIVE_SECONDS = 5.0
"""Seconds in which a worker notices that another, which it fits with, is gone."""

RETURN_SECONDS = 30.0
"""Seconds that a worker which died has to come back, as it does under Dask's nanny."""

Chunk = tuple[Any, Minutes]
"""Encoded features of some trips, and their minutes."""


def boost(
    cluster: Cluster,
    parameters: Mapping[str, Any],
    chunks: Iterable[Chunk],
    rounds: int,
    progress: RoundProgress | None = None,
) -> xgboost.Booster:
    """A booster fitted on trips that are spread evenly over the workers of a cluster.

    Each worker bins its own trips; after each level of a tree the workers add up their histograms.
    So with the same number of workers the booster is the same, and with another it differs in where
    the bins begin and in rounding alone. If a worker dies, the fit begins anew.

    Args:
        cluster: where to fit.
        parameters: XGBoost's own; each worker fits with the threads that it has.
        chunks: the trips, gone through once in each attempt; only one chunk is in memory here.
        rounds: boosting rounds.
        progress: called after each round, or less often.

    Raises:
        ClusterError: a worker died in each attempt, or the cluster was lost.
    """
    for attempt in range(1, ATTEMPTS + 1):
        workers = cluster.workers()
        try:
            return _attempt(cluster, workers, parameters, chunks, rounds, progress)
        except Exception as error:
            if not cluster.is_connected:
                raise cluster.failure(error) from error
            if not _is_lost(cluster, workers):
                raise
            lost, cause = f"a worker of the Dask cluster at {cluster.scheduler} died", error
        if attempt < ATTEMPTS:
            logger.warning("%s while a model was fitted: the fit begins anew", lost)
            try:
                _free_survivors(cluster, workers)
            except Exception as error:
                raise cluster.failure(error) from error
            cluster.wait_for(len(workers), RETURN_SECONDS)
    raise ClusterError(
        f"{lost} in each of {ATTEMPTS} attempts to fit a model, of too little memory perhaps: look "
        "into their logs, give them more, and run again"
    ) from cause


def _attempt(  # noqa: PLR0913, PLR0917  (as above)
    cluster: Cluster,
    workers: list[str],
    parameters: Mapping[str, Any],
    chunks: Iterable[Chunk],
    rounds: int,
    progress: RoundProgress | None,
) -> xgboost.Booster:
    client = cluster.client
    rows, minutes, names = _spread(client, workers, chunks)
    topic = f"taxi_pipeline-{uuid.uuid4().hex}"
    callbacks = [_ReportRound(topic)] if progress else []

    async def fit() -> xgboost.Booster:
        with client.as_current():
            data = await dask_xgboost.DaskQuantileDMatrix(
                client,
                rows,
                minutes,
                feature_names=names,
                feature_types=names and ["float"] * len(names),
                max_bin=parameters.get("max_bin"),
            )
            mine = {name: value for name, value in parameters.items() if name != "nthread"}
            fitted = await dask_xgboost.train(client, mine, data, rounds, callbacks=callbacks)
        booster: xgboost.Booster = fitted["booster"]
        return booster

    if progress:
        client.subscribe_topic(topic, lambda event: progress(event[1], rounds))
    try:
        booster: xgboost.Booster = client.sync(_while_all_are_there, client, workers, fit())
    finally:
        if progress:
            client.unsubscribe_topic(topic)
    return booster


def _spread(
    client: Any, workers: list[str], chunks: Iterable[Chunk]
) -> tuple[Any, Any, list[str] | None]:
    """Rows and minutes as Dask's arrays, of each chunk an equal part on each worker, and names."""
    # Without types.
    array: Any = importlib.import_module("dask.array")
    delayed: Any = importlib.import_module("dask.delayed").delayed
    rows, minutes = [], []
    names: list[str] | None = None
    for matrix, target in chunks:
        names = list(matrix.columns) if hasattr(matrix, "columns") else None
        encoded = matrix.to_numpy(np.float32) if names else matrix
        borders = np.linspace(0, len(target), len(workers) + 1).astype(int)
        for worker, start, end in zip(workers, borders[:-1], borders[1:], strict=True):
            if start < end:
                parts = [encoded[start:end], target[start:end].astype(np.float32)]
                features, label = client.scatter(parts, workers=[worker], hash=False)
                shape = parts[0].shape
                rows.append(array.from_delayed(delayed(features), shape, np.float32))
                minutes.append(array.from_delayed(delayed(label), shape[:1], np.float32))
    return array.concatenate(rows), array.concatenate(minutes), names


class _ReportRound(xgboost.callback.TrainingCallback):
    """Tells the client how many rounds are done, at most once a second."""

    def __init__(self, topic: str) -> None:
        super().__init__()
        self.topic = topic
        self.told = 0.0

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:  # noqa: ARG002
        if xgboost.collective.get_rank() == 0 and time.monotonic() - self.told > 1:
            self.told = time.monotonic()
            distributed.get_worker().log_event(self.topic, epoch + 1)
        return False


async def _while_all_are_there(
    client: Any, workers: list[str], work: Coroutine[Any, Any, Any]
) -> Any:
    """What the work answers; it is ended where a worker is lost, for which XGBoost would wait."""
    task = asyncio.ensure_future(work)
    try:
        while not task.done():
            await asyncio.wait({task}, timeout=1.0)
            there = await client.scheduler.ncores()
            if not task.done() and not set(workers) <= set(there):
                raise ConnectionError("a worker is gone")
        return task.result()
    finally:
        task.cancel()


def _is_lost(cluster: Cluster, workers: list[str]) -> bool:
    """Whether one of the workers has died, which those that it worked with may know first."""
    deadline = time.monotonic() + NOTICE_SECONDS
    while set(workers) <= set(cluster.workers()):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


def _free_survivors(cluster: Cluster, workers: list[str]) -> None:
    """See that no worker still waits for one that is gone, as XGBoost may for minutes.

    It does where the other died while they got to know each other. The process of such a worker is
    ended, if it has a nanny that starts it again; what else it does, Dask does again.
    """
    client = cluster.client
    waiting = fitting(client, workers)
    deadline = time.monotonic() + SURVIVE_SECONDS
    while waiting := waiting & fitting(client, workers):
        if time.monotonic() > deadline:
            known = client.scheduler_info(n_workers=-1)["workers"]
            guarded = [address for address, _ in waiting if known.get(address, {}).get("nanny")]
            if guarded:
                client.run(_end_process, workers=guarded, wait=False)
                _is_lost(cluster, guarded)
            return
        time.sleep(0.2)


async def _end_process() -> None:
    """End the worker's process at once: in an orderly way it would wait for XGBoost as well."""
    os._exit(1)


def fitting(client: Any, workers: list[str]) -> set[tuple[str, str]]:
    """Which of the workers are in XGBoost's training, each with the key of Dask's task."""
    stacks = client.call_stack()
    return {
        (worker, str(key))
        for worker in workers
        for key, frames in stacks.get(worker, {}).items()
        if any("do_train" in frame for frame in frames)
    }
