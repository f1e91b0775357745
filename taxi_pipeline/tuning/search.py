"""The search for hyperparameters, by time and inside the training window.

Models are fitted on the earlier days of the window and judged on its last days, in two steps:

1. Many short trials, at a high learning rate and on a sample of the earlier days. At rounds 8, 16,
   32 ... each trial is compared with earlier ones, and continues while it is in the better half
   (asynchronous successive halving, Li et al. 2020).
2. Two final fits on all of the earlier days, at the recipe's learning rate and side by side: with
   the recipe's own parameters, and with those of the best trial. The second is stopped where it
   falls behind the first. The better one wins; the round at which its error was smallest,
   multiplied by the recipe's ``round_growth``, is the number of rounds.

Trial ``n`` is proposed from trials 1 to ``n - parallel`` and compared with the same trials. So the
result does not depend on how many trials ran at a time, or on how often the search was interrupted.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Executor,
    Future,
    ThreadPoolExecutor,
    wait,
)
from dataclasses import dataclass
from typing import Any

import pandas as pd

from taxi_pipeline.errors import ClusterError, InvalidTraining
from taxi_pipeline.model.feature_files import FeatureFiles
from taxi_pipeline.model.features import TARGET
from taxi_pipeline.model.recipes import Recipe
from taxi_pipeline.model.regressors import Boosting, RoundCounter
from taxi_pipeline.tuning.budget import Budget
from taxi_pipeline.tuning.halving import Pacemaker, halving_callback, median_thresholds
from taxi_pipeline.tuning.holdout import HoldoutData, late_predictions, split_by_time
from taxi_pipeline.tuning.results import OWN, Finalist, TuningResult
from taxi_pipeline.tuning.trial_run import TrialRun, trial_result, worker_died
from taxi_pipeline.tuning.trials import Journal, MemoryJournal, Trial, best

TrialProgress = Callable[[Trial, int, int, float | None], None]
"""Called after each trial with the trial, trials done, trials in all, and the best error so far."""


def search(  # noqa: PLR0913  (each is a choice of its own)
    recipe: Recipe,
    trips: FeatureFiles | pd.DataFrame,
    *,
    window_end: dt.datetime,
    holdout_days: int,
    budget: Budget,
    seed: int,
    threads: int,
    device: str = "cpu",
    journal: Journal | None = None,
    executor: Executor | None = None,
    progress: TrialProgress = lambda *_: None,
) -> TuningResult:
    """The parameters and rounds with the smallest error on the window's last days.

    A recipe without a search space keeps its own parameters and rounds.

    Args:
        recipe: what is tuned; the first trial has its own parameters.
        trips: the training window, and nothing later. Of files, a sample is drawn as they are
            read.
        window_end: the first instant after the window.
        holdout_days: number of last days that models are judged on.
        budget: trials, time, rows and rounds.
        seed: seed of proposals, samples and fits.
        threads: cores that may be used.
        device: where trees are boosted, ``cpu`` or ``cuda``.
        journal: where trials are written down; trials that it holds are not run again.
        executor: where trials run, ``parallel`` at a time; by default in threads of this process,
            no more than there are cores.
        progress: called after each trial.

    Raises:
        InvalidTraining: there is nothing to judge by, every trial failed, or a worker died.
        ClusterError: the executor's, whose cluster was lost; trials that ended are kept.
    """
    if not recipe.space:
        return TuningResult(dict(recipe.parameters), recipe.rounds)

    if isinstance(trips, FeatureFiles):
        features = trips.sample(budget.max_rows, seed)
    elif len(trips) > budget.max_rows:
        features = trips.sample(budget.max_rows, random_state=seed)
    else:
        features = trips
    early, late = split_by_time(features, window_end, holdout_days)
    encoder = recipe.encoder(seed)
    data = HoldoutData(
        matrix=encoder.fit_transform(early, early[TARGET].to_numpy()),
        minutes=early[TARGET].to_numpy(),
        late_matrix=encoder.transform(late),
        late_minutes=late[TARGET].to_numpy(),
        bins=int(recipe.parameters.get("max_bin", 256)),
        threads=threads,
        device=device,
    )
    workers = min(budget.parallel, budget.trials)
    own = None
    if executor is None:
        workers = min(workers, threads)
        executor = own = ThreadPoolExecutor(workers, thread_name_prefix="trial")
    try:
        tried = _Search(
            recipe=recipe,
            data=data.sample(budget.rows, seed),
            budget=budget,
            seed=seed,
            threads=max(1, threads // workers),
            workers=workers,
            journal=MemoryJournal() if journal is None else journal,
            executor=executor,
            progress=progress,
        ).run()
    except ClusterError:
        raise
    except BrokenExecutor as error:
        raise worker_died(error) from error
    finally:
        if own is not None:
            own.shutdown(cancel_futures=True)

    result = TuningResult({}, trials=tried)
    for name, parameters, halving, booster in _final_fits(recipe, data, tried, budget, seed):
        rounds = booster.best_iteration + 1
        result.finalists.append(
            Finalist(name, halving.best, rounds, halving.stopped, tuple(halving.curve))
        )
        if result.tuned_by == name:
            result.parameters, result.rmse = parameters, halving.best
            result.rounds = round(rounds * recipe.round_growth)
            result.late = late_predictions(late, data.predict_late(booster, rounds))
    return result


def _final_fits(
    recipe: Recipe, data: HoldoutData, tried: Sequence[Trial], budget: Budget, seed: int
) -> list[tuple[str, dict[str, Any], Any, Any]]:
    """Name, parameters, course and booster of each final fit.

    They run side by side, each with its share of the threads: two fits with a thread each are
    faster than one after the other with two, most of all where other processes want the cores.
    """
    finalists = _finalists(recipe, tried)
    at_once = min(len(finalists), data.threads)
    _ = data.binned
    pacemaker, ending = Pacemaker(), RoundCounter(None, 0)

    def fit(name: str, parameters: dict[str, Any]) -> tuple[str, dict[str, Any], Any, Any]:
        first = name == next(iter(finalists))
        halving = halving_callback({} if first else pacemaker, pacemaker if first else None)
        try:
            booster = data.fit(
                Boosting(parameters, data.threads // at_once, seed).parameters,
                budget.max_rounds,
                early_stopping_rounds=budget.stopping_rounds,
                callbacks=[halving, ending.callback()],
            )
        finally:
            if first:
                pacemaker.end()
        return name, parameters, halving, booster

    with ThreadPoolExecutor(at_once, thread_name_prefix="final fit") as pool:
        try:
            return list(pool.map(fit, *zip(*finalists.items(), strict=True)))
        finally:
            ending.stop()


def _finalists(recipe: Recipe, tried: Sequence[Trial]) -> dict[str, dict[str, Any]]:
    """The parameters of the final fits by name: the recipe's own and the best trial's.

    Short trials may misjudge the recipe's own parameters, so these always have a final fit.
    """
    leader = best(list(tried))
    if leader is None:
        raise InvalidTraining(
            f"all {len(tried)} trials failed, the first with: {tried[0].error}; check the space "
            "and the parameters of the recipe, and the memory of this machine"
        )
    own = [trial for trial in tried[:1] if trial.rmse is not None and trial is not leader]
    return {
        OWN if trial.number == 1 else f"trial {trial.number}": {
            **recipe.parameters,
            **trial.parameters,
        }
        for trial in (*own, leader)
    }


@dataclass
class _Search:
    recipe: Recipe
    data: HoldoutData
    budget: Budget
    seed: int
    threads: int
    workers: int
    journal: Journal
    executor: Executor
    progress: TrialProgress

    def run(self) -> list[Trial]:
        """Run trials until the budget is spent."""
        ended: dict[int, Trial] = {}
        running: dict[Future[Trial], TrialRun] = {}
        deadline = time.monotonic() + self.budget.seconds
        _ = self.data.binned
        number = 1
        while True:
            while len(running) < self.workers and self._is_wanted(number, ended):
                found = self.journal.get(number)
                if found is not None:
                    self._end(found, ended)
                elif (ended or running) and time.monotonic() > deadline:
                    break
                else:
                    attempt = self._attempt(number, self._known(number, ended))
                    running[self.executor.submit(attempt)] = attempt
                number += 1
            if not running:
                return [ended[one] for one in sorted(ended)]
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                trial = trial_result(future, running.pop(future))
                self._end(trial if trial.transient else self.journal.add(trial), ended)

    def _is_wanted(self, number: int, ended: Mapping[int, Trial]) -> bool:
        if number > self.budget.trials:
            return False
        known = self._known(number, ended)
        if len(known) < number - self.budget.parallel:
            return False  # one of them still runs
        leader = best(known)
        return leader is None or len(known) - leader.number < self.budget.patience

    def _known(self, number: int, ended: Mapping[int, Trial]) -> list[Trial]:
        """The ended trials that a trial is proposed from and compared with."""
        earlier = range(1, number - self.budget.parallel + 1)
        return [ended[one] for one in earlier if one in ended]

    def _proposal(self, number: int, known: Sequence[Trial]) -> dict[str, Any]:
        from taxi_pipeline.tuning.proposals import propose

        if number == 1:
            return {name: self.recipe.parameters[name] for name in self.recipe.space}
        return propose(self.recipe.space, known, number, self.seed)

    def _attempt(self, number: int, known: Sequence[Trial]) -> TrialRun:
        proposal = self._proposal(number, known)
        parameters = {**self.recipe.parameters, **proposal}
        parameters["learning_rate"] = self.budget.learning_rate
        boosting = Boosting(parameters, self.threads, self.seed).parameters
        rounds, highest = self.budget.rounds, median_thresholds(known)
        return TrialRun(number, proposal, boosting, self.data, rounds, highest)

    def _end(self, trial: Trial, ended: dict[int, Trial]) -> None:
        ended[trial.number] = trial
        leader = best(list(ended.values()))
        smallest = leader.rmse if leader else None
        self.progress(trial, len(ended), self.budget.trials, smallest)
