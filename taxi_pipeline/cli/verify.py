"""``verify`` compares everything under the root with what was published there."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

import click

from taxi_pipeline import commands, config
from taxi_pipeline.cli.options import configured, examples, json_option, open_root
from taxi_pipeline.formatting import format_bytes, pluralize
from taxi_pipeline.redaction import redact
from taxi_pipeline.runtime.ledger_check import is_of_ledger, ledger_findings
from taxi_pipeline.runtime.registry_check import registry_findings
from taxi_pipeline.storage import layout, leases, verify
from taxi_pipeline.storage.verify import Finding

HELP = "Compare everything under the storage root with what was published there."


@click.command("verify", short_help=HELP, epilog=examples("verify", "verify --repair"))
@click.option(
    "--repair",
    is_flag=True,
    help="Set damaged outputs, pointers and trials aside, into .damaged under the root, so that "
    "the next run that needs them makes them again.",
)
@json_option
@configured
def command(*, repair: bool, as_json: bool) -> int:
    """Compare everything under the storage root with what was published there.

    Reads every output under the storage root and compares it with its manifest: names, bytes and
    SHA-256 of the files, the manifest's own checksum, and the key that names the folder. Also reads
    the pointers to what sources offered, the trials of searches and the ledgers of champions, and
    compares the registry with the receipts and the ledgers. Without --repair nothing is changed,
    except that MLflow's database under a root that was moved names its files where they are now.
    Exit code 0: no damage; 1: damage was found.
    """
    from tqdm import tqdm

    storage = open_root()
    began = time.monotonic()
    running = leases.live(storage)
    planned = verify.checks(storage, lambda place: any(lease.covers(place) for lease in running))
    size = sum(check.size for check in planned)
    with tqdm(total=size, unit="B", unit_scale=True, desc="verify", disable=None) as bar:
        findings = verify.run(storage, planned, bar.update)
    findings = sorted([*findings, *registry_findings(storage), *ledger_findings(storage)])
    if not as_json:  # whatever becomes of a repair
        for finding in findings:
            print(finding)
    mended = verify.repair(storage, findings) if repair else []
    counts = Counter(f"{check.what}s" for check in planned if check.what)
    facts = {
        "root": redact(config.storage().root),
        "checked": dict(counts),
        "bytes": size,
        "seconds": round(time.monotonic() - began, 3),
        "damaged": sum(finding.is_damage for finding in findings),
    }
    if as_json:
        listed = [asdict(finding) for finding in findings]
        print(json.dumps({**facts, "findings": listed, "set_aside": mended}, indent=2))
    else:
        checked = ", ".join(f"{number:,} {what}" for what, number in sorted(counts.items()))
        print(f"{checked or 'nothing'}; {format_bytes(size)} read in {facts['seconds']:.1f} s")
        print(_next(findings, mended, repair=repair))
    return 1 if facts["damaged"] else 0


def _next(findings: Sequence[Finding], mended: Sequence[str], *, repair: bool) -> str:
    """What was found in all, and what to do about it."""
    damaged = sum(finding.is_damage for finding in findings)
    if not damaged:
        if mended:
            return f"No damage. {pluralize(len(mended), 'link')} that led nowhere removed."
        others = f"; {len(findings)} listed that harm nothing" if findings else ""
        return f"No damage under {redact(config.storage().root)}{others}."
    left = sum(finding.is_damage and not finding.set_aside for finding in findings)
    aside = [
        place
        for place in mended
        if not place.endswith(f"/{layout.LATEST}") and not is_of_ledger(place)
    ]
    sentences = [f"{pluralize(damaged, 'thing')} damaged."]
    if repair and aside:
        sentences.append(
            f"{len(aside)} set aside under .damaged: run {commands.PROGRAM} run for these "
            "months, with the flags that made them, and what a run needs of them is made again."
        )
    elif damaged > left:
        can_be_made = any(
            finding.set_aside and not is_of_ledger(finding.location) for finding in findings
        )
        again = ", so that the next run that needs them makes them again" if can_be_made else ""
        command = commands.write("verify", "--repair")
        sentences.append(f"{command} sets {damaged - left} aside{again}.")
    if any(finding.set_aside and is_of_ledger(finding.location) for finding in findings):
        sentences.append(
            "A change of a ledger is not made again: once it is set aside, MLflow's alias says who "
            "serves."
        )
    if left:
        sentences.append(f"{left} cannot be mended so: their lines say what is wrong.")
    return " ".join(sentences)
