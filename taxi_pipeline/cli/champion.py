"""``champion`` says who serves and who served, and lets a person decide about it."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from taxi_pipeline.cli.options import (
    add_config_flags,
    add_module_flag,
    apply_config_flags,
    import_modules,
    moment,
    open_root,
)
from taxi_pipeline.errors import InvalidParameter
from taxi_pipeline.evaluation.champions import (
    FOUND,
    ROLLED_BACK,
    Champion,
    Change,
    champion_at,
    predecessors,
)
from taxi_pipeline.formatting import table
from taxi_pipeline.runtime.champions import Serving, serving
from taxi_pipeline.tasks.base.ledgers import open_ledger
from taxi_pipeline.tasks.base.recipe import model_name, tracking_server
from taxi_pipeline.tasks.promote import PromoteModel
from taxi_pipeline.tracking.ledger import History
from taxi_pipeline.trips import TAXIS

HELP = "who serves and who served, by the ledger; rollback and pin"

DESCRIPTION = """\
The ledger of a registered model's champion, under the storage root: who served when, and why. A
version that a person has chosen with rollback, pin or the task PromoteModel is pinned: no
registration and no backfill replaces it until unpin. The alias champion in MLflow follows the
ledger; an alias that was moved by hand in MLflow is written down and respected.
"""

HEADER = ("change", "when (UTC)", "what", "version", "month", "RMSE", "by", "why")

_MODEL = re.compile(rf"nyc-({'|'.join(TAXIS)})-taxi-duration-([^/]+)")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's actions and their options."""
    parser.description = DESCRIPTION
    actions = parser.add_subparsers(dest="action", required=True)
    _add_action(actions, "log", "print all changes of the champion, oldest first")
    at = _add_action(actions, "at", "print which version served at a time")
    at.add_argument(
        "time",
        type=moment,
        metavar="DATE",
        help="such as 2021-06-15, for the end of that day in UTC, or 2021-06-15T12:00",
    )
    rollback = _add_action(actions, "rollback", "have a version serve again, and pin it")
    rollback.add_argument(
        "--to",
        type=int,
        metavar="N",
        help="the version; by default the one that served before the champion",
    )
    rollback.add_argument("--reason", required=True, help="why, for the ledger")
    for name, text in (
        ("pin", "keep the champion, whatever is registered"),
        ("unpin", "let the next candidate compete with the champion"),
    ):
        action = _add_action(actions, name, text)
        action.add_argument("--reason", default="", help="why, for the ledger")


def _add_action(actions: Any, name: str, text: str) -> argparse.ArgumentParser:
    action: argparse.ArgumentParser = actions.add_parser(name, help=text, description=text)
    action.add_argument("--taxi", choices=TAXIS, default="green", help="default: green")
    action.add_argument("--recipe", default="trip", help="default: trip")
    action.add_argument("--model", help="the registered model, instead of --taxi and --recipe")
    action.add_argument("--json", action="store_true", help="print JSON, for scripts")
    add_module_flag(action)
    add_config_flags(action)
    return action


def run(options: argparse.Namespace, _parser: argparse.ArgumentParser) -> int:
    """Do what was asked.

    Raises:
        InvalidParameter: what was asked for is not there.
        DamagedOutput: a change of the ledger cannot be read.
        TrackingError: the registry does not answer, or refuses.
        StorageError: the root is not there, or cannot be read or written.
    """
    import_modules(options)
    apply_config_flags(options)
    open_root()
    if options.model:
        found = _MODEL.fullmatch(options.model)
        if found is None:
            raise InvalidParameter(
                f"--model {options.model} is none that the pipeline registers: those are named "
                "nyc-<taxi>-taxi-duration-<recipe>"
            )
        options.taxi, options.recipe = found.groups()
    facts, text = ACTIONS[options.action](options, model_name(options.taxi, options.recipe))
    print(json.dumps(facts, indent=2) if options.json else text)
    return 0


Answer = tuple[dict[str, Any], str]
"""What a script reads, and what a person reads."""


# --- who serves -----------------------------------------------------------------------------------


def _log(options: argparse.Namespace, name: str) -> Answer:  # noqa: ARG001  (as the others)
    now = serving(open_ledger(name), notice=True)
    changes, champion = now.history.changes, now.history.champion
    facts = {
        "model": name,
        "changes": [change.as_json() for change in changes],
        "champion": _facts(champion) if champion else None,
        "difference": now.difference,
        "registry_error": now.hindrance,
    }
    lines = []
    if changes:
        lines.append(table(HEADER, [_row(change) for change in changes]))
    lines += _remarks(now)
    if champion:
        lines.append(f"{_serves(name, champion)}.")
    elif changes:
        lines.append(f"No version of {name} serves: its alias was taken away.")
    else:
        lines.append(
            f"No champion of {name} is known yet: RegisterModel makes the first model the champion "
            "that the gate lets pass."
        )
    return facts, "\n".join(lines)


def _row(change: Change) -> tuple[str, ...]:
    moved = change.from_version and change.from_version != change.to_version
    return (
        str(change.number),
        f"{change.when:%Y-%m-%d %H:%M:%S}",
        change.action,
        f"{change.from_version} -> {change.to_version or 'none'}" if moved else change.to_version,
        change.training_month,
        "" if change.rmse is None else f"{change.rmse:.4f}",
        _by(change),
        f"{change.why} ({change.gate_record})" if change.gate_record else change.why,
    )


