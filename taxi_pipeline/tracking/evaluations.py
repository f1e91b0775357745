"""What the run of a registered version says of its evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from taxi_pipeline.tracking.server import TrackingServer, found


class RecordedEvaluation(NamedTuple):
    """The evaluation of a version, as its run holds it.

    Attributes:
        month: of the evaluation; empty if the run does not say.
        metrics: of the run, with ``rmse`` in minutes.
    """

    month: str
    metrics: Mapping[str, float]


def recorded_evaluation(
    server: TrackingServer, model_name: str, version: str
) -> RecordedEvaluation | None:
    """The evaluation of a version; None if the registry does not hold the version, or no RMSE.

    Args:
        server: of the registry.
        model_name: the registered model.
        version: its version.

    Raises:
        TrackingError: the server cannot be reached or refuses.
    """
    with server.client() as client:
        registered = found(lambda: client.get_model_version(model_name, version))
        if registered is None or not registered.run_id:
            return None
        run = found(lambda: client.get_run(str(registered.run_id)))
    if run is None or "rmse" not in run.data.metrics:
        return None
    return RecordedEvaluation(run.data.params.get("evaluation_month", ""), run.data.metrics)
