"""The page that says how a month differs from the months that a model was trained on."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from taxi_pipeline.evaluation.drift import Drift
from taxi_pipeline.evaluation.feature_drift import (
    MATTERS,
    MODERATE,
    STABLE,
    STRONG,
    TOO_FEW,
    FeatureDrift,
)
from taxi_pipeline.evaluation.pages.charts import Chart, chart
from taxi_pipeline.evaluation.pages.rendering import percent, render

CHARTS = 4
"""Features of the largest drift whose distributions are drawn."""

TAIL = 0.005
"""The share of the largest values that a chart leaves out, so that the others can be told apart."""

MAX_BARS = 24
"""Categories that a chart shows at most, those of the largest change."""


def render_drift(drift: Drift, *, taxi: str, model_name: str) -> str:
    """The page as the text of an HTML file.

    Args:
        drift: what was found.
        taxi: ``green`` or ``yellow``.
        model_name: the registered model; told only where a model ranks.
    """
    largest = sorted(drift.features, key=lambda one: -one.psi)[:CHARTS]
    return render(
        "drift.html",
        made="",
        drift=drift,
        heading=f"Drift of {taxi} trips: {drift.month} beside {drift.reference}",
        model=f"{drift.model} of {model_name}" if drift.model else "no model",
        tiles=_tiles(drift),
        matters=percent(MATTERS),
        verdict=_worst(drift).replace(" ", "-"),
        charts=[_distribution(drift, one) for one in largest if one.feature in drift.distributions],
        days=_days(drift),
        zones=[
            {"caption": f"Zones of the {name}, by share of the trips.", "rows": drift.zones[key]}
            for key, name in (("pickup_zone", "pickup"), ("dropoff_zone", "drop-off"))
        ],
    )


def _worst(drift: Drift) -> str:
    """The strongest verdict on what matters; on anything, where no model says what matters."""
    judged = [one for one in drift.features if one.matters or one.share is None]
    found = {one.verdict for one in judged}
    return next((word for word in (STRONG, MODERATE, TOO_FEW) if word in found), STABLE)


def _tiles(drift: Drift) -> Iterator[dict[str, str]]:
    before, now = drift.trips_per_day
    yield {
        "value": f"{now:,.0f}",
        "text": f"trips kept a day; {before:,.0f} in {drift.reference} ({now / before - 1:+.1%})",
    }
    kept = drift.kept[0]
    yield {
        "value": percent(kept.now),
        "text": f"of the published rows kept; {percent(kept.before)} before",
    }
    target = drift.features[0]
    if target.is_target and target.mean_now is not None:
        yield {
            "value": f"{target.mean_now:.1f} min",
            "text": f"mean duration; {target.mean_before:.1f} before",
        }
    drifted = sum(one.drifted for one in drift.features)
    yield {"value": f"{drifted} of {len(drift.features)}", "text": "features drifted"}


def _distribution(drift: Drift, feature: FeatureDrift) -> Chart:
    """The distribution of a feature before and now."""
    found = drift.distributions[feature.feature]
    draw = _draw_numbers if feature.unit else _draw_categories
    text = f"PSI {feature.psi:.3f}, {feature.verdict}"
    if feature.mean_before is not None and feature.mean_now is not None:
        text += f"; mean {feature.mean_before:.2f} before, {feature.mean_now:.2f} now"
    if any(found["missing"]):
        text += "; missing in {} before, {} now".format(*map(percent, found["missing"]))
    return chart(
        feature.text.capitalize(),
        f"{text}.",
        functools.partial(draw, feature=feature, found=found, names=(drift.reference, drift.month)),
    )


def _draw_numbers(
    axes: Any, feature: FeatureDrift, found: Mapping[str, Sequence[float]], names: tuple[str, str]
) -> None:
    values = np.array(found["values"])
    shares = [np.array(found[name]) for name in ("before", "now")]
    cumulated = np.cumsum(sum(shares) / 2)
    shown = cumulated <= cumulated[-1] * (1 - TAIL)
    shown[0] = True
    for share, name, colour in zip(shares, names, ("tab:gray", "tab:blue"), strict=True):
        axes.step(values[shown], 100 * share[shown], where="mid", color=colour, label=name)
    axes.set(xlabel=f"{feature.text}, {feature.unit}", ylabel="% of the trips")
    axes.set_ylim(bottom=0)
    axes.legend(loc="best", fontsize=8)


def _draw_categories(
    axes: Any, feature: FeatureDrift, found: Mapping[str, Sequence[float]], names: tuple[str, str]
) -> None:
    values = np.array(found["values"])
    before, now = (np.array(found[name]) for name in ("before", "now"))
    shown = np.sort(np.argsort(-np.abs(now - before), kind="stable")[:MAX_BARS])
    places = np.arange(len(shown))
    for share, name, colour, shift in (
        (before, names[0], "tab:gray", -0.2),
        (now, names[1], "tab:blue", 0.2),
    ):
        axes.bar(places + shift, 100 * share[shown], 0.4, color=colour, label=name)
    labels = [category(feature.feature, value) for value in values[shown]]
    axes.set_xticks(places, labels, rotation=90 if len(shown) > MAX_BARS // 3 else 0, fontsize=8)
    axes.set(ylabel="% of the trips")
    axes.legend(loc="best", fontsize=8)


def category(feature: str, value: float) -> str:
    """A category of a feature as a chart names it."""
    if feature == "weekday":
        return ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[int(value)]
    if feature == "origin":
        return "partial" if value else "full"
    return str(int(value))


def _days(drift: Drift) -> Chart:
    """The trips of each day, of the month and of the reference's last month."""
    before, now = drift.trips_per_day

    def draw(axes: Any) -> None:
        colours = ("tab:gray", "tab:blue")[-len(drift.days) :]
        for (month, days), colour in zip(drift.days.items(), colours, strict=True):
            counts = list(days.values())
            axes.plot(range(1, len(counts) + 1), counts, color=colour, label=month)
        axes.set(xlabel="day of the month", ylabel="trips")
        axes.set_ylim(bottom=0)
        axes.legend(loc="best", fontsize=8)

    return chart(
        "Trips by day",
        f"{now:,.0f} a day on average, {before:,.0f} in {drift.reference}.",
        draw,
        (6.4, 3.2),
        (0.1, 0.16),
    )
