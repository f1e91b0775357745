"""The ledger of a registered model, as the configuration is."""

from __future__ import annotations

from taxi_pipeline import config
from taxi_pipeline.redaction import MASK, redact_url
from taxi_pipeline.storage import layout, open_storage
from taxi_pipeline.tasks.base.identity_cache import cached
from taxi_pipeline.tracking.ledger import Ledger


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
        return f"{layout.tracking_database()} under the storage root"
    return redact_url(uri).replace(f"{MASK}@", "").partition("?")[0].rstrip("/")
