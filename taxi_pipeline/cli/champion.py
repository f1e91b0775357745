"""``champion`` says who serves and who served, and lets a person decide about it."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import click

from taxi_pipeline import commands, config
from taxi_pipeline.cli import champion_log
from taxi_pipeline.cli.options import (
    Function,
    configured,
    examples,
    json_option,
    moment,
    open_root,
    recipe_option,
    taxi_option,
    version_number,
)
from taxi_pipeline.errors import InvalidParameter
from taxi_pipeline.evaluation.champions import (
    ROLLED_BACK,
    Champion,
    champion_at,
    is_to_come,
    predecessors,
)
from taxi_pipeline.runtime.champions import Serving, serving
from taxi_pipeline.runtime.version_settings import candidates
from taxi_pipeline.storage import open_storage
from taxi_pipeline.tasks.base.ledgers import open_ledger
from taxi_pipeline.tasks.base.recipe import model_name, tracking_server
from taxi_pipeline.tasks.promote import PromoteModel
from taxi_pipeline.tracking.ledger import History
from taxi_pipeline.trips import TAXIS

HELP = "Who serves and who served, by the ledger; rollback and pin."

_MODEL = re.compile(rf"nyc-({'|'.join(TAXIS)})-taxi-duration-([^/]+)")


Answer = tuple[dict[str, Any], str]
"""What a script reads, and what a person reads."""


@click.group(
    "champion",
    short_help=HELP,
    epilog=examples(
        "champion log",
        "champion at 2021-06-15 --json",
        'champion rollback --reason "complaints about airport trips"',
        configuration=False,
    ),
)
def command() -> None:
    """Say who serves and who served, by the ledger; rollback and pin.

    The ledger of a registered model's champion is kept under the storage root: who served when, and
    why. A version that a person has chosen with rollback, pin or the task PromoteModel is pinned:
    no registration and no backfill replaces it until unpin. The alias champion in MLflow follows
    the ledger; an alias that was moved by hand in MLflow is written down and respected.
    """


def _action(name: str, text: str, *lines: str) -> Callable[[Callable[..., Answer]], Function]:
    """An action about a model, which is given as ``taxi`` and ``recipe``; it answers what to print.

    Args:
        name: of the action.
        text: what it does.
        lines: what may be typed.
    """

    def decorate(answer: Callable[..., Answer]) -> Function:
        @functools.wraps(answer)
        def run(taxi: str, recipe: str, model: str | None, *, as_json: bool, **values: Any) -> None:
            open_root()
            if model:
                taxi, recipe = _parts(model)
            facts, told = answer(taxi, recipe, **values)
            print(json.dumps(facts, indent=2) if as_json else told)

        decorated = json_option(configured(run))
        decorated = click.option(
            "--model", metavar="NAME", help="The registered model, instead of --taxi and --recipe."
        )(decorated)
        decorated = taxi_option(recipe_option(decorated))
        action = command.command(name, help=text, short_help=text, epilog=examples(*lines))
        return action(decorated)

    return decorate


def _parts(model: str) -> tuple[str, str]:
    """The taxi and the recipe of a registered model's name.

    Raises:
        InvalidParameter: the pipeline gives no such name.
    """
    found = _MODEL.fullmatch(model)
    if found is None:
        raise InvalidParameter(
            f"--model {model} is none that the pipeline registers: those are named "
            "nyc-<taxi>-taxi-duration-<recipe>"
        )
    return found[1], found[2]


# --- who serves -----------------------------------------------------------------------------------


@_action(
    "log", "Print all changes of the champion, oldest first.", "champion log", "champion log --json"
)
def log(taxi: str, recipe: str) -> Answer:
    """All changes of the champion, oldest first."""
    name = model_name(taxi, recipe)
    now = serving(open_ledger(name), notice=True)
    changes, champion = now.history.changes, now.history.champion
    known = candidates(open_storage(config.storage().root), taxi, changes)
    facts = {
        "model": name,
        "candidates": known.as_json(),
        "changes": [change.as_json() for change in changes],
        "champion": _facts(champion) if champion else None,
        "difference": now.difference,
        "registry_error": now.hindrance,
    }
    lines = [*champion_log.as_lines(changes, known), *_remarks(now)]
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


@_action(
    "at",
    "Print which version served at a time.",
    "champion at 2021-06-15",
    "champion at 2021-06-15T12:00 --recipe pretrip --json",
)
@click.argument("asked", type=moment, metavar="DATE")
def at(taxi: str, recipe: str, asked: datetime) -> Answer:
    """The version that served at a time; a date means its end, in UTC, and today means now."""
    name = model_name(taxi, recipe)
    now = serving(open_ledger(name), notice=True)
    changes = now.history.changes
    present = datetime.now(UTC)
    if is_to_come(asked, present):
        raise InvalidParameter(f"{_utc(asked)} is in the future")
    # The end of this day is looked for: the clock of another machine may be ahead.
    told = min(asked, present)
    if not changes:
        raise InvalidParameter(f"no champion of {name} is known: nothing was promoted so far")
    if asked < changes[0].when:
        raise InvalidParameter(
            f"which version of {name} served at {_utc(told)} is not known: the ledger begins "
            f"at {_utc(changes[0].when)}"
        )
    champion = champion_at(changes, asked)
    facts = {"time": told.isoformat(timespec="seconds"), "difference": now.difference}
    lines = _remarks(now)
    if champion is None:
        line = f"No version of {name} served at {_utc(told)}: its alias was taken away."
        return {**facts, "champion": None}, "\n".join([*lines, line])
    since = champion.since
    rmse = "not known" if since.rmse is None else f"{since.rmse:.4f} minutes"
    decided = f"{since.action} by {champion_log.by(since)}: {since.why}"
    line = (
        f"{_version(name, champion)} served at {_utc(told)}: champion since "
        f"{_utc(since.when)} ({decided}); RMSE {rmse}."
    )
    return {**facts, "champion": _facts(champion)}, "\n".join([*lines, line])


# --- what a person decides ------------------------------------------------------------------------


@_action(
    "rollback",
    "Have a version serve again, and pin it.",
    'champion rollback --reason "complaints about airport trips"',
    'champion rollback --to 3 --reason "the last one before the holidays"',
)
@click.option(
    "--to",
    type=version_number,
    metavar="N",
    help="The version; by default the one that served before the champion.",
)
@click.option("--reason", required=True, help="Why, for the ledger.")
def rollback(taxi: str, recipe: str, to: int | None, reason: str) -> Answer:
    """Have a version serve again, and pin it."""
    from taxi_pipeline.tracking.champion import set_pin

    name = model_name(taxi, recipe)
    ledger = open_ledger(name)
    now = serving(ledger, notice=True)
    version = str(to or _target(name, now))
    task = PromoteModel(taxi=taxi, recipe=recipe, version=version, reason=reason)
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


@_action(
    "pin",
    "Keep the champion, whatever is registered.",
    "champion pin",
    'champion pin --reason "until the audit is done"',
)
@click.option("--reason", default="", help="Why, for the ledger.")
def pin(taxi: str, recipe: str, reason: str) -> Answer:
    """Keep the champion, whatever is registered."""
    return _set_pin(model_name(taxi, recipe), reason, pinned=True)


@_action(
    "unpin",
    "Let the next candidate compete with the champion.",
    "champion unpin",
    'champion unpin --reason "audit passed"',
)
@click.option("--reason", default="", help="Why, for the ledger.")
def unpin(taxi: str, recipe: str, reason: str) -> Answer:
    """Let the next candidate compete with the champion."""
    return _set_pin(model_name(taxi, recipe), reason, pinned=False)


def _set_pin(name: str, reason: str, *, pinned: bool) -> Answer:
    from taxi_pipeline.tracking.champion import set_pin

    ledger = open_ledger(name)
    changed = set_pin(tracking_server(), ledger, pinned=pinned, reason=" ".join(reason.split()))
    return _decided(name, ledger.read(), changed=changed)


def _decided(name: str, history: History, *, changed: bool) -> Answer:
    """What holds after a person's decision."""
    champion = history.champion
    if champion is None:  # somebody has taken the alias away meanwhile
        log = commands.write("champion", "log", "--model", name)
        raise InvalidParameter(f"no version of {name} serves: {log} says since when")
    before = "" if changed else "Nothing was to be changed. "
    if champion.pin:
        flags = ("--model", name) if name != model_name("green", "trip") else ()
        command = commands.write("champion", "unpin", *flags)
        after = f"No registration replaces it until {command} is run."
    else:
        after = "It is not pinned: the next candidate that the gate lets pass replaces it."
    facts = {"changed": changed, "champion": _facts(champion)}
    return facts, f"{before}{_serves(name, champion)}. {after}"
