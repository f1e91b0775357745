"""Regressors: encoded features become minutes.

One small interface over scikit-learn and XGBoost's native booster, with the files that a fitted
regressor is kept in. Nothing here is pickled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from taxi_pipeline.errors import InvalidRecipe
from taxi_pipeline.model import skops_files

Minutes = NDArray[np.float64]
RoundProgress = Callable[[int, int], None]
"""Called after each boosting round with the rounds done and the rounds wanted."""


class Regressor(Protocol):
    """What is fitted on encoded features."""

    def fit(
        self,
        matrix: Any,
        minutes: Minutes,
        rounds: int | None,
        progress: RoundProgress | None = None,
    ) -> Regressor:
        """Fit on all rows; ``rounds`` and ``progress`` count for a boosted regressor only."""

    def predict(self, matrix: Any) -> Minutes:
        """Minutes for each row."""

    def settings(self) -> dict[str, Any]:
        """Arguments of the constructor with which :meth:`load` can read what was saved.

        They are written as JSON.
        """

    def save(self, folder: Path) -> None:
        """Write what was fitted into a folder."""

    def load(self, folder: Path, threads: int = 1) -> Regressor:
        """Read what :meth:`save` wrote, to predict with so many threads."""

    def importance(self) -> dict[str, float]:
        """What each feature weighs, as a share of all, largest first; empty if not known."""


class Boosting:
    """Gradient-boosted trees by XGBoost.

    Args:
        parameters: XGBoost's own parameters.
        threads: threads of one fit. Always given: XGBoost would otherwise take every core of the
            machine, in every worker.
        seed: XGBoost's seed.
    """

    FILE = "booster.ubj"

    def __init__(
        self, parameters: Mapping[str, Any] | None = None, threads: int = 1, seed: int = 0
    ) -> None:
        self.parameters = {
            "objective": "reg:squarederror",
            "seed": seed,
            **(parameters or {}),
            "nthread": threads,
        }

    def settings(self) -> dict[str, Any]:
        """None: a booster needs no parameters to predict."""
        return {}

    def fit(
        self,
        matrix: Any,
        minutes: Minutes,
        rounds: int | None,
        progress: RoundProgress | None = None,
    ) -> Boosting:
        """Boost for a given number of rounds.

        Raises:
            InvalidRecipe: there is no number of rounds.
        """
        import xgboost

        if rounds is None:
            raise InvalidRecipe(
                "boosting needs a number of rounds: set rounds in the recipe, or give it a space, "
                "so that tuning finds them"
            )
        data = xgboost.QuantileDMatrix(
            matrix,
            minutes,
            max_bin=self.parameters.get("max_bin"),
            nthread=self.parameters["nthread"],
        )
        callbacks = [_progress_callback(progress, rounds)] if progress else []
        self.booster = xgboost.train(self.parameters, data, rounds, callbacks=callbacks)
        return self

    def predict(self, matrix: Any) -> Minutes:
        """Minutes for each row."""
        import xgboost

        data = xgboost.DMatrix(matrix, nthread=self.parameters["nthread"])
        return np.asarray(self.booster.predict(data), dtype=np.float64)

    def save(self, folder: Path) -> None:
        """Write the booster in XGBoost's own binary format."""
        # Not by save_model, which says nothing of a full disk and leaves a part of the file.
        (folder / self.FILE).write_bytes(self.booster.save_raw("ubj"))

    def load(self, folder: Path, threads: int = 1) -> Boosting:
        """Read the booster."""
        import xgboost

        self.parameters["nthread"] = threads
        self.booster = xgboost.Booster({"nthread": threads})
        self.booster.load_model(folder / self.FILE)
        return self

    def importance(self) -> dict[str, float]:
        """Share of the total gain by feature, largest first."""
        gains: dict[str, float] = self.booster.get_score(importance_type="total_gain")  # type: ignore[assignment]  # lists are for linear boosters
        total = sum(gains.values()) or 1.0
        ordered = sorted(gains.items(), key=lambda item: -item[1])
        return {name: round(gain / total, 6) for name, gain in ordered}


def _progress_callback(progress: RoundProgress, rounds: int) -> Any:
    """A callback of XGBoost's that reports each round."""
    import xgboost

    class ProgressCallback(xgboost.callback.TrainingCallback):
        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:  # noqa: ARG002
            progress(epoch + 1, rounds)
            return False

    return ProgressCallback()


class SklearnRegressor:
    """A scikit-learn regressor, kept in skops' format.

    Args:
        estimator: fitted on what the encoder makes; None for a regressor that is to load one.
    """

    FILE = "regressor.skops"

    def __init__(self, estimator: Any = None) -> None:
        self.estimator = estimator

    def settings(self) -> dict[str, Any]:
        """None: the estimator is loaded whole."""
        return {}

    def fit(
        self,
        matrix: Any,
        minutes: Minutes,
        rounds: int | None = None,  # noqa: ARG002  (nothing is boosted)
        progress: RoundProgress | None = None,  # noqa: ARG002  (likewise)
    ) -> Self:
        """Fit the estimator."""
        self.estimator = self.estimator.fit(matrix, minutes)
        return self

    def predict(self, matrix: Any) -> Minutes:
        """Minutes for each row."""
        return np.asarray(self.estimator.predict(matrix), dtype=np.float64)

    def save(self, folder: Path) -> None:
        """Write the estimator."""
        skops_files.dump(self.estimator, folder / self.FILE)

    def load(self, folder: Path, threads: int = 1) -> Self:  # noqa: ARG002  (scikit-learn's own)
        """Read the estimator; skops refuses types that it does not know."""
        self.estimator = skops_files.load(folder / self.FILE)
        return self

    def importance(self) -> dict[str, float]:
        """Nothing: coefficients of one-hot columns, for one, are not comparable weights."""
        return {}


class LeastSquares(SklearnRegressor):
    """Ordinary least squares by scikit-learn."""

    FILE = "linear.skops"

    def __init__(self) -> None:
        from sklearn.linear_model import LinearRegression

        super().__init__(LinearRegression())
