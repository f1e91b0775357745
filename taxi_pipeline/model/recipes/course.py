"""The course's model, as published."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from taxi_pipeline.model.recipes.base import Recipe

if TYPE_CHECKING:
    from taxi_pipeline.model.encoders import CourseEncoder
    from taxi_pipeline.model.regressors import Boosting


class Course(Recipe):
    """Pairs of zones one-hot and metered distance; XGBoost with the course's fixed parameters.

    Parameters and rounds: DataTalksClub's MLOps Zoomcamp, ``duration-prediction.py``.
    """

    summary = "the course's XGBoost: zone pairs one-hot, metered distance, fixed parameters"
    caveat = (
        "The course chose these parameters on the month that it reports (trained on green 2021-01, "
        "chosen and reported on 2021-02), so its figure for that month is optimistic."
    )
    columns: ClassVar[tuple[str, ...]] = ("pickup_zone", "dropoff_zone", "metered_miles")
    rounds = 30
    parameters: ClassVar[Mapping[str, Any]] = {
        "learning_rate": 0.09585355369315604,
        "max_depth": 30,
        "min_child_weight": 1.060597050922164,
        "reg_alpha": 0.018060244040060163,
        "reg_lambda": 0.011658731377413597,
        "seed": 42,
    }

    def encoder(self, seed: int) -> CourseEncoder:  # noqa: ARG002  (nothing is drawn)
        """DictVectorizer over the pair of zones and the distance."""
        from taxi_pipeline.model.encoders import CourseEncoder

        return CourseEncoder()

    def regressor(
        self, parameters: Mapping[str, Any] | None = None, threads: int = 1, seed: int = 0
    ) -> Boosting:
        """XGBoost."""
        from taxi_pipeline.model.regressors import Boosting

        return Boosting(parameters, threads, seed)
