"""Values that the pipeline sets for Luigi's own options."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import luigi

from taxi_pipeline.compute.cores import cores


class LuigiSetting(NamedTuple):
    """A value that the pipeline sets for one of Luigi's own options, and why."""

    section: str
    option: str
    value: str
    reason: str


# By Luigi's defaults a failed task exits with 0, and a missing scheduler is retried for minutes.
# Options that the user has set stay as they are.
LUIGI_SETTINGS = (
    LuigiSetting("core", "log_level", "INFO", "DEBUG shows requests to the scheduler."),
    LuigiSetting(
        "core",
        "autoload_range",
        "false",
        "Luigi's own range tasks cannot pass year and month (takes effect in this file only).",
    ),
    LuigiSetting("core", "rpc_retry_attempts", "2", "Attempts to reach the central scheduler."),
    LuigiSetting("core", "rpc_retry_wait", "1", "Seconds between these attempts."),
    LuigiSetting("retcode", "already_running", "10", "The same command runs already."),
    LuigiSetting("retcode", "missing_data", "20", "A month that the run needs is not published."),
    LuigiSetting("retcode", "not_run", "25", "The scheduler did not let a task run."),
    LuigiSetting("retcode", "task_failed", "30", "A task failed."),
    LuigiSetting("retcode", "scheduling_error", "35", "A task could not be scheduled."),
    LuigiSetting("retcode", "unhandled_exception", "40", "A wrong value, or no scheduler."),
    # Of a resource whose limit it does not know, the scheduler grants one.
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
        "How long a run waits for tasks or cores that other runs of the same scheduler hold.",
    ),
    LuigiSetting(
        "worker", "wait_jitter", "1", "Seconds at most, at random, between two requests for work."
    ),
)


def apply_luigi_settings() -> None:
    """Give Luigi the settings above, wherever the user has not set the option."""
    configured: Any = luigi.configuration.get_config()
    # Luigi reads these, but not through the class that checks the section [core]: its warning would
    # show the password in the URL.
    luigi.interface.core.ignore_unconsumed |= {
        *("rpc_retry_attempts", "rpc_retry_wait"),
        *("default_scheduler_url", "default_scheduler_host", "default_scheduler_port"),
    }
    for section, option, value, _ in (*LUIGI_SETTINGS, _all_cores()):
        if not configured.has_option(section, option):
            configured.set(section, option, value)
    _follow_luigid(configured)


def settings_files() -> list[Path]:
    """The files that Luigi has read its configuration from; a later one has the last word."""
    configured: Any = luigi.configuration.get_config()
    named = dict.fromkeys(configured._config_paths)  # noqa: SLF001  (Luigi offers no other way)
    return [Path(file).absolute() for file in named if Path(file).is_file()]


def _follow_luigid(configured: Any) -> None:
    """Let clients look for the scheduler where ``[luigid]`` says that it listens.

    Unless the user has told them where it is. What ``[luigid]`` holds is checked when a task is
    made, so a port that is none is passed on here.
    """
    told = ("default_scheduler_url", "default_scheduler_host", "default_scheduler_port")
    if any(configured.has_option("core", option) for option in told):
        return
    address, port, password = (
        configured.get("luigid", option, default)
        for option, default in (("address", "127.0.0.1"), ("port", "8082"), ("password", ""))
    )
    anywhere = {"", "0.0.0.0", "::"}  # noqa: S104  (it is compared, nothing listens on it)
    host = "localhost" if address in anywhere else f"[{address}]" if ":" in address else address
    if password:
        url = f"http://luigi:{password}@{host}:{port}"
        configured.set("core", "default_scheduler_url", url.replace("%", "%%"))
    elif (host, port) != ("127.0.0.1", "8082"):
        configured.set("core", "default_scheduler_host", host)
        configured.set("core", "default_scheduler_port", port)


def _all_cores() -> LuigiSetting:
    # Not among the others: luigi.cfg, which they are written to, is used on other machines too.
    return LuigiSetting("resources", "cpu", str(cores()), "Cores that tasks may use together.")
