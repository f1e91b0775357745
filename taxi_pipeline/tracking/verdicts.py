"""What the gate said of a candidate, where a person sees it: on its run and its version."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import mlflow

from taxi_pipeline.evaluation.champions import Verdict
from taxi_pipeline.evaluation.gate import CHAMPION, KEPT, PROMOTED, REJECTED
from taxi_pipeline.tracking.records import REASON_TAG, VERDICT_TAG, Candidate
from taxi_pipeline.tracking.views import artifact_link

if TYPE_CHECKING:
    from mlflow.entities import Run
    from mlflow.entities.model_registry import ModelVersion


def verdict_of(*, passed: bool, aliases: Collection[str], gate: str = "") -> str:
    """The verdict in a word.

    Args:
        passed: whether the gate lets the candidate become champion.
        aliases: those that its version holds.
        gate: the word of the gate; empty if it said no more than whether the candidate passes.
    """
    if not passed:
        return gate or REJECTED
    return PROMOTED if CHAMPION in aliases else KEPT


def verdict_reason(verdict: Verdict, pin: str) -> str:
    """Why a candidate has its verdict, with the pin that holds whatever the gate says.

    Args:
        verdict: of the gate.
        pin: that a person has pinned the champion, and why; empty if nobody has.
    """
    # The pin keeps a candidate from becoming champion only if the gate lets it pass.
    reasons = (pin, verdict.reason) if verdict.promote else (verdict.reason, pin)
    return "; ".join(reason for reason in reasons if reason)


def record_verdict(
    client: mlflow.MlflowClient,
    run: Run,
    candidate: Candidate,
    version: ModelVersion,
    verdict: Verdict,
) -> None:
    """Write the verdict into the tags of run and version, and above the version's description.

    What a person has written below it stays. The files that tell the verdict are written anew: a
    candidate that is registered again may be judged by other rules, or beside another champion.
    """
    for place, file in candidate.judgement:
        client.log_artifact(run.info.run_id, str(file), place)
    number = str(version.version)
    for name, value in {VERDICT_TAG: verdict.word, REASON_TAG: verdict.reason}.items():
        client.set_tag(str(version.run_id), name, value)
        client.set_model_version_tag(candidate.model_name, number, name, value)
    rmse = f"{candidate.metrics['rmse']:.4f}"
    client.set_model_version_tag(candidate.model_name, number, "rmse", rmse)
    described = version.description or ""
    if candidate.description in described:
        pages = [f"{place}/{file.name}" for place, file in candidate.judgement]
        page = next((page for page in pages if page.endswith(".html")), "")
        link = f" [Report]({artifact_link(run, page)})" if page else ""
        _, kept, further = described.partition(candidate.description)
        text = f"{candidate.month}: RMSE {rmse} minutes, {verdict.word}: {verdict.reason}.{link}"
        text = f"{text}\n\n{kept}{further}"
        client.update_model_version(candidate.model_name, number, text)
