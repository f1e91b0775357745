"""Asking a web server for a file without fetching it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

# Answers by which a server may refuse HEAD although it lets the same file be fetched: it does not
# know the method, or the URL is signed for GET alone.
_HEAD_REFUSED = {
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.METHOD_NOT_ALLOWED,
    HTTPStatus.NOT_IMPLEMENTED,
}


@dataclass(frozen=True)
class HttpAnswer:
    """What a server says of a file.

    Attributes:
        status: the HTTP status; 0 if the server does not answer.
        headers: the answer's headers, found by their names in any case.
        problem: why there is no answer, in a few words without secrets; empty if there is one.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""


def http_status(url: str, timeout: float) -> int:
    """The HTTP status with which a server answers for a file; 0 if it does not answer.

    Args:
        url: the file; redirections are followed.
        timeout: seconds that connecting, and each read, may take.
    """
    return _request("HEAD", url, timeout).status


def http_answer(url: str, timeout: float) -> HttpAnswer:
    """What a server says of a file; where it refuses HEAD, a GET is begun and closed at once.

    Args:
        url: the file; redirections are followed.
        timeout: seconds that connecting, and each read, may take.
    """
    answer = _request("HEAD", url, timeout)
    if answer.status in _HEAD_REFUSED:
        return _request("GET", url, timeout, stream=True)
    return answer


def _request(method: str, url: str, timeout: float, **options: Any) -> HttpAnswer:
    import requests

    try:
        with requests.request(
            method,
            url,
            timeout=timeout,
            allow_redirects=True,
            # The length and the entity tag are to be those of the file, not of a compressed form.
            headers={"Accept-Encoding": "identity"},
            **options,
        ) as response:
            return HttpAnswer(response.status_code, response.headers)
    except requests.Timeout:
        return HttpAnswer(0, problem=f"no answer within {timeout:g} s")
    # The texts of these errors would show the URL.
    except requests.ConnectionError:
        return HttpAnswer(0, problem="the connection failed")
    except (requests.RequestException, ValueError):
        return HttpAnswer(0, problem="the URL or the answer makes no sense")
