"""Templates that name each month's file, and URLs that are shown without secrets."""

import contextlib
import re
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trip_source import NAME, assert_one_line

from taxi_pipeline.errors import InvalidConfig, MonthNotPublished
from taxi_pipeline.month import Month
from taxi_pipeline.redaction import redact_url
from taxi_pipeline.trips import urls

brief = settings(max_examples=50)
months = st.builds(Month, st.integers(1000, 9999), st.integers(1, 12))


@brief
@given(st.sampled_from(["green", "yellow"]), months)
def test_a_url_names_its_taxi_and_month(taxi, month):
    for template in (urls.DEFAULT_URL, "synthetic://", "synthetic://?rows=5&seed=1"):
        name = urls.month_url(template, taxi, month).rpartition("/")[2].partition("?")[0]
        found, _, rest = name.partition("_tripdata_")
        assert (found, Month.parse(rest.removesuffix(".parquet"))) == (taxi, month)


def test_synthetic_is_short_for_a_whole_url():
    url = f"synthetic://{NAME}"
    assert urls.month_url("synthetic://", "green", Month(2021, 1)) == url
    query = "?rows=20000&seed=7"
    assert urls.month_url(f"synthetic://{query}", "green", Month(2021, 1)) == url + query


@pytest.mark.parametrize(
    "template",
    [
        urls.DEFAULT_URL,
        "synthetic://",
        "synthetic://?rows=20000&seed=7",
        "synthetic://{taxi}_tripdata_{year}-{month:02d}.parquet?rows=5",
        "file:///data/{taxi}_{year}-{month:02d}.parquet",
        "data/{year:04d}/{month}.parquet",
        "memory://{year}{month:02}",
        "zip://{taxi}.parquet::https://host/{year}-{month:02d}.zip",
    ],
)
def test_a_template_that_names_each_month_passes(template):
    urls.check_template(template)
    assert "{" not in urls.month_url(template, "green", Month(2021, 1))


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("", "lacks the month and the year"),
        ("https://host/{taxi}-{year}.parquet", "lacks the month;"),
        ("https://host/{month:02d}.parquet", "lacks the year;"),
        ("synthetic://green_tripdata_2021-01.parquet", "lacks the month and the year"),
        ("https://host/{year}-{month:02d}-{borough}", "braces"),
        ("https://host/{year}-{month:02d", "braces"),
        ("https://host/{year}-{month:02d}}", "braces"),
        ("https://host/{year}-{month:02d}-{}", "braces"),
        ("https://host/{year}-{month:x!}", "braces"),
        ("https://host/{year.real}-{month:02d}", "braces"),
        ("https://host/{taxi:02d}-{year}-{month:02d}", "braces"),
        ("htps://host/{year}-{month:02d}", "no protocol htps"),
        ("simplecache::htps://host/{year}-{month:02d}", "no protocol htps"),
    ],
)
def test_a_template_that_cannot_name_each_month_is_refused(template, says):
    with pytest.raises(InvalidConfig, match="^" + re.escape(redact_url(template))) as caught:
        urls.check_template(template)
    assert says in str(caught.value)
    assert_one_line(str(caught.value))


def test_a_protocol_whose_package_is_missing_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "gcsfs", None)
    with pytest.raises(InvalidConfig, match=r"^gs://bucket/.* pip install gcsfs$"):
        urls.check_template("gs://bucket/{year}-{month:02d}.parquet")


@brief
@given(st.text(alphabet="{}taxiyearmonth:02d./?", max_size=40))
def test_a_template_that_passes_can_be_filled(text):
    template = f"https://host/{text}"
    with contextlib.suppress(InvalidConfig):
        urls.check_template(template)
        urls.month_url(template, "green", Month(2021, 1))


def test_a_usual_template_is_checked_without_fsspec(monkeypatch):
    monkeypatch.setitem(sys.modules, "fsspec", None)
    monkeypatch.setitem(sys.modules, "fsspec.registry", None)
    for template in (
        urls.DEFAULT_URL,
        "synthetic://",
        "file:///{year}-{month}",
        "{year}{month}",
    ):
        urls.check_template(template)


@pytest.mark.parametrize("taxi", ["green", "yellow"])
def test_the_first_month_can_be_had_and_the_one_before_cannot(taxi):
    first = urls.FIRST_MONTHS[taxi]
    urls.check_month(taxi, first)
    with pytest.raises(MonthNotPublished, match=f"^{taxi} .*choose {first} or a later") as caught:
        urls.check_month(taxi, first - 1)
    assert_one_line(str(caught.value))
