"""Published trip records become clean trips, a batch at a time.

The default rules keep exactly the trips of 1 to 60 minutes, as the course does. Further
rules can be configured. Every row that a rule drops is counted under that rule's name.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from taxi_pipeline.compute.prefetch import prefetch
from taxi_pipeline.errors import InvalidTripFile
from taxi_pipeline.month import Month
from taxi_pipeline.trips import schema
from taxi_pipeline.trips.column_checks import check_types, check_values
from taxi_pipeline.trips.columns import floats
from taxi_pipeline.trips.quality import QualityReport
from taxi_pipeline.trips.reading import BATCH_ROWS, UnusableFile, open_file, read_batches
from taxi_pipeline.trips.writing import open_writer

Mask: TypeAlias = "pa.ChunkedArray | pa.Array"
"""True for the rows that a rule keeps; null counts as false."""


@dataclass(frozen=True)
class Rules:
    """Which trips are kept.

    Attributes:
        min_minutes: shortest duration, included.
        max_minutes: longest duration, included.
        only_month: drop pickups outside the month that the file is published for.
        known_zones: drop trips from or to the zones that name no place in the city.
        keep_reversals: keep records with a negative fare, which reverse another record.
        min_miles: shortest metered distance, included; 0 keeps all.
        max_miles: longest metered distance, included; infinity keeps all. Either limit drops
            trips without a distance.
    """

    min_minutes: float = 1.0
    max_minutes: float = 60.0
    only_month: bool = False
    known_zones: bool = False
    keep_reversals: bool = True
    min_miles: float = 0.0
    max_miles: float = float("inf")


def clean_file(  # noqa: PLR0913  (each is a choice of its own)
    source: Path | str,
    destination: Path | str,
    *,
    taxi: str,
    month: Month,
    rules: Rules,
    batch_rows: int = BATCH_ROWS,
    progress: Callable[[int, int, int], None] = lambda *_: None,
) -> QualityReport:
    """Write the clean trips of a published file, in its order, and report on both.

    Args:
        source: a published trip record file.
        destination: the parquet file to write, of schema :data:`schema.TRIP`.
        taxi: ``green`` or ``yellow``.
        month: the month that the file is published for.
        rules: which trips are kept.
        batch_rows: rows that are in memory at a time.
        progress: called after each batch with rows kept, rows read and rows in all.

    Raises:
        InvalidTripFile: the file cannot be read or understood, or no row passes the rules.
    """
    report = QualityReport()

    def cleaned(file: pq.ParquetFile) -> Iterator[pa.Table]:
        columns = schema.columns_to_read(file.schema_arrow.names, taxi)
        for published in prefetch(read_batches(file, columns, batch_rows)):
            check_values(published, taxi)
            trips = clean(published, taxi, month, rules, report)
            schema.check(trips)
            report.add_trips(trips)
            progress(report.rows_kept, report.rows_read, file.metadata.num_rows)
            yield trips

    try:
        with (
            open_file(Path(source)) as file,
            open_writer(Path(destination), schema.TRIP, schema.REPEATED) as writer,
        ):
            check_types(file.schema_arrow, taxi)
            # Reading, cleaning and writing go on at the same time, each with a batch of its own.
            with contextlib.closing(prefetch(cleaned(file))) as batches:
                for trips in batches:
                    writer.write_table(trips)
    except UnusableFile as error:
        # Files that arrive now are checked before they are taken; earlier ones may not have been.
        raise InvalidTripFile(
            f"{taxi} {month}: the published file {error.problem}; refresh the month once its "
            "source has mended it"
        ) from None
    if not report.rows_kept:
        raise InvalidTripFile(
            f"{taxi} {month}: none of {report.rows_read} rows passes the rules of cleaning: "
            f"dropped by rule {report.dropped}; widen them, as by `min_minutes` or `max_minutes`"
        )
    return report


def clean(
    published: pa.Table, taxi: str, month: Month, rules: Rules, report: QualityReport
) -> pa.Table:
    """The published rows that pass the rules, in canonical form.

    The report counts the rows read and, rule by rule, the rows dropped. A row that several rules
    would drop counts for the first.
    """
    report.read(published)
    trips = schema.canonical(published, taxi)
    lowered = {name.lower(): name for name in published.column_names}
    fare = lowered.get("fare_amount")
    unknown = pa.nulls(trips.num_rows, pa.float64())
    trips = trips.append_column("fare", floats(published[fare]) if fare else unknown)
    kept, rows = pa.scalar(value=True), trips.num_rows
    for name, keeps in _rules(rules, month).items():
        kept = pc.and_(kept, pc.fill_null(keeps(trips), fill_value=False))
        rows_before, rows = rows, pc.sum(kept).as_py() or 0
        report.drop(name, rows_before - rows)
    return trips.select(schema.TRIP.names).filter(kept).cast(schema.TRIP)


def _rules(rules: Rules, month: Month) -> dict[str, Callable[[pa.Table], Mask]]:
    """The rules in force, by name, in the order in which they are applied."""
    chosen = {
        "incomplete": _complete,
        "duration": lambda trips: _between(trips["minutes"], rules.min_minutes, rules.max_minutes),
    }
    if rules.only_month:
        chosen["other_month"] = lambda trips: pc.and_(
            pc.greater_equal(trips["pickup_at"], pa.scalar(month.start, pa.timestamp("us"))),
            pc.less(trips["pickup_at"], pa.scalar(month.end, pa.timestamp("us"))),
        )
    if rules.known_zones:
        chosen["unknown_zone"] = lambda trips: pc.invert(
            pc.or_(_in_unknown_zone(trips["pickup_zone"]), _in_unknown_zone(trips["dropoff_zone"]))
        )
    if not rules.keep_reversals:
        chosen["reversal"] = lambda trips: pc.fill_null(
            pc.greater_equal(trips["fare"], 0), fill_value=True
        )
    if rules.min_miles > 0 or rules.max_miles < float("inf"):
        chosen["distance"] = lambda trips: _between(
            trips["metered_miles"], rules.min_miles, rules.max_miles
        )
    return chosen


def _complete(trips: pa.Table) -> Mask:
    """Rows that have both times and both zones, the zones among those that exist."""
    timed = pc.and_(pc.is_valid(trips["pickup_at"]), pc.is_valid(trips["minutes"]))
    zoned = pc.and_(
        _between(trips["pickup_zone"], *schema.ZONE_ID_RANGE),
        _between(trips["dropoff_zone"], *schema.ZONE_ID_RANGE),
    )
    return pc.and_(timed, zoned)


def _between(column: Mask, lowest: float, highest: float) -> Mask:
    return pc.and_(pc.greater_equal(column, lowest), pc.less_equal(column, highest))


def _in_unknown_zone(zones: Mask) -> Mask:
    return pc.is_in(zones, pa.array(schema.UNKNOWN_ZONES, pa.int16()))
