"""The page of a backfill: the models of its months side by side."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from taxi_pipeline.errors import TaxiPipelineError
from taxi_pipeline.storage import layout
from taxi_pipeline.tasks.base import is_done
from taxi_pipeline.tasks.base.ledgers import serving_version
from taxi_pipeline.tasks.receipt import ReceiptStage

if TYPE_CHECKING:
    from taxi_pipeline.evaluation.pages.months import CandidateMonth


def write_months_page(states: Mapping[ReceiptStage, str]) -> str:
    """Write the page, anew if it is there; where it is.

    Args:
        states: what became of each month in this run, in words, oldest month first.

    Raises:
        StorageError: the root cannot be written.
    """
    from taxi_pipeline.evaluation.pages.months import render_months

    first, *_, last = (*states, *states)
    location = layout.months_page(
        first.taxi, first.variant, str(first.calendar_month), str(last.calendar_month)
    )
    window = "" if first.window == 1 else f", windows of {first.window} months"
    page = render_months(
        f"Recipe {first.recipe}, {first.taxi} taxis, {first.calendar_month} to "
        f"{last.calendar_month}{window}",
        first.model_name,
        datetime.now(UTC).isoformat(timespec="seconds"),
        [_month(task, state, location) for task, state in states.items()],
    )
    first.storage.write_text(location, page)
    return first.storage.uri(location)


def _month(task: ReceiptStage, state: str, page: str) -> CandidateMonth:
    from taxi_pipeline.evaluation.pages.months import CandidateMonth

    month = str(task.calendar_month)
    try:
        receipt = task.receipt() if is_done(task) else None
    except TaxiPipelineError:  # told when the task was checked
        receipt = None
    if receipt is None:
        return CandidateMonth(month, state)
    metrics, champion = receipt["metrics"], serving_version(task.model_name)
    has_interval = "rmse_low" in metrics
    return CandidateMonth(
        month,
        state,
        rmse=metrics["rmse"],
        interval=(metrics["rmse_low"], metrics["rmse_high"]) if has_interval else None,
        baselines={name: figures["rmse"] for name, figures in receipt["baselines"].items()},
        # Receipts of before have neither.
        verdict=receipt.get("verdict", ""),
        version=receipt["version"],
        is_champion=champion is not None and champion.version == receipt["version"],
        report=_relative(receipt.get("report", ""), page),
    )


def _relative(report: str, page: str) -> str:
    """A link from one file under the root to another; empty if there is no other."""
    up = "../" * len(PurePosixPath(page).parent.parts)
    return f"{up}{report}" if report else ""
