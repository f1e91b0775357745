"""HTML pages of folders under the storage root: outputs, what they were made from, their files."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from tornado.template import Template

from taxi_pipeline.luigid.published import PublishedRoot
from taxi_pipeline.storage import MANIFEST, layout

PLOTS = {".png", ".svg"}

MAX_MANIFEST_BYTES = 10_000_000
"""A larger file is no manifest."""

# Entries of the manifest that stand elsewhere on the page, or are too long for it.
_NOT_FACTS = {"label", "summary", "identity", "files", "log", "packages", "code", "task", "key"}

_PAGE = Template(
    """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{ title }}</title><style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 60em; padding: 0 1em }
table { border-collapse: collapse; margin: 0.5em 0 }
td, th { padding: 0.1em 1em 0.1em 0; text-align: left; vertical-align: top; font-weight: normal }
th { color: #666 } td.number { text-align: right; font-variant-numeric: tabular-nums }
img { max-width: 100%; border: 1px solid #ddd; margin: 0.5em 0 } code { color: #555 }
nav { color: #666 }
</style></head><body>
<nav>{% for name, link in above %}<a href="{{ link }}">{{ name }}</a> / {% end %}</nav>
<h1>{{ title }}</h1>
{% if manifest %}
<p><strong>{{ manifest["summary"] }}</strong></p>
<p>{% if log %}<a href="{{ log }}">Log of this run</a>, {% end %}
<a href="manifest.json">all that is known</a></p>
{% end %}
{% for name, link in plots %}<img src="{{ link }}" alt="{{ name }}">{% end %}
{% if manifest %}
<table>{% for name, value in facts %}<tr><th>{{ name }}</th><td>{{ value }}</td></tr>{% end %}
</table>
<h2>Made from</h2>
<table>{% for name, value in made_from %}
<tr><th>{{ name }}</th><td><code>{{ value }}</code></td></tr>{% end %}</table>
{% end %}
<h2>Files</h2>
<table>{% for name, link, size in entries %}
<tr><td>{% if link %}<a href="{{ link }}">{{ name }}</a>{% else %}{{ name }}{% end %}</td>
<td class="number">{{ size }}</td></tr>{% end %}
</table>
</body></html>
"""
)


def folder(published: PublishedRoot, location: str) -> bytes | None:
    """The HTML page of a folder: of an output, if it has a manifest, or a list of what is there.

    Args:
        published: what of the storage root is shown.
        location: the folder, relative to the storage root.

    Returns:
        The page; None if there is no such folder, or it is not shown.
    """
    path = published.folder(location)
    if path is None:
        return None
    entries = sorted(
        published.entries(location),
        key=lambda entry: (entry.name != layout.LATEST, not entry.is_folder, entry.name),
    )
    manifest = _manifest(path)
    up = "../" * len(PurePosixPath(location).parts)
    log = manifest.get("log", "")
    return _PAGE.generate(
        title=manifest.get("label") or location or "outputs",
        above=_above(location),
        manifest=manifest,
        log=f"{up}{quote(log)}" if published.file(log) else "",
        facts=[
            (name, _written(value))
            for name, value in manifest.items()
            if name not in _NOT_FACTS and not isinstance(value, dict | list)
        ],
        made_from=_made_from(manifest),
        plots=[
            (entry.name, quote(entry.name))
            for entry in entries
            if entry.is_shown and Path(entry.name).suffix in PLOTS
        ],
        entries=[
            (
                f"{entry.name}{slash}",
                f"{quote(entry.name)}{slash}" if entry.is_shown else "",
                entry.note,
            )
            for entry in entries
            for slash in ("/" * entry.is_folder,)
        ],
    )


def _manifest(path: Path) -> dict[str, Any]:
    """The manifest of an output; empty for other folders, whatever they hold."""
    file = path / MANIFEST
    try:
        if file.stat().st_size > MAX_MANIFEST_BYTES:
            return {}
        content = json.loads(file.read_bytes())
        # What has no UTF-8 form cannot stand on a page.
        json.dumps(content, ensure_ascii=False).encode()
    except (OSError, ValueError, RecursionError):
        return {}
    return content if _is_ours(content) else {}


def _is_ours(content: Any) -> bool:
    """Whether the manifest has what the page shows of it, in the types that stages write."""
    if not isinstance(content, dict):
        return False
    identity, code = content.get("identity"), content.get("code")
    return (
        all(isinstance(content.get(name), str) for name in ("summary", "key"))
        and all(isinstance(content.get(name, ""), str) for name in ("label", "log"))
        and isinstance(code, dict)
        and isinstance(code.get("commit"), str | None)
        and isinstance(identity, dict)
        and all(
            isinstance(part, dict) and all(isinstance(value, str) for value in part.values())
            for part in (identity.get("inputs"), identity.get("config"))
        )
    )


def _above(location: str) -> list[tuple[str, str]]:
    parts = Path(location).parts
    return [
        (name, "../" * (len(parts) - place))
        for place, name in enumerate(("outputs", *parts)[: len(parts)])
    ]


def _made_from(manifest: dict[str, Any]) -> list[tuple[str, str]]:
    if not manifest:
        return []
    identity = manifest["identity"]
    return [
        ("key", manifest["key"]),
        *identity["inputs"].items(),
        *identity["config"].items(),
        ("code", manifest["code"].get("commit") or "no commit"),
    ]


def _written(value: Any) -> Any:
    if isinstance(value, float):
        return f"{value:.6g}"
    return f"{value:,}" if type(value) is int else value
