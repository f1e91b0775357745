"""A backfill of RegisterModel ends with a page of its months."""

import re

import luigi
import pytest
from luigi.task_register import Register

from taxi_pipeline import BackfillMonths, EvaluateModel, RegisterModel
from taxi_pipeline.errors import StorageError
from taxi_pipeline.runtime.factory import Factory
from taxi_pipeline.storage.local import LocalStorage
from taxi_pipeline.tasks.months_page import _relative

PAGE = "pages/green/linear-w1/2021-01--2021-02.html"


@pytest.fixture
def backfill(pipeline, console, monkeypatch):
    """Runs a backfill of two months; what the console shows at the end."""
    for library in ("OMP", "OPENBLAS", "MKL"):
        monkeypatch.setenv(f"{library}_NUM_THREADS", "1")
    pipeline.configure("source", "url", "synthetic://?rows=1500")

    def run(of=RegisterModel):
        Register.clear_instance_cache()
        console.clear()
        task = BackfillMonths(
            of=of, of_params={"recipe": "linear"}, start="2021-01", stop="2021-03"
        )
        assert luigi.build([task], local_scheduler=True, worker_scheduler_factory=Factory())
        (said,) = [message for message in console.messages if "\nmonth " in message]
        return said.splitlines()

    return run


def test_the_page_shows_every_month_with_links_that_lead_to_the_reports(backfill, pipeline):
    lines = backfill()
    page = pipeline.root / PAGE
    assert lines[-2:] == [f"The months side by side: {page}", "All of 2 months there."]
    text = page.read_text()
    links = re.findall(r'href="([^"]+report\.html)"', text)
    assert len(links) == 2
    assert all((page.parent / link).resolve().exists() for link in links)
    for month in (1, 2):
        receipt = RegisterModel(year=2021, month=month, recipe="linear").receipt()
        assert f"{receipt['metrics']['rmse']:.2f}" in text
        assert f"{receipt['baselines']['zone_pair']['rmse']:.2f}" in text
    assert text.count("REJECTED") == 2


def test_a_later_run_writes_the_page_anew_and_orphans_nothing(backfill, pipeline):
    backfill()
    (pipeline.root / PAGE).write_text("older")
    backfill()
    assert (pipeline.root / PAGE).read_text().startswith("<!doctype html>")


def test_a_backfill_of_another_task_has_no_page(backfill, pipeline):
    assert backfill(EvaluateModel)[-1] == "All of 2 months there."
    assert not (pipeline.root / "pages").exists()


def test_a_page_that_cannot_be_written_leaves_the_table_and_says_why(
    backfill, pipeline, monkeypatch
):
    backfill()

    def full(*_):
        raise StorageError("no space left")

    monkeypatch.setattr(LocalStorage, "write_text", full)
    lines = backfill()
    assert lines[-2:] == [
        "The page of the months is not written: no space left",
        "All of 2 months there.",
    ]


def test_a_month_of_before_has_no_link():
    assert _relative("", PAGE) == ""
    assert _relative("report/a/report.html", PAGE) == "../../../report/a/report.html"
