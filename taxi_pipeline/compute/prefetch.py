"""Steps of a stream that run at the same time, each in a thread, with few items between them.

What is computed on Arrow tables and arrays leaves Python's lock, so that reading, computing and
writing share the cores.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Generator, Iterator
from typing import Any, TypeVar

Item = TypeVar("Item")

_END = object()


def prefetch(items: Iterator[Item], depth: int = 1) -> Generator[Item, None, None]:
    """The items in their order, each made in a thread while the caller uses earlier ones.

    The thread ends with the iterator that is returned, be it exhausted or closed: it then makes
    the item to its end that it is about.

    Args:
        items: makes them; only the thread uses it, and closes it if it is a generator.
        depth: items that may wait for the caller.

    Raises:
        BaseException: what making an item raised, in the place of that item.
    """
    made: queue.Queue[Any] = queue.Queue(depth)
    failures: list[BaseException] = []
    is_closed = threading.Event()

    def make() -> None:
        try:
            for item in items:
                made.put(item)
                if is_closed.is_set():
                    break
        except BaseException as error:  # noqa: BLE001  (raised again in the caller's thread)
            failures.append(error)
        finally:
            if hasattr(items, "close"):
                items.close()
            made.put(_END)

    thread = threading.Thread(target=make, name="prefetch", daemon=True)
    thread.start()
    try:
        while (item := made.get()) is not _END:
            yield item
    finally:
        is_closed.set()
        while thread.is_alive():  # it may wait for a place in the queue
            with contextlib.suppress(queue.Empty):
                made.get_nowait()
            thread.join(0.01)
    if failures:
        raise failures[0]
