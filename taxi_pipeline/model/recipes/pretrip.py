"""The recipe for an estimate at the start of a trip."""

from typing import ClassVar

from taxi_pipeline.model.recipes.trip import Trip


class Pretrip(Trip):
    """Only what is known when the passenger gets in and names the destination.

    Not the metered distance, and not the rate code, which TLC publishes as of the trip's end. The
    distances of earlier trips are known: their means by pair of zones take the meter's place.
    """

    summary = "tuned XGBoost on what is known at the pickup: no metered distance"
    columns: ClassVar[tuple[str, ...]] = tuple(
        name for name in Trip.columns if name not in {"miles", "rate_code"}
    )
