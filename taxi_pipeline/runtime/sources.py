"""Asking the sources of the months that a run needs whether they were republished.

This comes before the run's tasks are looked at: what was republished then decides which of them are
done. A source that cannot be asked changes nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import luigi
from luigi.task import flatten

from taxi_pipeline import config
from taxi_pipeline.errors import SourceError, StorageError, TaxiPipelineError
from taxi_pipeline.formatting import pluralize
from taxi_pipeline.logger import logger
from taxi_pipeline.redaction import redact_url
from taxi_pipeline.storage import sha256
from taxi_pipeline.tasks.backfill import BackfillMonths
from taxi_pipeline.tasks.base import RunContext
from taxi_pipeline.tasks.ingest import IngestTrips
from taxi_pipeline.tasks.refresh import RefreshTrips
from taxi_pipeline.trips import publication
from taxi_pipeline.trips.publication import Answer
from taxi_pipeline.trips.urls import SYNTHETIC

MAX_AT_ONCE = 16
"""Requests that are made at the same time."""

MAX_SECONDS = 10.0
"""Seconds that connecting to a web server, and its answer, may take at most."""


def refresh_sources(task: luigi.Task, context: RunContext) -> None:
    """Bring the ingested months that a task needs up to date with their sources, where that is due.

    Args:
        task: which the run was asked for.
        context: of the run, in which each source is asked once.
    """
    offered = list(_offered(_ask_where_due(task, context)))
    republished = 0
    for ingest, answer in offered:
        try:
            found = ingest.refresh(answer)
        except SourceError as error:
            ingest.postpone(answer)
            logger.warning(
                "%s: the source has changed, but is of no use: %s; the ingested file is used",
                ingest.label,
                error,
            )
        except StorageError as error:
            logger.warning("%s: the source was asked in vain: %s", ingest.label, error)
        else:
            if found:
                republished += 1
                logger.info("%s: %s", ingest.label, found)
    if offered:
        without = sum(not answer.validators for _, answer in offered)
        logger.info(
            "asked the source whether it has republished %s: it has republished %s%s",
            pluralize(len(offered), "ingested month"),
            republished or "none",
            f"; {without} could not be compared, RefreshTrips fetches them" if without else "",
        )


def changed_sources(task: luigi.Task) -> dict[luigi.Task, str]:
    """The ingested months that a task needs whose sources have changed; nothing is fetched.

    Returns:
        The task that ingested each such month, and by what the change is known.
    """
    changed: dict[luigi.Task, str] = {}
    for ingest, answer in _offered(_ask_where_due(task, RunContext())):
        if (names := ingest.source_changes(answer)) and not _has_same_content(ingest):
            changed[ingest] = f"the source has changed since it was ingested ({', '.join(names)})"
    return changed


def _has_same_content(ingest: IngestTrips) -> bool:
    """Whether the source is a file of this machine with the content that was ingested."""
    path, pointer = publication.local_path(ingest.url), ingest.pointer()
    if path is None or pointer is None:
        return False
    try:
        return sha256(path) == pointer.sha256
    except OSError:  # a run tries to read it too, and tells why it cannot
        return False


def _ask_where_due(task: luigi.Task, context: RunContext) -> dict[IngestTrips, Answer]:
    max_age = config.source().max_answer_age
    if max_age is None or config.source().url.startswith(SYNTHETIC):
        return {}
    now = datetime.now(UTC)
    due = {
        ingest: ingest.url
        for ingest in months_of(task)
        if ingest.url not in context.checked_urls and _is_due(ingest, now, max_age)
    }
    if not due:
        return {}
    context.checked_urls.update(due.values())
    timeout = min(config.source().timeout, MAX_SECONDS)
    return dict(zip(due, _ask_all(list(due.values()), timeout), strict=True))


def months_of(task: luigi.Task) -> list[IngestTrips]:
    """The months that a task needs, directly or not, oldest first."""
    seen, ahead = {task}, [task]
    while ahead:
        for required in _requirements(ahead.pop()):
            if required not in seen:
                seen.add(required)
                ahead.append(required)
    months = [task for task in seen if isinstance(task, IngestTrips)]
    return sorted(months, key=lambda task: (task.taxi, task.calendar_month))


def _requirements(task: luigi.Task) -> list[luigi.Task]:
    # RefreshTrips asks by itself; what a range of months requires depends on what is done.
    if isinstance(task, IngestTrips | RefreshTrips):
        return []
    if isinstance(task, BackfillMonths):
        return task.tasks()
    try:
        return list(flatten(task.requires()))
    except Exception:  # noqa: BLE001  (Luigi asks too, and tells why)
        return []


def _is_due(ingest: IngestTrips, now: datetime, max_age: timedelta) -> bool:
    """Whether a month is ingested, and its source's last answer is too old."""
    try:
        pointer = ingest.pointer()
        if pointer is None:
            return False
        # An answer from the future is one of a clock that was wrong.
        is_fresh = pointer.asked is not None and timedelta() <= now - pointer.asked < max_age
        return not is_fresh and ingest.manifest_of(ingest.key or "") is not None
    except TaxiPipelineError:  # Luigi asks too, and tells why
        return False


def _ask_all(urls: Sequence[str], timeout: float) -> list[Answer]:
    """What the source says of each file; all are asked at the same time.

    Once it has kept silent, files that it was not asked for yet are not asked for any more.
    """
    from concurrent.futures import ThreadPoolExecutor

    silent: list[Answer] = []

    def ask(url: str) -> Answer:
        if silent:
            return silent[0]
        answer = publication.ask(url, timeout=timeout)
        if answer.is_silent:
            silent.append(answer)
        return answer

    with ThreadPoolExecutor(min(MAX_AT_ONCE, len(urls))) as pool:
        return list(pool.map(ask, urls))


def _offered(answers: dict[IngestTrips, Answer]) -> Iterator[tuple[IngestTrips, Answer]]:
    """The months that the source offers; of the others a line says so, one for each problem."""
    others: dict[str, list[IngestTrips]] = defaultdict(list)
    for ingest, answer in answers.items():
        if not answer.published:
            others[answer.problem].append(ingest)
    for problem, months in others.items():
        names = [f"{ingest.taxi} {ingest.calendar_month}" for ingest in months]
        logger.warning(
            "%s: %s cannot be asked whether the month was republished (%s); the ingested file%s "
            "used",
            ", ".join(names),
            redact_url(months[0].url),
            problem,
            " is" if len(names) == 1 else "s are",
        )
    for ingest, answer in answers.items():
        if answer.published:
            yield ingest, answer
