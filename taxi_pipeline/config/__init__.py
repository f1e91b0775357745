"""Typed configuration: one section a stage, each value described and checked.

Every option is also a flag of the ``luigi`` command (``[source] url`` is ``--source-url``). A
section is read by instantiating its class without arguments: ``config.cleaning().max_minutes``.
The defaults stand here and nowhere else; :func:`as_cfg` writes them out as a commented
``luigi.cfg``.
"""

from __future__ import annotations

import configparser
import difflib
import functools
import os
import textwrap
from pathlib import Path
from typing import Any, ClassVar, NamedTuple
from urllib.parse import urlsplit

import luigi

from taxi_pipeline import redaction
from taxi_pipeline.config.parameters import CheckedParameter, Flag, Real, Text, Whole
from taxi_pipeline.errors import InvalidConfig
from taxi_pipeline.storage import layout
from taxi_pipeline.trips import sources


class Section(luigi.Config):
    """A section of the configuration that refuses options it does not know."""

    @classmethod
    @functools.cache
    def get_params(cls) -> Any:
        """The options by name; Luigi looks through all that the class has, each time."""
        return super().get_params()

    @classmethod
    def get_param_values(cls, params: Any, args: Any, kwargs: Any) -> list[tuple[str, Any]]:
        """The options' values; a misspelt option is an error rather than a silent default."""
        known = [name for name, _ in params]
        configured: Any = luigi.configuration.get_config()
        written = configured[cls.__name__] if configured.has_section(cls.__name__) else ()
        for option in set(written) - set(configured.defaults()):
            if option.replace("-", "_") not in known:
                close = difflib.get_close_matches(option, known, n=1)
                hint = f"did you mean {close[0]}?" if close else f"it has {', '.join(known)}."
                raise InvalidConfig(f"[{cls.__name__}] has no option {option}: {hint}")
        try:
            values: list[tuple[str, Any]] = super().get_param_values(params, args, kwargs)
        except InvalidConfig:
            raise
        except (ValueError, configparser.Error) as error:
            cause = " ".join(str(error.__cause__ or error).split())
            raise InvalidConfig(
                f"[{cls.__name__}] cannot be read: {cause}; a % is written %%, and ${{NAME}} needs "
                "a variable of that name in the environment"
            ) from None
        return values

    @classmethod
    def significant_values(cls) -> dict[str, str]:
        """The values that decide what a stage makes, as ``section.option`` to text."""
        section = cls()
        return {
            f"{cls.__name__}.{name}": parameter.serialize(getattr(section, name))
            for name, parameter in cls.get_params()
            if parameter.significant
        }


class source(Section):  # noqa: N801  (a section's name is its class's name)
    """Where published trip records come from."""

    url: Text = Text(
        default=sources.DEFAULT_URL,
        check=sources.check_template,
        secrets=redaction.register_url_secrets,
        significant=False,
        description="URL template of a month's file, of any kind that fsspec understands (https, "
        "file, s3 ...), with {taxi}, {year} and {month:02d}; or synthetic://?rows=20000&seed=0 for "
        "the synthetic city. The content of the file decides what is made from it, not its place.",
    )
    attempts: Whole = Whole(
        1,
        100,
        default=5,
        significant=False,
        description="How often a download is tried in all before it fails.",
    )
    timeout: Real = Real(
        0.1,
        default=60.0,
        significant=False,
        description="Seconds that a connection or a read may take before it is tried again.",
    )


class storage(Section):  # noqa: N801
    """Where everything that the pipeline makes is kept."""

    root: Text = Text(
        default="data",
        secrets=redaction.register_url_secrets,
        significant=False,
        description="Folder, or URL that fsspec understands, under which each stage keeps its "
        "outputs.",
    )
    url: Text = Text(
        default="",
        secrets=redaction.register_url_secrets,
        significant=False,
        description="Where a browser finds that folder, for the links on the scheduler's page. "
        "Empty: at the scheduler, if it is one of `python -m taxi_pipeline luigid` with this "
        "folder.",
    )

    @property
    def local_folder(self) -> Path | None:
        """The root as a folder of this machine; None if it is elsewhere."""
        if "://" in self.root and not self.root.startswith("file://"):
            return None
        return Path(self.root.removeprefix("file://")).expanduser().resolve()


