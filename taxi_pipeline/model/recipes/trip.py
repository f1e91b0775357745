"""The default recipe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from taxi_pipeline.model.recipes.base import Recipe
from taxi_pipeline.model.space import Distribution, Integer, LogUniform, Uniform

if TYPE_CHECKING:
    from taxi_pipeline.model.encoders import TripEncoder
    from taxi_pipeline.model.regressors import Boosting


class Trip(Recipe):
    """All that is known by the end of a trip but its price and times, boosted and tuned.

    The parameters' own values, and what was tried beside them: docs/explanation/accuracy.md.

    Attributes:
        members: boosters that are averaged, see :class:`taxi_pipeline.model.regressors.Boosting`.
        missing: what stands for a value that is not known: below all values, so that a split
            tells it from them.
    """

    version: ClassVar[int] = 2

    summary = "tuned XGBoost on zones, calendar, record type and metered distance"
    columns: ClassVar[tuple[str, ...]] = (
        "pickup_zone",
        "dropoff_zone",
        "hour",
        "minute_of_day",
        "effective_weekday",
        "whole_minute",
        "miles",
        "vendor",
        "rate_code",
        "passengers",
        "trip_type",
        "partial",
    )
    training_only_columns: ClassVar[tuple[str, ...]] = ("miles",)
    parameters: ClassVar[Mapping[str, Any]] = {
        "tree_method": "hist",
        "learning_rate": 0.2,
        "max_depth": 9,
        "min_child_weight": 60.0,
        "reg_lambda": 10.0,
        "colsample_bynode": 0.5,
        "max_bin": 64,
    }
    space: ClassVar[Mapping[str, Distribution]] = {
        "max_depth": Integer(7, 10),
        "min_child_weight": LogUniform(30, 150),
        "reg_lambda": LogUniform(2, 50),
        "colsample_bynode": Uniform(0.3, 0.8),
    }
    round_growth: ClassVar[float] = 1.3
    members: ClassVar[int] = 4
    missing: ClassVar[float] = -1000.0

    def encoder(self, seed: int) -> TripEncoder:
        """Means by place and time, beside the trip's own features."""
        from taxi_pipeline.model.encoders import TripEncoder

        return TripEncoder(self.columns, seed, self.missing)

    def regressor(
        self, parameters: Mapping[str, Any] | None = None, threads: int = 1, seed: int = 0
    ) -> Boosting:
        """XGBoost."""
        from taxi_pipeline.model.regressors import Boosting

        return Boosting(parameters, threads, seed, self.members)
