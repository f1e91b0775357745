"""The context of a run: state that is created with the run and handed to its tasks."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from taxi_pipeline.compute.cores import CoreShare
from taxi_pipeline.observability.links import BrowserLinks
from taxi_pipeline.observability.progress import Progress
from taxi_pipeline.trips.publication import Answer


@dataclass(frozen=True)
class RunContext:
    """State that the tasks of one run share; the defaults are for a task outside a run.

    Attributes:
        cores: the share of one task in the cores.
        links: the URLs at which a browser finds outputs and logs.
        published: what the source said of files that it offers, by URL, so that it is asked once
            for each; tasks add to it.
        progress: what the console shows of the task that runs.
        started: when the run started, in UTC; None outside a run.
        checked_urls: files of ingested months whose source has been asked in this run.
    """

    cores: CoreShare = field(default_factory=CoreShare)
    links: BrowserLinks = field(default_factory=BrowserLinks)
    published: dict[str, Answer] = field(default_factory=dict)
    progress: Progress = field(default_factory=Progress)
    started: datetime | None = None
    checked_urls: set[str] = field(default_factory=set)
