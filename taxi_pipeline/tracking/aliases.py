"""Aliases of a registered model: who holds them, and their moves as the gate decided."""

from __future__ import annotations

import functools

import mlflow

from taxi_pipeline.evaluation.gate import (
    CHALLENGER,
    CHAMPION,
    AliasDecision,
    Holder,
    decide_aliases,
)
from taxi_pipeline.month import Month
from taxi_pipeline.tracking.records import MONTH_TAG, Candidate
from taxi_pipeline.tracking.server import found
from taxi_pipeline.tracking.versions import has_model


def move_aliases(
    client: mlflow.MlflowClient, candidate: Candidate, version: str, *, promote: bool, reason: str
) -> tuple[AliasDecision, tuple[str, ...]]:
    """Move the aliases that a candidate has earned to its version.

    Args:
        client: of the registry.
        candidate: whose version it is.
        version: its version.
        promote: whether the gate lets it become champion.
        reason: why, in a few words.

    Returns:
        The decision, and all aliases that the version holds afterwards, in order.
    """
    decision = decide_aliases(
        candidate.month,
        version,
        promote=promote,
        reason=reason,
        holders=_holders(client, candidate.model_name),
    )
    for alias in decision.moves:
        client.set_registered_model_alias(candidate.model_name, alias, version)
    held = client.get_registered_model(candidate.model_name).aliases
    return decision, tuple(sorted(name for name in held if str(held[name]) == version))


def _holders(client: mlflow.MlflowClient, model_name: str) -> dict[str, Holder]:
    """The versions that challenger and champion point to, with its training month.

    An alias may be left pointing to a version that was deleted, or whose model was: that holds
    nothing.
    """
    holders = {}
    held = client.get_registered_model(model_name).aliases
    for alias in {CHALLENGER, CHAMPION} & set(held):
        version = found(functools.partial(client.get_model_version_by_alias, model_name, alias))
        if version is None or not has_model(client, version):
            continue
        month = version.tags.get(MONTH_TAG)
        holders[alias] = Holder(str(version.version), Month.parse(month) if month else None)
    return holders
