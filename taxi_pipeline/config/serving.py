"""The section of the server that predicts with the champion."""

from __future__ import annotations

from taxi_pipeline.config.parameters import (
    BoundedFloatParameter,
    BoundedIntParameter,
    StrParameter,
)
from taxi_pipeline.config.section import Section


class serving(Section):  # noqa: N801  (a section's name is its class's name)
    """The server that `taxi-pipeline serve` starts."""

    address: StrParameter = StrParameter(
        default="127.0.0.1",
        significant=False,
        description="Interface to listen on. It asks nobody for a password: let others in through "
        "a proxy that does.",
    )
    port: BoundedIntParameter = BoundedIntParameter(
        0, 65535, default=5001, significant=False, description="Port to listen on; 0 takes any."
    )
    workers: BoundedIntParameter = BoundedIntParameter(
        1, 64, default=1, significant=False, description="How many processes answer requests."
    )
    check_seconds: BoundedFloatParameter = BoundedFloatParameter(
        0.1,
        3600,
        default=2.0,
        significant=False,
        description="Seconds between two looks at who is champion.",
    )
