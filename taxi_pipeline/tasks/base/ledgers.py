"""The ledger of a registered model, as the configuration is."""

from __future__ import annotations

import contextlib
from typing import NamedTuple

from taxi_pipeline import config
from taxi_pipeline.errors import TrackingError
from taxi_pipeline.redaction import MASK, redact_url
from taxi_pipeline.storage import layout, open_storage
from taxi_pipeline.tasks.base.identity_cache import cached
from taxi_pipeline.tracking.ledger import Ledger, alias_version, version_facts
from taxi_pipeline.tracking.lookup import look_up

UNDER_ROOT = f"{layout.tracking_database()} under the storage root"
"""The registry that lies under the root, as ledgers and identities name it wherever the root is."""


def open_ledger(model_name: str) -> Ledger:
    """The ledger of a model of the configured registry, under the configured root."""
    root = config.storage().root
    return cached(
        ("ledger", root, model_name), lambda: Ledger(open_storage(root), model_name, registry())
    )


def registry() -> str:
    """The configured registry as ledgers name it: the same wherever the root is, for all users."""
    uri = config.tracking().uri
    if not uri:
        return UNDER_ROOT
    return redact_url(uri).replace(f"{MASK}@", "").partition("?")[0].rstrip("/")


class ServingVersion(NamedTuple):
    """The version that serves.

    Attributes:
        version: its number.
        candidate_key: of the candidate that it is; empty if the pipeline did not make it.
        training_month: the last month that it was trained on; empty if that is not known.
    """

    version: str
    candidate_key: str
    training_month: str

    @property
    def name(self) -> str:
        """What identifies it: its key, or its number where it has none."""
        return self.candidate_key or f"version {self.version}"


def serving_version(model_name: str) -> ServingVersion | None:
    """The champion of a model by its ledger; None if there is none.

    Before there is a ledger it is what the registry's alias says, as far as that can be asked.
    """
    return cached(("champion", model_name), lambda: read_serving_version(model_name))


def read_serving_version(model_name: str) -> ServingVersion | None:
    """The same, read anew whatever this reading has read before."""
    history = open_ledger(model_name).read()
    if champion := history.champion:
        since = champion.since
        return ServingVersion(champion.version, since.candidate_key, since.training_month)
    if history.changes:
        return None
    with contextlib.suppress(TrackingError):  # a registration fails with it, and says so
        registered = look_up(config.tracking().server_uri, model_name)
        if version := alias_version(registered):
            facts = version_facts(registered, version)
            return ServingVersion(version, facts["candidate_key"], facts["training_month"])
    return None
