"""The values that the pipeline wants for Luigi's own options."""

from __future__ import annotations

from typing import Any, NamedTuple

import luigi

from taxi_pipeline.compute.cores import cores


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
