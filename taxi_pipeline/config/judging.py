"""How a candidate is judged."""

from __future__ import annotations

from taxi_pipeline.config.parameters import BoundedFloatParameter, BoundedIntParameter
from taxi_pipeline.config.section import Section


class gate(Section):  # noqa: N801
    """What a candidate must show on the evaluation month to become champion."""

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
