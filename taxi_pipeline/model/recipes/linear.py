"""The course's homework, and a baseline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from taxi_pipeline.model.recipes.base import Recipe

if TYPE_CHECKING:
    from taxi_pipeline.model.encoders import SklearnEncoder
    from taxi_pipeline.model.regressors import LeastSquares


class Linear(Recipe):
    """Pickup and drop-off zone one-hot, each by itself; least squares."""

    summary = "linear regression on pickup and drop-off zone, as in the course's homework"
    columns: ClassVar[tuple[str, ...]] = ("pickup_zone", "dropoff_zone")

    def encoder(self, seed: int) -> SklearnEncoder:  # noqa: ARG002  (nothing is drawn)
        """scikit-learn's OneHotEncoder over the recipe's columns; an unmet zone has no column."""
        from sklearn.compose import make_column_transformer
        from sklearn.preprocessing import OneHotEncoder

        from taxi_pipeline.model.encoders import SklearnEncoder

        one_hot = OneHotEncoder(handle_unknown="ignore")
        return SklearnEncoder(make_column_transformer((one_hot, list(self.columns))))

    def regressor(
        self,
        parameters: Mapping[str, Any] | None = None,  # noqa: ARG002  (least squares has none)
        threads: int = 1,  # noqa: ARG002  (scikit-learn's solver has its own)
        seed: int = 0,  # noqa: ARG002  (nothing is drawn)
    ) -> LeastSquares:
        """Least squares."""
        from taxi_pipeline.model.regressors import LeastSquares

        return LeastSquares()
