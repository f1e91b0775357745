"""How a candidate is judged."""

from __future__ import annotations

import math
from typing import ClassVar

from taxi_pipeline.config.parameters import (
    BoundedFloatParameter,
    BoundedIntParameter,
    StrParameter,
)
from taxi_pipeline.config.section import Section


class gate(Section):  # noqa: N801
    """What a candidate must show on the evaluation month to become champion."""

    later: ClassVar = ("max_drift", "accept_drift")

    min_gain: BoundedFloatParameter = BoundedFloatParameter(
        0,
        1,
        default=0.0,
        description="Share by which its RMSE must be below that of the best baseline (the mean of "
        "the training window, the mean by pair of zones, and least squares on both zones). At 0 it "
        "must still be below.",
    )
    min_champion_gain: BoundedFloatParameter = BoundedFloatParameter(
        0,
        1,
        default=0.0,
        description="Share by which its RMSE must be below that of the champion on the same trips, "
        "beyond noise. At 0 it is enough that it is not worse beyond noise: a fresher model of "
        "equal quality takes over, since traffic changes and the champion's months grow old.",
    )
    max_slice_loss: BoundedFloatParameter = BoundedFloatParameter(
        0,
        default=0.1,
        description="Share by which its RMSE may be above that of the champion in a slice (hour, "
        "weekday, pair of boroughs, distance, origin of the record); what may be noise does not "
        "count. inf allows any loss.",
    )
    min_slice_trips: BoundedIntParameter = BoundedIntParameter(
        1, default=500, description="Slices with fewer trips are not compared."
    )
    max_drift: BoundedFloatParameter = BoundedFloatParameter(
        0,
        default=math.inf,
        description="Population stability index (PSI) by which the evaluation month may differ "
        "from the training window in the duration, or in a feature that accounts for at least 5 % "
        "of what moves the predictions; beyond it the candidate is registered, but not champion. "
        "Months with fewer trips than [drift] min_rows do not count. inf allows any drift.",
    )
    accept_drift: StrParameter = StrParameter(
        default="",
        description="Why a candidate beyond max_drift may become champion all the same. The gate's "
        "record keeps it, with who ran it and when. Best given for one run, as "
        "--gate-accept-drift.",
    )
