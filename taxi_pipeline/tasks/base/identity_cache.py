"""Identities and configuration that many tasks have in common are computed once."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any, TypeVar

import luigi

Value = TypeVar("Value")

Reading = dict[object, Any]
"""What was read in a reading, by what it is of."""

_READING: ContextVar[Reading | None] = ContextVar("reading", default=None)


def is_done(task: luigi.Task) -> bool:
    """Whether a task is done; no, if that cannot be known: Luigi asks too, and tells why."""
    try:
        return bool(task.complete())
    except Exception:  # noqa: BLE001  (one task of many must not stop the others)
        return False


@contextlib.contextmanager
def identity_cache(before: Reading | None = None) -> Iterator[Reading]:
    """Within, identities and the configuration are read once: many tasks have them in common.

    Args:
        before: what an earlier reading found, where nothing was made since then.
    """
    if (around := _READING.get()) is not None:
        yield around
        return
    reading: Reading = {} if before is None else before
    token = _READING.set(reading)
    try:
        yield reading
    finally:
        _READING.reset(token)


def cached(key: object, read: Callable[[], Value]) -> Value:
    """What was read in this reading before, or is now."""
    reading = _READING.get()
    if reading is None:
        return read()
    if key not in reading:
        reading[key] = read()
    value: Value = reading[key]
    return value
