"""A run asks the sources of the months that it needs, and makes what was republished again."""

import json
import os
import re
import shutil
import threading

import fsspec
import luigi
import pytest
from luigi.task_register import Register
from processes import python
from source_runs import FEBRUARY, JANUARY, features

from taxi_pipeline import BuildFeatures, IngestTrips, TransformTrips
from taxi_pipeline.errors import StorageError
from taxi_pipeline.runtime import sources
from taxi_pipeline.storage import LocalStorage, sha256

SUCCESS = luigi.LuigiStatusCode.SUCCESS
STAGES = ("ingest", "transform", "features")
HIDDEN = "hunter2hunter2"


def of(task, month):
    return task(year=month.year, month=month.month)


def assert_nothing_ran(runs, outputs):
    """The run ended well, made nothing, and says that all of it is done."""
    assert runs.outputs() == outputs
    assert not [line for line in runs.lines("INFO") if re.search(r"in \d+\.\d s", line)]
    assert any("1 complete ones were encountered" in line for line in runs.lines("INFO"))


def as_made_by_0_1(runs, month):
    pointer = runs.pointer(month)
    runs.pointer_file(month).write_text(json.dumps({k: pointer[k] for k in ("url", "sha256")}))


# --- what is noticed --------------------------------------------------------------------------


def test_a_republished_month_makes_exactly_its_descendants_again(runs):
    before = runs.outputs()
    runs.source.publish(FEBRUARY, rows=999)
    assert runs.run().status == SUCCESS
    made = runs.outputs() - before
    assert before < runs.outputs()
    assert {output[:3] for output in made} == {(s, "green", "2021-02") for s in STAGES}
    assert len(made) == 3
    told = "source republished: 1,000 -> 999 rows"
    assert f"IngestTrips green 2021-02: {told}" in runs.lines("INFO")
    reason = ", since source republished (green 2021-02): 1,000 -> 999 rows -> "
    assert len([line for line in runs.lines("INFO") if reason in line]) == 2
    assert runs.source.fetched() == ["2021-02"]


def test_the_republished_month_is_noticed_once(runs):
    runs.source.publish(FEBRUARY, seed=1)
    runs.run()
    before = runs.outputs()
    assert runs.run().status == SUCCESS
    assert_nothing_ran(runs, before)
    assert runs.source.fetched() == []


def test_a_month_that_is_published_as_it_was_before_is_made_from_what_is_there(runs):
    runs.source.publish(FEBRUARY, seed=1)
    runs.run()
    before = runs.outputs()
    runs.source.publish(FEBRUARY)
    assert runs.run().status == SUCCESS
    assert_nothing_ran(runs, before)
    assert of(IngestTrips, FEBRUARY).pointer().sha256 == sha256(runs.source.path(FEBRUARY))


def test_another_entity_tag_of_the_same_content_runs_nothing(runs):
    before = runs.outputs()
    runs.source.etags = {"2021-01": '"another"'}
    assert runs.run().status == SUCCESS
    assert_nothing_ran(runs, before)
    assert runs.source.fetched() == ["2021-01"]
    assert runs.pointer()["validators"]["ETag"] == '"another"'
    runs.run()
    assert runs.source.fetched() == []


@pytest.mark.parametrize("prefix", ["", "file://"])
def test_a_file_that_is_touched_runs_nothing(runs, prefix):
    runs.configure("source", "url", f"{prefix}{runs.source.folder}/{{taxi}}_tripdata_{{year}}-{{month:02d}}.parquet")  # fmt: skip # noqa: E501
    assert runs.run().status == SUCCESS
    before = runs.outputs()
    os.utime(runs.source.path(JANUARY))
    assert runs.run().status == SUCCESS
    assert_nothing_ran(runs, before)
    runs.source.publish(JANUARY, seed=1)
    assert runs.run().status == SUCCESS
    assert {output[0] for output in runs.outputs() - before} == set(STAGES)


