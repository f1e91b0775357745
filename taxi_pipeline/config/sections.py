"""The sections of the configuration: one for each stage, every option described and checked.

Defaults stand here and nowhere else.
"""

from __future__ import annotations

import functools
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote

from taxi_pipeline import redaction
from taxi_pipeline.config import option_checks
from taxi_pipeline.config.arrival import contract
from taxi_pipeline.config.computing import compute
from taxi_pipeline.config.drifting import drift
from taxi_pipeline.config.fitting import training, tuning
from taxi_pipeline.config.judging import gate
from taxi_pipeline.config.parameters import (
    BoolParameter,
    BoundedFloatParameter,
    BoundedIntParameter,
    StrParameter,
)
from taxi_pipeline.config.scheduling import luigid
from taxi_pipeline.config.section import Section
from taxi_pipeline.config.serving import serving
from taxi_pipeline.config.watching import monitoring
from taxi_pipeline.errors import InvalidConfig
from taxi_pipeline.storage import layout
from taxi_pipeline.tracking.relocation import ARTIFACTS, sqlite_file
from taxi_pipeline.trips import urls


class source(Section):  # noqa: N801  (a section's name is its class's name)
    """Where published trip records come from."""

    url: StrParameter = StrParameter(
        default=urls.DEFAULT_URL,
        check=option_checks.check_source_url,
        secrets=redaction.register_url_secrets,
        significant=False,
        description="URL template of a month's file, of any kind that fsspec understands (https, "
        "file, s3 ...), with {taxi}, {year} and {month:02d}; or synthetic://?rows=20000&seed=0 for "
        "the synthetic city. Outputs depend on the file's content, not on its URL.",
    )
    attempts: BoundedIntParameter = BoundedIntParameter(
        1,
        100,
        default=5,
        significant=False,
        description="Attempts of a download, before it fails.",
    )
    timeout: BoundedFloatParameter = BoundedFloatParameter(
        0.1,
        default=60.0,
        significant=False,
        description="Seconds that a connection or a read may take before it is tried again.",
    )
    check: StrParameter = StrParameter(
        default="1 day",
        check=option_checks.check_age,
        significant=False,
        description="How old the source's last answer about a month may be; if it is older, a run "
        "asks whether the month was republished. An age such as 1 day, 12 hours or 30 minutes; or "
        "always, or never. The task RefreshTrips asks at once.",
    )
    max_wait: BoundedFloatParameter = BoundedFloatParameter(
        0,
        default=120.0,
        significant=False,
        description="Longest wait before another attempt, in seconds, also where the server asks "
        "for more (Retry-After).",
    )
    batch_rows: BoundedIntParameter = BoundedIntParameter(
        1000,
        default=131_072,
        significant=False,
        description="Rows of a published file that are in memory at a time, however large or small "
        "its row groups are.",
    )

    @property
    def max_answer_age(self) -> timedelta | None:
        """How old an answer of the source may get before it is asked again; None for never."""
        return option_checks.max_answer_age(self.check)


class storage(Section):  # noqa: N801
    """Where outputs are kept."""

    root: StrParameter = StrParameter(
        default="data",
        check=option_checks.check_root,
        secrets=redaction.register_url_secrets,
        significant=False,
        description="Folder, or URL that fsspec understands, under which each stage keeps its "
        "outputs.",
    )
    url: StrParameter = StrParameter(
        default="",
        secrets=redaction.register_url_secrets,
        significant=False,
        description="URL at which a browser finds the root, for links on the scheduler's page. "
        "Empty: the scheduler's own, if `taxi-pipeline luigid` serves the same root.",
    )

    @property
    def local_folder(self) -> Path | None:
        """The root as a folder of this machine; None if it is elsewhere."""
        if "://" in self.root and not self.root.startswith("file://"):
            return None
        return Path(self.root.removeprefix("file://")).expanduser().resolve()


def _is_misread(folder: Path) -> bool:
    """Whether MLflow takes a part of the folder's path for a query, or for quoted characters."""
    return "?" in str(folder) or unquote(str(folder)) != str(folder)


