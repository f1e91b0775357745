"""Comparing what is under a root with what was published there."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from taxi_pipeline.errors import DamagedOutput, StorageError
from taxi_pipeline.identity import KEY_LENGTH, digest, is_key
from taxi_pipeline.storage import layout
from taxi_pipeline.storage.inventory import TaskDir, task_dirs
from taxi_pipeline.storage.output import Output
from taxi_pipeline.storage.protocol import Storage

Kind = Literal["damaged", "unreadable", "orphan", "elsewhere", "differs"]

THREADS = 8
"""Files that are read at a time; digests are computed on as many cores."""

CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, order=True)
class Finding:
    """Something that is not as it was published.

    Attributes:
        kind: ``damaged``; ``unreadable`` if the store did not give it; ``orphan`` if nothing names
            it, which is no damage; ``elsewhere`` if a link leads to it from the root to another
            place, where nothing is read or changed; ``differs`` if two places say different things,
            which is no damage.
        location: of what it is about.
        problem: what is wrong, in a few words.
        set_aside: whether setting the location aside mends it, as what is not there is made again.
    """

    kind: Kind
    location: str
    problem: str
    set_aside: bool = False

    @property
    def is_damage(self) -> bool:
        """Whether something was published that cannot be read now as it was."""
        return self.kind in {"damaged", "unreadable"}

    def __str__(self) -> str:
        return f"{self.kind:10}  {self.location}: {self.problem}"


CountBytes = Callable[[int], object]


@dataclass(frozen=True)
class Check:
    """Something that is to be compared with what was published.

    Attributes:
        what: ``output``, ``pointer`` or ``trial``.
        location: where it is.
        size: the bytes that are to be read for it.
        findings: compares it; is called with what counts bytes as they are read.
    """

    what: str
    location: str
    size: int
    findings: Callable[[CountBytes], Iterator[Finding]]


def checks(storage: Storage, is_written: Callable[[str], bool] = lambda _: False) -> list[Check]:
    """All that can be compared under a root.

    Args:
        storage: the root.
        is_written: whether a task, by its location, may be running: its outputs may not have their
            manifests yet.
    """
    return [
        check
        for task_dir in task_dirs(storage)
        for check in _of_task(storage, task_dir, is_written(task_dir.location))
    ]


def run(
    storage: Storage, planned: list[Check], count_bytes: CountBytes = lambda _: None
) -> list[Finding]:
    """Compare in several threads what was planned by :func:`checks`; the findings, sorted."""
    pool = ThreadPoolExecutor(THREADS)
    try:
        found = pool.map(lambda check: _guarded(storage, check, count_bytes), planned)
        return sorted(finding for findings in found for finding in findings)
    finally:
        pool.shutdown(cancel_futures=True)


def repair(storage: Storage, findings: Collection[Finding]) -> list[str]:
    """Set damage aside, so that the next run makes it again, and remove links that lead nowhere.

    A pointer to an output that is set aside goes with it. What a run has set aside meanwhile is
    left to it.

    Returns:
        The locations of what was set aside or removed.
    """
    damaged = sorted({finding.location for finding in findings if finding.set_aside})
    mended = [location for location in damaged if _is_there(storage, location)]
    for location in mended:
        storage.set_aside(location)
    for task_dir in task_dirs(storage):
        if storage.leads_outside(task_dir.location):
            continue
        if _leads_nowhere(storage, task_dir):
            storage.remove(layout.latest_link(task_dir.location))
            mended.append(layout.latest_link(task_dir.location))
        if any(location.startswith(f"{task_dir.location}/") for location in mended):
            for check in _of_task(storage, task_dir, being_written=True):
                if check.what == "pointer" and _guarded(storage, check, lambda _: None):
                    storage.set_aside(check.location)
                    mended.append(check.location)
    return mended


def _leads_nowhere(storage: Storage, task_dir: TaskDir) -> bool:
    latest = storage.latest_key(task_dir.location)
    return latest is not None and latest not in task_dir.keys


def _of_task(storage: Storage, task_dir: TaskDir, being_written: bool) -> Iterator[Check]:
    """What is to be compared of a task."""
    place = task_dir.location
    if storage.leads_outside(place):
        yield _known(Finding("elsewhere", place, "a link leads out of the root; it was not read"))
    else:
        yield from _in_folder(storage, task_dir, being_written)


def _in_folder(storage: Storage, task_dir: TaskDir, being_written: bool) -> Iterator[Check]:
    place = task_dir.location
    if _leads_nowhere(storage, task_dir):
        link, key = layout.latest_link(place), storage.latest_key(place)
        yield _known(Finding("orphan", link, f"leads to {key}, which is not there"))
    outputs: dict[str, dict[str, int]] = {key: {} for key in task_dir.keys}
    others = set()
    for name, size in sorted(storage.file_sizes(place).items()):
        folder, _, inner = name.partition("/")
        location = f"{place}/{name}"
        if is_key(folder) and inner:
            outputs.setdefault(folder, {})[inner] = size
        elif layout.is_source_pointer(name) or layout.is_champion_pointer(name):
            yield Check("pointer", location, size, partial(_pointer, storage, place, location))
        elif folder.startswith(layout.TRIALS_PREFIX) and inner:
            yield Check("trial", location, size, partial(_trial, storage, location))
        elif folder != layout.LOGS:
            others.add(f"{place}/{folder}")
    for other in sorted(others):
        yield _known(Finding("orphan", other, "the pipeline did not make it"))
    for key, sizes in sorted(outputs.items()):
        location = layout.output_dir(place, key)
        if layout.MANIFEST in sizes or not being_written:
            read = partial(_output, storage, location, sizes)
            yield Check("output", location, sum(sizes.values()), read)


def _known(finding: Finding) -> Check:
    """A finding that needs no reading."""
    return Check("", finding.location, 0, lambda _: iter([finding]))


def _guarded(storage: Storage, check: Check, count_bytes: CountBytes) -> list[Finding]:
    """The findings of a check; nothing, if what it is about has been removed meanwhile."""
    left = check.size

    def count(size: int) -> None:
        nonlocal left
        left -= size
        count_bytes(size)

    try:
        findings = list(check.findings(count))
    except DamagedOutput as error:
        problem = str(error).rpartition(" is damaged: ")[2]
        if check.what == "output" and problem.startswith("it "):
            problem = f"its {layout.MANIFEST} {problem.removeprefix('it ')}"
        findings = [Finding("damaged", check.location, problem, set_aside=True)]
    except StorageError as error:
        findings = [Finding("unreadable", check.location, str(error))]
    count_bytes(left)
    if check.what and findings and not _is_there(storage, check.location):
        return []
    return findings


def _is_there(storage: Storage, location: str) -> bool:
    return storage.exists(location) or bool(storage.file_sizes(location))


# --- outputs --------------------------------------------------------------------------------------


def _output(
    storage: Storage, location: str, sizes: Mapping[str, int], count_bytes: CountBytes
) -> Iterator[Finding]:
    if layout.MANIFEST not in sizes:
        problem = f"its {layout.MANIFEST} is missing"
        yield Finding("damaged", location, problem, set_aside=True)
        return
    if storage.leads_outside(location):
        yield Finding("elsewhere", location, "a link leads out of the root; it was not read")
        return
    manifest = Output(storage, location).manifest()
    try:
        files = {
            str(name): (int(described["bytes"]), str(described["sha256"]))
            for name, described in manifest["files"].items()
        }
    except (AttributeError, KeyError, TypeError, ValueError):
        problem = f"its {layout.MANIFEST} does not say which files it has"
        yield Finding("damaged", location, problem, set_aside=True)
        return
    problems = [_identity_problem(manifest, {sha256 for _, sha256 in files.values()})]
    for name, (size, sha256) in files.items():
        if name not in sizes:
            problem = "is missing"
        elif sizes[name] != size:
            problem = f"has {sizes[name]:,} bytes, {size:,} were published"
        else:
            file = layout.output_file(location, name)
            problem = _content_problem(storage, file, sha256, count_bytes)
        problems.append(problem and f"{name} {problem}")
    if text := "; ".join(problem for problem in problems if problem):
        yield Finding("damaged", location, text, set_aside=True)
    for name in sorted(sizes.keys() - files.keys() - {layout.MANIFEST}):
        yield Finding("orphan", f"{location}/{name}", f"its {layout.MANIFEST} does not name it")


def _identity_problem(manifest: Mapping[str, Any], contents: Collection[str]) -> str:
    """What is wrong with the identity of an output, by the digests of its files."""
    key, identity = manifest["key"], manifest.get("identity")
    if not isinstance(identity, dict):
        return ""
    content = (identity.get("inputs") or {}).get("content")
    if content is None:
        return "" if digest(identity) == key else "its key is not that of its identity"
    if str(content)[:KEY_LENGTH] != key or content not in contents:
        return "its key is not that of its content"
    return ""


def _content_problem(storage: Storage, location: str, sha256: str, count_bytes: CountBytes) -> str:
    """What is wrong with a file of an output; empty if nothing is."""
    if storage.leads_outside(location):
        return "is a link that leads out of the root"
    digested = hashlib.sha256()
    with storage.open_file(location) as file:
        while chunk := file.read(CHUNK_BYTES):
            digested.update(chunk)
            count_bytes(len(chunk))
    return "" if digested.hexdigest() == sha256 else "is not what was published"


# --- pointers and trials --------------------------------------------------------------------------


def _pointer(storage: Storage, task_dir: str, location: str, _: CountBytes) -> Iterator[Finding]:
    content = storage.read_json(location)
    if layout.is_champion_pointer(location.rpartition("/")[2]):
        if not isinstance(content, dict) or not isinstance(content.get("champion", 0), dict | None):
            yield Finding("damaged", location, "it names no champion", set_aside=True)
        return
    key = str(content.get("sha256", ""))[:KEY_LENGTH] if isinstance(content, dict) else ""
    if not is_key(key):
        yield Finding("damaged", location, "it names no content", set_aside=True)
    elif not storage.exists(layout.manifest_file(layout.output_dir(task_dir, key))):
        problem = f"it points to {key}, which is not there"
        yield Finding("damaged", location, problem, set_aside=True)


def _trial(storage: Storage, location: str, _: CountBytes) -> Iterator[Finding]:
    content = storage.read_json(location)
    number = location.rpartition("/")[2].partition(".")[0]
    if not isinstance(content, dict) or str(content.get("number")) != number.lstrip("0"):
        yield Finding("damaged", location, f"it is not trial {number.lstrip('0')}", set_aside=True)
