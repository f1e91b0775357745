"""What the pipeline waits for: trip records that their source does not offer yet."""

from __future__ import annotations

import luigi

from taxi_pipeline import config
from taxi_pipeline.config.option_names import name_options
from taxi_pipeline.redaction import redact_url
from taxi_pipeline.tasks.base import MonthlyTask
from taxi_pipeline.trips import publication, urls


class PublishedTrips(MonthlyTask):
    """A month's file at its source: Luigi waits for it, and cannot make it."""

    run = None  # type: ignore[assignment]  # Luigi's sign of what comes from outside

    @property
    def url(self) -> str:
        """Where the configured source keeps the month."""
        return urls.month_url(config.source().url, self.taxi, self.calendar_month)

    @property
    def waiting(self) -> str:
        """The line for a person while the month is not published."""
        line = publication.not_published(f"{self.taxi} {self.calendar_month}", self.url)
        return name_options(line, (config.source,))

    def complete(self) -> bool:
        """Whether the source offers the file; a month that none can offer is refused later."""
        first = urls.FIRST_MONTHS[self.taxi]
        return self.calendar_month < first or super().complete()

    def output(self) -> Publication:
        """The file, as a target that may exist."""
        return Publication(self.url, self.context.published_urls)


class Publication(luigi.Target):
    """A file at its source.

    Args:
        url: where the file is.
        published_urls: the files that are known to be offered; a file that is found is added.
    """

    def __init__(self, url: str, published_urls: set[str]) -> None:
        self.url = url
        self._published_urls = published_urls

    def __str__(self) -> str:
        return redact_url(self.url)

    def exists(self) -> bool:
        """Whether the source offers the file, or does not say: see `publication.is_published`."""
        # Asked for when a run is planned, and again by Luigi before it runs what requires the
        # month; what was published then still is.
        if self.url in self._published_urls:
            return True
        answer = publication.is_published(self.url, timeout=config.source().timeout)
        if answer:
            self._published_urls.add(self.url)
        return answer is not False
