from functools import partial
from http.server import SimpleHTTPRequestHandler

import luigi
import pytest
from http_servers import LoopbackServer, QuietHandler, serving
from luigi.task_register import Register

from taxi_pipeline import IngestTrips, PublishedTrips, TransformTrips
from taxi_pipeline.month import Month
from taxi_pipeline.tasks.base import RunContext
from taxi_pipeline.trips.publication import Answer
from taxi_pipeline.trips.synthetic import month as synthetic

JANUARY, FEBRUARY = Month(2021, 1), Month(2021, 2)
MISSING = luigi.LuigiStatusCode.MISSING_EXT


class Source(LoopbackServer):
    """A web server with the files of a folder."""

    def __init__(self, folder):
        super().__init__(partial(Handler, directory=folder))
        self.folder = folder
        self.asked = []
        self.template = f"{self.base_url}/{{taxi}}_tripdata_{{year}}-{{month:02d}}.parquet"

    def publish(self, month):
        path = self.folder / f"green_tripdata_{month}.parquet"
        synthetic.write_month(path, "green", month, rows=1000, seed=0)


class Handler(QuietHandler, SimpleHTTPRequestHandler):
    def log_request(self, *_):
        self.server.asked.append((self.command, self.path[-15:-8]))


@pytest.fixture
def source(pipeline, tmp_path):
    """A source that has published January 2021, and that nothing is known of."""
    folder = tmp_path / "published"
    folder.mkdir()
    made = Source(folder)
    made.publish(JANUARY)
    pipeline.configure("source", "url", made.template)
    pipeline.configure("source", "attempts", "1")
    pipeline.configure("source", "timeout", "5")
    with serving(made):
        yield made


def of(task, month):
    return task(year=month.year, month=month.month)


def lines(console):
    return [(record.levelname, record.getMessage()) for record in console.records]


# --- asking -----------------------------------------------------------------------------------


def test_a_published_month_is_asked_for_once(source):
    for _ in range(3):
        assert of(PublishedTrips, JANUARY).complete()
    assert source.asked == [("HEAD", "2021-01")]


def test_what_is_known_to_be_published_is_not_asked_for(source):
    task = of(PublishedTrips, JANUARY)
    task.context = RunContext(published={task.url: Answer(published=True)})
    assert task.complete()
    assert source.asked == []


def test_what_is_published_is_known_in_the_whole_run(source):
    task = of(PublishedTrips, JANUARY)
    task.context = RunContext()
    assert task.complete()
    assert list(task.context.published) == [task.url]


def test_another_run_asks_anew(source):
    for _ in range(2):
        task = of(PublishedTrips, JANUARY)
        task.context = RunContext()
        assert task.complete()
    assert source.asked == [("HEAD", "2021-01")] * 2


def test_an_unpublished_month_is_asked_for_until_it_is_there(source):
    assert not of(PublishedTrips, FEBRUARY).complete()
    source.publish(FEBRUARY)
    assert of(PublishedTrips, FEBRUARY).complete()


def test_a_run_asks_once_and_then_fetches(pipeline, source):
    assert pipeline.run(of(TransformTrips, JANUARY)).scheduling_succeeded
    assert source.asked[0] == ("HEAD", "2021-01")
    assert {command for command, _ in source.asked[1:]} == {"GET"}


def test_a_month_that_is_ingested_is_not_asked_for(pipeline, source):
    pipeline.run(of(IngestTrips, JANUARY))
    Register.clear_instance_cache()  # as in a new process
    source.asked.clear()
    assert pipeline.run(of(TransformTrips, JANUARY)).status == luigi.LuigiStatusCode.SUCCESS
    assert source.asked == []


# --- waiting ----------------------------------------------------------------------------------


def test_luigi_cannot_make_it(source):
    assert of(PublishedTrips, FEBRUARY).run is None


@pytest.mark.parametrize(
    ("month", "status"), [(JANUARY, luigi.LuigiStatusCode.SUCCESS), (FEBRUARY, MISSING)]
)
def test_it_can_be_asked_for_by_itself(pipeline, source, month, status):
    assert pipeline.run(of(PublishedTrips, month)).status == status


def test_while_a_month_is_waited_for_the_others_are_made(pipeline, source, console):
    tasks = [of(TransformTrips, month) for month in (FEBRUARY, JANUARY)]
    assert pipeline.run(*tasks).status == MISSING
    assert [task.complete() for task in tasks] == [False, True]
    (told,) = [line for line in lines(console) if "not published" in line[1]]
    assert told == ("INFO", of(PublishedTrips, FEBRUARY).waiting)
    assert not any(level in ("WARNING", "ERROR") for level, _ in lines(console))


def test_a_month_that_appears_is_made_by_the_next_run(pipeline, source):
    task = of(TransformTrips, FEBRUARY)
    assert pipeline.run(task).status == MISSING
    source.publish(FEBRUARY)
    assert pipeline.run(task).status == luigi.LuigiStatusCode.SUCCESS
    assert task.complete()


def test_waiting_leaves_nothing(pipeline, source):
    pipeline.run(of(TransformTrips, FEBRUARY))
    assert not pipeline.root.exists()


def test_a_source_that_does_not_answer_is_a_failure_that_says_so(pipeline, source, console):
    pipeline.configure("source", "url", "http://127.0.0.1:1/{year}-{month:02d}")
    assert pipeline.run(of(IngestTrips, JANUARY)).status == luigi.LuigiStatusCode.FAILED
    (error,) = [text for level, text in lines(console) if level == "ERROR"]
    assert error.startswith("IngestTrips: green 2021-01: ")
    assert "try again later" in error


# --- what is told -----------------------------------------------------------------------------


def test_the_line_names_month_and_place_but_no_secret(pipeline, source):
    pipeline.configure("source", "url", source.template.replace("//", "//user:hunter2@"))
    task = of(PublishedTrips, FEBRUARY)
    assert task.waiting.startswith("green 2021-02: not published yet at http://***@127.0.0.1:")
    assert task.waiting.endswith("choose an earlier month or check [source] url")
    assert str(task.output()).startswith("http://***@127.0.0.1:")
    assert "hunter2" not in f"{task.waiting} {task.output()} {task}"


@pytest.mark.parametrize("published", [True, False])
def test_a_month_that_no_source_can_offer_is_told_as_such(pipeline, source, console, published):
    before = Month(2013, 7)
    if published:
        source.publish(before)
    assert pipeline.run(of(IngestTrips, before)).status != luigi.LuigiStatusCode.SUCCESS
    (told,) = [text for _, text in lines(console) if "green 2013-07: " in text]
    assert "no green file exists before 2013-08; choose 2013-08 or a later month" in told
    assert "choose an earlier month" not in told
