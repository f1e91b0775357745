"""Published trip records arrive under the storage root, as they are."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from taxi_pipeline import config
from taxi_pipeline.config.option_names import name_options
from taxi_pipeline.errors import DamagedOutput, InvalidParameter
from taxi_pipeline.formatting import format_bytes
from taxi_pipeline.identity import ContentIdentity, Identity, digest
from taxi_pipeline.logger import logger, warn_once
from taxi_pipeline.month import Month
from taxi_pipeline.redaction import redact_url
from taxi_pipeline.storage import layout, sha256
from taxi_pipeline.tasks.base import Stage
from taxi_pipeline.tasks.publication import PublishedTrips
from taxi_pipeline.trips import publication, validators
from taxi_pipeline.trips.download import fetch
from taxi_pipeline.trips.publication import Answer
from taxi_pipeline.trips.source_pointer import SourcePointer
from taxi_pipeline.trips.urls import SYNTHETIC, check_month

if TYPE_CHECKING:
    from taxi_pipeline.trips.file_checks import CheckedFile


def _now() -> datetime:
    return datetime.now(UTC)


INGESTED_AGAIN = "the month is ingested again, which writes it anew"
"""What becomes of a month whose pointer is damaged."""


class IngestTrips(Stage):
    """Download a month's file and check it.

    Its identity is the content of the file. Which content a source offered when it was last asked
    stands in a small pointer beside the outputs, one for each source; without it the identity is
    not known yet.
    """

    stage = "ingest"
    sections: ClassVar = (config.source, config.contract)

    # Downloads first: what is not published should be known before anything is computed.
    priority = 100

    FILE = "trips.parquet"

    # What the source said before the file was fetched.
    _answer: Answer | None = None

    def requires(self) -> PublishedTrips:
        """The file at its source."""
        return self.clone(PublishedTrips)

    @property
    def url(self) -> str:
        """Where the configured source keeps the month."""
        return self.requires().url

    @property
    def _pointer(self) -> str:
        return layout.source_pointer(self.task_dir, digest(self.url))

    @property
    def resources(self) -> dict[str, int]:  # type: ignore[override]  # as in Stage
        """A download."""
        return {"downloads": 1}

    def compute_identity(self) -> Identity | None:
        """The content that the pointer names; None if the month is not ingested."""
        pointer = self.pointer()
        return None if pointer is None else self._identity(pointer.sha256)

    def final_identity(self, expected: Identity | None, folder: Path) -> Identity:  # noqa: ARG002
        """The content of the file that was just fetched, whatever the source offered before."""
        return self._identity(sha256(folder / self.FILE))

    def identity_of(self, inputs: Mapping[str, str]) -> Identity:
        """The identity of a content."""
        return self._identity(inputs["content"])

    def _identity(self, content: str) -> Identity:
        return ContentIdentity(
            task=self.task_family,
            parameters=self.to_str_params(only_significant=True),
            version=self._version(),
            config={},
            inputs={"content": content},
        )

    def make(self, folder: Path) -> Mapping[str, Any]:
        """Fetch and check the file."""
        source = config.source()
        name = f"{self.taxi} {self.calendar_month}"
        check_month(self.taxi, self.calendar_month)
        # Before the fetch: a change in between is then noticed when the source is asked again.
        self._answer = self.requires().answer()
        fetch(
            self.url,
            folder / self.FILE,
            attempts=source.attempts,
            timeout=source.timeout,
            max_wait=source.max_wait,
            is_offered=self._answer.published is True,
            progress=self._progress,
            on_retry=lambda line: logger.warning("%s: %s", self.task_family, line),
            label=name,
        )
        checked = _checked(self, folder / self.FILE)
        url = redact_url(self.url)
        warnings = [
            name_options(line, (*self.sections, config.cleaning)) for line in checked.warnings
        ]
        for warning in warnings:
            logger.warning("%s: %s %s", self.label, url, warning)
        return {
            "summary": f"{checked.rows:,} rows from {url}",
            "rows": checked.rows,
            "warnings": warnings,
            "url": url,
            "validators": dict(self._answer.validators),
        }

    def after_publish(self, identity: Identity) -> None:
        """Point to the content."""
        pointer = SourcePointer(redact_url(self.url), identity.inputs["content"])
        self._write(pointer if self._answer is None else pointer.confirmed(self._answer))

    # --- asking the source again ---------------------------------------------------------------

    def pointer(self) -> SourcePointer | None:
        """What the source offered when it was last asked; None if the month is not ingested."""
        try:
            content = self.storage.read_json(self._pointer)
            return None if content is None else SourcePointer.parse(content)
        except DamagedOutput as error:
            warn_once(f"{error}; {INGESTED_AGAIN}")
        except ValueError:
            pointer = self.storage.uri(self._pointer)
            warn_once(f"{pointer} is damaged: it names no content; {INGESTED_AGAIN}")
        return None

    def _write(self, pointer: SourcePointer) -> None:
        self.storage.write_json(self._pointer, pointer.as_dict())

    def ask_again(self, timeout: float) -> Answer:
        """What the source says of the month now.

        Args:
            timeout: seconds that the answer may take over HTTP.
        """
        return publication.ask(self.url, timeout=timeout)

    def source_changes(self, answer: Answer) -> list[str] | None:
        """The validators by which the source's file seems to be another than the ingested one.

        None if the source gives none that could be compared.
        """
        pointer = self.pointer()
        if self.url.startswith(SYNTHETIC):
            return []
        if pointer is None or not answer.validators:
            return None
        if pointer.asked is None and (ingested := self.manifest_of(self.key or "")):
            # Version 0.1 kept no validators: those of a file of the same length are adopted.
            size = ingested["files"][self.FILE]["bytes"]
            if validators.length(answer.validators) == size:
                return []
        return validators.changed(pointer.validators, answer.validators)

    def refresh(self, answer: Answer, *, fetch_uncompared: bool = False) -> str:
        """Bring the month up to date with its source.

        A file whose validators differ is fetched, and its content decides: if it is another one, it
        is published beside the older, and what depends on the month is not complete any more.

        Args:
            answer: what the source says now; it offers the file.
            fetch_uncompared: fetch the file too if the source gives no validators.

        Returns:
            The phrase that the source was republished; empty if it was not.

        Raises:
            SourceError: the file could not be fetched, or is not usable.
            StorageError: the storage cannot be written.
        """
        changes = self.source_changes(answer)
        if not (changes or (changes is None and fetch_uncompared)):
            pointer = self.pointer()
            # Another run may have asked later, and have fetched what was offered then.
            asked_later = pointer and pointer.asked and answer.asked < pointer.asked <= _now()
            if pointer and not asked_later:
                self._write(pointer.confirmed(answer))
            return ""
        older_key = self.key
        self.requires().context.published[self.url] = answer
        self._make_and_publish(None, _now(), "")
        if older_key is None or older_key == self.key:
            return ""
        return f"source republished{self._row_figures(older_key)}"

    def postpone(self, answer: Answer) -> None:
        """Fetch a file that was of no use again only when the source is due to be asked again."""
        if pointer := self.pointer():
            self._write(pointer.asked_at(answer.asked))

    def changes_since(self, older_key: str) -> list[str]:
        """That the month is another file, for a task that requires it."""
        older, newer = self.manifest_of(older_key), self.manifest_of(self.key or "")
        is_moved = older and newer and older.get("url") != newer.get("url")
        what = "another source is read" if is_moved else "source republished"
        month = f"{self.taxi} {self.calendar_month}"
        return [f"{what} ({month}){self._row_figures(older_key)}"]

    def _row_figures(self, older_key: str) -> str:
        """The numbers of rows of an older content and of this one; empty if one is gone."""
        older, newer = self.manifest_of(older_key), self.manifest_of(self.key or "")
        return f": {older['rows']:,} -> {newer['rows']:,} rows" if older and newer else ""

    def _progress(self, done: int, total: int | None) -> None:
        unit = (lambda rows: f"{rows:,} rows") if self.url.startswith(SYNTHETIC) else format_bytes
        of_all = f" of {unit(total)}" if total else ""
        self.report(f"{unit(done)}{of_all} fetched", done, total)


def _checked(task: IngestTrips, file: Path) -> CheckedFile:
    """What a task's file holds, as the configuration wants it checked."""
    from taxi_pipeline.trips.contract import Contract
    from taxi_pipeline.trips.file_checks import check_file

    return check_file(
        file,
        url=task.url,
        taxi=task.taxi,
        month=task.calendar_month,
        contract=Contract(**config.contract().param_kwargs),
        neighbours=_neighbour_rows(task),
        batch_rows=config.source().batch_rows,
    )


def _neighbour_rows(task: IngestTrips) -> dict[Month, int]:
    """The rows of the months before and after, where they are ingested from the same source.

    They decide what is warned of and what is refused, never what is made of a file.
    """
    rows = {}
    for month in (task.calendar_month - 1, task.calendar_month + 1):
        try:
            neighbour = task.clone(IngestTrips, year=month.year, month=month.month)
        except InvalidParameter:  # beyond the years that tasks know
            continue
        if manifest := neighbour.manifest_of(neighbour.key or ""):
            rows[month] = int(manifest["rows"])
    return rows
