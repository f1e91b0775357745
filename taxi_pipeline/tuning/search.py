"""The search for hyperparameters, by time and inside the training window.

The window's last days judge what was fitted on the days before. It has two steps:

1. Many short trials, at a high learning rate and on a sample of the earlier days. Each is compared
   at rounds 8, 16, 32 ... with those before it, and goes on while it is in the better half
   (asynchronous successive halving, Li et al. 2020).
2. A fit of the recipe's own parameters on all of the earlier days, at the recipe's learning rate,
   and one of the best trial's, which is stopped where it falls behind at a rung. The better is
   chosen, with the rounds after which its error was smallest.

Trial ``n`` is proposed from, and compared with, trials 1 to ``n - parallel``, and nothing else. So
what a search finds does not depend on how many of its trials ran at a time, on how often it was
interrupted, or on who else works on it.
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
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from taxi_pipeline.errors import InvalidTraining
from taxi_pipeline.model.features import TARGET
from taxi_pipeline.model.recipes import Recipe
from taxi_pipeline.model.regressors import Boosting
from taxi_pipeline.tuning.trials import (
    FAILED,
    FINISHED,
    STOPPED,
    Journal,
    MemoryJournal,
    Trial,
    best,
)

Progress = Callable[[Trial, int, int, float | None], None]
"""Called after each trial with the trial, trials done, trials in all, and the best error so far."""

FIRST_RUNG = 8
"""The round at which trials are compared first; then at each doubling."""

DIGITS = 6
"""Decimals of a trial's error: the further ones depend on the number of threads."""

FEWEST_TO_COMPARE = 4
"""Trials at a rung below which none is stopped there."""


@dataclass(frozen=True)
class Budget:
    """What a search may use.

    Attributes:
        trials: number of trials in all.
        seconds: after these no further trial is begun.
        patience: trials without a better one after which the search ends.
        parallel: most trials at a time.
        rows: most trips that a trial is fitted on.
        rounds: most boosting rounds of a trial.
        learning_rate: that of all trials.
        max_rounds: most boosting rounds of the last fit.
        stopping_rounds: rounds without improvement after which the last fit ends.
        max_rows: trips beyond which the search knows a sample of the window only.
    """

    trials: int
    seconds: float = float("inf")
    patience: int = 1000
    parallel: int = 4
    rows: int = 10_000
    rounds: int = 16
    learning_rate: float = 0.3
    max_rounds: int = 2000
    stopping_rounds: int = 20
    max_rows: int = 400_000


@dataclass
class Choice:
    """What a search found.

    Attributes:
        parameters: the regressor's parameters.
        rounds: boosting rounds; None for a regressor without.
        rmse: error of that fit on the window's last days, in minutes; None if nothing was
            searched.
        trials: one row a trial.
    """

    parameters: dict[str, Any]
    rounds: int | None = None
    rmse: float | None = None
    trials: list[dict[str, Any]] = field(default_factory=list)


