"""What a run knows that no configuration says: it is made with the run and handed to its tasks."""

from __future__ import annotations

from dataclasses import dataclass, field

from taxi_pipeline.compute.cores import CoreShare
from taxi_pipeline.observability.links import BrowserLinks


@dataclass(frozen=True)
class RunContext:
    """What the tasks of one run are told by it; the defaults are those of a task outside a run.

    Attributes:
        cores: the share of one task in the cores.
        links: the URLs at which a browser sees outputs and logs.
        published_urls: the files that a source is known to offer, so that it is asked once for
            each; tasks add to it.
    """

    cores: CoreShare = field(default_factory=CoreShare)
    links: BrowserLinks = field(default_factory=BrowserLinks)
    published_urls: set[str] = field(default_factory=set)
