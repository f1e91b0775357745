"""Luigi's pages as they are served: nothing is fetched elsewhere, and a little more is shown.

Luigi's files stay as they are; a few are changed on the way to the browser, each at a place that is
looked for. In a version of Luigi that lacks the place, Luigi's own file is served.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import logging
import re
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import luigi.server
import tornado.web
from tornado.template import DictLoader

from taxi_pipeline.luigid import headers

logger = logging.getLogger("taxi_pipeline.luigid")

LUIGI = Path(luigi.server.__file__).parent
OWN = Path(__file__).parent / "web"

INDEX = "visualiser/index.html"
SCRIPT = "visualiser/js/taxi_pipeline.js"


@dataclass(frozen=True)
class Patch:
    """A change of a file of Luigi's.

    Attributes:
        place: what is looked for.
        replacement: what stands there instead.
        purpose: what is missing without it, in a few words.
    """

    place: str
    replacement: str
    purpose: str


_NOTHING_ELSEWHERE = "pages that need no other server"

# Files under Luigi's folder of static files.
STATIC_PATCHES = {
    INDEX: Patch(
        r"</head>",
        '<script src="js/taxi_pipeline.js"></script>\n</head>',
        "status lines in the list and months in graphs",
    ),
    # A font; the style names others of the machine's to take in its place.
    "visualiser/lib/AdminLTE/css/AdminLTE.min.css": Patch(
        r"@import url\((?:https?:)?//[^)]*\);?", "", _NOTHING_ELSEWHERE
    ),
    # Luigi keeps these fonts in another folder than this style expects.
    "visualiser/lib/bootstrap3/css/bootstrap.min.css": Patch(
        r"url\((['\"]?)\.\./fonts/", r"url(\1../../../fonts/", "icons on buttons"
    ),
}

# The frame of the history's pages: scripts of a chart, which has a page of ours instead, and the
# styles in the page, which the policy forbids.
LAYOUT = "layout.html"
LAYOUT_PATCHES = (
    Patch(r"<script\b.*?</script>", "", "pages that need no scripts"),
    Patch(r"<link\b[^>]*href=[\"'](?:https?:)?//[^>]*>", "", _NOTHING_ELSEWHERE),
    Patch(r"<style\b.*?</style>", "", "the plain style of the history's pages"),
)

_INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def patched(file: Path, *patches: Patch) -> str | None:
    """The text of a file with changes; those whose place is missing are left out, with a line.

    Returns:
        None if there is no such file, which is said in a line as well.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        logger.warning("this version of Luigi has no %s, which is not served", file.name)
        return None
    for patch in patches:
        text, changes = re.subn(patch.place, patch.replacement, text, flags=re.DOTALL)
        if not changes:
            logger.warning(
                "this version of Luigi has another %s: it is served without %s",
                file.name,
                patch.purpose,
            )
    return text


def script_hashes(page: str) -> list[str]:
    """The hashes of the scripts that stand in a page, for its policy."""
    return [
        f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"
        for script in _INLINE_SCRIPT.findall(page)
    ]


class PageFile(tornado.web.RequestHandler):
    """A file of Luigi's page that is kept in memory."""

    TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}  # noqa: RUF012

    def initialize(self, name: str, text: str) -> None:
        """Take the file's name and content."""
        self.name = name
        self.text = text

    def get(self) -> None:
        """Answer with the file."""
        suffix = Path(self.name).suffix
        self.set_header("Content-Type", f"{self.TYPES[suffix]}; charset=utf-8")
        self.set_header("Cache-Control", "no-cache")
        if suffix == ".html":
            policy = headers.page_policy(script_hashes(self.text))
            self.set_header(headers.CONTENT_POLICY, policy)
        self.finish(self.text)

    head = get


def templates() -> DictLoader:
    """Luigi's templates, with the frame changed and a page of ours for the times of runs."""
    folder = LUIGI / "templates"
    texts = {file.name: file.read_text(encoding="utf-8") for file in folder.glob("*.html")}
    if (frame := patched(folder / LAYOUT, *LAYOUT_PATCHES)) is not None:
        texts[LAYOUT] = frame
    texts["history.html"] = (OWN / "history.html").read_text(encoding="utf-8")
    return DictLoader(texts)


class RunTimes(luigi.server.BaseTaskHistoryHandler):
    """How long the runs of a task family took."""

    def get(self, name: str) -> None:
        """Answer with the page."""
        history: Any = self._scheduler.task_history
        ids = {task.id for task in history.find_all_runs() if task.name == name}
        if not ids:
            raise tornado.web.HTTPError(HTTPStatus.NOT_FOUND)
        events = sorted(
            (event for event in history.find_all_events() if event.task_id in ids),
            key=lambda event: (event.task_id, event.ts, event.id),
        )
        runs = [
            {
                "task_id": began.task_id,
                "started": f"{began.ts:%Y-%m-%d %H:%M:%S}",
                "status": ended.event_name,
                "seconds": (ended.ts - began.ts).total_seconds(),
            }
            for began, ended in itertools.pairwise(events)
            if began.task_id == ended.task_id
            and began.event_name == "RUNNING"
            and ended.event_name in {"DONE", "FAILED"}
        ]
        longest = max((run["seconds"] for run in runs), default=0) or 1
        for run in runs:
            run["width"] = f"{400 * run['seconds'] / longest:.0f}"
        runs.sort(key=lambda run: run["started"], reverse=True)
        self.render("history.html", name=name, runs=runs)


def routes(scheduler: Any) -> list[Any]:
    """Tornado's routes to what is served instead of Luigi's own."""
    static = LUIGI / "static"
    texts = {name: patched(static / name, patch) for name, patch in STATIC_PATCHES.items()}
    texts[SCRIPT] = (OWN / "visualiser.js").read_text(encoding="utf-8")
    return [
        (r"/tasklist/(.+)", RunTimes, {"scheduler": scheduler}),
        *(
            (f"/static/{re.escape(name)}", PageFile, {"name": name, "text": text})
            for name, text in texts.items()
            if text is not None
        ),
    ]
