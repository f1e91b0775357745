"""Regressors: encoded features become minutes.

One small interface over scikit-learn and XGBoost's native booster, with the files that a fitted
regressor is kept in. Nothing here is pickled.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from taxi_pipeline.errors import InvalidRecipe
from taxi_pipeline.model import skops_files
from taxi_pipeline.model.encoders import Batches
from taxi_pipeline.model.quantiles import plain, quantile_matrix

Minutes = NDArray[np.float64]
RoundProgress = Callable[[int, int], None]
"""Called after each boosting round with the rounds done and the rounds wanted."""
BoostElsewhere = Callable[[Mapping[str, Any], Batches, int, RoundProgress], Any]
"""Fits a booster with XGBoost's parameters, on batches, for so many rounds."""


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


AVERAGED_ROWS = 1_000_000
"""Rows, times members, up to which boosters are averaged: the more rows, the less it brings."""

FURTHER_BINS = (0, -8, 8, 16)
"""Bins that a member has beyond the recipe's own, in turn: others have other borders."""


class Boosting:
    """Gradient-boosted trees by XGBoost, or the mean of several such boosters.

    Args:
        parameters: XGBoost's own parameters.
        threads: threads of one fit. Always given: XGBoost would otherwise take every core of the
            machine, in every worker.
        seed: XGBoost's seed.
        members: how many boosters are averaged, each with a seed and borders of bins of its own
            and, where the encoder draws folds, with its own folds. Fewer where rows are many, see
            :data:`AVERAGED_ROWS`.
    """

    FILE = "booster.ubj"
    FURTHER = "booster-{number}.ubj"

    # Fits a member in place of this process, as another machine may.
    boost_elsewhere: BoostElsewhere | None = None
    # Where the bins of trips are kept that come in several batches, instead of in memory.
    bins_folder: Path | None = None

    def __init__(
        self,
        parameters: Mapping[str, Any] | None = None,
        threads: int = 1,
        seed: int = 0,
        members: int = 1,
    ) -> None:
        self.parameters = {
            "objective": "reg:squarederror",
            "seed": seed,
            **(parameters or {}),
            "nthread": threads,
        }
        self.members = members
        self.boosters: list[Any] = []

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
        batches = [(matrix, minutes)]
        return self.fit_batches(lambda _: batches, len(minutes), rounds, progress)

    def fit_batches(
        self,
        draw: Callable[[int], Batches],
        rows: int,
        rounds: int | None,
        progress: RoundProgress | None = None,
    ) -> Boosting:
        """Boost for a given number of rounds, on trips that come in batches.

        Members are fitted side by side, each with its share of the threads.

        Args:
            draw: the encoded trips for a member, by its number from 0.
            rows: how many trips there are.
            rounds: boosting rounds of each member.
            progress: called after each round of a member.

        Raises:
            InvalidRecipe: there is no number of rounds.
        """
        if rounds is None:
            raise InvalidRecipe(
                "boosting needs a number of rounds: set rounds in the recipe, or give it a space, "
                "so that tuning finds them"
            )
        members = max(1, min(self.members, AVERAGED_ROWS // max(rows, 1)))
        threads: int = self.parameters["nthread"]
        at_once = min(threads, members)
        if self.boost_elsewhere is not None:
            self._fit_elsewhere(self.boost_elsewhere, draw, members, rounds, progress)
            return self
        rounds_of_all = RoundCounter(progress, members * rounds)

        def fit_member(number: int) -> Any:
            import xgboost

            parameters = {**self._parameters_of(number), "nthread": threads // at_once}
            bins, nthread = parameters.get("max_bin"), parameters["nthread"]
            data = quantile_matrix(draw(number), bins, nthread, self.bins_folder)
            return xgboost.train(parameters, data, rounds, callbacks=[rounds_of_all.callback()])

        with ThreadPoolExecutor(at_once, thread_name_prefix="member") as pool:
            try:
                self.boosters = list(pool.map(fit_member, range(members)))
            finally:
                rounds_of_all.stop()
        self._set_threads(threads)
        return self

    def _fit_elsewhere(
        self,
        boost: BoostElsewhere,
        draw: Callable[[int], Batches],
        members: int,
        rounds: int,
        progress: RoundProgress | None,
    ) -> None:
        """Fit members one after the other, each with all that there is elsewhere."""

        def report(done: int, _: int) -> None:
            if progress is not None:
                progress(len(self.boosters) * rounds + done, members * rounds)

        self.boosters = []
        for number in range(members):
            parameters = self._parameters_of(number)
            self.boosters.append(boost(parameters, draw(number), rounds, report))
        self._set_threads(self.parameters["nthread"])

    def _parameters_of(self, number: int) -> dict[str, Any]:
        """The parameters of a member, by its number from 0."""
        parameters = {**self.parameters, "seed": self.parameters["seed"] + number}
        if "max_bin" in parameters:
            further = FURTHER_BINS[number % len(FURTHER_BINS)]
            parameters["max_bin"] = max(2, parameters["max_bin"] + further)
        return parameters

    def predict(self, matrix: Any) -> Minutes:
        """Minutes for each row; several threads may ask at once."""
        import xgboost

        rows = plain(matrix)
        if isinstance(rows, np.ndarray):
            minutes = [one.inplace_predict(rows, validate_features=False) for one in self.boosters]
        else:
            data = xgboost.DMatrix(rows, nthread=self.parameters["nthread"])
            minutes = [one.predict(data) for one in self.boosters]
        mean: Minutes = np.mean(minutes, axis=0, dtype=np.float64)
        return mean

    def contributions(self, matrix: Any) -> Minutes:
        """Minutes that each feature adds to a prediction, by row and feature (SHAP values)."""
        import xgboost

        data = xgboost.DMatrix(matrix, nthread=self.parameters["nthread"])
        values = [booster.predict(data, pred_contribs=True) for booster in self.boosters]
        # The last column is the mean prediction, to which no feature contributes.
        mean: Minutes = np.mean(values, axis=0)[:, :-1]
        return mean

    def save(self, folder: Path | str) -> None:
        """Write each booster in XGBoost's own binary format."""
        for number, booster in enumerate(self.boosters, 1):
            # Not by save_model, which says nothing of a full disk and leaves a part of the file.
            (Path(folder) / self._file(number)).write_bytes(booster.save_raw("ubj"))

    def load(self, folder: Path | str, threads: int = 1) -> Boosting:
        """Read the boosters."""
        import xgboost

        files = [Path(folder) / self.FILE]
        while (further := Path(folder) / self._file(len(files) + 1)).exists():
            files.append(further)
        self.boosters = [xgboost.Booster(model_file=file) for file in files]
        self._set_threads(threads)
        return self

    def importance(self) -> dict[str, float]:
        """Share of the total gain by feature, largest first."""
        gains: Counter[str] = Counter()
        for booster in self.boosters:
            gains.update(booster.get_score(importance_type="total_gain"))
        total = sum(gains.values()) or 1.0
        return {name: round(gain / total, 6) for name, gain in gains.most_common()}

    def _file(self, number: int) -> str:
        return self.FILE if number == 1 else self.FURTHER.format(number=number)

    def _set_threads(self, threads: int) -> None:
        self.parameters["nthread"] = threads
        for booster in self.boosters:
            booster.set_param({"nthread": threads})


class RoundCounter:
    """Counts the rounds of several fits, reports them, and ends the fits when it is stopped.

    Args:
        progress: called after each round with the rounds done and the rounds wanted.
        wanted: rounds of all fits.
    """

    def __init__(self, progress: RoundProgress | None, wanted: int) -> None:
        self.progress, self.wanted = progress, wanted
        self.done = 0
        self.lock = threading.Lock()
        self.stopped = threading.Event()

    def stop(self) -> None:
        """End all fits after the round that they are in."""
        self.stopped.set()

    def callback(self) -> Any:
        """A callback of XGBoost's, for one of the fits."""
        import xgboost

        count, stopped = self._count, self.stopped

        class Counted(xgboost.callback.TrainingCallback):
            def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:  # noqa: ARG002
                count()
                return stopped.is_set()

        return Counted()

    def _count(self) -> None:
        with self.lock:
            self.done += 1
            if self.progress is not None:
                self.progress(self.done, self.wanted)


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

    def save(self, folder: Path | str) -> None:
        """Write the estimator."""
        skops_files.dump(self.estimator, Path(folder) / self.FILE)

    def load(self, folder: Path | str, threads: int = 1) -> Self:  # noqa: ARG002  (scikit-learn's own)
        """Read the estimator; skops refuses types that it does not know."""
        self.estimator = skops_files.load(Path(folder) / self.FILE)
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
