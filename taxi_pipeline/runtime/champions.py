"""Who serves, by the ledger, once what was done in the registry is known."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from taxi_pipeline import config
from taxi_pipeline.errors import TrackingError
from taxi_pipeline.storage import Storage, layout
from taxi_pipeline.tracking.ledger import History, Ledger, NumberTaken, agrees, alias_version
from taxi_pipeline.tracking.lookup import RegisteredModel, look_up


@dataclass(frozen=True)
class Serving:
    """What serves of a registered model.

    Attributes:
        history: the changes of its champion.
        registered: what the registry holds of it; None if nothing, or if that is not known.
        hindrance: why the registry could not be asked; empty if it was.
    """

    history: History
    registered: RegisteredModel | None
    hindrance: str

    @property
    def difference(self) -> str:
        """What the ledger and the registry do not agree on, and what comes of it; or empty."""
        history = self.history
        if history.changes and not history.is_confirmed:
            change = history.changes[-1]
            return (
                f"change {change.number} ({change.action}, version {change.to_version}) is not "
                "confirmed: its run goes on, or was ended; the next registration completes it, and "
                "so does champion pin or rollback"
            )
        if self.hindrance or agrees(history, self.registered):
            return ""
        version = alias_version(self.registered)
        says = f"version {version}" if version else "no version"
        return (
            f"the alias in MLflow points to {says}: the next registration or champion command "
            "writes that down, and it is respected"
        )


def serving(ledger: Ledger, *, notice: bool) -> Serving:
    """What serves of a registered model.

    Args:
        ledger: of the model.
        notice: whether to write down what was done in the registry by hand.

    Raises:
        DamagedOutput: a change cannot be read.
    """
    # The ledger is read first: see Ledger.notice.
    history = ledger.read()
    try:
        registered = look_up(config.tracking().server_uri, ledger.model_name)
    except TrackingError as error:
        return Serving(history, None, str(error))
    if notice and history.is_confirmed:
        with contextlib.suppress(NumberTaken):  # another process has, or has changed more
            ledger.notice(history, registered)
        history = ledger.read()
    return Serving(history, registered, "")


def ledger_names(storage: Storage) -> list[str]:
    """The registered models that have a ledger."""
    return storage.list_dirs(layout.CHAMPIONS)
