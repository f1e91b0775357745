"""Which parameters to try next: hyperopt's tree-structured Parzen estimator (Bergstra, 2011).

A proposal is a pure function of earlier trials, its number and the seed. So an interrupted search
continues as if it had not been interrupted.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import hyperopt
import numpy as np
from hyperopt import hp

from taxi_pipeline.model.space import Distribution, Integer, LogUniform
from taxi_pipeline.tuning.trials import Trial

RANDOM_FIRST = 10
"""The first trials are drawn at random, since the estimator needs some to learn from."""

# hyperopt logs each of its steps.
logging.getLogger("hyperopt").setLevel(logging.WARNING)


def propose(
    space: Mapping[str, Distribution], trials: Sequence[Trial], number: int, seed: int
) -> dict[str, Any]:
    """Parameters to try, as plain Python numbers."""
    # hyperopt knows no choice of one.
    fixed = {name: known.low for name, known in space.items() if known.low == known.high}
    domain = hyperopt.base.Domain(
        _nothing, _expressions({name: space[name] for name in space if name not in fixed})
    )
    seed_of_number = int(np.random.default_rng([seed, number]).integers(2**31 - 1))
    (document,) = hyperopt.tpe.suggest(
        [number],
        domain,
        _history(domain, trials),
        seed_of_number,
        n_startup_jobs=RANDOM_FIRST,
        verbose=False,
    )
    values = fixed | {name: found[0] for name, found in document["misc"]["vals"].items()}
    return {name: _plain(values[name], distribution) for name, distribution in space.items()}


def _plain(value: Any, distribution: Distribution) -> float:
    number = round(value) if isinstance(distribution, Integer) else float(value)
    return min(max(number, distribution.low), distribution.high)


def _nothing(_: Any) -> float:
    """The objective: hyperopt requires one, and never calls it here."""
    raise NotImplementedError


def _history(domain: Any, trials: Sequence[Trial]) -> Any:
    history = hyperopt.Trials()
    documents = history.new_trial_docs(
        [trial.number for trial in trials],
        [None for _ in trials],
        [_result(trial) for trial in trials],
        [
            {
                "tid": trial.number,
                "cmd": domain.cmd,
                "workdir": None,
                "idxs": {name: [trial.number] for name in domain.params},
                "vals": {name: [trial.parameters[name]] for name in domain.params},
            }
            for trial in trials
        ],
    )
    for document in documents:
        document["state"] = hyperopt.JOB_STATE_DONE
    history.insert_trial_docs(documents)
    history.refresh()
    return history


def _result(trial: Trial) -> dict[str, Any]:
    if trial.rmse is None:
        return {"status": hyperopt.STATUS_FAIL}
    return {"status": hyperopt.STATUS_OK, "loss": trial.rmse}


def _expressions(space: Mapping[str, Distribution]) -> dict[str, Any]:
    def expression(name: str, distribution: Distribution) -> Any:
        low, high = distribution.low, distribution.high
        if isinstance(distribution, Integer):
            # Half a step beyond both ends, so that these are as likely as the others.
            return hp.quniform(name, low - 0.5, high + 0.5, 1)
        if isinstance(distribution, LogUniform):
            return hp.loguniform(name, np.log(low), np.log(high))
        return hp.uniform(name, low, high)

    return {name: expression(name, distribution) for name, distribution in space.items()}
