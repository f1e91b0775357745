"""Plain records of what is copied to MLflow, and of where it is found there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taxi_pipeline.month import Month
from taxi_pipeline.tracking import tags

if TYPE_CHECKING:
    import pandas as pd

    from taxi_pipeline.tuning.trials import Trial

KEY_TAG, MONTH_TAG = tags.KEY_TAG, tags.MONTH_TAG

NOTE_TAG = "mlflow.note.content"
"""The tag whose text MLflow shows as the description of a run or an experiment."""

SEARCH_TAG = "search_key"
"""The tag that finds a search's run again."""

VERDICT_TAG = "verdict"
"""The tag that says what the gate made of a candidate."""

REASON_TAG = "verdict_reason"
"""The tag that says why, in a few words."""


@dataclass(frozen=True)
class Dataset:
    """A published file that took part in a candidate.

    Attributes:
        name: such as ``green 2021-01``.
        context: ``training`` or ``evaluation``.
        url: where it was fetched, without secrets.
        digest: sha256 of its content.
    """

    name: str
    context: str
    url: str
    digest: str


@dataclass(frozen=True)
class Candidate:
    """A trained and evaluated model, with everything that its run is to hold.

    Attributes:
        key: the key that finds it again.
        name: of its run, for a person; the key finds it again.
        model_name: the registered model that it becomes a version of.
        taxi: ``green`` or ``yellow``.
        month: the last month of its training window.
        model: folder of :class:`taxi_pipeline.model.duration.DurationModel`.
        example: a few published rows, as an input example.
        description: a few lines of Markdown for the version's page.
        parameters: what it was made with.
        metrics: minutes on the evaluation month, and the baselines'.
        tags: further facts to search by.
        datasets: the published files.
        intervals: what makes intervals of its predictions, a file of
            :class:`taxi_pipeline.model.intervals.Intervals`; None if it has none.
        artifacts: folders of the run, and the local files that go there.
        judgement: likewise what the gate says of it, which another champion may change.
    """

    key: str
    name: str
    model_name: str
    taxi: str
    month: Month
    model: Path
    example: pd.DataFrame
    description: str
    parameters: Mapping[str, Any]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    datasets: tuple[Dataset, ...] = ()
    intervals: Path | None = None
    artifacts: tuple[tuple[str, Path], ...] = ()
    judgement: tuple[tuple[str, Path], ...] = ()


@dataclass(frozen=True)
class Search:
    """A search for hyperparameters.

    Attributes:
        key: the key that finds it again.
        name: of its run.
        tags: further facts to search by.
        trials: the trials that have ended.
    """

    key: str
    name: str
    tags: Mapping[str, str]
    trials: Sequence[Trial]


@dataclass(frozen=True)
class RunLink:
    """Where a run is found in MLflow.

    Attributes:
        run_id: the run.
        url: its web page; empty where no server serves one.
    """

    run_id: str
    url: str


@dataclass(frozen=True)
class Registration:
    """Where a candidate is found in MLflow, and what it became.

    Attributes:
        model_name: the registered model.
        version: its version.
        run_id: the run.
        aliases: those that it holds now.
        decision: why it is champion or not, in a few words.
        promoted: whether it became champion just now.
        url: the run's web page; empty where no server serves one.
    """

    model_name: str
    version: str
    run_id: str
    aliases: tuple[str, ...]
    decision: str
    promoted: bool
    url: str
