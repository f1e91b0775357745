"""How a month is compared with the months that a model was trained on."""

from __future__ import annotations

from taxi_pipeline.config.parameters import BoundedFloatParameter, BoundedIntParameter
from taxi_pipeline.config.section import Section


class drift(Section):  # noqa: N801
    """How large a difference between months counts as drift."""

    warn_psi: BoundedFloatParameter = BoundedFloatParameter(
        0,
        default=0.1,
        description="Population stability index (PSI) from which on a feature's drift is moderate.",
    )
    alert_psi: BoundedFloatParameter = BoundedFloatParameter(
        0,
        default=0.25,
        description="Population stability index (PSI) from which on a feature's drift is strong.",
    )
    min_rows: BoundedIntParameter = BoundedIntParameter(
        1,
        default=2000,
        description="Trips that the month and the months before it must each have for a verdict: "
        "with fewer, shares differ by chance alone.",
    )
