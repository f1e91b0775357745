"""The page that explains a candidate to a person who was not there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from taxi_pipeline import commands
from taxi_pipeline.evaluation.gate import KEPT, PROMOTED, REJECTED
from taxi_pipeline.evaluation.pages import tables
from taxi_pipeline.evaluation.pages.candidate_charts import candidate_charts
from taxi_pipeline.evaluation.pages.facts import CandidateFacts
from taxi_pipeline.evaluation.pages.rendering import METRICS, percent, render, words

SECTIONS = {
    "figures": "Figures",
    "predictions": "Predicted and actual",
    "intervals": "Intervals",
    "errors": "Where it errs",
    "features": "Features",
    "search": "Search",
    "data": "Data",
    "drift": "Drift",
    "lineage": "Lineage",
    "again": "Make it again",
    "caveats": "Caveats",
}

IN_WORDS = {
    PROMOTED: "The candidate may serve: it becomes champion, unless another one is pinned.",
    KEPT: "The candidate is registered, but the champion stays.",
    REJECTED: "The candidate is registered, but a baseline is better: it must not serve.",
}

SLICES_SHOWN = 4
"""The parts of the month of the largest gains, and of the largest losses, that are listed."""


def render_report(facts: CandidateFacts) -> str:
    """The page as the text of an HTML file."""
    residuals = (facts.predictions["predicted"] - facts.predictions["actual"]).to_numpy(np.float64)
    compared = _compared(facts)
    told = set(facts.gate["decisive"])
    return render(
        "report.html",
        facts=facts,
        made=facts.lineage.outputs[-1].finished if facts.lineage.outputs else "",
        sections=SECTIONS.items(),
        champion_log=commands.write("champion", "log", "--model", facts.model_name),
        verdict_in_words=IN_WORDS[facts.verdict],
        other_reasons=[reason for reason in facts.gate["reasons"] if reason not in told],
        tiles=_tiles(facts),
        metrics=METRICS,
        compared=compared,
        intervals="rmse_low" in facts.figures["model"],
        differences=_differences(facts),
        slices_beside=_slices_beside(facts),
        slices_compared=len(facts.gate["slices"]),
        charts=candidate_charts(facts, compared, residuals),
        coverage=None if "why_not" in facts.coverage else tables.coverage(facts),
        small_slices=tables.small_slices(facts.slices),
        matrix=tables.matrix(facts.slices),
        zones=tables.zones(facts.features, residuals),
        contributions=tables.contributions(facts),
        contributions_in_words=tables.contributions_in_words(facts),
        search_in_words=tables.search_in_words(facts),
        finalists=tables.finalists(facts),
        parameters=tables.parameters(facts),
        rules=list(dict.fromkeys(rule for one in facts.quality for rule in tables.dropped(one))),
        quality=[tables.quality_row(one) for one in facts.quality],
        nulls=tables.nulls(facts.quality),
        caveats=_caveats(facts),
    )


def _champion_name(facts: CandidateFacts) -> str:
    compared = facts.gate["compared_with"] or {}
    month = compared.get("training_month")
    return f"champion, version {compared.get('version')}" + (f" of {month}" if month else "")


def _compared(facts: CandidateFacts) -> dict[str, Mapping[str, float]]:
    """The metrics of all that predicted the month, the candidate first."""
    figures: dict[str, Mapping[str, float]] = {"candidate": facts.figures["model"]}
    # Records of gates of before hold no figures of the champion.
    if champion := facts.gate.get("champion_figures"):
        figures[_champion_name(facts)] = champion
    baselines = facts.figures["baselines"]
    for name in sorted(baselines, key=lambda one: baselines[one]["rmse"]):
        figures[f"baseline {words(name)}"] = baselines[name]
    return figures


def _differences(facts: CandidateFacts) -> dict[str, Any]:
    found = {_champion_name(facts): facts.gate["champion"]} if facts.gate["champion"] else {}
    baselines = facts.gate["baselines"]
    return found | {f"baseline {words(name)}": one for name, one in baselines.items()}


def _tiles(facts: CandidateFacts) -> list[dict[str, str]]:
    model = facts.figures["model"]
    rmse = f"RMSE on {facts.evaluation_month}"
    if "rmse_low" in model:
        rmse += f", 95 % interval {model['rmse_low']:.2f} to {model['rmse_high']:.2f}"
    rows = sum(one.report["rows_kept"] for one in facts.quality if one.role == "training")
    return [
        {"value": f"{model['rmse']:.2f} min", "text": rmse},
        {"value": f"{model['mae']:.2f} min", "text": "mean absolute error"},
        {"value": percent(model["within_5_minutes"]), "text": "of trips off by 5 minutes or less"},
        {"value": f"{rows:,}", "text": f"trips of {facts.trained_on} to train on"},
        {"value": f"{facts.figures['rows']:,}", "text": "trips to judge on"},
    ]


def _slices_beside(facts: CandidateFacts) -> list[Any]:
    """The parts of the month of the largest gains and losses beside the champion."""
    ordered = sorted(facts.gate["slices"], key=lambda one: one["difference"]["value"])
    if len(ordered) <= 2 * SLICES_SHOWN:
        return ordered
    return [*ordered[:SLICES_SHOWN], *ordered[-SLICES_SHOWN:]]


def _caveats(facts: CandidateFacts) -> list[str]:
    month = facts.evaluation_month
    caveats = [
        (
            f"All figures are of one month, {month}. Its interval says how much they would vary "
            "with other days of the same kind, not how traffic changes from season to season."
        ),
        (
            "Only trips that pass the rules of cleaning are predicted and judged, above all those "
            "of a plausible duration: errors on whatever else was published are not counted."
        ),
    ]
    if facts.caveat:
        caveats.insert(0, facts.caveat)
    if {"miles", "metered_miles", "detour"} & set(facts.contributions.minutes):
        caveats.append(
            "The model reads the metered distance, which is known at the end of a trip only. For "
            "an estimate at pickup there is the recipe pretrip."
        )
    if facts.contributions.method == "shap":
        caveats.append(
            f"Contributions are averages over {facts.contributions.trips} trips, and say how the "
            "model predicts, not what causes a trip to take longer."
        )
    if facts.gate["compared_with"] and not facts.gate["champion"]:
        caveats.append("The champion was not compared; the reasons above say why.")
    return caveats
