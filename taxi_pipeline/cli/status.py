"""``status`` prints what there is: the models of each month, and what serves."""

from __future__ import annotations

import json
from collections.abc import Sequence

import click

from taxi_pipeline.cli.options import configured, examples, json_option
from taxi_pipeline.cli.run_commands import run_command
from taxi_pipeline.formatting import pluralize, table
from taxi_pipeline.month import Month
from taxi_pipeline.runtime import run_start
from taxi_pipeline.runtime.status import ChampionStatus, ModelStatus, Status
from taxi_pipeline.runtime.status import status as current_status
from taxi_pipeline.trips import TAXIS

HELP = "Print which models there are, whether they are current, and which one serves."

FIRST_MONTH = Month(2021, 1)
"""Which month is made first where there is none."""

STATES = {"other": "serves, with other settings"}
"""States that need more than their name."""

HEADER = ("taxi", "recipe", "month", "rows", "RMSE", "version", "aliases", "made", "status")


@click.command("status", short_help=HELP, epilog=examples("status", "status --taxi green --json"))
@click.option("--taxi", type=click.Choice(TAXIS), help="One taxi only; by default both.")
@json_option
@configured
def command(taxi: str | None, *, as_json: bool) -> None:
    """Print which models there are, whether they are current, and which one serves."""
    found = current_status(taxi)
    print(json.dumps(found.as_json(), indent=2) if as_json else as_text(found))


def as_text(found: Status) -> str:
    """The status for a person: a table of the models, and what to do next."""
    lines = [run_start.in_words(found.settings, found.root)]
    lines += [
        f"{taxi}: {pluralize(len(months), 'month')} ingested, {months[0]} to {months[-1]}"
        for taxi, months in found.ingested.items()
    ]
    if found.models:
        lines.append(table(HEADER, [_row(model) for model in found.models]))
    lines += [_serving(champion) for champion in found.champions]
    if found.registry:
        lines.append(f"Which version serves is not known: {found.registry}")
    if found.elsewhere:
        lines.append(f"{found.elsewhere[0].upper()}{found.elsewhere[1:]}.")
    return "\n".join([*lines, _next(found)])


def _row(model: ModelStatus) -> tuple[str, ...]:
    window = f" (window {model.window})" if model.window > 1 else ""
    return (
        model.taxi,
        f"{model.recipe}{window}",
        model.month,
        "" if model.rows is None else f"{model.rows:,}",
        "" if model.rmse is None else f"{model.rmse:.4f}",
        model.version,
        ", ".join(model.aliases),
        model.made[:16].replace("T", " "),
        f"{STATES.get(model.state, model.state)}{f': {model.reason}' if model.reason else ''}",
    )


def _serving(champion: ChampionStatus) -> str:
    if champion.version is None:
        return f"{champion.model}: which version serves is not known: {champion.problem}"
    trained = f", trained to {champion.month}," if champion.month else ""
    serves = (
        f"version {champion.version}{trained} serves since {champion.since[:10]}"
        if champion.version
        else "no version serves"
    )
    remarks = [f"; {remark}" for remark in (champion.pinned, champion.problem) if remark]
    return f"{champion.model}: {serves}{''.join(remarks)}"


def _next(found: Status) -> str:
    if not found.models:
        first = run_command("RegisterModel", [FIRST_MONTH])
        return (
            f"There are no models under {found.root} yet: {first} makes the first. If there should "
            "be: a luigi.cfg counts in its own folder alone, --storage-root names another root."
        )
    models = pluralize(sum(model.state != "other" for model in found.models), "model")
    stale = [model for model in found.models if model.state in ("stale", "unfinished")]
    unknown = sum(model.state == "unknown" for model in found.models)
    if stale:
        return (
            f"{len(stale)} of {models} not current. To make those of {stale[0].taxi} "
            f"{stale[0].recipe}: {_command(stale)}"
        )
    if unknown:
        return f"{models}, of {unknown} it is not known whether they are current."
    return f"{models}, nothing to run."


def _command(stale: Sequence[ModelStatus]) -> str:
    """The command that makes the months of one taxi, recipe and window."""
    first = stale[0]
    same = [
        Month.parse(model.month)
        for model in stale
        if (model.taxi, model.recipe, model.window) == (first.taxi, first.recipe, first.window)
    ]
    return run_command(
        "RegisterModel", same, taxi=first.taxi, recipe=first.recipe, window=first.window
    )