def split_by_time(
    features: pd.DataFrame, window_end: dt.datetime, holdout_days: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The trips of the window's earlier days, and those of its last days.

    Stray trips of a later date are in neither.

    Args:
        features: with the column ``pickup_at``.
        window_end: the first instant after the window.
        holdout_days: how many of the last days judge.

    Raises:
        InvalidTraining: one of the two parts is empty.
    """
    border = window_end - dt.timedelta(days=holdout_days)
    pickup = features["pickup_at"]
    early = features[pickup < border]
    late = features[(pickup >= border) & (pickup < window_end)]
    if early.empty or late.empty:
        raise InvalidTraining(
            f"the training window has {len(early)} trips before {border:%Y-%m-%d} and {len(late)} "
            "from then on: tuning needs both; change [tuning] holdout_days"
        )
    return early, late


def search(  # noqa: PLR0913  (each is a choice of its own)
    recipe: Recipe,
    features: pd.DataFrame,
    *,
    window_end: dt.datetime,
    holdout_days: int,
    budget: Budget,
    seed: int,
    threads: int,
    journal: Journal | None = None,
    executor: Executor | None = None,
    progress: Progress = lambda *_: None,
) -> Choice:
    """The parameters and rounds with the smallest error on the window's last days.

    A recipe without a search space keeps its own parameters and rounds.

    Args:
        recipe: what is tuned; the first trial has its own parameters.
        features: the training window, and nothing later.
        window_end: the first instant after the window.
        holdout_days: how many of the last days judge.
        budget: what the search may use.
        seed: of proposals, samples and fits.
        threads: cores that may be used.
        journal: where trials are written down; those that are there are not made again.
        executor: where trials run, ``parallel`` at a time; by default in threads of this process,
            no more than there are cores.
        progress: told of each trial.

    Raises:
        InvalidTraining: there is nothing to judge by, every trial failed, or a worker died.
    """
    if not recipe.space:
        return Choice(dict(recipe.parameters), recipe.rounds)

    if len(features) > budget.max_rows:
        features = features.sample(budget.max_rows, random_state=seed)
    early, late = split_by_time(features, window_end, holdout_days)
    encoder = recipe.encoder(seed)
    data = _Data(
        matrix=encoder.fit_transform(early, early[TARGET].to_numpy()),
        minutes=early[TARGET].to_numpy(),
        late_matrix=encoder.transform(late),
        late_minutes=late[TARGET].to_numpy(),
        bins=int(recipe.parameters.get("max_bin", 256)),
        threads=threads,
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
    except BrokenExecutor as error:
        raise _died(error) from error
    finally:
        if own is not None:
            own.shutdown(cancel_futures=True)

    chosen: dict[str, Any] = {}
    rounds, rmse = 0, float("inf")
    highest: dict[int, float] = {}
    for parameters in _finalists(recipe, tried):
        halving = _halving(highest)
        booster = data.fit(
            Boosting(parameters, threads, seed).parameters,
            budget.max_rounds,
            early_stopping_rounds=budget.stopping_rounds,
            callbacks=[halving],
        )
        if halving.best < rmse:
            chosen, rounds, rmse = parameters, booster.best_iteration + 1, halving.best
        highest = {int(rung): error for rung, error in halving.rungs.items()}
    return Choice(chosen, rounds, rmse, [trial.as_row() for trial in tried])


def _finalists(recipe: Recipe, tried: Sequence[Trial]) -> list[dict[str, Any]]:
    """The recipe's own parameters, which short trials may wrong, and those of the best trial."""
    leader = best(list(tried))
    if leader is None:
        raise InvalidTraining(
            f"all {len(tried)} trials failed, the first with: {tried[0].error}; check the space "
            "and the parameters of the recipe, and the memory of this machine"
        )
    own = [trial for trial in tried[:1] if trial.rmse is not None and trial is not leader]
    return [{**recipe.parameters, **trial.parameters} for trial in (*own, leader)]


@dataclass
class _Data:
    """Encoded trips of the earlier and of the last days; binned once, shared by all trials.

    Boosters only read the bins, from several threads at once. They are not pickled: a process of
    a pool bins its own.
    """

    matrix: Any
    minutes: Any
    late_matrix: Any
    late_minutes: Any
    bins: int
    threads: int

    @cached_property
    def binned(self) -> tuple[Any, Any]:
        """The two parts in XGBoost's form."""
        import xgboost

        options = {"max_bin": self.bins, "nthread": self.threads}
        early = xgboost.QuantileDMatrix(self.matrix, self.minutes, **options)
        late = xgboost.QuantileDMatrix(self.late_matrix, self.late_minutes, ref=early, **options)
        return early, late

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "binned"}

    def sample(self, rows: int, seed: int) -> _Data:
        """The same with fewer of the earlier days' trips; itself if it has no more."""
        if len(self.minutes) <= rows:
            return self
        chosen = np.random.default_rng(seed).choice(len(self.minutes), rows, replace=False)
        return _Data(
            self.matrix.iloc[chosen] if hasattr(self.matrix, "iloc") else self.matrix[chosen],
            self.minutes[chosen],
            self.late_matrix,
            self.late_minutes,
            self.bins,
            self.threads,
        )

    def fit(self, parameters: Mapping[str, Any], rounds: int, **options: Any) -> Any:
        """A booster fitted on the earlier days and judged on the last."""
        import xgboost

        early, late = self.binned
        return xgboost.train(
            {**parameters, "eval_metric": "rmse"},
            early,
            rounds,
            evals=[(late, "late")],
            verbose_eval=False,
            **options,
        )