def test_an_object_of_a_store_that_is_written_anew_is_noticed(runs):
    def upload(*months):
        for month in months:
            content = runs.source.path(month).read_bytes()
            fsspec.filesystem("memory").pipe(f"/bucket/{month}.parquet", content)

    upload(JANUARY, FEBRUARY)
    runs.configure("source", "url", "memory://bucket/{year}-{month:02d}.parquet")
    assert runs.run().status == SUCCESS
    before = runs.outputs()
    upload(JANUARY)
    assert runs.run().status == SUCCESS
    assert_nothing_ran(runs, before)
    runs.source.publish(JANUARY, seed=1)
    upload(JANUARY)
    assert runs.run().status == SUCCESS
    assert {output[2] for output in runs.outputs() - before} == {"2021-01"}


def test_a_source_that_refuses_head_is_asked_all_the_same(runs):
    runs.source.refuses_head = 405
    before = runs.outputs()
    assert runs.run().status == SUCCESS
    assert_nothing_ran(runs, before)
    runs.source.publish(JANUARY, seed=1)
    assert runs.run().status == SUCCESS
    assert {output[2] for output in runs.outputs() - before} == {"2021-01"}


def test_a_source_without_validators_is_not_fetched_again(nothing_run):
    runs = nothing_run
    runs.source.withheld = {"ETag", "Last-Modified", "Content-Length"}
    assert runs.run().status == SUCCESS
    assert runs.pointer()["validators"] == {}
    before = runs.outputs()
    runs.source.publish(JANUARY, seed=1)
    assert runs.run().status == SUCCESS
    assert_nothing_ran(runs, before)
    assert runs.source.fetched() == []
    assert (
        "asked the source whether it has republished 2 ingested months: it has republished none; "
        "2 could not be compared, RefreshTrips fetches them"
    ) in runs.lines("INFO")


def test_validators_are_those_from_before_the_fetch(nothing_run, monkeypatch):
    make = IngestTrips.make

    def republished_meanwhile(task, folder):
        facts = make(task, folder)
        nothing_run.source.publish(task.calendar_month, seed=1)
        return facts

    with monkeypatch.context() as patch:
        patch.setattr(IngestTrips, "make", republished_meanwhile)
        nothing_run.run(of(IngestTrips, JANUARY))
    assert nothing_run.run(of(IngestTrips, JANUARY)).status == SUCCESS
    assert nothing_run.source.fetched() == ["2021-01"]
    assert len(nothing_run.outputs()) == 2


def test_a_month_whose_output_is_gone_is_ingested_without_being_asked_before(runs):
    shutil.rmtree(runs.root / "ingest")
    runs.run(of(IngestTrips, JANUARY))
    shutil.rmtree(next(runs.root.glob("ingest/green/2021-01/????????????????")))
    assert runs.run(of(IngestTrips, JANUARY)).status == SUCCESS
    assert runs.source.asked == [("HEAD", "2021-01"), ("GET", "2021-01")]


# --- when a source is asked -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("check", "age", "asked"),
    [
        ("always", {}, True),
        ("never", {"days": 1000}, False),
        ("1 day", {"hours": 23}, False),
        ("1 day", {"hours": 25}, True),
        ("12 hours", {"hours": 13}, True),
        ("30 minutes", {"minutes": 29}, False),
        ("1 day", {"days": -2}, True),  # a clock was wrong
    ],
)
def test_the_option_says_how_old_an_answer_may_get(runs, check, age, asked):
    runs.age(**age)
    before = [runs.pointer(month)["asked"] for month in (JANUARY, FEBRUARY)]
    runs.configure("source", "check", check)
    assert runs.run().status == SUCCESS
    expected = [("HEAD", "2021-01"), ("HEAD", "2021-02")] if asked else []
    assert sorted(runs.source.asked) == expected
    now = [runs.pointer(month)["asked"] for month in (JANUARY, FEBRUARY)]
    assert (now != before) == asked


def test_only_the_months_that_a_run_needs_are_asked_for(runs):
    runs.run(of(TransformTrips, FEBRUARY))
    assert runs.source.asked == [("HEAD", "2021-02")]


def test_a_run_of_several_tasks_asks_once_for_each_month(runs):
    runs.run(of(BuildFeatures, JANUARY), of(TransformTrips, JANUARY), features())
    assert sorted(runs.source.asked) == [("HEAD", "2021-01"), ("HEAD", "2021-02")]


