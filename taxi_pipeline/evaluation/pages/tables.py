"""The tables of a candidate's page, and the sentences above them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from taxi_pipeline.evaluation.coverage import (
    DOUBT,
    MIN_SLICE_TRIPS,
    WANTED_IN_SLICES,
    judged_slices,
)
from taxi_pipeline.evaluation.pages.facts import CandidateFacts, Quality
from taxi_pipeline.evaluation.pages.rendering import percent, signed
from taxi_pipeline.evaluation.residuals import zone_errors
from taxi_pipeline.model.feature_names import ENCODINGS, FEATURES
from taxi_pipeline.model.regressors import Minutes
from taxi_pipeline.tuning.results import OWN
from taxi_pipeline.tuning.trials import best

ZONES_SHOWN = 8
"""The zones of the largest errors that are listed."""

MIN_MATRIX_TRIPS = 30
"""A pair of boroughs with fewer trips has no cell of its own."""

MIN_NULL_SHARE = 0.001
"""Smaller shares of missing values are not told."""


def coverage(facts: CandidateFacts) -> dict[str, Any]:
    """The coverage of the intervals: sentences, and a table for each way to cut the month."""
    slices = judged_slices(facts.coverage)
    captions = {
        "weekday": "By weekday of the pickup.",
        "miles": "By metered distance.",
        "origin": "By origin of the record.",
        "hour": "By hour of the pickup.",
        "borough_pair": "By boroughs of pickup and drop-off.",
    }
    return {
        "in_words": _coverage_in_words(facts.coverage, slices),
        "rests_on": _exchangeability_in_words(facts.coverage, facts.holdout_days),
        "parts": [
            {"caption": caption, "rows": [one for one in slices if one["slice"] == name]}
            for name, caption in captions.items()
        ],
    }


def _coverage_in_words(coverage: Mapping[str, Any], slices: Sequence[Mapping[str, Any]]) -> str:
    low, high = (f"{100 * share:.0f}" for share in WANTED_IN_SLICES)
    good = sum(one["good"] for one in slices)
    return (
        f"{100 * coverage['level']:.0f} % intervals hold {percent(coverage['coverage'])} of the "
        f"month's trips and are {coverage['width']:.1f} minutes long on average. "
        f"{percent(coverage['below'])} of the trips are shorter, {percent(coverage['above'])} "
        f"longer. Of {len(slices)} parts with more than {MIN_SLICE_TRIPS} trips, {good} have a "
        f"coverage of {low} to {high} %."
    )


def _exchangeability_in_words(coverage: Mapping[str, Any], days: int) -> str:
    """What the level rests on, and whether the month gives reason to doubt it."""
    rests = (
        "The level holds as far as trips of later months are like those of the window's last "
        f"{days} days (exchangeable), from which the intervals were learned with a model of the "
        "days before."
    )
    moved = (
        f"the mean of predicted less actual was {signed(coverage['learned_bias'])} minutes then "
        f"and is {signed(coverage['bias'])} in this month"
    )
    if abs(coverage["shift"]) < DOUBT:
        return f"{rests} This month gives no reason to doubt it: {moved}."
    return (
        f"{rests} In this month that is in doubt: {moved}, a move by "
        f"{percent(abs(coverage['shift']))} of the error that is expected. Weather, school "
        "holidays and the season are not among the features."
    )


def small_slices(slices: pd.DataFrame) -> list[dict[str, Any]]:
    """The errors by weekday and by origin of the record, a table each."""
    captions = {
        "weekday": "By weekday of the pickup, in minutes.",
        "origin": "By origin: partial records lack rate code and passengers, and come from other "
        "providers.",
    }
    names = {"weekday": "Weekday", "origin": "Record"}
    return [
        {
            "caption": captions[name],
            "name": names[name],
            "rows": slices[slices["slice"] == name].to_dict("records"),
        }
        for name in captions
    ]


def matrix(slices: pd.DataFrame) -> dict[str, Any]:
    """RMSE and number of trips by pair of boroughs, shaded by the RMSE."""
    pairs = slices[(slices["slice"] == "borough_pair") & (slices["rows"] >= MIN_MATRIX_TRIPS)]
    cells: dict[tuple[str, str], dict[str, Any]] = {}
    low, high = pairs["rmse"].min(), pairs["rmse"].max()
    for pair in pairs.to_dict("records"):
        start, _, end = str(pair["value"]).partition(" to ")
        share = (pair["rmse"] - low) / (high - low) if high > low else 0.5
        shade = round(0.05 + 0.5 * share, 3)
        cells[start, end] = {"rmse": pair["rmse"], "rows": pair["rows"], "shade": shade}
    starts, ends = (sorted({pair[side] for pair in cells}) for side in (0, 1))
    return {
        "min_trips": MIN_MATRIX_TRIPS,
        "columns": ends,
        "rows": [(start, [cells.get((start, end)) for end in ends]) for start in starts],
    }


def zones(features: pd.DataFrame, residuals: Minutes) -> list[dict[str, Any]]:
    """The zones with the largest errors, of pickup and of drop-off."""
    return [
        {
            "caption": f"Zones of {name} with the largest mean absolute error (MAE), minutes.",
            "rows": zone_errors(features[column], residuals)[:ZONES_SHOWN],
        }
        for column, name in (("pickup_zone", "pickup"), ("dropoff_zone", "drop-off"))
    ]


def contributions(facts: CandidateFacts) -> list[dict[str, Any]]:
    """What the predictions rest on, a row for each feature."""
    minutes = facts.contributions.minutes
    largest = max([*minutes.values(), 1e-9])
    return [
        {
            "name": name,
            "text": ENCODINGS.get(name) or FEATURES.get(name) or "made by the recipe's own encoder",
            "minutes": value,
            "width": round(max(100 * value / largest, 0), 1),
        }
        for name, value in minutes.items()
    ]


def contributions_in_words(facts: CandidateFacts) -> str:
    """What the contributions are, and how they were found."""
    found = facts.contributions
    if found.method == "shap":
        return (
            "By how many minutes each feature moves a prediction up or down, on average over "
            f"{found.trips} trips of {facts.evaluation_month} (SHAP values, by XGBoost). Features "
            "that say similar things share what they contribute."
        )
    return (
        f"By how many minutes the RMSE on {found.trips:,} trips of {facts.evaluation_month} grows "
        "when the values of a feature are shuffled among them (permutation importance)."
    )


def finalist_name(name: str) -> str:
    """Whose parameters a final fit had."""
    return "the recipe's own parameters" if name == OWN else name


def finalists(facts: CandidateFacts) -> list[dict[str, Any]]:
    """The final fits, a row each."""
    return [
        {
            "text": finalist_name(one.name),
            "result": one.result,
            "rounds": one.rounds,
            "chosen": one.name == facts.tuning.tuned_by,
        }
        for one in facts.tuning.finalists
    ]


def parameters(facts: CandidateFacts) -> dict[str, Any]:
    """The parameters of the model, beside the recipe's own and those of the best trial."""
    columns = {"model": facts.tuning.parameters, "recipe's own": facts.own_parameters}
    if leader := best(facts.tuning.trials):
        columns[f"trial {leader.number}"] = {**facts.own_parameters, **leader.parameters}
    names = dict.fromkeys(name for column in columns.values() for name in column)
    return {
        "columns": list(columns),
        "rows": [
            (name, [_short(column.get(name, "")) for column in columns.values()]) for name in names
        ],
    }


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def search_in_words(facts: CandidateFacts) -> str:
    """How the parameters were found."""
    if not facts.tuning.trials:
        return "The recipe has fixed parameters: nothing was searched."
    outcome = facts.tuning.outcome or f"{len(facts.tuning.trials)} trials"
    return (
        f"Inside the training window, by time: fitted on its earlier days, judged on its last "
        f"{facts.holdout_days}. Then: {outcome}. The model was fitted on the whole window with "
        "what won."
    )


def dropped(quality: Quality) -> Mapping[str, int]:
    """The rows that each rule dropped."""
    dropped: Mapping[str, int] = quality.report["rows_dropped"]
    return dropped


def quality_row(quality: Quality) -> dict[str, Any]:
    """What became of a month's rows."""
    report = quality.report
    minutes = report["distributions"]["minutes"]
    return {
        "month": quality.month,
        "role": quality.role,
        "rows_read": report["rows_read"],
        "rows_kept": report["rows_kept"],
        "share_kept": report["rows_kept"] / max(report["rows_read"], 1),
        "dropped": dropped(quality),
        "median": f"{minutes['quantiles']['0.5']:.1f}" if minutes["count"] else "",
    }


def nulls(quality: Sequence[Quality]) -> str:
    """The columns of the training window with missing values, and their share, in words."""
    worst: dict[str, float] = {}
    for one in quality:
        if one.role == "training":
            for name, share in one.report["null_shares"].items():
                worst[name] = max(worst.get(name, 0.0), share)
    return ", ".join(
        f"{name} {percent(share)}" for name, share in worst.items() if share >= MIN_NULL_SHARE
    )
