"""The tasks that a person may type."""

from __future__ import annotations

import sys

import luigi
from luigi.task_register import Register


def task_names() -> list[str]:
    """The names of this package's tasks, and of those of other imported modules, in order."""
    kinds = Register._get_reg().items()  # noqa: SLF001  (it tells names alone)
    return sorted(name for name, kind in kinds if isinstance(kind, type) and _is_typed(name, kind))


def _is_typed(name: str, kind: type) -> bool:
    package = kind.__module__.partition(".")[0]
    if issubclass(kind, luigi.Config) or package == "luigi":
        return False
    # What the package names is typed; other classes of its rooms are bases.
    return package != "taxi_pipeline" or hasattr(sys.modules[package], name)
