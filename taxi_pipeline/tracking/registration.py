"""A candidate copied to MLflow as a whole: run, model, version, and the aliases it has earned."""

from __future__ import annotations

from dataclasses import replace

from taxi_pipeline.evaluation.champions import Verdict
from taxi_pipeline.tracking.aliases import move_aliases
from taxi_pipeline.tracking.ledger import Ledger
from taxi_pipeline.tracking.models import get_or_create_model
from taxi_pipeline.tracking.records import Candidate, Registration
from taxi_pipeline.tracking.runs import finish_run, get_or_create_run
from taxi_pipeline.tracking.server import TrackingServer
from taxi_pipeline.tracking.verdicts import record_verdict, verdict_of, verdict_reason
from taxi_pipeline.tracking.verification import verify_version
from taxi_pipeline.tracking.versions import get_or_create_version


def register(
    server: TrackingServer, ledger: Ledger, candidate: Candidate, verdict: Verdict
) -> Registration:
    """Copy a candidate to MLflow, and move the aliases that it has earned.

    Whatever of it is already there is found by its key and completed. MLflow's own state in this
    process (active run, experiment, tracking URI) takes no part and stays as it is.

    Args:
        server: where to.
        ledger: of the registered model, on that server.
        candidate: what is copied.
        verdict: of the gate.

    Raises:
        TrackingError: the server cannot be reached or refuses, or the registered model does not
            predict what the trained one does.
    """
    with server.client() as client, server.lock(candidate.model_name):
        run = get_or_create_run(server, client, candidate)
        model = get_or_create_model(client, run, candidate)
        finish_run(client, run, model, candidate)
        version = get_or_create_version(client, run, model, candidate)
        verify_version(server, client, version, candidate)
        decision, aliases = move_aliases(client, ledger, candidate, str(version.version), verdict)
        word = verdict_of(passed=verdict.promote, aliases=aliases, gate=verdict.word)
        told = replace(verdict, word=word, reason=verdict_reason(verdict, decision.pin))
        record_verdict(client, run, candidate, version, told)
    return Registration(
        model_name=candidate.model_name,
        version=str(version.version),
        run_id=version.run_id or run.info.run_id,
        aliases=aliases,
        decision=decision.text,
        promoted=decision.promoted,
        url=server.run_url(run),
    )
