"""The page of a backtest: is monthly retraining worth it?"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from taxi_pipeline.evaluation.backtest import Backtest, BacktestMonth
from taxi_pipeline.evaluation.gate import KEPT, PROMOTED, REJECTED
from taxi_pipeline.evaluation.pages.charts import chart
from taxi_pipeline.evaluation.pages.rendering import render, words

WIDE = (6.4, 3.6)

SQUASHED = 1.2
"""A baseline is drawn if its largest RMSE is at most this many times that of the models: one that
is far off would leave the models on top of each other."""

MAX_LABELS = 8

BASELINE_STYLES = ("v:", "D--", "x-.", "+-")
"""Markers and lines by which the baselines, all of one colour, are told apart."""


def render_backtest(  # noqa: PLR0913  (each is told on the page)
    found: Backtest,
    *,
    heading: str,
    model_name: str,
    window: int,
    rules: Mapping[str, str],
    caveat: str,
    made: str,
) -> str:
    """The page as the text of an HTML file.

    Args:
        found: the result.
        heading: what the page is about.
        model_name: the registered model whose months these are.
        window: the months of a training window.
        rules: the options of the gate, with their values.
        caveat: what the recipe says a reader of its figures must know; empty if nothing.
        made: when the page is made, in UTC.
    """
    names = list(found.months[0].baselines)
    drawn = [name for name in names if _fits(name, found.months)]
    left_out = [words(name) for name in names if name not in drawn]
    picture = chart(
        "RMSE by month",
        "On the month after the training window; the band is the 95 % interval of the retrained "
        "models."
        + (f" Not drawn, but in the table: the baselines {', '.join(left_out)}." * bool(left_out)),
        lambda axes: _draw(axes, found.months, drawn),
        WIDE,
        (0.11, 0.14),
    )
    return render(
        "backtest.html",
        found=found,
        heading=heading,
        model_name=model_name,
        window=window,
        rules=rules,
        caveat=caveat,
        made=made,
        baselines=names,
        chart=picture,
        verdict=_colour(found),
    )


def _colour(found: Backtest) -> str:
    """The verdict in whose colour the answer stands."""
    if not found.retraining.rmse.beyond_noise:
        return KEPT.lower()
    return (PROMOTED if found.retraining.rmse.value < 0 else REJECTED).lower()


def _fits(name: str, months: Sequence[BacktestMonth]) -> bool:
    models = [figures["rmse"] for month in months for figures in (month.retrained, month.frozen)]
    return max(month.baselines[name] for month in months) <= SQUASHED * max(models)


def _draw(axes: Any, months: Sequence[BacktestMonth], baselines: Sequence[str]) -> None:
    """Draw the RMSE of each month: of the retrained models, the frozen one and the champions."""
    place = range(len(months))
    ends = [(month.retrained.get("rmse_low"), month.retrained.get("rmse_high")) for month in months]
    if all(low is not None for low, _ in ends):
        lows, highs = zip(*ends, strict=True)
        axes.fill_between(place, lows, highs, color="tab:blue", alpha=0.2, linewidth=0)
    for name, style in zip(baselines, itertools.cycle(BASELINE_STYLES)):
        rmse = [month.baselines[name] for month in months]
        label = f"baseline {words(name)}"
        axes.plot(place, rmse, style, color="tab:gray", linewidth=1, markersize=4, label=label)
    frozen = [month.frozen["rmse"] for month in months]
    label = f"frozen, trained to {months[0].trained_to}"
    axes.plot(place, frozen, "s-", color="tab:orange", linewidth=1.6, markersize=5, label=label)
    champions = [month.champion_figures.get("rmse", float("nan")) for month in months]
    if any(month.champion_figures for month in months):
        axes.plot(
            place,
            champions,
            "^--",
            color="tab:green",
            linewidth=1.6,
            markersize=5,
            label="champion by the gate",
        )
    retrained = [month.retrained["rmse"] for month in months]
    axes.plot(
        place,
        retrained,
        "o-",
        color="tab:blue",
        linewidth=2.5,
        markersize=5,
        label="retrained each month",
    )
    every = max(1, -(-len(months) // MAX_LABELS))
    axes.set_xticks(list(place)[::every], [str(month.month) for month in months][::every])
    axes.set(xlabel="judged on", ylabel="RMSE, minutes")
    axes.margins(y=0.15)
    axes.legend(loc="best", fontsize=8)
