"""Which evaluations there are under the root, and by which configuration each was made."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from luigi.task_register import Register, TaskClassException

from taxi_pipeline import config
from taxi_pipeline.errors import DamagedOutput, InvalidParameter
from taxi_pipeline.identity import is_key
from taxi_pipeline.model.recipes import get_recipe
from taxi_pipeline.month import Month
from taxi_pipeline.storage import Output, Storage, layout, open_storage
from taxi_pipeline.tasks.base import Stage
from taxi_pipeline.tasks.evaluate import EvaluateModel
from taxi_pipeline.tasks.ingest import IngestTrips

SHOWN_DIGITS = 8
"""Digits of a key that a person is shown: enough to name it."""

PUBLISHED = "published "
"""How the settings begin that are contents of published files."""

Settings = Mapping[str, str]
"""All that an output was made by: option values, versions, and contents of published files."""

_NAME = re.compile(
    r"(?P<recipe>[^:]+?)(?:-w(?P<window>[1-9]\d{0,2}))?(?::(?P<key>[0-9a-f]{1,16}))?"
)


@dataclass(frozen=True)
class Candidate:
    """What a person calls a candidate: ``trip``, ``trip-w3`` or ``trip-w1:fe851f4a``.

    Attributes:
        name: as it was written.
        recipe: its recipe.
        window: months that it is trained on.
        key: how the key of one of its evaluations begins; empty for the present configuration's.
    """

    name: str
    recipe: str
    window: int
    key: str

    @classmethod
    def parse(cls, name: str) -> Candidate:
        """The candidate of a name.

        Raises:
            InvalidParameter: the name is none.
            InvalidRecipe: there is no such recipe.
        """
        found = _NAME.fullmatch(name)
        if found is None:
            raise InvalidParameter(
                f"{name!r} names no candidate: write a recipe, with its window and the first "
                "digits of an evaluation's key where these are needed, such as trip, trip-w3 or "
                "trip-w1:fe851f4a"
            )
        get_recipe(found["recipe"])
        return cls(name, found["recipe"], int(found["window"] or 1), found["key"] or "")

    @property
    def variant(self) -> str:
        """As paths name it, such as ``trip-w1``."""
        return f"{self.recipe}-w{self.window}"

    def task(self, taxi: str, month: Month) -> EvaluateModel:
        """Its evaluation of a training month, as configured now.

        Raises:
            InvalidParameter: no model has such a window.
        """
        return EvaluateModel(
            year=month.year, month=month.month, taxi=taxi, recipe=self.recipe, window=self.window
        )


class Evaluations:
    """The evaluations of a candidate.

    Attributes:
        candidate: whose they are.
        wanted: the settings of the evaluation that the candidate's key names, by which those of
            other months are found; None for the present configuration's.
    """

    def __init__(self, candidate: Candidate, taxi: str) -> None:
        self.candidate = candidate
        self._taxi = taxi
        self._storage = open_storage(config.storage().root)
        self._settings = SettingsReader(self._storage)
        self.wanted = self._without_files(self._named()) if candidate.key else None

    def months(self) -> list[Month]:
        """The training months of which there is any evaluation, in order."""
        found = []
        for name in self._storage.list_dirs(layout.task_dir(EvaluateModel.stage, self._taxi, "")):
            try:
                month = Month.parse(name)
            except ValueError:
                continue
            if self._made(month):
                found.append(month)
        return sorted(found)

    def find(self, month: Month) -> Output | None:
        """The evaluation of a training month by the configuration that is meant; None without."""
        if self.wanted is None:
            output = self.candidate.task(self._taxi, month).output()
            return output if self._finished(output) else None
        wanted = [one for one in self._made(month) if self._without_files(one) == self.wanted]
        return wanted[-1] if wanted else None

    def others(self, months: Collection[Month]) -> str:
        """Which evaluations there are of some training months; empty if there are none.

        One of each configuration, by what can be written in place of the candidate's name, with
        the values that are not the present ones or not the same in all of them.
        """
        by_settings: dict[tuple[tuple[str, str], ...], Output] = {}
        for month in months:
            for output in self._made(month):
                by_settings.setdefault(tuple(self._without_files(output).items()), output)
        if not by_settings:
            return ""
        settings = [dict(one) for one in by_settings]
        # What is no option, such as the version of a stage, is as the last one has it.
        now = {**settings[-1], **config.significant_options()}
        names = dict.fromkeys(name for one in (*settings, now) for name in one)
        differing = [n for n in names if len({one.get(n) for one in (*settings, now)}) > 1]
        return "; ".join(
            _in_words(f"{self.candidate.variant}:{key_of(output)[:SHOWN_DIGITS]}", one, differing)
            for output, one in zip(by_settings.values(), settings, strict=True)
        )

    def settings(self, output: Output) -> Settings:
        """What an evaluation was made by."""
        return self._settings.of(output)

    @property
    def flags(self) -> list[str]:
        """The flags that make the configuration that the candidate's key names; empty without."""
        now = config.significant_options()
        return [
            word
            for name, value in (self.wanted or {}).items()
            if now.get(name, value) != value
            for word in (f"--{name.replace('.', '-').replace('_', '-')}", value)
        ]

    def _finished(self, output: Output) -> str:
        """When an output was made; empty if it is not there, or its manifest is damaged.

        Luigi makes it in both cases.
        """
        try:
            return str(output.manifest()["finished"])
        except DamagedOutput:
            return ""

    def _made(self, month: Month) -> list[Output]:
        """The evaluations of a training month, in the order in which they were made."""
        variant = self.candidate.variant
        place = layout.task_dir(EvaluateModel.stage, self._taxi, str(month), variant)
        keys = filter(is_key, self._storage.list_dirs(place))
        found = [Output(self._storage, layout.output_dir(place, key)) for key in keys]
        return sorted(filter(self._finished, found), key=self._finished)

    def _named(self) -> Output:
        """The evaluation that the candidate's key names."""
        months = self.months()
        made = [one for month in months for one in self._made(month)]
        found = [one for one in made if key_of(one).startswith(self.candidate.key)]
        if len(found) == 1:
            return found[0]
        problem = "more than one key begins" if found else "no key begins"
        there = self.others(months)
        raise InvalidParameter(
            f"{self.candidate.name}: {problem} with {self.candidate.key}; "
            + (f"there are {there}" if there else f"there are none of {self.candidate.variant}")
        )

    def _without_files(self, output: Output) -> Settings:
        """What an output was made by but for the files, which are those of its month."""
        return {
            name: value
            for name, value in sorted(self._settings.of(output).items())
            if not name.startswith(PUBLISHED)
        }


