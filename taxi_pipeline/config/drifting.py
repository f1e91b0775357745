"""How a month is compared with the months that a model was trained on."""

from __future__ import annotations

from taxi_pipeline.config.parameters import BoundedFloatParameter, BoundedIntParameter
from taxi_pipeline.config.section import Section


class drift(Section):  # noqa: N801
    """From where on a feature of a month has drifted."""

    warn_psi: BoundedFloatParameter = BoundedFloatParameter(
        0,
        default=0.1,
        description="Population stability index (PSI) from which on a feature drifted moderately.",
    )
    alert_psi: BoundedFloatParameter = BoundedFloatParameter(
        0,
        default=0.25,
        description="Population stability index from which on it drifted strongly.",
    )
    min_rows: BoundedIntParameter = BoundedIntParameter(
        1,
        default=2000,
        description="Trips that both the month and the months before must have for a verdict: of "
        "fewer, shares differ by chance alone.",
    )
