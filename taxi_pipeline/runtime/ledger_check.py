"""Comparing the ledgers of champions with themselves and with the registry."""

from __future__ import annotations

from collections.abc import Iterator

from taxi_pipeline.errors import DamagedOutput
from taxi_pipeline.runtime.champions import ledger_names, serving
from taxi_pipeline.storage import Storage, layout
from taxi_pipeline.storage.verify import Finding, Kind
from taxi_pipeline.tasks.base.ledgers import open_ledger
from taxi_pipeline.tracking.ledger import read_change


def ledger_findings(storage: Storage) -> list[Finding]:
    """What is wrong with the ledgers under a root, sorted.

    A registry that does not answer is no finding here: that of the receipts says so.
    """
    return sorted(finding for name in ledger_names(storage) for finding in _findings(storage, name))


def is_of_ledger(location: str) -> bool:
    """Whether a location is one of a ledger."""
    return location.startswith(f"{layout.CHAMPIONS}/")


def _findings(storage: Storage, name: str) -> Iterator[Finding]:
    files = {}
    for file in sorted(storage.file_sizes(layout.ledger_dir(name))):
        location = f"{layout.ledger_dir(name)}/{file}"
        if parsed := layout.parse_change(file):
            files[parsed] = location
        else:
            yield Finding("orphan", location, "it is no change of a champion")
    numbers = sorted({number for number, is_confirmation in files if not is_confirmation})
    damaged = [
        Finding("damaged", files[number, False], problem, set_aside=True)
        for number in numbers
        if (problem := _problem(storage, files[number, False], name, number))
    ]
    yield from damaged
    last = max((number for number, _ in files), default=0)
    for number in sorted(set(range(1, last + 1)) - set(numbers)):
        # What was set aside leaves its confirmation.
        kind: Kind = "differs" if (number, True) in files else "damaged"
        problem = "this change is missing: who served then is known from the others only"
        yield Finding(kind, layout.change_file(name, number), problem)
    if not damaged and (difference := serving(open_ledger(name), notice=False).difference):
        yield Finding("differs", layout.ledger_dir(name), difference)


def _problem(storage: Storage, location: str, name: str, number: int) -> str:
    """What is wrong with a change; empty if nothing is."""
    try:
        change = read_change(storage, location)
    except DamagedOutput as error:
        return str(error).partition(" is damaged: ")[2] or str(error)
    if (change.model, change.number) == (name, number):
        return ""
    return f"it is change {change.number} of {change.model}"
