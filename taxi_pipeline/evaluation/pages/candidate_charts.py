"""The charts of a candidate's page."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import pandas as pd

from taxi_pipeline.evaluation import plots
from taxi_pipeline.evaluation.pages import charts
from taxi_pipeline.evaluation.pages.charts import Chart, chart
from taxi_pipeline.evaluation.pages.facts import CandidateFacts
from taxi_pipeline.evaluation.pages.tables import finalist_name
from taxi_pipeline.evaluation.residuals import residual_bands
from taxi_pipeline.model.regressors import Minutes
from taxi_pipeline.tuning import plots as tuning_plots
from taxi_pipeline.tuning.results import TuningResult


def candidate_charts(
    facts: CandidateFacts, compared: Mapping[str, Mapping[str, float]], residuals: Minutes
) -> dict[str, Chart | None]:
    """The charts by their names in the template; None for those that there is nothing to draw of.

    Args:
        facts: what is told.
        compared: the metrics of all that predicted the month, by name, the candidate first.
        residuals: predicted less actual minutes of each trip.
    """
    rmse = ", ".join(f"{name} {figures['rmse']:.2f}" for name, figures in compared.items())
    calibration = pd.DataFrame(facts.figures["calibration"]).astype(float)
    drawn: dict[str, Chart | None] = {
        "intervals": chart(
            "RMSE beside others",
            f"Minutes, with 95 % intervals: {rmse}.",
            lambda axes: charts.draw_intervals(axes, compared),
            margins=(0.36, 0.15),
        ),
        "trips": chart(
            "Predicted and actual duration",
            "The more trips a cell has, the stronger its colour; on the line both are the same.",
            lambda axes: plots.draw_trips(axes, facts.predictions),
        ),
        "calibration": chart(
            "Calibration",
            "How long trips took, by what was predicted for them. "
            f"The bias over all trips is {facts.figures['model']['bias']:+.2f} minutes.",
            lambda axes: plots.draw_calibration(axes, calibration),
        ),
    }
    for key, name, xlabel, text in (
        ("hours", "hour", "hour of pickup", "hour of pickup"),
        ("miles", "miles", "metered distance, miles", "metered distance"),
    ):
        bands = residual_bands(facts.features, residuals, name)
        width = (bands[charts.HIGH] - bands[charts.LOW]).to_numpy()
        values = bands["value"].radd("hour ") if name == "hour" else bands["value"]
        widest, narrowest = (values.iloc[at] for at in (width.argmax(), width.argmin()))
        drawn[key] = chart(
            f"Residuals by {text}",
            f"Above 0 the model predicts too much. The spread is largest at {widest} and smallest "
            f"at {narrowest}.",
            functools.partial(charts.draw_residuals, bands=bands, xlabel=xlabel),
            margins=(0.16, 0.15 if name == "hour" else 0.24),
        )
    tuning = facts.tuning
    drawn["search"] = drawn["learning"] = None
    if tuning.trials:
        drawn["search"] = chart(
            "Trials",
            f"Short fits on a sample, judged on the window's last {facts.holdout_days} days, and "
            "the final fits as lines.",
            functools.partial(_draw_search, tuning=tuning),
            margins=(0.13, 0.41),
        )
    curves = [
        (finalist_name(one.name), one.curve, one.rounds) for one in tuning.finalists if one.curve
    ]
    if curves:
        drawn["learning"] = chart(
            "Learning curves of the final fits",
            f"The error on the window's last {facts.holdout_days} days by round; the dot is the "
            "best round.",
            lambda axes: charts.draw_learning_curves(axes, curves),
        )
    return drawn


def _draw_search(axes: Any, tuning: TuningResult) -> None:
    tuning_plots.draw_trials(axes, tuning.trials, tuning.finalists)
    axes.set_ylabel("RMSE, minutes")
    # Below the axes: there it hides nothing.
    handles = axes.get_legend_handles_labels()
    axes.figure.legend(*handles, loc="lower left", fontsize=7)