def _in_words(name: str, settings: Settings, differing: Collection[str]) -> str:
    own = [f"{option} {settings[option]}" for option in differing if option in settings]
    return f"{name} ({', '.join(own)})" if own else name


class SettingsReader:
    """Reads, from manifests, what outputs were made by."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._read: dict[str, dict[str, str]] = {}

    def of(self, output: Output) -> Settings:
        """All that an output was made by; what is gone of its inputs is left out."""
        location = output.location
        if location not in self._read:
            self._read[location] = {}
            try:
                identity = output.manifest()["identity"]
            except DamagedOutput:
                return {}
            self._read[location] = dict(self._settings(identity))
        return self._read[location]

    def _settings(self, identity: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        family, taken = identity["task"], identity["parameters"]
        if family == IngestTrips.__name__:
            month = Month(int(taken["year"]), int(taken["month"]))
            yield f"{PUBLISHED}{taken['taxi']} {month}", str(identity["inputs"].get("content"))
            return
        yield f"version of {family}", identity["version"]
        yield from identity["config"].items()
        for label, key in identity["inputs"].items():
            if place := _place(label):
                made = Output(self._storage, layout.output_dir(place, key))
                yield from self.of(made).items()


def _place(label: str) -> str:
    """The folder of the outputs of a task, by its label; empty if the task is not known here."""
    family, *words = label.split()
    try:
        kind = Register.get_task_cls(family)
    except TaskClassException:
        return ""
    is_stage = isinstance(kind, type) and issubclass(kind, Stage)
    return layout.task_dir(kind.stage, *words) if is_stage else ""


def differences(first: Settings, second: Settings, beginnings: tuple[str, ...]) -> list[str]:
    """In which of the settings that begin so two outputs differ, in words."""
    names = [name for name in {**first, **second} if name.startswith(beginnings)]
    return [
        f"{name} {_shown(name, first)} against {_shown(name, second)}"
        for name in names
        if first.get(name) != second.get(name)
    ]


def _shown(name: str, settings: Settings) -> str:
    value = settings.get(name, "none")
    return value[:SHOWN_DIGITS] if name.startswith(PUBLISHED) else value


def key_of(output: Output) -> str:
    """The key of an output."""
    return output.location.rpartition("/")[2]
