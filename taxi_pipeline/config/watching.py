"""When a model that serves counts as decayed."""

from __future__ import annotations

from taxi_pipeline.config.parameters import BoundedFloatParameter, BoundedIntParameter
from taxi_pipeline.config.section import Section


class monitoring(Section):  # noqa: N801
    """How far a champion may fall behind what its evaluation promised."""

    max_rmse_excess: BoundedFloatParameter = BoundedFloatParameter(
        0,
        default=0.1,
        description="Share by which its RMSE may be above the promised one: in minutes, and as a "
        "share of the standard deviation of the month's durations, which shows a decay that an "
        "easier month hides. Beyond it is decay, unless that may be noise: the lower end of the "
        "interval must be beyond it too. inf allows any RMSE.",
    )
    max_slice_excess: BoundedFloatParameter = BoundedFloatParameter(
        0,
        default=0.25,
        description="The same for the RMSE in minutes in a slice (hour, weekday, pair of boroughs, "
        "distance, origin of the record).",
    )
    min_slice_trips: BoundedIntParameter = BoundedIntParameter(
        1,
        default=500,
        description="Slices with fewer trips, in the month or in that of the evaluation, are not "
        "compared.",
    )
