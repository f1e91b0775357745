"""What the scheduler lets a browser do with its answers."""

from __future__ import annotations

from collections.abc import Iterable

from tornado.httputil import HTTPHeaders
from tornado.web import OutputTransform

CONTENT_POLICY = "Content-Security-Policy"

_NO_FRAMES = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

ARTIFACT_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; "
    f"{_NO_FRAMES}"
)
"""For what tasks made: shown by itself, with its own styles and pictures, as of no site at all."""

FOLDER_POLICY = f"default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; {_NO_FRAMES}"
"""For pages of our own, which have no scripts."""


def page_policy(script_hashes: Iterable[str] = ()) -> str:
    """For Luigi's pages: scripts, styles, pictures and fonts of this server alone.

    Args:
        script_hashes: of the scripts that stand in the page itself, such as ``sha256-...``.
    """
    scripts = " ".join(["'self'", *(f"'{digest}'" for digest in script_hashes)])
    return (
        f"default-src 'none'; script-src {scripts}; style-src 'self'; "
        # Luigi's pages and their libraries set styles of single elements in HTML.
        "style-src-attr 'unsafe-inline'; img-src 'self' data:; font-src 'self'; "
        f"connect-src 'self'; {_NO_FRAMES}"
    )


HEADERS = {
    CONTENT_POLICY: page_policy(),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Of every answer that does not say otherwise."""


class SecurityHeaders(OutputTransform):
    """Adds what is missing of :data:`HEADERS` to an answer, whichever handler it comes from."""

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        """Add them."""
        del finishing
        for name, value in HEADERS.items():
            headers.setdefault(name, value)
        return status_code, headers, chunk