def _by(change: Change) -> str:
    return change.by or ("unknown" if change.action == FOUND else "somebody in MLflow")


def _remarks(now: Serving) -> list[str]:
    """What a person should know beside the ledger."""
    remarks = [f"The registry was not asked: {now.hindrance}."] if now.hindrance else []
    return [*remarks, f"Not in agreement: {now.difference}."] if now.difference else remarks


def _serves(name: str, champion: Champion) -> str:
    pin = champion.pin
    why = f" ({pin.why})" if pin and pin.why else ""
    held = f"; pinned by {pin.by} on {pin.when:%Y-%m-%d}{why}" if pin else ""
    return f"{_version(name, champion)} serves since {_utc(champion.since.when)}{held}"


def _version(name: str, champion: Champion) -> str:
    month = champion.since.training_month
    return f"{name} version {champion.version}" + (f", trained to {month}," if month else "")


def _utc(when: datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M:%S} UTC"


def _facts(champion: Champion) -> dict[str, Any]:
    since = champion.since
    return {
        "model": since.model,
        "version": champion.version,
        "training_month": since.training_month,
        "rmse": since.rmse,
        "since": since.when.isoformat(timespec="seconds"),
        "action": since.action,
        "by": since.by,
        "why": since.why,
        "pinned": champion.pin_text,
    }


def _at(options: argparse.Namespace, name: str) -> Answer:
    asked: datetime = options.time
    now = serving(open_ledger(name), notice=True)
    changes = now.history.changes
    if asked.date() > datetime.now(UTC).date():
        raise InvalidParameter(f"{_utc(asked)} is in the future")
    if not changes:
        raise InvalidParameter(f"no champion of {name} is known: nothing was promoted so far")
    if asked < changes[0].when:
        raise InvalidParameter(
            f"which version of {name} served at {_utc(asked)} is not known: the ledger begins "
            f"at {_utc(changes[0].when)}"
        )
    champion = champion_at(changes, asked)
    facts = {"time": asked.isoformat(timespec="seconds"), "difference": now.difference}
    lines = _remarks(now)
    if champion is None:
        line = f"No version of {name} served at {_utc(asked)}: its alias was taken away."
        return {**facts, "champion": None}, "\n".join([*lines, line])
    since = champion.since
    rmse = "not known" if since.rmse is None else f"{since.rmse:.4f} minutes"
    line = (
        f"{_version(name, champion)} served at {_utc(asked)}: champion since "
        f"{_utc(since.when)} ({since.action} by {_by(since)}: {since.why}); RMSE {rmse}."
    )
    return {**facts, "champion": _facts(champion)}, "\n".join([*lines, line])


# --- what a person decides ------------------------------------------------------------------------


def _rollback(options: argparse.Namespace, name: str) -> Answer:
    from taxi_pipeline.tracking.champion import set_pin

    ledger = open_ledger(name)
    now = serving(ledger, notice=True)
    version = str(options.to or _target(name, now))
    task = PromoteModel(
        taxi=options.taxi, recipe=options.recipe, version=version, reason=options.reason
    )
    changed = not task.complete()
    if changed:
        task.run()
    champion = ledger.read().champion
    if champion is None or champion.pin is None:
        set_pin(tracking_server(), ledger, pinned=True, reason=task.reason)
        changed = True
    return _decided(name, ledger.read(), changed=changed)


def _target(name: str, now: Serving) -> str:
    """The version that a rollback goes to, where none is named."""
    changes = now.history.changes
    if not now.history.is_confirmed and changes[-1].action == ROLLED_BACK:
        # The same command was ended: it is completed, and does not go back further.
        return changes[-1].to_version
    for version in predecessors(changes):
        if now.registered is None or version in now.registered.versions:
            return version
    raise InvalidParameter(
        f"no version of {name} is known that served before "
        f"{f'version {now.history.version}' if now.history.version else 'now'}: name one with --to"
    )


def _set_pin(options: argparse.Namespace, name: str) -> Answer:
    from taxi_pipeline.tracking.champion import set_pin

    ledger = open_ledger(name)
    reason, pinned = " ".join(options.reason.split()), options.action == "pin"
    changed = set_pin(tracking_server(), ledger, pinned=pinned, reason=reason)
    return _decided(name, ledger.read(), changed=changed)


def _decided(name: str, history: History, *, changed: bool) -> Answer:
    """What holds after a person's decision."""
    champion = history.champion
    if champion is None:  # somebody has taken the alias away meanwhile
        raise InvalidParameter(f"no version of {name} serves: run champion log")
    before = "" if changed else "Nothing was to be changed. "
    if champion.pin:
        flags = f" --model {name}" if name != model_name("green", "trip") else ""
        command = f"python -m taxi_pipeline champion unpin{flags}"
        after = f"No registration replaces it until {command} is run."
    else:
        after = "It is not pinned: the next candidate that the gate lets pass replaces it."
    facts = {"changed": changed, "champion": _facts(champion)}
    return facts, f"{before}{_serves(name, champion)}. {after}"


ACTIONS: dict[str, Callable[[argparse.Namespace, str], Answer]] = {
    "log": _log,
    "at": _at,
    "rollback": _rollback,
    "pin": _set_pin,
    "unpin": _set_pin,
}
