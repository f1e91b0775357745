"""Every location under the storage root, one pure function each.

A location is relative to the root and written with slashes. Code that lists or shows outputs uses
these functions; no other module joins the parts of a path.

    <stage>/<taxi>/<YYYY-MM>[/<variant>]/      the outputs of a task, whatever they were made from
        <key>/                                 an output
            manifest.json                      describes the output; is written last
        latest                                 a link to the output that was last current
        logs/<time>-<process>.log              the log of a run
        source-<digest>.json                   which content a source offered (ingest)
        champion-<digest>.json                 the champion a candidate is compared with (gate)
        trials-<digest>/<number>.json          the trials of a search (tune)
    backtest/<taxi>/<YYYY-MM>/<variant>-from-<YYYY-MM>/ those of a range, by its last training month
    champions/<registered model>/<number>.json a change of the champion: the ledger
    pages/<taxi>/<variant>/<first>--<last>.html the months of a backfill on one page
    mlflow/                                    the registry, unless a server is configured
    .staging/                                  outputs that are being written
    .damaged/                                  outputs that were damaged, kept for a look
    .running/<process>.json                    what a run that goes on works on
    .locks/<name>-<process>.json               who does alone what only one may do at a time
    .index/<stage>/<taxi>.json                 copies of small files, read at once (object stores)
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import PurePosixPath

from taxi_pipeline.month import Month

MANIFEST = "manifest.json"
RECEIPT = "receipt.json"
STAGING = ".staging"
DAMAGED = ".damaged"
RUNNING = ".running"
LOCKS = ".locks"
INDEX = ".index"
LOGS = "logs"
LATEST = "latest"
CHAMPIONS = "champions"
PAGES = "pages"
TRIALS_PREFIX = "trials-"
SOURCE_PREFIX = "source-"
CHAMPION_PREFIX = "champion-"

_LEDGER_PARTS = 2  # champions, model; a month's folder has a third: stage, taxi, month
_PAGES_PARTS = 3  # pages, taxi, variant
_CHANGE = re.compile(r"(\d{5,})(\.done)?\.json")
_MONTHS_PAGE = re.compile(r"\d{4}-\d\d--\d{4}-\d\d\.html")
_SET_ASIDE = re.compile(r"\.(?:(\d{8}T\d{6}Z)-)?[0-9a-f]{8}$")


def task_dir(stage: str, taxi: str, month: str, variant: str = "") -> str:
    """The folder of all outputs of one task, whatever they were made from."""
    return "/".join(part for part in (stage, taxi, month, variant) if part)


def output_dir(task_dir: str, key: str) -> str:
    """The folder of the output that has a key."""
    return f"{task_dir}/{key}"


def not_ingested_dir(task_dir: str) -> str:
    """The folder that stands for the output of a month that is not ingested: it has no key yet."""
    return f"{task_dir}/not-ingested"


def latest_link(task_dir: str) -> str:
    """The link to the output of a task that a run last made, or found made."""
    return f"{task_dir}/{LATEST}"


def output_file(output_dir: str, name: str) -> str:
    """A file, or a folder, of an output."""
    return f"{output_dir}/{name}"


def manifest_file(output_dir: str) -> str:
    """The manifest of an output."""
    return output_file(output_dir, MANIFEST)


def set_aside(location: str, now: datetime, name: str) -> str:
    """Where something that is damaged is kept for a look.

    Args:
        location: where it was.
        now: when it is set aside, in UTC.
        name: eight hexadecimal digits, so that nothing else has this place.
    """
    return f"{DAMAGED}/{location}.{now:%Y%m%dT%H%M%SZ}-{name}"


def parse_set_aside(location: str) -> tuple[str, datetime | None] | None:
    """What a file under the folder of what is damaged belongs to.

    Returns:
        The place that :func:`set_aside` made, and when (None for the first ones, which did not say
        so); None for a file that was not set aside.
    """
    parts = location.split("/")
    for end, part in enumerate(parts, 1):
        if found := _SET_ASIDE.search(part):
            time = found[1] and datetime.strptime(found[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            return "/".join(parts[:end]), time or None
    return None


def browsable(folder: str) -> str:
    """A folder as a browser asks for it, with a slash at the end."""
    return f"{folder}/"


def logs_dir(task_dir: str) -> str:
    """The folder of the logs of a task's runs."""
    return f"{task_dir}/{LOGS}"


def log_file(task_dir: str, started: datetime, process: int) -> str:
    """The log of a task's run, by when it started (in UTC) and the number of its process."""
    return f"{logs_dir(task_dir)}/{started:%Y%m%dT%H%M%S.%fZ}-{process}.log"


