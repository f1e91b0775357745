"""An executor whose calls run on a Dask cluster."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import CancelledError, Executor, Future
from dataclasses import replace
from typing import Any

from taxi_pipeline.errors import ClusterError


class ClusterExecutor(Executor):
    """Runs callables that are dataclasses, and sends what they have in common once.

    Where workers die with a call again and again, or the cluster is lost, the call's future has a
    ClusterError, which is a BrokenExecutor.

    Args:
        submit: makes Dask's future of a call; a future among the arguments stands for its result.
        failure: makes the error of what went wrong around a call.
        once: fields that are the same in all calls.
    """

    def __init__(
        self,
        submit: Callable[..., Any],
        failure: Callable[[BaseException], ClusterError],
        once: tuple[str, ...],
    ) -> None:
        self._submit = submit
        self._failure = failure
        self._once = once
        self._sent: dict[int, tuple[Any, Any]] = {}

    def submit(self, function: Any, /, *_: Any, **__: Any) -> Future[Any]:
        """Run a dataclass, which takes no arguments."""
        parts = {name: self._send(getattr(function, name)) for name in self._once}
        light = replace(function, **dict.fromkeys(self._once))
        there: Any = self._submit(_call, light, **parts)
        here: Future[Any] = Future()
        here.set_running_or_notify_cancel()
        there.add_done_callback(lambda ended: self._pass_on(ended, here))
        return here

    def _send(self, value: Any) -> Any:
        # Kept with the value: another may get its id once it is gone.
        if id(value) not in self._sent:
            self._sent[id(value)] = self._submit(_same, value), value
        return self._sent[id(value)][0]

    def _pass_on(self, there: Any, here: Future[Any]) -> None:
        from distributed.scheduler import KilledWorker

        try:
            result = there.result()
        except (KilledWorker, CancelledError) as error:
            here.set_exception(self._failure(error))
        except BaseException as error:  # noqa: BLE001  (it is the caller's)
            here.set_exception(error)
        else:
            here.set_result(result)


def _same(value: Any) -> Any:
    """What Dask makes again where the workers that have it die, unlike what it was handed."""
    return value


def _call(function: Any, **parts: Any) -> Any:
    """Call a dataclass with fields that came another way."""
    return replace(function, **parts)()
