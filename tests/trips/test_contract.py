"""What a month's file must hold to be taken for the month's."""

import re
from datetime import timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from places import TLC
from trip_files import JANUARY, at, check, pickups, trips

from taxi_pipeline.errors import InvalidTripFile
from taxi_pipeline.month import Month
from taxi_pipeline.trips import schema
from taxi_pipeline.trips.columns import NEW_YORK
from taxi_pipeline.trips.contract import Contract, check_rows
from taxi_pipeline.trips.reading import UnusableFile

MARCH = Month(2021, 3)

# Pickups by hour, as in green 2021-01: the quietest hours are 1 to 5.
HOURS = [16, 11, 6, 6, 11, 27, 53, 108, 157, 189, 194, 182]
HOURS += [181, 189, 181, 178, 171, 142, 120, 99, 68, 46, 37, 27]
OVERRIDE = (
    "; write them without a zone, in New York's local time, or have them converted by "
    "`zoned_times` convert"
)


def refusal(path, table, **contract):
    with pytest.raises(InvalidTripFile) as caught:
        check(path, table, contract=Contract(**contract))
    return str(caught.value).partition(".parquet ")[2]


def warnings(path, table, **contract):
    return check(path, table, contract=Contract(**contract)).warnings


# --- pickups of the month ---------------------------------------------------------------------


def strays(share, rows=1000):
    """Pickups of January, and a share of them in March."""
    stray = round(share * rows)
    return at([*pickups(rows=rows - stray), *(pickups(MARCH, rows=stray) if stray else [])])


@pytest.mark.parametrize("share", [0.0, 0.01, 0.05])
def test_a_few_pickups_of_other_months_are_as_they_should_be(destination, share):
    assert warnings(destination, strays(share)) == ()


def test_many_pickups_of_other_months_are_a_warning(destination):
    (warning,) = warnings(destination, strays(0.06))
    assert warning == (
        "has 940 of 1,000 pickups in 2021-01: trips of other months are kept unless `only_month` "
        "is set"
    )


def test_a_file_with_most_pickups_elsewhere_is_refused_unless_that_is_chosen(destination):
    text = refusal(destination, strays(0.9))
    assert text == (
        "has 100 of 1,000 pickups in 2021-01 and 900 in 2021-03: it is another month's file, or a "
        "damaged one; check `url`, or take it nevertheless by `min_month_share` 0"
    )
    (warning,) = warnings(destination, strays(0.9), min_month_share=0)
    assert "100 of 1,000" in warning
    assert warnings(destination, strays(0.9), min_month_share=0, warn_month_share=0) == ()


def test_a_file_without_any_pickup_time_is_refused(destination):
    text = refusal(destination, trips(lpep_pickup_datetime=pa.nulls(1000, pa.timestamp("us"))))
    assert text.startswith("has 0 of 0 pickups in 2021-01: ")


# --- rows beside those of other months --------------------------------------------------------


def test_without_neighbours_any_number_of_rows_is_taken():
    assert check_rows(1, "green", JANUARY, {}, Contract()) == []


@pytest.mark.parametrize("rows", [50_000, 100_000, 199_999])
def test_rows_like_those_of_the_neighbours_are_taken(rows):
    neighbours = {JANUARY - 1: 100_000, JANUARY + 1: 100_000}
    assert check_rows(rows, "green", JANUARY, neighbours, Contract()) == []


def test_few_rows_are_a_warning_and_very_few_are_refused_unless_that_is_chosen():
    neighbours = {JANUARY - 1: 100_000, JANUARY + 1: 80_000}
    lines = check_rows(2_000, "green", JANUARY, neighbours, Contract())
    assert lines == [
        "has 2,000 rows, 2 % of the 100,000 of 2020-12: see whether its source has the whole file",
        "has 2,000 rows, 2.5 % of the 80,000 of 2021-02: see whether its source has the whole file",
    ]
    with pytest.raises(UnusableFile) as caught:
        check_rows(1_500, "green", JANUARY, neighbours, Contract())
    assert caught.value.problem == (
        "has 1,500 rows, 1.9 % of those of the months beside it (2020-12: 100,000, 2021-02: "
        "80,000): it is a part of a file"
    )
    assert caught.value.advice == "check `url`, or take it nevertheless by `min_rows_share` 0"
    assert len(check_rows(1_500, "green", JANUARY, neighbours, Contract(min_rows_share=0))) == 2


def test_a_file_is_not_refused_beside_one_of_two_neighbours_that_is_like_it():
    neighbours = {JANUARY - 1: 1_000_000, JANUARY + 1: 1_000}
    (line,) = check_rows(1_000, "green", JANUARY, neighbours, Contract())
    assert "0.1 % of the 1,000,000 of 2020-12" in line


