"""What clients may tell the scheduler: each argument of its interface, checked where it enters.

Luigi's page writes names and status lines into HTML as they are, and a value of another type than
expected breaks a page, or the scheduler itself, for everyone. So names that hold markup and values
of a wrong type are refused, markup in sentences is made harmless, and links are http or https.
"""

from __future__ import annotations

import inspect
import json
import logging
import math
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import luigi.scheduler
from luigi import task_status

from taxi_pipeline.observability import links

logger = logging.getLogger("taxi_pipeline.luigid")

MAX_NAME = 2000
"""Characters of the longest name."""

MAX_NUMBER = 1e15
"""The largest number, either way."""

STATUSES = frozenset(
    (
        *(task_status.PENDING, task_status.RUNNING, task_status.BATCH_RUNNING, task_status.DONE),
        *(task_status.FAILED, task_status.SUSPENDED, task_status.DISABLED, task_status.UNKNOWN),
    )
)

_MARKUP = re.compile(r"[<>\"'&`\x00-\x1f\x7f]")
_WORKER_MARKUP = re.compile(r"[<>\"&`\x00-\x1f\x7f]")  # a user's name may be O'Brien
_WITHOUT_TAGS = str.maketrans("<>", "\u2039\u203a")  # the quotation marks that look like them
_TAKEN_INFO = {
    *("name", "last_active", "started", "state", "first_task_display_name"),
    "num_unread_rpc_messages",
}
# Luigi counts these calls itself; what a client can send of a task is none.
_INTERNAL = {"update_metrics_task_started"}
_NEED_WORKER = {"add_task", "get_work", "ping", "announce_scheduling_failure"}


class RefusedArguments(ValueError):
    """What a client sent makes no sense to the scheduler; the text says what."""


def check(condition: object, expects: str) -> None:
    """Refuse a value unless the condition holds.

    Raises:
        RefusedArguments: it does not.
    """
    if not condition:
        raise RefusedArguments(f"must be {expects}")


def name(value: Any) -> str:
    """The name of a task, family, module, resource or parameter."""
    check(
        isinstance(value, str) and len(value) <= MAX_NAME and not _MARKUP.search(value),
        f"a name of at most {MAX_NAME} characters, none of them < > \" ' & or `",
    )
    return str(value)


def worker(value: Any) -> str:
    """The name of a worker."""
    check(
        isinstance(value, str) and len(value) <= MAX_NAME and not _WORKER_MARKUP.search(value),
        f'a name of at most {MAX_NAME} characters, none of them < > " & or `',
    )
    return str(value)


def text(value: Any) -> str:
    """A text that the page shows as text."""
    check(isinstance(value, str), "text")
    return str(value)


def sentence(value: Any) -> str:
    """A text that the page shows as HTML: it cannot hold a tag."""
    return _scalar(value).translate(_WITHOUT_TAGS)


def number(value: Any) -> float:
    """A number that a page can show and a sum can hold."""
    check(
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and -MAX_NUMBER <= value <= MAX_NUMBER,
        "a number",
    )
    checked: float = value
    return checked


def amount(value: Any) -> float:
    """A number of something."""
    check(number(value) >= 0, "a number, 0 or more")
    checked: float = value
    return checked


def flag(value: Any) -> bool:
    """A truth value."""
    check(isinstance(value, bool), "a truth value")
    return bool(value)


def link(value: Any) -> str | None:
    """A link to follow from a task; None for one that is no link to a page."""
    url = text(value).strip()
    try:
        parts = urlsplit(url)
        usable = (parts.scheme in {"http", "https"} and bool(parts.netloc)) or (
            not parts.scheme and not parts.netloc and url.startswith(f"/{links.FILES}/")
        )
    except ValueError:
        usable = False
    if usable and url.isprintable() and not re.search(r"[\s<>\"'`\\]", url):
        return url
    logger.warning("the link of a task was left out, since it is no http or https URL: %.100r", url)
    return None


def info(value: Any) -> list[list[Any]]:
    """What a worker says of itself, as pairs; the page shows it beside what the scheduler knows."""
    expects = "pairs of a name and a text, number or truth value"
    pairs = list(value.items()) if isinstance(value, dict) else value
    check(isinstance(pairs, list), expects)
    checked = []
    for pair in pairs:
        check(isinstance(pair, list | tuple) and len(pair) == 2, expects)  # noqa: PLR2004
        key, known = name(pair[0]), pair[1]
        check(key not in _TAKEN_INFO, f"other than {', '.join(sorted(_TAKEN_INFO))}")
        check(known is None or isinstance(known, str | int | float), expects)
        if key == "workers":
            number(known)
        checked.append([key, worker(known) if isinstance(known, str) else known])
    return checked


