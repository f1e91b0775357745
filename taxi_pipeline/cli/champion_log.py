"""The changes of a champion as a table, and what tells its versions apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from taxi_pipeline.evaluation.champions import FOUND, Change
from taxi_pipeline.formatting import table
from taxi_pipeline.runtime.version_settings import Candidates

HEADER = (*("change", "when (UTC)", "what", "version", "month", "judged on", "RMSE", "by", "why"),)


def as_lines(changes: Sequence[Change], candidates: Candidates) -> list[str]:
    """The table, and what a reader of its errors should know."""
    if not changes:
        return []
    lines = [table(HEADER, [_row(change, candidates) for change in changes])]
    if not candidates.are_comparable:
        lines.append(
            "An RMSE compares with another only where both were judged on the same trips: in the "
            "same month, with the same letter."
        )
    if settings := "; ".join(_settings(changes, candidates)):
        lines.append(f"Settings that differ: {settings}.")
    return lines


def _row(change: Change, candidates: Candidates) -> tuple[str, ...]:
    moved = change.from_version and change.from_version != change.to_version
    return (
        str(change.number),
        f"{change.when:%Y-%m-%d %H:%M:%S}",
        change.action,
        f"{change.from_version} -> {change.to_version or 'none'}" if moved else change.to_version,
        change.training_month,
        candidates.judged_on.get(change.candidate_key, ""),
        "" if change.rmse is None else f"{change.rmse:.4f}",
        by(change),
        f"{change.why} ({change.gate_record})" if change.gate_record else change.why,
    )


def by(change: Change) -> str:
    """Who made a change."""
    return change.by or ("unknown" if change.action == FOUND else "somebody in MLflow")


def _settings(changes: Sequence[Change], candidates: Candidates) -> Iterator[str]:
    """The settings of each version that are not those of all, in the order of their changes."""
    versions = {change.candidate_key: change.to_version for change in changes}
    for key, version in versions.items():
        if own := candidates.settings.get(key):
            yield f"version {version} {', '.join(f'{name} {own[name]}' for name in own)}"
