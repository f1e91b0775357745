"""Files and folders under the storage root, for a browser.

What tasks made is shown as of no site at all: it runs no scripts and asks for nothing. The disk is
read by other threads, since one that is slow must not keep clients waiting.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import tornado.web
from tornado.iostream import StreamClosedError

from taxi_pipeline.luigid import headers, pages
from taxi_pipeline.luigid.published import BINARY, KINDS, PublishedRoot
from taxi_pipeline.observability import links

CHUNK = 64 * 1024
"""Bytes that are read and sent at a time."""

T = TypeVar("T")


async def _elsewhere(work: Callable[..., T], *arguments: Any) -> T:
    """What a function answers in another thread."""
    return await asyncio.get_running_loop().run_in_executor(None, work, *arguments)


class FolderHandler(tornado.web.RequestHandler):
    """A folder under the storage root, as a page."""

    def initialize(self, published: PublishedRoot) -> None:
        """Take what is shown."""
        self.published = published

    async def get(self, location: str) -> None:
        """Answer with the page."""
        page = await _elsewhere(pages.folder, self.published, location.strip("/"))
        if page is None:
            raise tornado.web.HTTPError(HTTPStatus.NOT_FOUND)
        self.set_header(headers.CONTENT_POLICY, headers.FOLDER_POLICY)
        self.set_header("Cache-Control", "no-cache")
        await self.finish(page)

    head = get


class FileHandler(tornado.web.RequestHandler):
    """A file under the storage root, as it is; a folder's page has a slash at its end."""

    def initialize(self, published: PublishedRoot) -> None:
        """Take what is shown."""
        self.published = published
        self.validator: str | None = None

    def compute_etag(self) -> str | None:
        """What changes when the file does."""
        return self.validator

    async def get(self, location: str) -> None:
        """Answer with the file's content at this moment, unless the browser has it."""
        opened = await _elsewhere(self._open, location)
        if opened is not None:
            with opened as content:
                await self._send(content)
        elif await _elsewhere(self.published.folder, location):
            self.redirect(f"{self.request.path}/")
        else:
            raise tornado.web.HTTPError(HTTPStatus.NOT_FOUND)

    head = get

    def _open(self, location: str) -> BinaryIO | None:
        path = self.published.file(location)
        try:
            return None if path is None else path.open("rb")
        except OSError:  # it has just gone, or may not be read
            return None

    async def _send(self, content: BinaryIO) -> None:
        status = os.fstat(content.fileno())
        kind = KINDS[Path(content.name).suffix]
        self.set_header("Content-Type", kind)
        self.set_header(headers.CONTENT_POLICY, headers.ARTIFACT_POLICY)
        self.set_header("Cache-Control", "no-cache")
        if kind == BINARY:
            self.set_header("Content-Disposition", "attachment")
        self.validator = f'"{status.st_mtime_ns:x}-{status.st_size:x}"'
        self.set_etag_header()
        if self.check_etag_header():
            self.set_status(HTTPStatus.NOT_MODIFIED)
            return
        self.set_header("Content-Length", str(status.st_size))
        # A log may grow meanwhile: sent is what was there.
        left = 0 if self.request.method == "HEAD" else status.st_size
        with contextlib.suppress(StreamClosedError):  # the browser has seen enough
            while left and (chunk := await _elsewhere(content.read, min(CHUNK, left))):
                left -= len(chunk)
                self.write(chunk)
                await self.flush()


def routes(root: Path) -> list[Any]:
    """Tornado's routes to the files and folders under a storage root."""
    shown = {"published": PublishedRoot(root)}
    return [
        (f"/{links.FILES}", tornado.web.RedirectHandler, {"url": f"/{links.FILES}/"}),
        (rf"/{links.FILES}/((?:.*/)?)", FolderHandler, shown),
        (f"/{links.FILES}/(.*)", FileHandler, shown),
    ]
