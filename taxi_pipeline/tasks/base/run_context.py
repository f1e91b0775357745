"""The context of a run: state that is created with the run and handed to its tasks."""

from __future__ import annotations

from dataclasses import dataclass, field

from taxi_pipeline.compute.cores import CoreShare
from taxi_pipeline.observability.links import BrowserLinks


@dataclass(frozen=True)
class RunContext:
    """State that the tasks of one run share; the defaults are for a task outside a run.

    Attributes:
        cores: the share of one task in the cores.
        links: the URLs at which a browser finds outputs and logs.
        published_urls: files that are known to be published, so that the source is asked once for
            each; tasks add to it.
    """

    cores: CoreShare = field(default_factory=CoreShare)
    links: BrowserLinks = field(default_factory=BrowserLinks)
    published_urls: set[str] = field(default_factory=set)
