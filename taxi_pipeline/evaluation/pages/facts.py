"""What the page of a candidate is made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from taxi_pipeline.evaluation.contributions import Contributions
from taxi_pipeline.evaluation.drift import Drift
from taxi_pipeline.tuning.results import TuningResult


@dataclass(frozen=True)
class SourceFile:
    """A published file that took part.

    Attributes:
        name: such as ``green 2021-01``.
        role: ``training`` or ``evaluation``.
        rows: that it has.
        url: where it was fetched, without secrets.
        sha256: of its content.
    """

    name: str
    role: str
    rows: int
    url: str
    sha256: str


@dataclass(frozen=True)
class MadeOutput:
    """An output that the candidate was made from.

    Attributes:
        label: of its task.
        key: the digest of all that it was made from.
        finished: when it was made, in UTC.
        seconds: how long that took.
    """

    label: str
    key: str
    finished: str
    seconds: float


@dataclass(frozen=True)
class Lineage:
    """Where a candidate comes from, and how it is made again.

    Attributes:
        files: the published files.
        outputs: of the stages, in their order.
        commit: of the code that trained the model; empty for an installed package.
        changed: whether its files differed from that commit.
        packages: the versions of the packages that took part.
        commands: lines for a shell that make the candidate again.
    """

    files: Sequence[SourceFile]
    outputs: Sequence[MadeOutput]
    commit: str
    changed: bool
    packages: Mapping[str, str]
    commands: Sequence[str]


@dataclass(frozen=True)
class Quality:
    """What became of a month's published rows.

    Attributes:
        month: ``YYYY-MM``.
        role: ``training`` or ``evaluation``.
        report: as of :meth:`taxi_pipeline.trips.quality.QualityReport.as_dict`.
    """

    month: str
    role: str
    report: Mapping[str, Any]


@dataclass(frozen=True)
class CandidateFacts:
    """All that is told of a candidate.

    Attributes:
        model_name: the registered model that it is to be a version of.
        taxi: ``green`` or ``yellow``.
        recipe: the recipe's name.
        recipe_summary: the recipe in one line.
        caveat: what the recipe says a reader of its figures must know; empty if nothing.
        trained_on: the training window in words.
        evaluation_month: ``YYYY-MM``.
        figures: as of :meth:`taxi_pipeline.evaluation.report.Evaluation.as_dict`.
        slices: errors in parts of the month, as of
            :func:`taxi_pipeline.evaluation.slices.slices`.
        predictions: a row for each trip: ``actual`` and ``predicted`` minutes.
        features: of the same trips, by which the parts of the month are told.
        gate: the record of the gate: a :class:`taxi_pipeline.evaluation.judge.Judgement` as JSON
            values, with ``candidate`` (its key) and ``compared_with`` (the champion, or None).
        coverage: that of its intervals, as of
            :func:`taxi_pipeline.evaluation.coverage.measure_coverage`, or ``why_not``: why it has
            none.
        contributions: what its predictions rest on.
        own_parameters: those that the recipe declares.
        tuning: how its parameters were found.
        holdout_days: the last days of the window, on which trials were judged.
        quality: of each month.
        drift: of the evaluation month, beside the training window.
        lineage: where it comes from.
    """

    model_name: str
    taxi: str
    recipe: str
    recipe_summary: str
    caveat: str
    trained_on: str
    evaluation_month: str
    figures: Mapping[str, Any]
    slices: pd.DataFrame
    predictions: pd.DataFrame
    features: pd.DataFrame
    gate: Mapping[str, Any]
    coverage: Mapping[str, Any]
    contributions: Contributions
    own_parameters: Mapping[str, Any]
    tuning: TuningResult
    holdout_days: int
    quality: Sequence[Quality]
    drift: Drift
    lineage: Lineage

    @property
    def verdict(self) -> str:
        """The gate's word."""
        return str(self.gate["verdict"])
