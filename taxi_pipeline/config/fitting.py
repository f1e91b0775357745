"""The sections of tuning and training."""

from __future__ import annotations

from taxi_pipeline.config.parameters import (
    BoolParameter,
    BoundedFloatParameter,
    BoundedIntParameter,
    ChoiceParameter,
)
from taxi_pipeline.config.section import Section


class tuning(Section):  # noqa: N801  (a section's name is its class's name)
    """The search for hyperparameters, inside the training window."""

    # These options decide which trials there are and what each yields.
    holdout_days: BoundedIntParameter = BoundedIntParameter(
        1,
        27,
        default=7,
        description="The last days of the training window: trials are fitted on the days before, "
        "and judged on these.",
    )
    rows: BoundedIntParameter = BoundedIntParameter(
        1000, default=10_000, description="Trips, drawn at random, that a trial is fitted on."
    )
    rounds: BoundedIntParameter = BoundedIntParameter(
        1,
        100_000,
        default=16,
        description="Boosting rounds of a trial; at 8, 16, 32 ... the worse half is stopped.",
    )
    learning_rate: BoundedFloatParameter = BoundedFloatParameter(
        0.001,
        1,
        default=0.3,
        description="Learning rate of all trials, high so that they are short.",
    )
    parallel: BoundedIntParameter = BoundedIntParameter(
        1,
        1000,
        default=4,
        description="Trials that may run at a time. Trial n is proposed from trials 1 to "
        "n - parallel on any number of cores, so that a search has the same result everywhere.",
    )
    max_rows: BoundedIntParameter = BoundedIntParameter(
        1000,
        default=400_000,
        description="Trips beyond which the search works on a random sample of the window.",
    )
    seed: BoundedIntParameter = BoundedIntParameter(
        0, 2**32 - 1, default=42, description="Seed of the search."
    )
    # The budget: a search that is given more continues from the trials that it has.
    trials: BoundedIntParameter = BoundedIntParameter(
        1, 10_000, default=30, description="Trials in all."
    )
    seconds: BoundedFloatParameter = BoundedFloatParameter(
        0, default=float("inf"), description="Seconds after which no further trial is started."
    )
    patience: BoundedIntParameter = BoundedIntParameter(
        1,
        10_000,
        default=100,
        description="The search ends after this many trials without a better one.",
    )
    # The final fits, which choose between the best trial and the recipe's own parameters.
    max_rounds: BoundedIntParameter = BoundedIntParameter(
        1, 100_000, default=2000, description="Boosting rounds of a final fit at most."
    )
    stopping_rounds: BoundedIntParameter = BoundedIntParameter(
        1,
        100_000,
        default=20,
        description="A final fit ends after this many boosting rounds without improvement.",
    )

    OF_A_TRIAL = ("holdout_days", "rows", "rounds", "learning_rate", "parallel", "max_rows", "seed")


class training(Section):  # noqa: N801
    """The fit of the model on the whole training window."""

    seed: BoundedIntParameter = BoundedIntParameter(
        0, 2**32 - 1, default=42, description="Seed of encodings and boosting."
    )
    threads: BoundedIntParameter = BoundedIntParameter(
        0,
        default=0,
        significant=False,
        description="Threads of one fit; 0 divides the cores that the process may use among the "
        "tasks of --workers.",
    )
    device: ChoiceParameter = ChoiceParameter(
        ("cpu", "cuda"),
        default="cpu",
        significant=False,
        description="Where trees are boosted: cpu, or cuda for a GPU of NVIDIA's, which needs the "
        "package xgboost in place of xgboost-cpu. The figures differ by rounding.",
    )
    external_memory: BoolParameter = BoolParameter(
        default=False,
        significant=False,
        description="Keep the binned trips of a fit in temporary files (TMPDIR) instead of in "
        "memory, for windows that memory does not hold. The model is the same; the fit is slower.",
    )