class tracking(Section):  # noqa: N801
    """The MLflow server that models are registered with."""

    uri: Text = Text(
        default="",
        secrets=redaction.register_url_secrets,
        significant=False,
        description="MLflow tracking URI (http://..., sqlite:///...). Empty: a SQLite file under "
        "the storage root.",
    )
    experiment: Text = Text(
        default="nyc-taxi-duration",
        description="MLflow experiment that holds the runs.",
    )

    @property
    def server_uri(self) -> str:
        """The tracking URI in use.

        Raises:
            InvalidConfig: none is set, and the storage root is no local folder to put one into.
        """
        return self.uri or f"sqlite:///{self._local_root / layout.tracking_database()}"

    @property
    def artifacts(self) -> str:
        """Where files of runs are kept; empty leaves that to the server."""
        return "" if self.uri else (self._local_root / layout.tracking_artifacts()).as_uri()

    @property
    def _local_root(self) -> Path:
        folder = storage().local_folder
        if folder is None:
            raise InvalidConfig(
                f"[tracking] uri must be set, since [storage] root {storage().root} is not a local "
                "folder"
            )
        return folder


class cleaning(Section):  # noqa: N801
    """Which trips are kept. The defaults are the course's rule and nothing else."""

    min_minutes: Real = Real(
        0, default=1.0, description="Shortest duration kept, in minutes (included)."
    )
    max_minutes: Real = Real(
        0, default=60.0, description="Longest duration kept, in minutes (included)."
    )
    only_month: Flag = Flag(
        default=False, description="Drop pickups outside the month that the file is published for."
    )
    known_zones: Flag = Flag(
        default=False,
        description="Drop trips that begin or end in zone 264 (unknown) or 265 (outside the city).",
    )
    keep_reversals: Flag = Flag(
        default=True,
        description="Keep records with a negative fare, which reverse another record.",
    )
    min_miles: Real = Real(
        0, default=0.0, description="Shortest metered distance kept, in miles (included)."
    )
    max_miles: Real = Real(
        0,
        default=float("inf"),
        description="Longest metered distance kept, in miles (included); inf keeps all.",
    )


class features(Section):  # noqa: N801
    """How a trip is described to a model."""

    max_miles: Real = Real(
        0,
        default=100.0,
        description="From this metered distance on (in miles), as for zero or less, the distance "
        "counts as unknown.",
    )


class tuning(Section):  # noqa: N801
    """The search for hyperparameters, inside the training window."""

    # What a trial is: these decide which trials there are and what comes of each.
    holdout_days: Whole = Whole(
        1,
        27,
        default=7,
        description="The last days of the training window, which judge what was fitted on the "
        "days before.",
    )
    rows: Whole = Whole(
        1000, default=10_000, description="Most trips that a trial is fitted on, drawn at random."
    )
    rounds: Whole = Whole(
        1,
        100_000,
        default=16,
        description="Boosting rounds of a trial; at 8, 16, 32 ... the worse half is stopped.",
    )
    learning_rate: Real = Real(
        0.001,
        1,
        default=0.3,
        description="Learning rate of all trials, high so that they are short.",
    )
    parallel: Whole = Whole(
        1,
        1000,
        default=4,
        description="Most trials at a time. Trial n learns from trials 1 to n - parallel, however "
        "many cores there are, so that the search finds the same everywhere.",
    )
    max_rows: Whole = Whole(
        1000,
        default=400_000,
        description="Trips beyond which the search works on a random sample of the window.",
    )
    seed: Whole = Whole(0, 2**32 - 1, default=42, description="Seed of the search.")
    # How long is searched: a search that is given more goes on from the trials that are there.
    trials: Whole = Whole(1, 10_000, default=30, description="Trials in all.")
    seconds: Real = Real(
        0, default=float("inf"), description="Seconds after which no further trial is begun."
    )
    patience: Whole = Whole(
        1,
        10_000,
        default=100,
        description="Trials without a better one after which the search ends.",
    )
    # The fit of what was chosen.
    max_rounds: Whole = Whole(
        1, 100_000, default=2000, description="Most boosting rounds of the chosen parameters."
    )
    stopping_rounds: Whole = Whole(
        1,
        100_000,
        default=20,
        description="Boosting rounds without improvement after which their number is known.",
    )

    OF_A_TRIAL = ("holdout_days", "rows", "rounds", "learning_rate", "parallel", "max_rows", "seed")

    def of_a_trial(self) -> dict[str, str]:
        """The values that decide what comes of a trial, whatever the number of trials."""
        return {name: f"{getattr(self, name)}" for name in self.OF_A_TRIAL}


