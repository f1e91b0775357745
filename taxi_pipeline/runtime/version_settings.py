"""By what the versions of a registered model differ, and which of their errors can be compared."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from string import ascii_lowercase
from typing import Any

from taxi_pipeline import config
from taxi_pipeline.evaluation.champions import Change
from taxi_pipeline.month import Month
from taxi_pipeline.runtime.evaluations import PUBLISHED, Settings, SettingsReader
from taxi_pipeline.storage import Output, Storage, layout
from taxi_pipeline.tasks.evaluate import EvaluateModel

_OF_TRIPS = ("cleaning.", "version of TransformTrips")
"""How the settings begin that decide which trips of a month there are."""


@dataclass(frozen=True)
class Candidates:
    """What is known of the candidates that became versions, by their keys.

    Attributes:
        judged_on: the month on which each was judged, with a letter where others were judged on
            other trips of the same month.
        settings: the options of each that are not the same in all of them.
    """

    judged_on: Mapping[str, str]
    settings: Mapping[str, Settings]

    @property
    def are_comparable(self) -> bool:
        """Whether all were judged on the same trips, as far as that is known."""
        return len(set(self.judged_on.values())) <= 1

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        return {"judged_on": dict(self.judged_on), "settings": dict(self.settings)}


def candidates(storage: Storage, taxi: str, changes: Iterable[Change]) -> Candidates:
    """By what the candidates of some changes differ; those whose evaluations are gone are left out.

    Args:
        storage: of the root.
        taxi: whose trips.
        changes: of a registered model's champion.
    """
    reader = SettingsReader(storage)
    months = {
        change.candidate_key: Month.parse(change.training_month)
        for change in changes
        if change.candidate_key and change.training_month
    }
    made = {
        key: reader.of(output)
        for key, month in months.items()
        for output in _evaluations(storage, taxi, month, key)
    }
    options = config.significant_options()
    differing = [name for name in options if len({one.get(name) for one in made.values()}) > 1]
    return Candidates(
        judged_on=_judged_on(taxi, {key: (months[key] + 1, one) for key, one in made.items()}),
        settings={
            key: {name: one[name] for name in differing if name in one} for key, one in made.items()
        },
    )


def _evaluations(storage: Storage, taxi: str, month: Month, key: str) -> Iterator[Output]:
    """The evaluation of a key, of whatever recipe and window; none if it is gone."""
    place = layout.task_dir(EvaluateModel.stage, taxi, str(month))
    for variant in storage.list_dirs(place):
        output = Output(storage, layout.output_dir(f"{place}/{variant}", key))
        if output.exists():
            yield output


def _judged_on(taxi: str, made: Mapping[str, tuple[Month, Settings]]) -> dict[str, str]:
    groups: dict[Month, list[Settings]] = defaultdict(list)
    words = {}
    for key, (month, settings) in made.items():
        beginnings = (*_OF_TRIPS, f"{PUBLISHED}{taxi} {month}")
        trips = {name: value for name, value in settings.items() if name.startswith(beginnings)}
        if trips not in groups[month]:
            groups[month].append(trips)
        place = groups[month].index(trips)
        words[key] = f"{month} {ascii_lowercase[place % 26]}" if place else str(month)
    return words
