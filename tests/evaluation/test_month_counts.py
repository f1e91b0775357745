"""What a month is like, counted from its quality report and from columns of its trips."""

from collections import Counter

import pyarrow.parquet as pq
import pytest

from taxi_pipeline.evaluation import month_counts
from taxi_pipeline.evaluation.month_counts import add_up, count_month, sample_trips
from taxi_pipeline.month import Month
from taxi_pipeline.trips.cleaning import Rules, clean_file
from taxi_pipeline.trips.synthetic.month import write_month

JANUARY, FEBRUARY = Month(2021, 1), Month(2021, 2)


def counted(folder, month, rows, seed=1):
    published, clean = folder / f"{month}.published", folder / f"{month}.clean"
    write_month(published, "green", month, rows=rows, seed=seed)
    quality = clean_file(published, clean, taxi="green", month=month, rules=Rules()).as_dict()
    return count_month(month, quality, clean, pq.read_schema(published)), clean


@pytest.fixture(scope="module")
def january(tmp_path_factory):
    return counted(tmp_path_factory.mktemp("january"), JANUARY, 2000)


def test_the_counts_are_those_of_the_trips_themselves(january):
    counts, file = january
    trips = pq.read_table(file).to_pandas()
    assert counts.rows_kept == len(trips)
    assert counts.rows_read == 2000
    zones = counts.distributions["pickup_zone"].counts
    assert +zones == Counter(trips["pickup_zone"].tolist())
    assert counts.distributions["partial"].counts[1.0] == trips["partial"].sum()
    assert counts.distributions["rate_code"].missing == trips["rate_code"].isna().sum()
    assert +counts.distributions["weekday"].counts == Counter(
        trips["pickup_at"].dt.day_of_week.tolist()
    )
    assert counts.days == Counter(trips["pickup_at"].dt.date.astype(str))
    assert counts.columns["PULocationID"] == "int64"
    assert counts.nulls["passenger_count"] > 0


def test_batches_make_no_difference(january, monkeypatch, tmp_path):
    monkeypatch.setattr(month_counts, "BATCH_ROWS", 77)
    assert counted(tmp_path, JANUARY, 2000)[0] == january[0]


def test_months_add_up(january, tmp_path):
    february, _ = counted(tmp_path, FEBRUARY, 1000)
    both = add_up([january[0], february])
    assert both.in_words == "2021-01 to 2021-02"
    assert both.calendar_days == 59
    assert both.rows_kept == january[0].rows_kept + february.rows_kept
    assert both.days.total() == both.rows_kept
    for name, found in both.distributions.items():
        parts = [part.distributions[name] for part in (january[0], february)]
        assert found.counts.total() == sum(part.counts.total() for part in parts)
        assert found.missing == sum(part.missing for part in parts)
    assert january[0].in_words == "2021-01"


def test_adding_up_leaves_the_parts_as_they_are(january):
    before = january[0].rows_kept, january[0].days.total()
    add_up([january[0], january[0]])
    assert (january[0].rows_kept, january[0].days.total()) == before


def test_a_sample_is_spread_over_all_files(january, monkeypatch):
    monkeypatch.setattr(month_counts, "BATCH_ROWS", 500)
    file = january[1]
    whole = pq.read_table(file)
    some = sample_trips([file, file], 40)
    assert some.num_rows == 40
    assert some.slice(0, 1).equals(whole.slice(0, 1))
    assert some.slice(39, 1).equals(whole.slice(whole.num_rows - 1, 1))
    assert sample_trips([file], 10**6).num_rows == whole.num_rows