def source_pointer(task_dir: str, source_digest: str) -> str:
    """The file that says which content a source offered when a month was ingested."""
    return f"{task_dir}/{SOURCE_PREFIX}{source_digest}.json"


def is_source_pointer(name: str) -> bool:
    """Whether the name of a file of a task is that of a pointer to what a source offered."""
    return name.startswith(SOURCE_PREFIX) and name.endswith(".json")


def champion_pointer(task_dir: str, candidate_digest: str) -> str:
    """The file that says with which champion a candidate is compared."""
    return f"{task_dir}/{CHAMPION_PREFIX}{candidate_digest}.json"


def is_champion_pointer(name: str) -> bool:
    """Whether the name of a file of a task is that of a pointer to a compared champion."""
    return name.startswith(CHAMPION_PREFIX) and name.endswith(".json")


def running_file(name: str) -> str:
    """The file in which a process says what it works on."""
    return f"{RUNNING}/{name}.json"


def lock_file(name: str, process: str) -> str:
    """The file in which a process says that it holds a lock, or wants to."""
    return f"{LOCKS}/{name}-{process}.json"


def shared_folder(location: str) -> str:
    """The folder, two levels below the root, that holds all months of a stage and a taxi."""
    return "/".join(location.split("/")[:2])


def index_file(folder: str) -> str:
    """The file with copies of the small files of a folder that :func:`shared_folder` names."""
    return f"{INDEX}/{folder}.json"


def is_indexed(location: str) -> bool:
    """Whether a file is one of those by which runs know what is done: small, and read often."""
    name = location.rpartition("/")[2]
    if location.startswith(f"{CHAMPIONS}/"):
        return _CHANGE.fullmatch(name) is not None
    return name in {MANIFEST, RECEIPT} or is_source_pointer(name) or is_champion_pointer(name)


def trials_dir(task_dir: str, search_key: str) -> str:
    """The folder of the trials of a search."""
    return f"{task_dir}/{TRIALS_PREFIX}{search_key}"


def trial_file(trials_dir: str, number: int) -> str:
    """The file of a trial, by its number from 1."""
    return f"{trials_dir}/{number:05d}.json"


def ledger_dir(model_name: str) -> str:
    """The folder of the changes of a registered model's champion."""
    return f"{CHAMPIONS}/{model_name}"


def change_file(model_name: str, number: int) -> str:
    """The file of a change of the champion, by its number from 1."""
    return f"{ledger_dir(model_name)}/{number:05d}.json"


def confirmation_file(model_name: str, number: int) -> str:
    """The file that says that the registry has followed a change."""
    return f"{ledger_dir(model_name)}/{number:05d}.done.json"


def parse_change(name: str) -> tuple[int, bool] | None:
    """What a file of a ledger is: a change's number, and whether it is its confirmation.

    Returns:
        None for a file that is neither.
    """
    found = _CHANGE.fullmatch(name)
    return (int(found[1]), bool(found[2])) if found else None


def months_page(taxi: str, variant: str, first: str, last: str) -> str:
    """The page that shows the months of a backfill together."""
    return f"{PAGES}/{taxi}/{variant}/{first}--{last}.html"


def tracking_database() -> str:
    """MLflow's SQLite file, where no server is configured."""
    return "mlflow/mlflow.db"


HALF_MADE = ".new-"
"""How the folder begins in which MLflow's SQLite file is made, beside where it will be."""


def tracking_artifacts() -> str:
    """The folder of the files of MLflow's runs, where no server is configured."""
    return "mlflow/artifacts"


def holds_outputs(folder: str) -> bool:
    """Whether a folder is of a month of a stage, or below one, of a ledger, or of pages."""
    parts = PurePosixPath(folder).parts
    if is_hidden(folder) or len(parts) < _LEDGER_PARTS:
        return False
    if parts[0] in {CHAMPIONS, PAGES}:
        return len(parts) == (_LEDGER_PARTS if parts[0] == CHAMPIONS else _PAGES_PARTS)
    try:
        Month.parse(parts[_LEDGER_PARTS] if len(parts) > _LEDGER_PARTS else "")
    except ValueError:
        return False
    return True


def is_of_outputs(file: str) -> bool:
    """Whether a file stands where outputs, their logs, changes of champions and pages do."""
    folder, _, name = file.rpartition("/")
    if is_hidden(file) or not holds_outputs(folder):
        return False
    if file.startswith(f"{PAGES}/"):
        return _MONTHS_PAGE.fullmatch(name) is not None
    return not file.startswith(f"{CHAMPIONS}/") or parse_change(name) is not None


def is_hidden(location: str) -> bool:
    """Whether a location is outside of the root, or of outputs that are being written."""
    return any(part.startswith(".") for part in PurePosixPath(location).parts)
