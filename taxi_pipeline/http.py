"""Asking a web server for a file without fetching it."""

from __future__ import annotations


def http_status(url: str, timeout: float) -> int:
    """The HTTP status with which a server answers for a file; 0 if it does not answer.

    Args:
        url: the file; redirections are followed.
        timeout: seconds that connecting, and each read, may take.
    """
    import requests

    try:
        return requests.head(url, timeout=timeout, allow_redirects=True).status_code
    except (requests.RequestException, ValueError):
        return 0