@dataclass
class _Search:
    recipe: Recipe
    data: _Data
    budget: Budget
    seed: int
    threads: int
    workers: int
    journal: Journal
    executor: Executor
    progress: Progress

    def run(self) -> list[Trial]:
        """Try until the budget is spent; the trials by number, with a bar on a terminal."""
        from tqdm import tqdm

        with tqdm(total=self.budget.trials, unit="trial", disable=None) as self.bar:
            return self._run()

    def _run(self) -> list[Trial]:
        ended: dict[int, Trial] = {}
        running: dict[Future[Trial], _Attempt] = {}
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
                trial = _result(future, running.pop(future))
                self._end(trial if trial.may_pass else self.journal.add(trial), ended)

    def _is_wanted(self, number: int, ended: Mapping[int, Trial]) -> bool:
        if number > self.budget.trials:
            return False
        known = self._known(number, ended)
        if len(known) < number - self.budget.parallel:
            return False  # one of them still runs
        leader = best(known)
        return leader is None or len(known) - leader.number < self.budget.patience

    def _known(self, number: int, ended: Mapping[int, Trial]) -> list[Trial]:
        """The trials that a number is proposed from and compared with, as far as they ended."""
        earlier = range(1, number - self.budget.parallel + 1)
        return [ended[one] for one in earlier if one in ended]

    def _proposal(self, number: int, known: Sequence[Trial]) -> dict[str, Any]:
        from taxi_pipeline.tuning.proposals import propose

        if number == 1:
            return {name: self.recipe.parameters[name] for name in self.recipe.space}
        return propose(self.recipe.space, known, number, self.seed)

    def _attempt(self, number: int, known: Sequence[Trial]) -> _Attempt:
        proposal = self._proposal(number, known)
        parameters = {**self.recipe.parameters, **proposal}
        parameters["learning_rate"] = self.budget.learning_rate
        boosting = Boosting(parameters, self.threads, self.seed).parameters
        rounds, highest = self.budget.rounds, limits(known)
        return _Attempt(number, proposal, boosting, self.data, rounds, highest)

    def _end(self, trial: Trial, ended: dict[int, Trial]) -> None:
        ended[trial.number] = trial
        leader = best(list(ended.values()))
        smallest = leader.rmse if leader else None
        self.bar.set_postfix(best=smallest, refresh=False)
        self.bar.update()
        self.progress(trial, len(ended), self.budget.trials, smallest)


def limits(trials: Sequence[Trial]) -> dict[int, float]:
    """The error above which a trial is hopeless, by rung: the median of those that were there."""
    rungs: dict[int, list[float]] = {}
    for trial in trials:
        for rung, rmse in trial.rungs.items():
            rungs.setdefault(int(rung), []).append(rmse)
    return {
        rung: float(np.median(errors))
        for rung, errors in rungs.items()
        if len(errors) >= FEWEST_TO_COMPARE
    }


@dataclass(frozen=True)
class _Attempt:
    """A trial to be made, here or in a process of a pool."""

    number: int
    proposal: dict[str, Any]
    parameters: Mapping[str, Any]
    data: _Data
    rounds: int
    highest: Mapping[int, float]

    def __call__(self) -> Trial:
        """Fit the proposal; whatever fails in it is a result as well."""
        started = time.monotonic()
        halving = _halving(self.highest)
        try:
            booster = self.data.fit(self.parameters, self.rounds, callbacks=[halving])
        except Exception as error:  # noqa: BLE001  (told in the table of trials; others go on)
            return _failed(self, error)
        rounds = booster.num_boosted_rounds()
        return Trial(
            self.number,
            self.proposal,
            STOPPED if rounds < self.rounds else FINISHED,
            rmse=halving.best,
            rounds=rounds,
            rungs=halving.rungs,
            seconds=round(time.monotonic() - started, 3),
        )


def _halving(highest: Mapping[int, float]) -> Any:
    """A callback that ends a booster whose error at a rung is above the highest allowed there."""
    import xgboost

    class Halving(xgboost.callback.TrainingCallback):
        def __init__(self) -> None:
            self.rungs: dict[str, float] = {}
            self.best = float("inf")

        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:  # noqa: ARG002
            error = evals_log["late"]["rmse"][-1]
            if not np.isfinite(error):
                raise ArithmeticError(f"the error is {error} after {epoch + 1} rounds")
            self.best = min(self.best, round(error, DIGITS))
            rounds = epoch + 1
            if rounds < FIRST_RUNG or rounds & (rounds - 1):
                return False
            self.rungs[str(rounds)] = self.best
            return self.best > highest.get(rounds, float("inf"))

    return Halving()


def _died(error: Exception) -> InvalidTraining:
    """What to say when a worker died: nobody knows in which trial, so none is recorded."""
    return InvalidTraining(
        f"a worker that trials run in died ({_line(error)}), of too little memory perhaps: the "
        "trials that ended are kept; run again, with a lower [tuning] parallel or rows"
    )


def _result(future: Future[Trial], attempt: _Attempt) -> Trial:
    """A trial's result; what the executor could not do with it is a failure of it."""
    try:
        return future.result()
    except BrokenExecutor:
        raise
    except Exception as error:  # noqa: BLE001  (as above)
        return _failed(attempt, error)


def _failed(attempt: _Attempt, error: Exception) -> Trial:
    line = _line(error)
    may_pass = isinstance(error, (MemoryError, OSError)) or "bad_alloc" in line
    return Trial(attempt.number, attempt.proposal, FAILED, error=line, may_pass=may_pass)


def _line(error: Exception) -> str:
    """An error in one line: XGBoost's own begins with where in its code it arose."""
    text = " ".join(str(error).split()).partition(" Stack trace:")[0]
    said = text.rpartition("Check failed: ")[2][:300]
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
