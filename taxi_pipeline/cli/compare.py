"""``compare A B`` says which of two candidates is better, and whether that is more than noise."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from taxi_pipeline import config
from taxi_pipeline.cli import options
from taxi_pipeline.cli.run_commands import run_command
from taxi_pipeline.errors import InvalidParameter
from taxi_pipeline.formatting import pluralize, table
from taxi_pipeline.month import Month
from taxi_pipeline.runtime.evaluations import PUBLISHED, Candidate, Evaluations, differences, key_of
from taxi_pipeline.storage import Output, layout
from taxi_pipeline.tasks.base import identity_cache
from taxi_pipeline.tasks.evaluate import EvaluateModel
from taxi_pipeline.tasks.features import BuildFeatures

if TYPE_CHECKING:
    import pandas as pd

    from taxi_pipeline.evaluation.comparison import Comparison
    from taxi_pipeline.evaluation.side_by_side import JudgedTwice, SideBySide

HELP = "Compare two recipes, windows or configurations on the same trips."

CHANCE = 0.05
"""The share of parts that lie outside of their intervals although there is no difference."""

FIRST_MONTH = Month(2021, 1)
"""Which month is made first where there is none."""

Pairs = dict[Month, tuple[Output, Output]]
"""The evaluations of both, by training month."""


@dataclass(frozen=True)
class Asked:
    """What is to be compared.

    Attributes:
        first: a candidate's name, as paths name it.
        second: that of the other.
        taxi: whose trips.
        start: the first training month; all for which both were evaluated if there is none.
        stop: the month after the last training month.
    """

    first: str
    second: str
    taxi: str
    start: Month | None
    stop: Month | None


@click.command(
    "compare",
    short_help=HELP,
    epilog=options.examples(
        "compare trip linear",
        "compare trip trip-w3 --start 2021-01 --stop 2021-07",
        "compare trip trip-w1:fe851f4a --json",
    ),
)
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@options.taxi_option
@click.option(
    "--start",
    type=options.month,
    metavar="YYYY-MM",
    help="The first training month; by default, all months for which both were evaluated.",
)
@click.option(
    "--stop",
    type=options.month,
    metavar="YYYY-MM",
    help="The month after the last training month.",
)
@options.json_option
@options.configured
def command(
    first: str,
    second: str,
    taxi: str,
    start: Month | None,
    stop: Month | None,
    *,
    as_json: bool,
) -> None:
    """Compare two recipes, windows or configurations on the same trips.

    Reads the outputs of EvaluateModel that are there, and makes nothing. A and B are named as paths
    name them: a recipe (trip), with its window (trip-w3), and with the first digits of the key of
    one of its evaluations where another configuration than the present one is meant
    (trip-w1:fe851f4a): of the other months, the evaluations of the same configuration are taken.
    Both are compared on the same trips, with a bootstrap of the days of pickup that draws the same
    days for both.
    """
    options.open_root()
    comparing = _Comparing(Asked(first, second, taxi, start, stop))
    with identity_cache():
        found = comparing.run()
    if as_json:
        facts = {**found.as_dict(), "evaluations": comparing.keys, "remarks": comparing.remarks}
        print(json.dumps(facts, indent=2))
    else:
        print(as_text(found, comparing.remarks))


def as_text(found: SideBySide, remarks: Sequence[str]) -> str:
    """The comparison for a person: the answer, the months, the parts, and what to know of them."""
    header = ("judged on", "trips", found.first, found.second, "difference", "95 % interval")
    rows = [(str(month), *_cells(one)) for month, one in found.months]
    if len(rows) > 1:
        rows.append(("all", *_cells(found.overall)))
    lines = [
        found.sentence,
        "RMSE in minutes; below 0 the first is better:",
        table(header, rows),
    ]
    for parts, word in ((found.gains, "better"), (found.losses, "worse")):
        heading = f"Where {found.first} is {word} beyond noise"
        if parts:
            rows = [
                (f"{one.slice}: {one.value}".replace("_", " "), *_cells(one.comparison))
                for one in parts
            ]
            lines += [f"{heading}, the largest first:", table(("part", *header[1:]), rows)]
        elif found.slices:
            lines.append(f"{heading}: in none of {pluralize(len(found.slices), 'part')}.")
    return "\n".join([*lines, *(f"{remark}." for remark in remarks)])


def _cells(found: Comparison) -> tuple[str, ...]:
    interval = found.rmse.interval
    return (
        f"{found.rows:,}",
        f"{found.first_rmse:.4f}",
        f"{found.second_rmse:.4f}",
        f"{found.rmse.value:+.4f}",
        f"{interval[0]:+.4f} to {interval[1]:+.4f}" if interval else "too few days",
    )


class _Comparing:
    """A comparison in the making.

    Attributes:
        keys: of the evaluations that were compared, by training month.
        remarks: what a reader should know.
    """

    def __init__(self, asked: Asked) -> None:
        if (asked.start is None) != (asked.stop is None):
            raise InvalidParameter("--start and --stop are given together, or neither")
        if asked.start and asked.stop and asked.stop <= asked.start:
            raise InvalidParameter(
                f"--start {asked.start} --stop {asked.stop}: there is no month in this range; "
                "the stop is the month after the last one"
            )
        self._asked = asked
        self._taxi = asked.taxi
        names = (asked.first, asked.second)
        self._sides = [Evaluations(Candidate.parse(name), asked.taxi) for name in names]
        self.keys: dict[str, list[str]] = {}
        self.remarks: list[str] = []

    def run(self) -> SideBySide:
        """Compare what is there."""
        from taxi_pipeline.evaluation.side_by_side import side_by_side

        pairs = self._pairs()
        judged = self._judged(pairs)
        one = next(judged, None)
        if one is None:
            raise InvalidParameter(self.remarks[0])
        found = side_by_side(
            self._asked.first,
            self._asked.second,
            itertools.chain([one], judged),
            config.gate().min_slice_trips,
        )
        if parts := len(found.slices):
            self.remarks.append(
                f"Of {pluralize(parts, 'part')} with enough trips about {parts * CHANCE:.0f} would "
                "seem to differ by chance alone"
            )
        return found

    # --- what is compared ------------------------------------------------------------------------

    def _pairs(self) -> Pairs:
        """The evaluations to compare."""
        first, second = self._sides
        asked = self._months()
        found: dict[Month, tuple[Output | None, Output | None]] = {
            month: (first.find(month), second.find(month))
            for month in asked or sorted({*first.months(), *second.months()})
        }
        pairs = {month: (one, two) for month, (one, two) in found.items() if one and two}
        missing = [[month for month, pair in found.items() if not pair[n]] for n in (0, 1)]
        if not pairs:
            # That of which there is less is told, with the months that the other one has.
            place = int(len(missing[1]) >= len(missing[0]))
            useful = [month for month in missing[place] if found[month][1 - place]]
            months = useful or missing[place] or [FIRST_MONTH]
            raise self._missing(self._sides[place], months)
        for side, months in zip(self._sides, missing, strict=True):
            if asked and months:
                raise self._missing(side, months)
        return pairs

    def _months(self) -> list[Month]:
        """The training months of the range; empty if none was given."""
        months, month = [], self._asked.start
        while month and self._asked.stop and month < self._asked.stop:
            months.append(month)
            month += 1
        return months

    def _missing(self, side: Evaluations, months: Sequence[Month]) -> InvalidParameter:
        named = ", ".join(map(str, months))
        which = "that" if side.candidate.key else "the present"
        others = "" if side.candidate.key else side.others(months)
        there = f"; there are {others}" if others else ""
        return InvalidParameter(
            f"{side.candidate.name} has no evaluation by {which} configuration trained to {named}: "
            f"{self._command(side, EvaluateModel, months)}{there}"
        )

    def _command(
        self, side: Evaluations, kind: type[EvaluateModel | BuildFeatures], months: Sequence[Month]
    ) -> str:
        """The command that makes something for a candidate, as it was meant."""
        parameters: dict[str, Any] = {"taxi": self._taxi}
        if kind is EvaluateModel:
            candidate = side.candidate
            parameters |= {"recipe": candidate.recipe, "window": candidate.window}
        command = run_command(kind.__name__, months, flags=side.flags, **parameters)
        return f"{command} makes it"

    # --- what is read ----------------------------------------------------------------------------

    def _judged(self, pairs: Pairs) -> Iterator[JudgedTwice]:
        """The months that can be compared, each read when it is asked for."""
        from taxi_pipeline.evaluation.side_by_side import JudgedTwice, same_trips

        for month, pair in pairs.items():
            first, second = (
                self._predictions(side, month, output)
                for side, output in zip(self._sides, pair, strict=True)
            )
            if not same_trips(first, second):
                line = self._other_trips(month, pair, first, second)
                if self._asked.start:
                    raise InvalidParameter(line)
                self.remarks.append(line)
                continue
            self.keys[str(month)] = [key_of(output) for output in pair]
            yield JudgedTwice(month + 1, first, second, self._features(month, pair[0]))

    def _predictions(self, side: Evaluations, month: Month, output: Output) -> pd.DataFrame:
        import pandas as pd

        advice = self._command(side, EvaluateModel, [month])
        path: Path = output.file(EvaluateModel.PREDICTIONS, advice)
        return pd.read_parquet(path, columns=["pickup_day", "actual", "predicted"])

    def _other_trips(
        self,
        month: Month,
        pair: tuple[Output, Output],
        first: pd.DataFrame,
        second: pd.DataFrame,
    ) -> str:
        """Why two evaluations of a training month cannot be compared.

        They could be on the trips that both have, but an evaluation does not say which trip is
        which, and without the others neither figure would be that of the model.
        """
        one, other = (side.settings(output) for side, output in zip(self._sides, pair, strict=True))
        published = f"{PUBLISHED}{self._taxi} {month + 1}"
        found = differences(one, other, ("cleaning.", "version of TransformTrips", published))
        because = f" ({'; '.join(found)})" if found else ""
        names = (self._asked.first, self._asked.second)
        return (
            f"{month + 1} is not compared: {names[0]} was judged on {len(first):,} trips and "
            f"{names[1]} on {len(second):,} others{because}, so that their errors differ by the "
            "trips as well"
        )

    def _features(self, month: Month, evaluation: Output) -> pd.DataFrame | None:
        """The features of the trips, by which the parts are told; None if they are gone."""
        from taxi_pipeline.evaluation.slices import COLUMNS
        from taxi_pipeline.model.features import load_features

        label = BuildFeatures(year=(month + 1).year, month=(month + 1).month, taxi=self._taxi).label
        key = evaluation.manifest()["identity"]["inputs"].get(label, "")
        place = layout.task_dir(BuildFeatures.stage, self._taxi, str(month + 1))
        made = Output(evaluation.storage, layout.output_dir(place, key))
        if not key or not made.storage.exists(layout.manifest_file(made.location)):
            self.remarks.append(f"The features of {month + 1} are gone, so its parts are left out")
            return None
        advice = self._command(self._sides[0], BuildFeatures, [month + 1])
        return load_features([made.file(BuildFeatures.FILE, advice)], COLUMNS)
