"""A stage whose output is a receipt: it counts as long as the registry has what it certifies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from taxi_pipeline import config
from taxi_pipeline.errors import DamagedOutput, TrackingError
from taxi_pipeline.identity import Identity, digest
from taxi_pipeline.logger import warn_once
from taxi_pipeline.redaction import redact_url
from taxi_pipeline.storage import Output, layout
from taxi_pipeline.tasks.base import RecipeStage, identity_cache
from taxi_pipeline.tasks.base.identity_cache import cached
from taxi_pipeline.tasks.base.ledgers import UNDER_ROOT, open_ledger
from taxi_pipeline.tracking.lookup import CannotBeAsked, RegisteredModel, look_up


class ReceiptStage(RecipeStage):
    """A stage whose output is a receipt for a version of a registered model.

    The receipt's manifest holds the ``version``. What is lost in the registry is registered again.
    """

    RECEIPT = layout.RECEIPT

    def receipt(self) -> dict[str, Any]:
        """What was written down when the model was registered; only of one that is."""
        return dict(self.output().read_json(self.RECEIPT))

    def candidate_of(self, identity: Identity) -> str | None:
        """The key of the candidate that a receipt of an identity certifies."""
        raise NotImplementedError

    def registry_names(self) -> Sequence[str]:
        """The configured registry as identities hold it, and as earlier versions held it.

        The registry under the root is the same one wherever the root is; its place was in
        identities once.
        """
        settings = config.tracking()
        if settings.uri:
            return (_server(settings.uri),)
        return (UNDER_ROOT, _server(settings.server_uri))

    def _config_values(self) -> dict[str, str]:
        return {**super()._config_values(), "tracking.uri": self.registry_names()[0]}

    def earlier_identities(self, identity: Identity) -> Sequence[Identity]:
        """The identity in which the storage root had its place."""
        return [
            replace(identity, config={**identity.config, "tracking.uri": name})
            for name in self.registry_names()[1:]
        ]

    def complete(self) -> bool:
        """Whether there is a receipt, and the registry has what it certifies."""
        with identity_cache(), self.storage.snapshot():
            return super().complete() and not self._lost()

    def change_reasons(self, identity: Identity | None) -> list[str]:
        """Why the model is registered although it was before."""
        lost = self._lost() if self.output().exists() else ""
        return [lost] if lost else super().change_reasons(identity)

    def _changes(self, older: Identity, identity: Identity) -> list[str]:
        """Why another receipt is needed; the place of the root, which was in them, is no reason."""
        before = older.config.get("tracking.uri", "")
        if not config.tracking().uri and f"/{layout.tracking_database()} (" in before:
            now = {"tracking.uri": identity.config["tracking.uri"]}
            older = replace(older, config={**older.config, **now})
        return super()._changes(older, identity)

    def final_identity(self, expected: Identity | None, folder: Path) -> Identity:
        """The identity as expected; a receipt of it that is no longer true makes room."""
        identity = super().final_identity(expected, folder)
        location = self.location(identity)
        if self.storage.exists(layout.manifest_file(location)) and not self._is_true(location):
            self.storage.set_aside(location)
        return identity

    def _is_true(self, location: str) -> bool:
        """Whether a receipt is true now; another process may have published it meanwhile."""
        try:
            manifest = Output(self.storage, location).manifest()
        except DamagedOutput:
            return False
        answer = _ask(config.tracking().server_uri, self.model_name)
        candidate = self.candidate_of(Identity(**manifest["identity"]))
        return isinstance(answer, RegisteredModel) and _holds(
            answer, str(manifest["version"]), candidate
        )

    def _lost(self) -> str:
        """What the receipt certifies and is not so (any more); empty if all of it is so."""
        manifest = self.output().manifest()
        version = str(manifest["version"])
        candidate = self.candidate_of(Identity(**manifest["identity"]))
        if not _is_registered(self.model_name, version, candidate):
            return f"version {version} of {self.model_name} is not in the registry any more"
        ledger = open_ledger(self.model_name)
        # Asked once a reading, as the registry is.
        waiting = cached((ledger, "interrupted"), ledger.interrupted)
        if any(change.to_version == version for change in waiting):
            return f"version {version} of {self.model_name} was to become champion, and a run ended"
        return ""


def _server(uri: str) -> str:
    """A tracking URI as identities hold it: servers differ whose URIs differ in secrets only."""
    return f"{redact_url(uri)} ({digest(uri)})"


def _is_registered(model_name: str, version: str, candidate_key: str | None) -> bool:
    """Whether the registry has a version of a model, and it is that of a candidate.

    Where the registry cannot be asked the receipt is trusted, and where it does not answer as well;
    that is said once. It is asked once a reading for each model (see :func:`identity_cache`).
    """
    uri = config.tracking().server_uri
    answer = cached((uri, model_name), lambda: _ask(uri, model_name))
    if isinstance(answer, CannotBeAsked):
        return True
    if isinstance(answer, TrackingError):
        warn_once(f"{answer}: its versions are taken to be registered, as their receipts say")
        return True
    return answer is not None and _holds(answer, version, candidate_key)


def _holds(model: RegisteredModel, version: str, candidate_key: str | None) -> bool:
    found = model.versions.get(version)
    return found is not None and found.candidate_key == candidate_key


def _ask(uri: str, model_name: str) -> RegisteredModel | TrackingError | None:
    """What the registry holds of a model, or why that is not known."""
    try:
        return look_up(uri, model_name)
    except TrackingError as error:
        return error
