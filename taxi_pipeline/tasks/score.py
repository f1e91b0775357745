"""A month is scored: what the champion predicts for each of its published rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taxi_pipeline import config
from taxi_pipeline.config.parameters import BoundedIntParameter, CheckedParameter
from taxi_pipeline.errors import InvalidParameter
from taxi_pipeline.evaluation.champions import parse_moment
from taxi_pipeline.formatting import pluralize
from taxi_pipeline.identity import Identity
from taxi_pipeline.model.levels import MAX_LEVEL, MIN_LEVEL, check_level
from taxi_pipeline.tasks.base import ModelStage
from taxi_pipeline.tasks.base.ledgers import (
    ServingVersion,
    find_version,
    no_champion,
    registry,
    serving_version,
    version_at,
)
from taxi_pipeline.tasks.base.recipe import model_name
from taxi_pipeline.tasks.ingest import IngestTrips
from taxi_pipeline.tasks.opponents import load_version

if TYPE_CHECKING:
    from taxi_pipeline.model.scoring import Scored

CHAMPION = 0
"""The version number that stands for the champion's."""


class MomentParameter(CheckedParameter[str]):
    """A time in UTC, or none; a date means its end."""

    expects = "a date or a time in UTC, such as 2021-06-15 or 2021-06-15T12:00"

    def convert(self, value: Any) -> str:
        """The time in ISO 8601; empty for none."""
        text = value if isinstance(value, str) else value.isoformat()
        return parse_moment(text).isoformat() if text else ""


class LevelParameter(CheckedParameter[float]):
    """The level of intervals; 0 for none."""

    expects = f"a share of trips from {MIN_LEVEL} to {MAX_LEVEL}, such as 0.9, or 0 for none"

    def convert(self, value: Any) -> float:
        """The level."""
        level = 0.0 if isinstance(value, bool) else float(value)
        return check_level(level) if level or isinstance(value, bool) else 0.0


class ScoreTrips(ModelStage):
    """Predict the minutes of all rows of a month, as TLC published them and in that order.

    Which version predicts is determined when the task is created: it becomes the value of
    ``model_version``, and so part of the identity. After another model became champion, the same
    command makes another output beside the older one.
    """

    model_version: BoundedIntParameter = BoundedIntParameter(
        0,
        default=CHAMPION,
        description="The version of the registered model that predicts; by default the champion.",
    )
    champion_at: MomentParameter = MomentParameter(
        default="",
        description="Instead of a version: the champion at this time (UTC; a date: its end).",
    )

    interval: LevelParameter = LevelParameter(
        default=0.0,
        description="Also write the ends of intervals that hold this share of trips, such as 0.9; "
        "by default none.",
    )

    stage = "score"

    FILE = "predictions.parquet"

    @classmethod
    def get_param_values(cls, params: Any, args: Any, kwargs: Any) -> list[tuple[str, Any]]:
        """The values of the parameters, with the version that predicts.

        Luigi keeps tasks by these values: tasks of different champions are different ones.
        """
        values = dict(super().get_param_values(params, args, kwargs))
        values["model_version"] = int(
            choose_version(
                model_name(values["taxi"], values["recipe"]),
                values["model_version"],
                parse_moment(values["champion_at"]) if values["champion_at"] else None,
            )
        )
        values["champion_at"] = ""
        return list(values.items())

    @property
    def resources(self) -> dict[str, int]:  # type: ignore[override]  # as in Stage
        """A core for each thread."""
        return {"cpu": self.thread_count}

    @property
    def variant(self) -> str:
        """Recipe and version, as in the output's path."""
        return f"{self.recipe}-v{self.model_version}"

    def requires(self) -> IngestTrips:
        """The published file."""
        return self.clone(IngestTrips)

    @property
    def predicting(self) -> ServingVersion:
        """The version that predicts.

        Raises:
            InvalidParameter: the registry has no such version.
            TrackingError: the ledger does not know it, and the registry does not answer.
        """
        return find_version(self.model_name, str(self.model_version))

    def identity_of(self, inputs: Mapping[str, str]) -> Identity:
        """The identity, with the model that predicts."""
        version = self.predicting
        name = version.candidate_key or f"version {version.version} of {registry()}"
        own = super().identity_of(inputs)
        # Without intervals the output is what it was before there were any.
        parameters = {
            name: value
            for name, value in own.parameters.items()
            if name != "interval" or self.interval
        }
        return replace(own, parameters=parameters, config={**own.config, "model": name})

    def make(self, folder: Path) -> Mapping[str, Any]:
        """Write the minutes of each row beside what identifies it."""
        version = self.predicting
        scored, loaded = score_rows(
            self.taxi,
            self.recipe,
            version,
            self.input().file(IngestTrips.FILE),
            folder / self.FILE,
            threads=self.thread_count,
            interval=self.interval or None,
            progress=lambda done, total: self.report(f"{done:,} rows scored", done, total),
        )
        return {
            "summary": f"{summary(scored)} by version {version.version} of {self.model_name}, "
            f"loaded {loaded}",
            "rows": scored.rows,
            "rows_without_minutes": scored.unscored,
            **about(self.model_name, version),
            "loaded": loaded,
        }


def choose_version(name: str, number: int, at: datetime | None) -> str:
    """The version of a registered model that predicts.

    Args:
        name: the registered model.
        number: of the version; :data:`CHAMPION` for the champion.
        at: when it was champion, in UTC; None for now.

    Raises:
        InvalidParameter: both are given, or there is no champion.
    """
    if number and at:
        raise InvalidParameter("--model-version and --champion-at are two answers: give one")
    if at:
        return version_at(name, at).version
    if number:
        return str(number)
    champion = serving_version(name)
    if champion is None:
        raise no_champion(name)
    return champion.version


def about(name: str, version: ServingVersion) -> dict[str, str]:
    """What is said of a version beside its predictions."""
    return {
        "model": name,
        "version": version.version,
        "candidate_key": version.candidate_key,
        "training_month": version.training_month,
    }


def score_rows(  # noqa: PLR0913  (each is a caller's to choose)
    taxi: str,
    recipe: str,
    version: ServingVersion,
    published: Path,
    destination: Path,
    *,
    threads: int,
    interval: float | None,
    progress: Callable[[int, int | None], None],
) -> tuple[Scored, str]:
    """Score a file by a version, and say how the version was loaded.

    Raises:
        InvalidParameter: intervals are asked for, and the version has none.
        InvalidRecords: the file cannot be read or understood.
        InvalidTraining: the version can be loaded in no way.
        TrackingError: it is no more than in MLflow, whose server cannot be reached.
    """
    from taxi_pipeline.model.scoring import score_file

    level = {} if interval is None else {"interval": str(interval)}
    with load_version(taxi, recipe, version, threads, interval) as (predict, loaded):
        scored = score_file(
            published,
            destination,
            taxi=taxi,
            predict=predict,
            about={**about(model_name(taxi, recipe), version), **level},
            with_intervals=interval is not None,
            batch_rows=config.source().batch_rows,
            progress=progress,
        )
    return scored, loaded


def summary(scored: Scored) -> str:
    """What was scored, in words."""
    missing = f", {scored.unscored:,} of them without pickup time or zones and so without minutes"
    return f"{pluralize(scored.rows, 'row')} scored{missing if scored.unscored else ''}"
