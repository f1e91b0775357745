"""What every recipe declares."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from taxi_pipeline.model.encoders import Encoder
    from taxi_pipeline.model.regressors import Regressor
    from taxi_pipeline.model.space import Distribution


class Recipe(ABC):
    """A feature set, an estimator, a search space and a training regime.

    Attributes:
        version: raised by the recipe's author when its models change their meaning and the code of
            the recipe does not, see :mod:`taxi_pipeline.model.recipes.source`.
        summary: one line for reports and model pages.
        caveat: what a reader of its figures must know; empty if nothing.
        columns: the features that it predicts from.
        training_only_columns: further features that its encoder is fitted on and that a
            prediction does not need.
        parameters: the regressor's parameters, from which tuning starts.
        rounds: boosting rounds; None where tuning chooses them or there are none.
        round_growth: by what the rounds that tuning finds are multiplied for the fit on the whole
            window, which has more trips and may average boosters.
        space: what tuning may change of the parameters; empty for a recipe that is not tuned. Only
            a recipe of :class:`taxi_pipeline.model.regressors.Boosting` can be tuned. The space
            holds neither ``max_bin``, since all trials share their bins, nor the learning rate,
            which tuning sets for all trials.
    """

    version: ClassVar[int] = 1
    summary: ClassVar[str]
    caveat: ClassVar[str] = ""
    columns: ClassVar[tuple[str, ...]]
    training_only_columns: ClassVar[tuple[str, ...]] = ()
    parameters: ClassVar[Mapping[str, Any]] = {}
    rounds: ClassVar[int | None] = None
    round_growth: ClassVar[float] = 1.0
    space: ClassVar[Mapping[str, Distribution]] = {}

    @property
    def training_columns(self) -> tuple[str, ...]:
        """The features that training reads."""
        return tuple(dict.fromkeys([*self.columns, *self.training_only_columns]))

    def declaration(self) -> dict[str, Any]:
        """What decides which models it makes, but for its code, as plain values."""
        growth = {} if self.round_growth == 1 else {"round_growth": self.round_growth}
        return {
            "columns": list(self.columns),
            "training_only_columns": list(self.training_only_columns),
            "parameters": dict(self.parameters),
            "rounds": self.rounds,
            **growth,  # outputs of before it was there are found without
            "space": {
                name: [type(values).__name__, dataclasses.asdict(values)]
                for name, values in self.space.items()
            },
        }

    @abstractmethod
    def encoder(self, seed: int) -> Encoder:
        """A new encoder of features into a matrix."""

    @abstractmethod
    def regressor(
        self, parameters: Mapping[str, Any] | None = None, threads: int = 1, seed: int = 0
    ) -> Regressor:
        """A new regressor with these parameters."""
