"""Files and folders under the storage root, for a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tornado.web

from taxi_pipeline.luigid import pages
from taxi_pipeline.observability import links
from taxi_pipeline.storage import layout


class Folder(tornado.web.RequestHandler):
    """A folder under the storage root, as a page."""

    def initialize(self, path: str) -> None:
        """Take the storage root."""
        self.root = Path(path)

    def get(self, location: str) -> None:
        """Answer with the page."""
        location = location.strip("/")
        folder = self.root / location
        if layout.is_hidden(location) or not folder.is_dir():
            raise tornado.web.HTTPError(404)
        self.finish(pages.folder(folder, location))

    head = get


class File(tornado.web.StaticFileHandler):
    """A file under the storage root, as it is; logs are text, to be read in the browser."""

    def validate_absolute_path(self, root: str, absolute_path: str) -> str | None:
        """The path of a file that may be shown; a folder's page has a slash at its end."""
        if layout.is_hidden(self.path):
            raise tornado.web.HTTPError(404)
        if Path(absolute_path).is_dir():
            self.redirect(f"{self.request.path}/")
            return None
        return super().validate_absolute_path(root, absolute_path)

    def get_content_type(self) -> str:
        """The content type, by the file's name."""
        return (
            "text/plain; charset=utf-8"
            if self.path.endswith(".log")
            else super().get_content_type()
        )


def routes(root: Path) -> list[Any]:
    """Tornado's routes to the files and folders under a storage root."""
    shown = {"path": str(root)}
    return [
        (f"/{links.FILES}", tornado.web.RedirectHandler, {"url": f"/{links.FILES}/"}),
        (rf"/{links.FILES}/((?:.*/)?)", Folder, shown),
        (f"/{links.FILES}/(.*)", File, shown),
    ]