class tracking(Section):  # noqa: N801
    """The MLflow server that models are registered with."""

    uri: StrParameter = StrParameter(
        default="",
        check=option_checks.check_tracking_uri,
        secrets=redaction.register_url_secrets,
        significant=False,
        description="MLflow tracking URI (http://..., sqlite:///...). Empty: a SQLite file under "
        "the storage root. Files of the runs in a SQLite file lie beside it, in artifacts.",
    )
    experiment: StrParameter = StrParameter(
        default="nyc-taxi-duration",
        description="MLflow experiment that holds the runs.",
    )

    @property
    def server_uri(self) -> str:
        """The tracking URI in use; a database file has its absolute path.

        Raises:
            InvalidConfig: none is set, and the storage root cannot hold MLflow's own.
        """
        if not self.uri:
            return f"sqlite:///{self._local_root / layout.tracking_database()}"
        file = sqlite_file(self.uri)
        query = "".join(self.uri.partition("?")[1:])
        return f"sqlite:///{file}{query}" if file else self.uri

    @property
    def artifacts(self) -> str:
        """Where files of runs are kept, beside a database file; empty leaves that to the server."""
        if not self.uri:
            return (self._local_root / layout.tracking_artifacts()).as_uri()
        file = sqlite_file(self.uri)
        if file is None or _is_misread(file.parent):
            return ""
        return (file.parent / ARTIFACTS).as_uri()

    @property
    def _local_root(self) -> Path:
        folder = storage().local_folder
        if folder is None:
            raise InvalidConfig(
                f"[tracking] uri must be set, since [storage] root {storage().root} is not a local "
                "folder"
            )
        if _is_misread(folder):
            raise InvalidConfig(
                f"[storage] root {folder} cannot hold MLflow's database, whose path may have no ?, "
                "nor % before two hexadecimal digits: take another folder, or set [tracking] uri"
            )
        return folder


class cleaning(Section):  # noqa: N801
    """Which trips are kept. The defaults are the course's rule and nothing else."""

    min_minutes: BoundedFloatParameter = BoundedFloatParameter(
        0, default=1.0, description="Shortest duration kept, in minutes (included)."
    )
    max_minutes: BoundedFloatParameter = BoundedFloatParameter(
        0, default=60.0, description="Longest duration kept, in minutes (included)."
    )
    only_month: BoolParameter = BoolParameter(
        default=False, description="Drop pickups outside the month that the file is published for."
    )
    known_zones: BoolParameter = BoolParameter(
        default=False,
        description="Drop trips that begin or end in zone 264 (unknown) or 265 (outside the city).",
    )
    keep_reversals: BoolParameter = BoolParameter(
        default=True,
        description="Keep records with a negative fare, which reverse another record.",
    )
    min_miles: BoundedFloatParameter = BoundedFloatParameter(
        0, default=0.0, description="Shortest metered distance kept, in miles (included)."
    )
    max_miles: BoundedFloatParameter = BoundedFloatParameter(
        0,
        default=float("inf"),
        description="Longest metered distance kept, in miles (included); inf keeps all.",
    )


class features(Section):  # noqa: N801
    """How a trip is described to a model."""

    max_miles: BoundedFloatParameter = BoundedFloatParameter(
        0,
        default=100.0,
        description="From this metered distance on (in miles), as for zero or less, the distance "
        "counts as unknown.",
    )


class alerts(Section):  # noqa: N801
    """Alerts of failures, promotions and decay. Luigi sends mail: see its [email] and [smtp]."""

    webhook: StrParameter = StrParameter(
        default="",
        check=option_checks.check_webhook,
        secrets=redaction.register_secret,
        significant=False,
        description="URL to which a line of text is posted as JSON, in the form of Slack's "
        "incoming webhooks, when a task fails, when a model becomes champion, and when a champion "
        "has decayed. Empty: no alerts.",
    )


SECTIONS: tuple[type[Section], ...] = (
    source,
    contract,
    storage,
    tracking,
    cleaning,
    features,
    tuning,
    training,
    compute,
    drift,
    gate,
    monitoring,
    alerts,
    luigid,
    serving,
)


def significant_options() -> dict[str, str]:
    """The values that decide what stages make, as ``section.option`` to text."""
    values: dict[str, str] = {}
    for section in SECTIONS:
        values |= section.significant_values()
    return values


@functools.cache
def check() -> None:
    """Check every section once, so that a wrong value is reported before anything runs.

    Raises:
        InvalidConfig: a value is not usable.
    """
    for section in SECTIONS:
        section()
