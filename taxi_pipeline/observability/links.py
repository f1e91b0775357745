"""Where a browser finds what is kept under the storage root."""

from __future__ import annotations

from http import HTTPStatus

from taxi_pipeline import config
from taxi_pipeline.http import http_status
from taxi_pipeline.redaction import register_url_secrets, strip_credentials

FILES = "files"
"""The path under which `taxi-pipeline luigid` shows the storage root."""

TIMEOUT_SECONDS = 2.0
"""Seconds that the scheduler may take to say whether it shows a file."""


class BrowserLinks:
    """The links of one run to what is kept under the storage root.

    Args:
        scheduler_url: of the central scheduler that the run works for; empty for none.
    """

    def __init__(self, scheduler_url: str = "") -> None:
        register_url_secrets(scheduler_url)
        self._scheduler_url = scheduler_url.rstrip("/")
        self._is_shown: dict[str, bool] = {}

    def browser_url(self, location: str) -> str:
        """The URL at which a browser sees a location; empty if no browser can see it.

        Args:
            location: relative to the storage root; a file that is there, or the folder of one.
        """
        storage = config.storage()
        if storage.url:
            return f"{strip_credentials(storage.url).rstrip('/')}/{location}"
        if not self._scheduler_url:
            return ""
        url = f"{self._scheduler_url}/{FILES}/{location}"
        # Asked once for a root: a scheduler may show another folder than the one written to here.
        if storage.root not in self._is_shown:
            status = http_status(url, TIMEOUT_SECONDS)
            if not status:
                return ""
            self._is_shown[storage.root] = status == HTTPStatus.OK
        return strip_credentials(url) if self._is_shown[storage.root] else ""