def _optional(inner: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else inner(value)


def _list_of(inner: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def checked(value: Any) -> list[Any]:
        check(isinstance(value, list), "a list")
        return [inner(entry) for entry in value]

    return checked


def _dict_of(inner: Callable[[Any], Any], *keys: str) -> Callable[[Any], Any]:
    def checked(value: Any) -> dict[str, Any]:
        check(isinstance(value, dict), "names with their values")
        check(not keys or value.keys() <= set(keys), f"values of {', '.join(keys)}")
        return {name(key): inner(entry) for key, entry in value.items()}

    return checked


def _scalar(value: Any) -> str:
    check(value is None or isinstance(value, str | int | float), "text")
    return str(value)


def _status(value: Any) -> str:
    check(isinstance(value, str) and value in STATUSES, f"one of {', '.join(sorted(STATUSES))}")
    return str(value)


def _filter(value: Any) -> str:
    return "" if value == "" else _status(value)


def _size(value: Any) -> float:
    return math.inf if value == math.inf else amount(value)


# The arguments of all methods. One name means the same in each.
_CHECKS: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("task_id", "family", "task_family", "task", "message_id", "resource"), name),
    **dict.fromkeys(("module", "batch_id"), _optional(name)),
    **dict.fromkeys(("deps", "new_deps", "current_tasks"), _optional(_list_of(name))),
    **dict.fromkeys(("expl", "search"), _optional(text)),
    **dict.fromkeys(("status_message", "response"), _optional(sentence)),
    "host": _optional(worker),
    **dict.fromkeys(("content", "task_str", "task_name"), text),
    "resources": _optional(_dict_of(amount)),
    "decrease_resources": _dict_of(amount),
    **dict.fromkeys(("progress_percentage", "max_shown_tasks"), _optional(number)),
    **dict.fromkeys(
        ("runnable", "accepts_messages", "assistant", "batchable", "include_done", "limit"),
        _optional(flag),
    ),
    "batched_args": _list_of(name),
    "worker": worker,
    "info": info,
    "status": _status,
    "priority": number,
    "amount": amount,
    "n": amount,
    "params": _optional(_dict_of(_scalar)),
    "param_visibilities": _optional(_dict_of(amount)),
    "tracking_url": _optional(link),
    "owners": _optional(_list_of(text)),
    "max_batch_size": _size,
    "retry_policy_dict": _optional(
        _dict_of(_optional(amount), "retry_count", "disable_hard_timeout", "disable_window")
    ),
}


def read(method: str, payload: str) -> dict[str, Any]:
    """The arguments of a call by a client.

    Args:
        method: of Luigi's scheduler.
        payload: the arguments as JSON.

    Raises:
        RefusedArguments: they make no sense.
    """
    try:
        arguments = json.loads(payload)
        # What has no UTF-8 form would fail wherever it is written later.
        json.dumps(arguments, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise RefusedArguments(f"{method}: the arguments must be JSON in UTF-8") from None
    if not isinstance(arguments, dict):
        raise RefusedArguments(f"{method}: the arguments must be a JSON object")
    if method in _INTERNAL:
        raise RefusedArguments(f"{method}: is not for clients")
    try:
        inspect.signature(getattr(luigi.scheduler.Scheduler, method)).bind(None, **arguments)
    except TypeError as error:
        raise RefusedArguments(f"{method}: {error}") from None
    if method in _NEED_WORKER and "worker" not in arguments:
        raise RefusedArguments(f"{method}: missing a required argument: 'worker'")
    return checked(method, arguments)


def checked(method: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a call, fit for the scheduler and its page.

    Raises:
        RefusedArguments: a value makes no sense.
    """
    return {key: _checked(method, key, value) for key, value in arguments.items()}


def _checked(method: str, key: str, value: Any) -> Any:
    try:
        if method == "update_resources":
            return _dict_of(amount)({key: value})[key]
        inner = _filter if (method, key) == ("task_list", "status") else _CHECKS.get(key)
        return value if inner is None else inner(value)
    except RefusedArguments as error:
        raise RefusedArguments(f"{method}: {key:.100} {error}") from None
