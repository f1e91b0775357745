"""A stage of the pipeline: what it makes is published whole, with a manifest."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from taxi_pipeline import config, provenance
from taxi_pipeline.config.option_names import name_options
from taxi_pipeline.errors import TaxiPipelineError
from taxi_pipeline.identity import Identity, digest
from taxi_pipeline.logger import logger
from taxi_pipeline.observability import failures
from taxi_pipeline.observability.logs import log_to_file
from taxi_pipeline.redaction import redact
from taxi_pipeline.storage import describe_files, layout, locks, to_json
from taxi_pipeline.tasks.base.identified import IdentifiedTask
from taxi_pipeline.tasks.base.identity_cache import identity_cache


class Stage(IdentifiedTask):
    """A stage of the pipeline for one taxi and one month.

    A stage is a small class that says what it requires and, in :meth:`make`, which pure function
    turns its inputs into files. This class does the rest.
    """

    # Where the log of the last run is kept; empty before that.
    log = ""

    @property
    def resources(self) -> dict[str, int]:  # type: ignore[override]  # Luigi's is a plain value
        """What the task takes of Luigi's resources while it runs."""
        return {"cpu": 1}

    def make(self, folder: Path) -> Mapping[str, Any]:
        """Write the stage's files into a folder; what is returned goes into the manifest.

        The entry ``summary`` is the line that says what was made.
        """
        raise NotImplementedError

    def run(self) -> None:
        """Make the output and publish it, unless it is there already.

        A worker that has lost the scheduler goes on with its task, which the scheduler gives to
        another one: that waits until the first has made it, or has ended.
        """
        # Luigi does not ask again before it runs a task: the answer of an earlier attempt may
        # have been lost on its way.
        if self._is_there():
            return
        name = f"make{digest(self.task_id)}"
        with locks.lock(self.storage, name, self.label, wait_seconds=math.inf) as waited:
            if waited and self._is_there():
                return
            # One reading: what is made is made of what is there now, whatever is ingested then.
            with identity_cache():
                self._make_with_log(self.identity())

    def _is_there(self) -> bool:
        if is_there := self.complete():
            logger.info("%s: already there", self.label)
        return is_there

    def _make_with_log(self, expected: Identity | None) -> None:
        """Make the output of an identity and publish it; a log of its own says how that went."""
        started = datetime.now(UTC)
        log = layout.log_file(self.task_dir, started, os.getpid())
        self.log = self.storage.uri(log)
        with self.storage.streaming_file(log) as file, log_to_file(file) as task_log:
            why = "; ".join(self.change_reasons(expected))
            task_log.write(f"{self.label}: starts{f', since {why}' if why else ''}")
            self._link_to_storage(log)
            try:
                manifest, location = self._make_and_publish(expected, started, log)
            except BaseException as error:
                task_log.write(f"{self.label}: failed", error)
                raise
            if not self._linked:
                self._link_to_storage(layout.browsable(location))
            done = f"{manifest['summary']}, in {manifest['seconds']:.1f} s"
            self.report(f"{done}; log {self.log}", 1, 1)
            logger.info(
                "%s: %s%s -> %s",
                self.label,
                done,
                f", since {why}" if why else "",
                self.storage.uri(location),
            )

    def _make_and_publish(
        self, expected: Identity | None, started: datetime, log: str
    ) -> tuple[dict[str, Any], str]:
        """The manifest of what was made, and where it is."""
        clock = time.monotonic()
        with self.storage.staging() as folder:
            facts = self._make_or_explain(folder)
            identity = self.final_identity(expected, folder)
            manifest = {
                "task": self.task_family,
                "label": self.label,
                "key": identity.key,
                "identity": asdict(identity),
                "since": self.change_reasons(expected),
                **facts,
                "files": describe_files(folder),
                "log": log,
                "code": provenance.code(),
                "packages": provenance.packages(),
                "started": started.isoformat(timespec="seconds"),
                "finished": datetime.now(UTC).isoformat(timespec="seconds"),
                "seconds": round(time.monotonic() - clock, 3),
            }
            (folder / layout.MANIFEST).write_text(to_json(manifest))
            location = self.location(identity)
            self.storage.publish(folder, location)
            self.storage.link_latest(self.task_dir, identity.key)
        self.after_publish(identity)
        return manifest, location

    def _make_or_explain(self, folder: Path) -> Mapping[str, Any]:
        """What :meth:`make` returns; a failure names options where `make` names arguments."""
        try:
            return self.make(folder)
        except TaxiPipelineError as error:
            text = name_options(str(error), (*self.sections, config.storage, config.compute))
            if text != str(error):
                # The same error, so that the log keeps its traceback and its cause.
                error.args = (text,)
            raise

    def final_identity(self, expected: Identity | None, folder: Path) -> Identity:  # noqa: ARG002
        """The identity of what was made: as expected, where it can be known beforehand."""
        if expected is None:
            raise RuntimeError(f"{self.label} ran before what it requires")
        return expected

    def after_publish(self, identity: Identity) -> None:
        """What a stage does once its output is visible; most do nothing."""

    def on_failure(self, exception: BaseException) -> str:
        """What the scheduler shows of a failure: the line for a user, or the traceback."""
        line = failures.error_line(exception)
        message = str(super().on_failure(exception)) if line is None else line
        return redact(f"{message.rstrip()} (log {self.log})" if self.log else message)
