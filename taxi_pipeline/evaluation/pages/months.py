"""The page of several months side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from taxi_pipeline.evaluation.gate import best_baseline
from taxi_pipeline.evaluation.pages.charts import chart, draw_months
from taxi_pipeline.evaluation.pages.rendering import percent, render, words

WIDE = (6.4, 3.6)


@dataclass(frozen=True)
class CandidateMonth:
    """What there is of a month.

    Attributes:
        month: the last month of the training window, ``YYYY-MM``.
        status: what became of it in this run, in words.
        rmse: minutes on the month after; None if the model is not made.
        interval: both ends of its 95 % interval; None if there is none.
        baselines: the RMSE of each baseline on the same trips.
        verdict: of the gate; empty if it is not known.
        version: of the registered model.
        is_champion: whether it serves now.
        report: the link to its page; empty if it has none.
    """

    month: str
    status: str = ""
    rmse: float | None = None
    interval: tuple[float, float] | None = None
    baselines: Mapping[str, float] = field(default_factory=dict)
    verdict: str = ""
    version: str = ""
    is_champion: bool = False
    report: str = ""


def render_months(
    heading: str, model_name: str, made: str, months: Sequence[CandidateMonth]
) -> str:
    """The page as the text of an HTML file.

    Args:
        heading: what the page is about.
        model_name: the registered model.
        made: when it is made, in UTC.
        months: in order.
    """
    known = [month for month in months if month.rmse is not None]
    baselines = list(dict.fromkeys(name for month in known for name in month.baselines))
    series: dict[str, list[float | None]] = {"candidate": [month.rmse for month in months]}
    for name in baselines:
        series[f"baseline {words(name)}"] = [month.baselines.get(name) for month in months]
    names = [month.month for month in months]
    picture = chart(
        "RMSE by month",
        "Of each month's model and of the baselines, on the month after it.",
        lambda axes: draw_months(axes, names, series),
        WIDE,
        (0.1, 0.14),
    )
    return render(
        "months.html",
        heading=heading,
        model_name=model_name,
        made=made,
        months=months,
        baselines=baselines,
        chart=picture if known else None,
        in_words=_in_words(months, known),
    )


def _in_words(months: Sequence[CandidateMonth], known: Sequence[CandidateMonth]) -> str:
    if not known:
        return "No model of these months is made yet."
    best, worst = (choose(known, key=lambda month: month.rmse or 0.0) for choose in (min, max))
    gains = []
    for month in known:
        if month.baselines and month.rmse is not None:
            figures = {name: {"rmse": rmse} for name, rmse in month.baselines.items()}
            gains.append(1 - month.rmse / figures[best_baseline(figures)]["rmse"])
    text = f"{len(known)} of {len(months)} months have a model"
    text += f": RMSE {best.rmse:.2f} minutes ({best.month})"
    if best is not worst:
        text += f" to {worst.rmse:.2f} ({worst.month})"
    if gains:
        text += f", {percent(min(gains))} to {percent(max(gains))} below the best baseline"
    champions = [month for month in months if month.is_champion]
    if champions:
        text += f". The model of {champions[-1].month} serves, version {champions[-1].version}"
    return f"{text}."