class training(Section):  # noqa: N801
    """The fit of the model on the whole training window."""

    seed: Whole = Whole(0, 2**32 - 1, default=42, description="Seed of encodings and boosting.")
    threads: Whole = Whole(
        0,
        default=0,
        significant=False,
        description="Threads of one fit; 0 shares the cores that the process may use among the "
        "workers of --workers.",
    )

    # Set where a worker begins, which alone knows them.
    tasks_at_once: ClassVar[int] = 1
    most_threads: ClassVar[int | None] = None

    @property
    def thread_count(self) -> int:
        """Threads of one fit, never 0, and not more than the scheduler's resource cpu allows."""
        threads = self.threads or max(1, cores() // self.tasks_at_once)
        return min(threads, self.most_threads or threads)


class gate(Section):  # noqa: N801
    """What a challenger must show on the evaluation month to become champion."""

    min_gain: Real = Real(
        0,
        1,
        default=0.0,
        description="Share by which its RMSE must be below that of the best baseline (the mean of "
        "the training window, and the mean by pair of zones). At 0 it must still be below.",
    )


def _check_webhook(url: str) -> None:
    """Refuse what cannot be posted to; the URL itself is a secret and is not told."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and parts.hostname and "@" not in parts.netloc
        _ = parts.port
    except ValueError:
        usable = False
    if url and not (usable and url.isascii() and url.isprintable() and " " not in url):
        raise InvalidConfig(
            "[alerts] webhook must be a URL such as https://host/path, without user and blanks"
        )


class alerts(Section):  # noqa: N801
    """Who is told of failures and promotions. Mail is Luigi's own: see [email] and [smtp] there."""

    webhook: Text = Text(
        default="",
        check=_check_webhook,
        secrets=redaction.register_secret,
        significant=False,
        description="URL that a JSON object with a line of text is posted to, as Slack's incoming "
        "webhooks take it, when a task fails and when a model becomes champion. Empty: nobody.",
    )


class luigid(Section):  # noqa: N801
    """The scheduler that `python -m taxi_pipeline luigid` starts."""

    address: Text = Text(
        default="127.0.0.1",
        significant=False,
        description="Interface to listen on. Luigi's scheduler asks nobody for a password: let "
        "others in through a proxy that does.",
    )
    port: Whole = Whole(
        0, 65535, default=8082, significant=False, description="Port to listen on; 0 takes any."
    )
    folder: Text = Text(
        default="luigid",
        significant=False,
        description="Folder of its state, and of its history unless [task_history] db_connection "
        "names another database, such as postgresql://user:${PASSWORD}@host/luigi.",
    )


SECTIONS: tuple[type[Section], ...] = (
    source,
    storage,
    tracking,
    cleaning,
    features,
    tuning,
    training,
    gate,
    alerts,
    luigid,
)


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0))


@functools.cache
def check() -> None:
    """Check every section once, so that a wrong value is told of before anything runs.

    Raises:
        InvalidConfig: a value is not usable.
    """
    for section in SECTIONS:
        section()