def test_a_neighbour_with_few_rows_is_named_whichever_month_came_first():
    (line,) = check_rows(100_000, "green", JANUARY, {JANUARY + 1: 3_000}, Contract())
    assert line == (
        "has 100,000 rows, of which 2021-02 has only 3 % (3,000): see whether its source has the "
        "whole file"
    )


APRIL, OTHERS = (Month(2020, 4), 237_993), (Month(2020, 3), 3_007_687)


@pytest.mark.parametrize(("month", "other"), [(APRIL, OTHERS), (OTHERS, APRIL)])
@pytest.mark.parametrize("least", [0.02, 0.5])
def test_april_2020_is_a_warning_with_its_true_reason(month, other, least):
    contract = Contract(min_rows_share=least)
    (line,) = check_rows(month[1], "yellow", month[0], dict([other]), contract)
    assert line.endswith(": New York's lockdown from 22 March 2020 ended most trips")
    assert " 7.9 % " in line


# --- times that have a zone -------------------------------------------------------------------


def wall_clock(rows=3000, zone="UTC"):
    """New York's wall clock under the label of a zone."""
    return at(pickups(rows=rows, hours=HOURS), zone)


def instants(rows=3000):
    """Instants in UTC; New York is five hours behind in January."""
    return at([time + timedelta(hours=5) for time in pickups(rows=rows, hours=HOURS)], "UTC")


def test_new_yorks_wall_clock_under_the_label_of_a_zone_is_refused(destination):
    text = refusal(destination, wall_clock())
    assert text.startswith("has times labelled UTC that are New York's wall clock: if converted, ")
    assert "pickups fall before 2021-01, and the quietest hours begin at 20:00; " in text
    assert text.endswith(OVERRIDE)


def test_instants_are_converted_and_that_is_said(destination):
    (warning,) = warnings(destination, instants())
    assert warning == (
        "has times labelled UTC, which are converted to New York's local time: 0 of 3,002 pickups "
        "fall before 2021-01, and the quietest hours begin at 1:00"
    )


def test_few_pickups_are_told_by_those_that_fall_out_of_the_month(destination):
    text = refusal(destination, wall_clock(rows=400))
    assert re.search(r"clock: if converted, \d of 4\d\d pickups fall before 2021-01; write", text)
    (warning,) = warnings(destination, instants(rows=400))
    assert re.search(r"time: 0 of 4\d\d pickups fall before 2021-01$", warning)


def test_where_nothing_tells_zoned_times_are_refused(destination):
    noons = [time.replace(day=15, hour=12) for time in pickups(rows=20)]
    text = refusal(destination, at(noons, "UTC"))
    assert text == (
        "has times labelled UTC, and too few pickups to see whether they are New York's wall clock"
        + OVERRIDE
    )


def test_the_label_is_believed_where_that_is_chosen(destination):
    (warning,) = warnings(destination, wall_clock(), zoned_times="convert")
    assert warning == "has times labelled UTC, which are converted to New York's local time"


@pytest.mark.parametrize("zone", ["America/New_York", "US/Eastern"])
def test_new_yorks_own_zone_leaves_nothing_open(destination, zone):
    assert warnings(destination, at(instants()[1].to_pylist(), zone)) == ()


@pytest.mark.skipif(not TLC.is_dir(), reason=f"real TLC files are not in {TLC}")
@pytest.mark.parametrize("file", sorted(TLC.rglob("*_tripdata_*.parquet")), ids=lambda f: f.stem)
def test_published_months_are_told_from_instants_whichever_label_they_are_given(destination, file):
    taxi, _, month = file.stem.split("_")
    table = pq.read_table(file)
    new_york = {"timezone": NEW_YORK, "ambiguous": "earliest", "nonexistent": "earliest"}
    wall_clocks, instants = table, table
    for name in (schema.pickup_column(taxi), schema.dropoff_column(taxi)):
        place, times = table.column_names.index(name), table[name]
        labelled = pc.assume_timezone(times, "UTC")
        wall_clocks = wall_clocks.set_column(place, name, labelled)
        moments = pc.cast(pc.assume_timezone(times, **new_york), labelled.type)
        instants = instants.set_column(place, name, moments)
    options = {"taxi": taxi, "month": Month.parse(month)}
    with pytest.raises(InvalidTripFile, match="has times labelled UTC that are New York's wall cl"):
        check(destination, wall_clocks, **options)
    (warning,) = check(destination, instants, **options).warnings
    assert warning.startswith(
        "has times labelled UTC, which are converted to New York's local time"
    )
