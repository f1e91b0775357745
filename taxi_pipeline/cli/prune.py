"""``prune`` shows what nothing needs under the root, and removes it if that is asked for."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import click

from taxi_pipeline import config
from taxi_pipeline.cli.options import configured, examples, json_option, open_root
from taxi_pipeline.formatting import format_bytes, pluralize, table
from taxi_pipeline.redaction import redact
from taxi_pipeline.runtime.reachable import Survey, survey
from taxi_pipeline.storage import Storage, leases, prune
from taxi_pipeline.storage.prune import Removal

HELP = "Show which outputs nothing needs any more, and remove them with --yes."


def _days(text: str) -> float:
    try:
        days = float(text)
    except ValueError:
        days = -1.0
    if not 0 <= days <= 36500:  # noqa: PLR2004  (a hundred years; nan is within no bounds)
        raise click.BadParameter(f"{text!r} is no number of days: write 0 to 36500")
    return days


@click.command("prune", short_help=HELP, epilog=examples("prune", "prune --yes --keep-days 30"))
@click.option("--yes", is_flag=True, help="Remove what is shown.")
@click.option(
    "--keep-days",
    type=_days,
    default=7,
    show_default=True,
    metavar="N",
    help="Keep what was made in the last N days.",
)
@json_option
@configured
def command(*, yes: bool, keep_days: float, as_json: bool) -> None:
    """Show which outputs nothing needs any more, and remove them with --yes.

    Shows which outputs under the storage root nothing needs, why, and what they took. Needed is,
    with all that it was made from: what is made as the configuration is now, from whatever content
    any source offered last; every version in the registry; what is younger than --keep-days; what a
    run works on; and whatever cannot be judged, since its task or recipe is not imported here. Give
    the flags of the configuration that you use. Nothing is removed without --yes.
    """
    storage = open_root()
    before = datetime.now(UTC) - timedelta(days=keep_days)
    if yes:
        # Runs that begin meanwhile wait, so that what is found is still true when it is removed.
        with leases.removal(storage) as running:
            found = survey(storage, running, before)
            _remove(storage, found.removals)
    else:
        running = [lease for lease in leases.live(storage) if not lease.removes]
        found = survey(storage, running, before)
    if as_json:
        removals = [asdict(removal) for removal in found.removals]
        size = sum(removal.size for removal in found.removals)
        facts = {"root": redact(config.storage().root), "removed": yes, "bytes": size}
        kept = {
            "outputs": found.outputs,
            "registered": found.registered,
            "young": found.young,
            "in_use": found.in_use,
        }
        content = {**facts, **kept, "unknown": found.unknown, "not_needed": removals}
        print(json.dumps(content, indent=2))
    else:
        print(as_text(found, removed=yes, keep_days=keep_days))


def _remove(storage: Storage, removals: Sequence[Removal]) -> None:
    from tqdm import tqdm

    size = sum(removal.size for removal in removals)
    with tqdm(total=size, unit="B", unit_scale=True, desc="prune", disable=None) as bar:
        prune.remove(storage, removals, lambda removal: bar.update(removal.size))


def as_text(found: Survey, *, removed: bool, keep_days: float) -> str:
    """What is not needed, by stage and reason; what is kept although it may not be; what to do."""
    lines = [f"unknown  {place}: {why}; kept" for place, why in found.unknown.items()]
    if found.registered:
        others = pluralize(found.registered, "output")
        lines.append(
            f"{others} not as made now, but kept: of versions in the registry, or champions"
        )
    if found.young:
        young = pluralize(found.young, "output")
        lines.append(
            f"{young} not needed, but kept: made in the last {keep_days:g} days, see --keep-days"
        )
    if found.in_use:
        lines.append(f"{pluralize(found.in_use, 'output')} not needed, but kept: a run goes on")
    removals = found.removals
    if not removals:
        where = redact(config.storage().root)
        return "\n".join([*lines, f"There is nothing to remove under {where}."])
    groups: dict[tuple[str, str], list[Removal]] = defaultdict(list)
    for removal in removals:
        stage = removal.task_dir.partition("/")[0]
        name = {
            "output": stage,
            "trials": f"{stage} (trials)",
            "pointer": f"{stage} (pointers)",
            "damaged": ".damaged",
        }
        groups[name[removal.what], removal.reason].append(removal)
    rows = [(name, why, *_figures(group)) for (name, why), group in sorted(groups.items())]
    rows.append(("total", "", *_figures(removals)))
    lines.append(table(("what", "why it is not needed", "number", "size", "made in"), rows))
    if removed:
        freed = format_bytes(sum(removal.size for removal in removals))
        lines.append(f"{pluralize(len(removals), 'thing')} removed, {freed} freed.")
    else:
        lines.append("Nothing was removed: the same command with --yes removes this.")
    return "\n".join(lines)


def _figures(removals: Sequence[Removal]) -> tuple[str, str, str]:
    """How many things there are, their bytes, and the time that they took to make."""
    seconds = round(sum(removal.seconds for removal in removals))
    return (
        f"{len(removals):,}",
        format_bytes(sum(removal.size for removal in removals)),
        f"{timedelta(seconds=seconds)}",
    )