class LuigiSetting(NamedTuple):
    """A value that the pipeline wants for one of Luigi's own options."""

    section: str
    option: str
    value: str
    reason: str


# Luigi's own defaults let a failed task exit with 0, and a scheduler that is not there be
# awaited for minutes. An option that the user has set is left as it is.
LUIGI_SETTINGS = (
    LuigiSetting("core", "log_level", "INFO", "DEBUG shows how Luigi talks to its scheduler."),
    LuigiSetting(
        "core",
        "autoload_range",
        "false",
        "Luigi's range tasks know no year and month (set in this file only).",
    ),
    LuigiSetting("core", "rpc_retry_attempts", "2", "Attempts to reach the central scheduler."),
    LuigiSetting("core", "rpc_retry_wait", "1", "Seconds between these attempts."),
    LuigiSetting("retcode", "already_running", "10", "The same command runs already."),
    LuigiSetting("retcode", "missing_data", "20", "Data from outside the graph are not there."),
    LuigiSetting("retcode", "not_run", "25", "The scheduler did not let a task run."),
    LuigiSetting("retcode", "task_failed", "30", "A task failed."),
    LuigiSetting("retcode", "scheduling_error", "35", "A task could not be scheduled."),
    LuigiSetting("retcode", "unhandled_exception", "40", "A wrong value, or no scheduler."),
    # A resource that the scheduler has not heard of is there once.
    LuigiSetting("resources", "downloads", "4", "Months that are fetched at a time."),
    LuigiSetting("resources", "registry", "1", "Models that are registered at a time."),
    LuigiSetting(
        "worker",
        "check_complete_on_run",
        "true",
        "A task is done when its output is there, not when its code has ended.",
    ),
    LuigiSetting(
        "worker",
        "max_keep_alive_idle_duration",
        "6 hours",
        "How long a run waits for tasks, or for cores, that other runs of its scheduler have.",
    ),
    LuigiSetting("worker", "wait_jitter", "1", "Most seconds, at random, between two questions."),
)


def apply_luigi_settings() -> None:
    """Give Luigi the settings above, wherever the user has not set the option."""
    configured: Any = luigi.configuration.get_config()
    # Luigi reads these two, but not through the class that checks the section [core].
    luigi.interface.core.ignore_unconsumed |= {"rpc_retry_attempts", "rpc_retry_wait"}
    for section, option, value, _ in (*LUIGI_SETTINGS, _all_cores()):
        if not configured.has_option(section, option):
            configured.set(section, option, value)


def _all_cores() -> LuigiSetting:
    # Not among the others, since the file that they are written to goes from machine to machine.
    return LuigiSetting("resources", "cpu", str(cores()), "Cores that tasks may use together.")


def as_cfg() -> str:
    """The text of a ``luigi.cfg`` in which every value is the default, with its meaning."""
    lines = [
        "# Configuration of taxi_pipeline: every option with its default. Each is also a flag of",
        "# the luigi command: [source] url is --source-url. `python -m taxi_pipeline write-config`",
        "# writes this file anew.",
    ]
    for section in SECTIONS:
        lines += ["", f"# {section.__doc__}", f"[{section.__name__}]"]
        for name, parameter in section.get_params():
            lines += _comment(parameter.description)
            lines.append(f"{name} = {_default(parameter)}".rstrip().replace("%", "%%"))
    lines += ["", "# Luigi's own options.", "# `local_scheduler = true` makes luigid unnecessary."]
    for name in dict.fromkeys(setting.section for setting in LUIGI_SETTINGS):
        lines.append(f"[{name}]")
        for setting in LUIGI_SETTINGS:
            if setting.section == name:
                lines += _comment(setting.reason)
                lines.append(f"{setting.option} = {setting.value}")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _comment(text: str) -> list[str]:
    return textwrap.wrap(text, 98, initial_indent="# ", subsequent_indent="# ")


def _default(parameter: CheckedParameter[Any]) -> str:
    return str(parameter.serialize(parameter._default))  # noqa: SLF001  (luigi has no public name)