def test_all_months_are_asked_at_the_same_time(runs):
    stop = JANUARY + 8
    for number in range(2, 8):
        runs.source.publish(JANUARY + number)
    runs.run(features(stop=stop))
    runs.source.barrier = threading.Barrier(8, timeout=5)
    assert runs.run(features(stop=stop)).status == SUCCESS
    assert len(runs.source.asked) == 8
    assert not runs.lines("WARNING")


def test_where_nothing_is_due_nothing_is_imported(runs, tmp_path):
    runs.configure("source", "check", "1 day")
    program = (
        "import sys, luigi, taxi_pipeline\n"
        "from taxi_pipeline.runtime.sources import refresh_sources\n"
        "from taxi_pipeline.tasks.base import RunContext\n"
        f"luigi.configuration.get_config().set('source', 'url', {runs.source.template!r})\n"
        f"luigi.configuration.get_config().set('storage', 'root', {str(runs.root)!r})\n"
        "refresh_sources(taxi_pipeline.BuildFeatures(year=2021, month=1), RunContext())\n"
        "print(sorted({'fsspec', 'aiohttp', 'concurrent.futures.thread'}"
        " & set(sys.modules)))"
    )
    runs.source.asked.clear()
    answer = python(tmp_path, "-c", program)
    assert (answer.returncode, answer.stdout.strip()) == (0, "[]"), answer.stderr
    assert runs.source.asked == []


# --- a source that cannot be asked ------------------------------------------------------------


@pytest.mark.parametrize("status", [401, 403, 404, 410, 429, 500, 503])
def test_a_source_that_denies_a_month_is_a_warning(runs, status):
    before, asked = runs.outputs(), runs.pointer()["asked"]
    runs.source.statuses = {"2021-01": status}
    runs.configure("source", "url", runs.source.template)
    assert runs.run().status == SUCCESS
    assert_nothing_ran(runs, before)
    (warning,) = runs.lines("WARNING")
    assert warning.startswith(f"green 2021-01: {runs.source.base_url}/green_tripdata_2021-01.")
    assert f"HTTP {status}" in warning
    assert warning.endswith("; the ingested file is used")
    assert runs.pointer()["asked"] == asked


def test_a_source_that_is_gone_is_one_warning_for_all_months(runs):
    before, asked = runs.outputs(), runs.pointer()["asked"]
    runs.source.shutdown()
    runs.source.server_close()
    assert runs.run().status == SUCCESS
    assert_nothing_ran(runs, before)
    (warning,) = runs.lines("WARNING")
    assert warning.startswith("green 2021-01, green 2021-02: http://127.0.0.1:")
    assert warning.endswith("(the connection failed); the ingested files are used")
    assert runs.pointer()["asked"] == asked


def test_a_source_that_keeps_silent_is_not_asked_for_further_months(runs, monkeypatch):
    monkeypatch.setattr(sources, "MAX_AT_ONCE", 1)
    monkeypatch.setattr(sources, "MAX_SECONDS", 0.2)
    runs.source.barrier = threading.Barrier(2, timeout=5)
    assert runs.run().status == SUCCESS
    runs.source.barrier.abort()
    assert runs.source.asked == [("HEAD", "2021-01")]
    (warning,) = runs.lines("WARNING")
    assert "(no answer within 0.2 s)" in warning


def test_a_file_that_was_removed_is_a_warning(runs):
    folder = runs.source.folder
    runs.configure("source", "url", f"{folder}/{{taxi}}_tripdata_{{year}}-{{month:02d}}.parquet")
    runs.run()
    before = runs.outputs()
    runs.source.path(JANUARY).unlink()
    assert runs.run().status == SUCCESS
    assert_nothing_ran(runs, before)
    (warning,) = runs.lines("WARNING")
    assert "(no such file); the ingested file is used" in warning


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda content: content[:-5], "is truncated"),
        (lambda _: b"<html>Please log in</html>", "is an HTML page"),
        (lambda _: b"", "is empty"),
    ],
)
def test_a_new_file_that_is_of_no_use_is_a_warning(runs, damage, told):
    before, pointer = runs.outputs(), runs.pointer()
    path = runs.source.path(JANUARY)
    path.write_bytes(damage(path.read_bytes()))
    assert runs.run().status == SUCCESS
    assert_nothing_ran(runs, before)
    (warning,) = runs.lines("WARNING")
    assert warning.startswith("IngestTrips green 2021-01: the source has changed, but ")
    assert told in warning
    assert warning.endswith("; the ingested file is used")
    assert runs.pointer() == {**pointer, "asked": runs.pointer()["asked"]}
    assert runs.pointer()["asked"] > pointer["asked"]


