"""The section of the machines that work is sent to."""

from __future__ import annotations

from taxi_pipeline.config import option_checks
from taxi_pipeline.config.parameters import StrParameter
from taxi_pipeline.config.section import Section


class compute(Section):  # noqa: N801  (a section's name is its class's name)
    """Where features, trials and fits are computed. No output's key depends on it."""

    scheduler: StrParameter = StrParameter(
        default="",
        check=option_checks.check_cluster,
        significant=False,
        description="Address of a Dask scheduler, tcp://host:port or tls://host:port, whose "
        "workers build features, run the trials of a search and fit models; needs "
        "taxi_pipeline[dask] here and there. Empty: this machine.",
    )
