"""The search for hyperparameters, by time and inside the training window.

The window's last days judge what was fitted on the days before. Proposals come from hyperopt's
tree-structured Parzen estimator (Bergstra et al., 2011), beginning with the recipe's own
parameters; the rounds of a trial are those after which its error on the last days was smallest.
"""

from __future__ import annotations

import datetime as dt
import logging
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from taxi_pipeline.errors import InvalidTraining
from taxi_pipeline.model.features import TARGET
from taxi_pipeline.model.recipes import Recipe
from taxi_pipeline.model.regressors import Boosting
from taxi_pipeline.model.space import Distribution, Integer, LogUniform

Progress = Callable[[int, int, float], None]
"""Called after each trial with trials done, trials in all, and the best error so far."""


@dataclass(frozen=True)
class Budget:
    """What a search may use.

    Attributes:
        trials: number of trials.
        max_rounds: most boosting rounds of a trial.
        patience: rounds without improvement after which a trial ends.
        max_rows: rows beyond which the search works on a sample of the window.
    """

    trials: int
    max_rounds: int
    patience: int
    max_rows: int


@dataclass
class Choice:
    """What a search found.

    Attributes:
        parameters: the regressor's parameters.
        rounds: boosting rounds; None for a regressor without.
        rmse: error on the window's last days, in minutes; None if nothing was searched.
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
    progress: Progress = lambda *_: None,
) -> Choice:
    """The parameters and rounds with the smallest error on the window's last days.

    A recipe without a search space keeps its own parameters and rounds.
    """
    if not recipe.space:
        return Choice(dict(recipe.parameters), recipe.rounds)

    import hyperopt  # noqa: PLC0415  (a second to import, for a search only)
    import xgboost  # noqa: PLC0415  (OpenMP must not be loaded where Luigi forks)

    # hyperopt tells of each of its steps; the trials are told by progress.
    logging.getLogger("hyperopt").setLevel(logging.WARNING)

    if len(features) > budget.max_rows:
        features = features.sample(budget.max_rows, random_state=seed)
    early, late = split_by_time(features, window_end, holdout_days)
    encoder = recipe.encoder(seed)
    fitted = encoder.fit_transform(early, early[TARGET].to_numpy())
    train = xgboost.QuantileDMatrix(fitted, early[TARGET], nthread=threads)
    judge = xgboost.QuantileDMatrix(
        encoder.transform(late), late[TARGET], ref=train, nthread=threads
    )
    trials: list[dict[str, Any]] = []

    def evaluate(proposal: Mapping[str, Any]) -> dict[str, Any]:
        started = time.monotonic()
        parameters = {**recipe.parameters, **_plain(proposal, recipe.space)}
        booster = xgboost.train(
            Boosting(parameters, threads, seed).parameters,
            train,
            budget.max_rounds,
            evals=[(judge, "late_days")],
            early_stopping_rounds=budget.patience,
            verbose_eval=False,
        )
        rmse = float(booster.best_score)
        trials.append(
            {
                "trial": len(trials) + 1,
                "rmse": rmse,
                "rounds": booster.best_iteration + 1,
                "seconds": round(time.monotonic() - started, 3),
                **{name: parameters[name] for name in recipe.space},
            }
        )
        progress(len(trials), budget.trials, min(trial["rmse"] for trial in trials))
        return {"loss": rmse, "status": hyperopt.STATUS_OK}

    own = {name: recipe.parameters[name] for name in recipe.space}
    if budget.trials == 1:
        evaluate(own)
    else:
        hyperopt.fmin(
            evaluate,
            _hyperopt_space(recipe.space),
            algo=hyperopt.tpe.suggest,
            # hyperopt does not count the points that it is given.
            max_evals=budget.trials - 1,
            points_to_evaluate=[own],
            rstate=np.random.default_rng(seed),
            show_progressbar=sys.stderr.isatty(),
        )
    best = min(trials, key=lambda trial: trial["rmse"])
    return Choice(
        parameters={**recipe.parameters, **{name: best[name] for name in recipe.space}},
        rounds=best["rounds"],
        rmse=best["rmse"],
        trials=trials,
    )


def _hyperopt_space(space: Mapping[str, Distribution]) -> dict[str, Any]:
    from hyperopt import hp  # noqa: PLC0415  (as above)

    def expression(name: str, distribution: Distribution) -> Any:
        low, high = distribution.low, distribution.high
        if isinstance(distribution, Integer):
            return hp.uniformint(name, low, high)
        if isinstance(distribution, LogUniform):
            return hp.loguniform(name, np.log(low), np.log(high))
        return hp.uniform(name, low, high)

    return {name: expression(name, distribution) for name, distribution in space.items()}


def _plain(proposal: Mapping[str, Any], space: Mapping[str, Distribution]) -> dict[str, Any]:
    """A proposal, which holds numpy scalars, in Python's own numbers."""
    return {
        name: int(value) if isinstance(space[name], Integer) else float(value)
        for name, value in proposal.items()
    }
