"""Asking a month's source now whether it was republished."""

from __future__ import annotations

from datetime import datetime

from taxi_pipeline import config
from taxi_pipeline.config.option_names import name_options
from taxi_pipeline.errors import MonthNotPublished, SourceError
from taxi_pipeline.logger import logger
from taxi_pipeline.redaction import redact_url
from taxi_pipeline.storage import Output
from taxi_pipeline.tasks.base import MonthlyTask
from taxi_pipeline.tasks.ingest import IngestTrips
from taxi_pipeline.trips.publication import Answer


class RefreshTrips(MonthlyTask):
    """Ask a month's source now, whatever ``[source] check`` says, and ingest what was republished.

    A month that is not ingested yet is ingested. Nothing that depends on the month is run: a later
    run of RegisterModel does that.
    """

    found = "asked; a line above says what was found"
    """What was found; a task that ran in another process has told it there."""

    @property
    def resources(self) -> dict[str, int]:  # type: ignore[override]  # Luigi's is a plain value
        """A download."""
        return {"downloads": 1}

    def requires(self) -> IngestTrips:
        """The month as it was ingested."""
        return self.clone(IngestTrips)

    def output(self) -> Output:
        """The ingested file."""
        return self.requires().output()

    def complete(self) -> bool:
        """Whether the source has been asked in this run; outside a run never."""
        started = self.context.started
        if started is None or not self.requires().complete():
            return False
        pointer = self.requires().pointer()
        return pointer is not None and pointer.asked is not None and pointer.asked >= started

    def run(self) -> None:
        """Ask, fetch the file if it seems to be another one, and say what was found."""
        self.found = "ingested just now" if self.complete() else self._refresh()
        self.report(self.found, 1, 1)
        logger.info("%s: %s", self.label, self.found)

    def _refresh(self) -> str:
        ingest = self.requires()
        answer = ingest.ask_again(config.source().timeout)
        if not answer.published:
            raise self._not_offered(answer)
        if republished := ingest.refresh(answer, fetch_uncompared=True):
            return f"{republished}; run RegisterModel again for its descendants"
        ingested = datetime.fromisoformat(ingest.output().manifest()["finished"])
        return f"unchanged since it was ingested on {ingested:%Y-%m-%d}"

    def _not_offered(self, answer: Answer) -> SourceError:
        name, url = f"{self.taxi} {self.calendar_month}", redact_url(self.requires().url)
        if answer.published is None:
            advice = "try again later, or check `url`"
            line = f"{name}: {url} cannot be asked: {answer.problem}; {advice}"
            return SourceError(name_options(line, (config.source,)))
        return MonthNotPublished(
            f"{name}: {url} does not offer the month any more: {answer.problem}; what was ingested "
            "stays in use"
        )