def test_a_new_file_that_is_of_no_use_is_fetched_again_when_the_source_is_due(runs):
    path = runs.source.path(JANUARY)
    whole = path.read_bytes()
    path.write_bytes(whole[:-5])
    runs.configure("source", "check", "1 day")
    runs.age(days=2)
    assert runs.run().status == SUCCESS
    assert runs.source.fetched() == ["2021-01"]
    assert runs.run().status == SUCCESS
    assert runs.source.fetched() == []
    runs.age(days=2)
    runs.source.publish(JANUARY, rows=999)
    assert runs.run().status == SUCCESS
    assert "IngestTrips green 2021-01: source republished: 1,000 -> 999 rows" in runs.lines("INFO")


def test_a_storage_that_cannot_be_written_is_a_warning(runs, monkeypatch):
    def refuse(*_):
        raise StorageError("data cannot be written: it is read-only")

    before = runs.outputs()
    monkeypatch.setattr(LocalStorage, "write_json", refuse)
    assert runs.run().status == SUCCESS
    assert_nothing_ran(runs, before)
    assert len(runs.lines("WARNING")) == 2
    assert all("it is read-only" in line for line in runs.lines("WARNING"))


@pytest.mark.parametrize("status", [0, 404])
def test_secrets_of_the_url_are_never_shown(runs, status):
    runs.configure("source", "url", runs.source.secret_template(HIDDEN))
    runs.run()
    runs.source.publish(JANUARY, rows=999)
    runs.source.statuses = {"2021-02": status} if status else {}
    assert runs.run().status == SUCCESS
    assert any("1,000 -> 999 rows" in line for line in runs.lines("INFO"))
    assert len(runs.lines("WARNING")) == bool(status)
    assert HIDDEN not in runs.console.text
    assert not any(HIDDEN in path.read_text() for path in runs.root.rglob("*.json"))


# --- what earlier versions made, and damage ---------------------------------------------------


def test_for_a_month_of_version_0_1_the_validators_of_the_same_length_are_adopted(runs):
    as_made_by_0_1(runs, JANUARY)
    before = runs.outputs()
    assert runs.run().status == SUCCESS
    assert_nothing_ran(runs, before)
    assert runs.source.fetched() == []
    assert runs.pointer()["validators"].keys() == {"ETag", "Last-Modified", "Content-Length"}


@pytest.mark.parametrize("withheld", [set(), {"Content-Length"}])
def test_a_month_of_version_0_1_that_seems_to_be_another_is_fetched(runs, withheld):
    as_made_by_0_1(runs, JANUARY)
    before = runs.outputs()
    runs.source.publish(JANUARY, rows=900)
    runs.source.withheld = withheld
    assert runs.run().status == SUCCESS
    assert {output[2] for output in runs.outputs() - before} == {"2021-01"}


@pytest.mark.parametrize("content", ["", '{"url": "http', "{}", "[]"])
def test_a_damaged_pointer_is_written_anew_with_one_warning(runs, content):
    before, pointer = runs.outputs(), runs.pointer()
    runs.pointer_file().write_text(content)
    assert runs.run().status == SUCCESS
    assert runs.outputs() == before
    (warning,) = runs.lines("WARNING")
    assert str(runs.pointer_file()) in warning
    assert warning.endswith("; the month is ingested again, which writes it anew")
    assert runs.pointer()["sha256"] == pointer["sha256"]
    Register.clear_instance_cache()
    assert of(IngestTrips, JANUARY).complete()
