"""What makes a process Luigi's command for this package, under whatever name it is called."""

from __future__ import annotations

import atexit
import gc

from taxi_pipeline.observability import logs
from taxi_pipeline.runtime import factory


def install(*, quiet: bool = False) -> None:
    """Take over the console, the signals and the workers of this process.

    Args:
        quiet: whether the console shows warnings, errors and the last line alone.
    """
    logs.install_console(quiet=quiet)
    factory.install(quiet=quiet)
    # What is imported stays. Looking through it for garbage again and again takes a fifth of the
    # time that imports take (2.4 s with MLflow, 1.9 s without collections), and 0.7 s at exit.
    gc.set_threshold(100_000, 50, 100)
    atexit.register(gc.freeze)
