"""Walk-forward evaluation: what retraining each month is worth, and whom the gate would let serve.

Each month's model is judged on the month after it, beside the model of the first month, which is
never trained again, and beside the model that would serve by the gate. A candidate is judged on a
month only once that month is over: the champion of a month was promoted on an earlier one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from taxi_pipeline.evaluation.bootstrap import Array, day_numbers
from taxi_pipeline.evaluation.comparison import (
    Comparison,
    Difference,
    compare_sums,
    paired_sums,
)
from taxi_pipeline.evaluation.gate import PROMOTED
from taxi_pipeline.evaluation.judge import Evaluated, Opponent, Rules, judge
from taxi_pipeline.evaluation.metrics import metrics_with_intervals
from taxi_pipeline.model.regressors import Minutes
from taxi_pipeline.month import Month

FIGURES = ("rmse", "rmse_low", "rmse_high")


@dataclass(frozen=True)
class BacktestMonth:
    """What a month says.

    Attributes:
        trained_to: the last month that the month's own model was trained on.
        month: the month after it, on which all are judged.
        rows: its trips.
        retrained: ``rmse`` of the month's own model, with the ends of its interval.
        frozen: the same of the first month's model.
        comparison: of the retrained model with the frozen one.
        baselines: the RMSE of each baseline, which learns from the same window as the month's own
            model.
        champion: to which month the model was trained that would serve in this month by the gate;
            None if none would.
        champion_figures: its ``rmse``, with the ends of its interval; empty if there is none.
        verdict: of the gate on the month's own model.
        reasons: of the verdict, the decisive ones first.
        champion_after: whom the verdict leaves as champion.
    """

    trained_to: Month
    month: Month
    rows: int
    retrained: Mapping[str, float]
    frozen: Mapping[str, float]
    comparison: Comparison
    baselines: Mapping[str, float]
    champion: Month | None
    champion_figures: Mapping[str, float]
    verdict: str
    reasons: tuple[str, ...]
    champion_after: Month | None

    def as_dict(self) -> dict[str, Any]:
        """The month as JSON values."""
        values = {**vars(self), "comparison": asdict(self.comparison)}
        return {
            name: str(value) if isinstance(value, Month) else value
            for name, value in values.items()
        }


@dataclass(frozen=True)
class Backtest:
    """What a range of months says.

    Attributes:
        months: in order.
        retraining: the retrained models beside the frozen one, on all trips of all months but the
            first, in which they are the same.
        gated: the champions by the gate beside the frozen model, on those of these months in which
            there is a champion; None if there is none.
    """

    months: tuple[BacktestMonth, ...]
    retraining: Comparison
    gated: Comparison | None

    @property
    def later(self) -> tuple[BacktestMonth, ...]:
        """The months after the first."""
        return self.months[1:]

    @property
    def span(self) -> str:
        """The months after the first, in words."""
        first, last = self.later[0].month, self.later[-1].month
        return f"{first} to {last}" if last > first else str(last)

    @property
    def mean_difference(self) -> float:
        """The mean over the months after the first of what retraining changes in RMSE, minutes."""
        return float(np.mean([month.comparison.rmse.value for month in self.later]))

    @property
    def sentence(self) -> str:
        """The answer: whether retraining is worth it, and by how much."""
        found = self.retraining
        frozen = f"the model that stays as trained to {self.months[0].trained_to}"
        against = f"{found.first_rmse:.3f} against {found.second_rmse:.3f} of {frozen}"
        if not found.rmse.beyond_noise:
            return (
                f"Monthly retraining is not shown to be worth it over {self.span}: its RMSE is "
                f"{found.amount} {found.side} ({found.certainty}), which may be noise, {against}."
            )
        does = "is worth" if found.rmse.value < 0 else "costs"
        return (
            f"Monthly retraining {does} {found.amount} of RMSE ({found.certainty}) over "
            f"{self.span}: {against}."
        )

    @property
    def gate_sentence(self) -> str:
        """What becomes of it where the gate decides who serves."""
        promoted = sum(month.verdict == PROMOTED for month in self.months)
        text = f"The gate would let {promoted} of {len(self.months)} models become champion"
        last = self.months[-1].champion_after
        text += f"; that of {last} would serve now." if last else "; none would serve now."
        if self.gated is None:
            return text
        noise = "" if self.gated.rmse.beyond_noise else ", which may be noise"
        return (
            f"{text} Over the same months the champions, each promoted on an earlier one, have "
            f"RMSE {self.gated.first_rmse:.3f}, {self.gated.amount} {self.gated.side} the frozen "
            f"model ({self.gated.certainty}){noise}."
        )

    def as_dict(self) -> dict[str, Any]:
        """The answer and the months as JSON values."""
        return {
            "sentence": self.sentence,
            "gate_sentence": self.gate_sentence,
            "compared_over": self.span,
            "retraining": asdict(self.retraining),
            "mean_rmse_difference": self.mean_difference,
            "gated": asdict(self.gated) if self.gated else None,
            "months": [month.as_dict() for month in self.months],
        }

    def as_table(self) -> pd.DataFrame:
        """A row for each month, minutes; what is not known is null."""
        return pd.DataFrame([_row(month) for month in self.months])


def backtest(
    months: Iterable[Evaluated],
    predict: Callable[[Month, pd.DataFrame], Minutes],
    rules: Rules,
) -> Backtest:
    """Judge each month's model beside that of the first month, and by the gate.

    Args:
        months: the evaluations of the models of consecutive months, at least two, oldest first.
            One at a time is held in memory.
        predict: what the model that was trained to a month predicts for the trips of some features.
        rules: of the gate.
    """
    found: list[BacktestMonth] = []
    retraining, gated = [], []
    first: Month | None = None
    champion: Month | None = None
    for evaluated in months:
        candidate = evaluated.month - 1
        first = first or candidate
        trips = evaluated.predictions
        days = day_numbers(trips["pickup_day"].to_numpy(), evaluated.month)
        actual = trips["actual"].to_numpy(np.float64)
        minutes = {candidate: trips["predicted"].to_numpy(np.float64)}
        for trained in (first, champion):
            if trained and trained not in minutes:
                minutes[trained] = _as_stored(predict(trained, evaluated.features))
        retrained, frozen = minutes[candidate], minutes[first]
        sums = paired_sums(actual, retrained, frozen, days)
        judgement = judge(
            evaluated,
            Opponent(f"the model of {champion}", minutes[champion]) if champion else None,
            rules,
        )
        own = _figures(evaluated.figures["model"])
        if found:
            retraining.append(sums)
            if champion:
                gated.append(paired_sums(actual, minutes[champion], frozen, days))
        after = candidate if judgement.verdict == PROMOTED else champion
        others = [reason for reason in judgement.reasons if reason not in judgement.decisive]
        found.append(
            BacktestMonth(
                trained_to=candidate,
                month=evaluated.month,
                rows=len(trips),
                retrained=own,
                frozen=_measured(actual, frozen, days) if found else own,
                comparison=compare_sums([sums]),
                baselines={
                    name: figures["rmse"]
                    for name, figures in evaluated.figures["baselines"].items()
                },
                champion=champion,
                champion_figures=_figures(judgement.champion_figures),
                verdict=judgement.verdict,
                reasons=(*judgement.decisive, *others),
                champion_after=after,
            )
        )
        champion = after
    return Backtest(tuple(found), compare_sums(retraining), compare_sums(gated) if gated else None)


def _as_stored(minutes: Minutes) -> Minutes:
    """Predictions with the digits that those of an evaluation are kept with."""
    return minutes.astype(np.float32).astype(np.float64)


def _measured(actual: Minutes, predicted: Minutes, days: Array) -> dict[str, float]:
    return _figures(metrics_with_intervals(actual, predicted, days))


def _figures(metrics: Mapping[str, float]) -> dict[str, float]:
    return {name: metrics[name] for name in FIGURES if name in metrics}


def _row(month: BacktestMonth) -> dict[str, Any]:
    difference: Difference = month.comparison.rmse
    low, high = difference.interval or (None, None)
    return {
        "trained_to": str(month.trained_to),
        "judged_on": str(month.month),
        "trips": month.rows,
        **_columns("retrained", month.retrained),
        **_columns("frozen", month.frozen),
        "difference": difference.value,
        "difference_low": low,
        "difference_high": high,
        **{f"{name}_baseline_rmse": rmse for name, rmse in month.baselines.items()},
        "champion": str(month.champion) if month.champion else None,
        **_columns("champion", month.champion_figures),
        "verdict": month.verdict,
        "champion_after": str(month.champion_after) if month.champion_after else None,
    }


def _columns(name: str, figures: Mapping[str, float]) -> dict[str, float | None]:
    return {f"{name}_{figure}": figures.get(figure) for figure in FIGURES}
