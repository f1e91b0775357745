"""Asking a web server for a file without fetching it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

if TYPE_CHECKING:
    import requests

# Answers by which a server may refuse HEAD although it lets the same file be fetched: it does not
# know the method, has no page for it, or the URL is signed for GET alone.
_HEAD_REFUSED = {
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.METHOD_NOT_ALLOWED,
    HTTPStatus.NOT_IMPLEMENTED,
}


MAX_REDIRECTS = 10
"""Redirections that are followed one after the other."""


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


class RedirectRefused(Exception):
    """A redirection is not followed; the text says why, without secrets."""


def check_redirect(url: str, location: str) -> None:
    """Refuse a redirection that leaves the web, or gives up its encryption.

    Args:
        url: what was asked for.
        location: where the server sends to, perhaps relative to it.

    Raises:
        RedirectRefused: the redirection is not followed.
    """
    before = urlsplit(url).scheme
    try:
        after = urlsplit(urljoin(url, location)).scheme
    except ValueError:
        raise RedirectRefused("it redirects to what is no URL") from None
    if after not in {"http", "https"}:
        raise RedirectRefused(f"it redirects to {after}:, which is not on the web")
    if (before, after) == ("https", "http"):
        raise RedirectRefused("it redirects from https to http, which anyone may change")


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
        with requests.Session() as session:
            session.max_redirects = MAX_REDIRECTS
            session.hooks["response"].append(_check_redirect_of)
            with session.request(
                method,
                url,
                timeout=timeout,
                allow_redirects=True,
                # The length and the entity tag are to be the file's, not a compressed form's.
                headers={"Accept-Encoding": "identity"},
                **options,
            ) as response:
                return HttpAnswer(response.status_code, response.headers)
    except RedirectRefused as refusal:
        return HttpAnswer(0, problem=str(refusal))
    except requests.TooManyRedirects:
        return HttpAnswer(0, problem="it redirects without end")
    except requests.Timeout:
        return HttpAnswer(0, problem=f"no answer within {timeout:g} s")
    # The texts of these errors would show the URL.
    except requests.ConnectionError:
        return HttpAnswer(0, problem="the connection failed")
    except (requests.RequestException, ValueError):
        return HttpAnswer(0, problem="the URL or the answer makes no sense")


def _check_redirect_of(response: requests.Response, **_: Any) -> None:
    if response.is_redirect:
        check_redirect(response.url, response.headers["location"])
