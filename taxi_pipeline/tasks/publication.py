"""What the pipeline waits for: trip records that their source does not offer yet."""

from __future__ import annotations

import luigi

from taxi_pipeline import config
from taxi_pipeline.config.option_names import name_options
from taxi_pipeline.redaction import redact_url
from taxi_pipeline.tasks.base import MonthlyTask
from taxi_pipeline.tasks.base.identity_cache import cached
from taxi_pipeline.trips import publication, urls
from taxi_pipeline.trips.publication import Answer


class PublishedTrips(MonthlyTask):
    """A month's file at its source: Luigi waits for it, and cannot make it."""

    run = None  # type: ignore[assignment]  # Luigi's sign of what comes from outside

    @property
    def url(self) -> str:
        """Where the configured source keeps the month."""
        template = cached("source.url", lambda: config.source().url)
        return urls.month_url(template, self.taxi, self.calendar_month)

    @property
    def waiting(self) -> str:
        """The line for a person while the month is not published."""
        line = publication.not_published(f"{self.taxi} {self.calendar_month}", self.url)
        return name_options(line, (config.source,))

    def answer(self) -> Answer:
        """What the source says of the file; a run asks once for what is offered.

        A month that no source can offer counts as offered: it is refused when it is ingested.
        """
        if self.calendar_month < urls.FIRST_MONTHS[self.taxi]:
            return Answer(published=True)
        # Asked for when a run is planned, and again by Luigi before it runs what requires the
        # month; what was published then still is.
        known = self.context.published
        if self.url not in known:
            answer = publication.ask(self.url, timeout=config.source().timeout)
            if not answer.published:
                return answer
            known[self.url] = answer
        return known[self.url]

    def complete(self) -> bool:
        """Whether the source offers the file, or does not say: a fetch explains that."""
        return self.answer().published is not False

    def output(self) -> Publication:
        """The file, as a target that may exist."""
        return Publication(self)


class Publication(luigi.Target):
    """A file at its source."""

    def __init__(self, task: PublishedTrips) -> None:
        self._task = task

    def __str__(self) -> str:
        return redact_url(self._task.url)

    def exists(self) -> bool:
        """Whether the source offers the file, or does not say."""
        return self._task.complete()
