"""The history of tasks: what is written, what Luigi's pages show, and databases made before."""

import asyncio
import html
import re
import sqlite3
from contextlib import closing

import luigi.scheduler
import postgresql
import pytest
import sqlalchemy
from sqlalchemy.exc import OperationalError
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from taxi_pipeline.errors import SchedulerError
from taxi_pipeline.luigid.access import Access
from taxi_pipeline.luigid.application import create_application
from taxi_pipeline.luigid.history import TaskHistory
from taxi_pipeline.luigid.scheduler import Scheduler, create_scheduler

INGEST = "IngestTrips_green_1_2021_abc"
PARAMETERS = {"month": "1", "taxi": "green", "year": "2021"}

# As Luigi 3.8.1 creates them with SQLAlchemy 1.4; {id} is the type of a number that counts up.
LUIGIS_TABLES = """
CREATE TABLE tasks (
    id {id} NOT NULL, task_id VARCHAR(200), name VARCHAR(128), host VARCHAR(128), PRIMARY KEY (id)
);
CREATE INDEX ix_tasks_task_id ON tasks (task_id);
CREATE INDEX ix_tasks_name ON tasks (name);
CREATE TABLE task_events (
    id {id} NOT NULL, task_id INTEGER, event_name VARCHAR(20), ts TIMESTAMP NOT NULL,
    PRIMARY KEY (id), FOREIGN KEY(task_id) REFERENCES tasks (id)
);
CREATE INDEX ix_task_events_task_id ON task_events (task_id);
CREATE INDEX ix_task_events_ts ON task_events (ts);
CREATE TABLE task_parameters (
    task_id INTEGER NOT NULL, name VARCHAR(128) NOT NULL, value TEXT,
    PRIMARY KEY (task_id, name), FOREIGN KEY(task_id) REFERENCES tasks (id)
);
INSERT INTO tasks (task_id, name, host) VALUES ('IngestTrips_green_1_2021_abc', 'IngestTrips', 'a');
INSERT INTO tasks (task_id, name, host) VALUES ('IngestTrips_green_1_2021_abc', 'IngestTrips', 'b');
INSERT INTO task_parameters (task_id, name, value) VALUES (1, 'month', '1'), (2, 'month', '1');
INSERT INTO task_events (task_id, event_name, ts) VALUES
    (1, 'PENDING', '2026-11-01 02:17:59.756931'), (1, 'RUNNING', '2026-11-01 02:17:59.791702'),
    (1, 'FAILED', '2026-11-01 02:17:59.819628'), (2, 'DONE', '2026-11-02 02:17:59');
"""


@pytest.fixture(scope="module")
def server():
    with postgresql.database() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/history.db"
    server = request.getfixturevalue("server")
    server.empty()
    return server.full_url


@pytest.fixture
def file(tmp_path):
    """A database file that only some tests make."""
    return tmp_path / "history.db"


@pytest.fixture
def scheduler(url, luigi_config):
    return scheduler_of(url)


def scheduler_of(url):
    """A scheduler in which a task that is done may run again at once."""
    settings = luigi.scheduler.scheduler(stable_done_cooldown_secs=0)
    return Scheduler(settings, task_history_impl=TaskHistory(url))


def execute(url, *statements):
    engine = sqlalchemy.create_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


def made_by_luigi(url):
    """Fill an empty database as Luigi's own history did."""
    number = "SERIAL" if url.startswith("postgresql") else "INTEGER"
    execute(url, *filter(str.strip, LUIGIS_TABLES.format(id=number).split(";")))


def run(scheduler, task_id=INGEST, status="DONE", parameters=PARAMETERS, worker="w"):
    """Let a task be scheduled, run on a host of the worker's name, and end."""
    family = task_id.partition("_")[0]
    about = {"worker": worker, "task_id": task_id, "family": family, "params": parameters}
    scheduler.add_task(**about, status="PENDING", runnable=True)
    assert scheduler.get_work(worker=worker, host=f"host-of-{worker}")["task_id"] == task_id
    scheduler.add_task(**about, status=status)


def get(scheduler, path):
    """Status and text of a page."""

    async def ask():
        (opened,) = bind_sockets(0, "127.0.0.1")
        server = HTTPServer(create_application(scheduler, None, Access()))
        server.add_sockets([opened])
        place = f"http://127.0.0.1:{opened.getsockname()[1]}"
        answer = await AsyncHTTPClient().fetch(f"{place}{path}", raise_error=False)
        server.stop()
        return answer.code, answer.body.decode()

    return asyncio.run(ask())


def cells(scheduler, path):
    """The cells of a page's tables, without their links."""
    status, text = get(scheduler, path)
    assert status == 200, text
    found = re.findall(r"<td>((?:(?!<td>).)*?)</td>", text, re.DOTALL)
    return [html.unescape(re.sub(r"<[^>]+>", "", cell)) for cell in found]


def states(scheduler, task_id=INGEST):
    """The states that a task went through, the last one first."""
    shown = cells(scheduler, f"/history/by_task_id/{task_id}")
    return [cell for cell in shown if cell.isupper()]


# --- what is written ------------------------------------------------------------------------------


def test_a_task_that_ran_is_shown_with_its_parameters_host_and_states(scheduler):
    run(scheduler)
    shown = cells(scheduler, f"/history/by_task_id/{INGEST}")
    for name, value in PARAMETERS.items():
        assert shown[shown.index(name) + 1] == value
    assert shown[shown.index("Host") + 1] == "host-of-w"
    assert states(scheduler) == ["DONE", "RUNNING", "PENDING"]


def test_a_task_that_failed_and_ran_again_has_one_record_with_all_of_it(scheduler):
    run(scheduler, status="FAILED")
    run(scheduler, worker="other")
    assert states(scheduler) == ["DONE", "RUNNING", "PENDING", "FAILED", "RUNNING", "PENDING"]
    assert [task.host for task in scheduler.task_history.find_all_runs()] == ["host-of-other"]


def test_a_scheduler_that_is_started_again_goes_on_with_a_tasks_record(scheduler, url):
    run(scheduler, status="FAILED")
    again = scheduler_of(url)
    run(again)
    assert states(again) == ["DONE", "RUNNING", "PENDING", "FAILED", "RUNNING", "PENDING"]
    assert len(again.task_history.find_all_runs()) == 1


def test_a_record_that_was_removed_is_made_anew(scheduler, url):
    run(scheduler)
    execute(url, "DELETE FROM task_events", "DELETE FROM task_parameters", "DELETE FROM tasks")
    run(scheduler)
    assert states(scheduler) == ["DONE", "RUNNING", "PENDING"]


def test_parameters_of_any_text_are_shown_as_they_are(scheduler):
    odd = "<b>'\"&;--\N{SNOWMAN}" * 50
    run(scheduler, parameters={"text": odd})
    shown = cells(scheduler, f"/history/by_task_id/{INGEST}")
    assert odd in shown
    assert "<b>" not in get(scheduler, "/history")[1]


# --- pages ----------------------------------------------------------------------------------------


def test_the_page_of_recent_tasks_has_each_once_the_last_changed_first(scheduler, url):
    for task_id in (INGEST, "TransformTrips_x", "BuildFeatures_x"):
        run(scheduler, task_id)
    run(scheduler, INGEST)
    execute(
        url,
        "UPDATE task_events SET ts = '2020-01-01 00:00:00' WHERE task_id IN "
        "(SELECT id FROM tasks WHERE name = 'BuildFeatures')",
    )
    names = [cell for cell in cells(scheduler, "/history") if re.match("[A-Z][a-z]+[A-Z]", cell)]
    assert names == ["IngestTrips", "TransformTrips"]


def test_the_page_of_a_family_has_its_tasks_in_the_order_of_their_first_runs(scheduler):
    for task_id in ("IngestTrips_2", "IngestTrips_1", "TransformTrips_x", "IngestTrips_2"):
        run(scheduler, task_id, parameters={"name": task_id})
    shown = cells(scheduler, "/history/by_name/IngestTrips")
    assert [cell for cell in shown if "_" in cell] == ["IngestTrips_2", "IngestTrips_1"]
    assert cells(scheduler, "/history/by_name/Nothing") == []


@pytest.mark.parametrize(
    ("data", "found"),
    [
        ('{"month":"1"}', ["IngestTrips_1"]),
        ('{"month":1,"taxi":"green"}', ["IngestTrips_1"]),
        ('{"taxi":"green"}', ["IngestTrips_1", "IngestTrips_2"]),
        ('{"month":"1","taxi":"yellow"}', []),
        ("{}", ["IngestTrips_1", "IngestTrips_2"]),
    ],
)
def test_tasks_are_found_by_their_parameters(scheduler, data, found):
    for number in "12":
        task_id = f"IngestTrips_{number}"
        parameters = {"month": number, "taxi": "green", "name": task_id}
        run(scheduler, task_id, parameters=parameters)
    shown = cells(scheduler, f"/history/by_params/IngestTrips?data={data}")
    assert [cell for cell in shown if "_" in cell] == found


def test_the_links_of_the_pages_lead_to_the_task_and_its_family(scheduler):
    run(scheduler)
    (link,) = re.findall(r'href="(/history/by_id/\d+)"', get(scheduler, "/history")[1])
    (family,) = re.findall(r'href="(/history/by_name/\w+)"', get(scheduler, link)[1])
    assert link in get(scheduler, family)[1]


def test_the_pages_of_durations_have_the_families_and_their_events(scheduler):
    run(scheduler)
    run(scheduler, "TransformTrips_x", status="FAILED")
    menu = get(scheduler, "/tasklist")[1]
    assert re.findall(r'href="/tasklist/(\w+)"', menu) == ["IngestTrips", "TransformTrips"]
    for family, ended in (("IngestTrips", "DONE"), ("TransformTrips", "FAILED")):
        status, text = get(scheduler, f"/tasklist/{family}")
        assert status == 200
        assert re.findall(r"\b(PENDING|RUNNING|DONE|FAILED)\b", text) == [ended]


@pytest.mark.parametrize(
    "path",
    [
        *("by_id/7", "by_id/x", "by_id/", "by_id/-1", f"by_id/{'9' * 30}"),
        *("by_task_id/Nothing", "by_task_id/", "by_task_id/%00"),
    ],
)
def test_a_task_that_is_not_there_is_no_page(scheduler, path):
    assert get(scheduler, f"/history/{path}")[0] == 404


# --- databases made before ------------------------------------------------------------------------


def test_the_tables_are_those_of_luigis_own_history(url):
    def schema():
        engine = sqlalchemy.create_engine(url)
        looks = sqlalchemy.inspect(engine)
        names = sorted(looks.get_table_names())
        found = {
            name: [
                [(each["name"], str(each["type"]), each["nullable"]) for each in columns]
                for columns in [looks.get_columns(name)]
            ]
            + [sorted(each["name"] for each in looks.get_indexes(name))]
            for name in names
        }
        engine.dispose()
        return found

    TaskHistory(url)
    ours = schema()
    execute(url, *(f"DROP TABLE {name}" for name in ("task_events", "task_parameters", "tasks")))
    made_by_luigi(url)
    assert ours == schema()


def test_a_history_that_luigi_wrote_is_shown_and_continued(url, luigi_config):
    made_by_luigi(url)
    scheduler = scheduler_of(url)
    assert "FAILED" in cells(scheduler, "/history/by_id/1")
    hosts = cells(scheduler, "/history/by_name/IngestTrips")
    assert [cell for cell in hosts if cell in ("a", "b")] == ["a", "b"]
    assert states(scheduler) == ["DONE"]
    run(scheduler)
    assert states(scheduler) == ["DONE", "RUNNING", "PENDING", "DONE"]
    assert len(scheduler.task_history.find_all_runs()) == 2


def test_tables_of_another_program_are_refused(url):
    execute(url, "CREATE TABLE tasks (id INTEGER PRIMARY KEY, title TEXT)")
    with pytest.raises(sqlalchemy.exc.SQLAlchemyError, match="task_id"):
        TaskHistory(url)


# --- a database that goes away --------------------------------------------------------------------


def test_work_goes_on_without_the_database_and_the_log_says_what_is_missing(
    luigi_config, file, caplog
):
    scheduler = scheduler_of(f"sqlite:///{file}")
    run(scheduler, "IngestTrips_1")
    with closing(sqlite3.connect(file)) as database:
        database.execute("ALTER TABLE task_events RENAME TO elsewhere")
    run(scheduler, "IngestTrips_2")
    said = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert [line.partition(",")[0] for line in said] == [
        "IngestTrips_2 is PENDING",
        "IngestTrips_2 is RUNNING",
        "IngestTrips_2 is DONE",
    ]
    assert all("no such table" in line for line in said)
    assert not [record for record in caplog.records if record.exc_info]
    assert get(scheduler, "/history")[0] == 503
    with closing(sqlite3.connect(file)) as database:
        database.execute("ALTER TABLE elsewhere RENAME TO task_events")
    assert len(scheduler.task_history.find_all_runs()) == 1
    assert get(scheduler, "/history")[0] == 200


def test_a_database_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(OperationalError):
        TaskHistory(f"sqlite:///{tmp_path}/missing/history.db")


@pytest.mark.parametrize(("kept", "files"), [("true", ["history.db"]), ("false", [])])
def test_a_scheduler_keeps_a_history_unless_it_is_told_not_to(luigi_config, tmp_path, kept, files):
    luigi_config("scheduler", "record_task_history", kept)
    scheduler = create_scheduler(tmp_path)
    run(scheduler)
    assert scheduler.has_task_history() == (kept == "true")
    assert [path.name for path in tmp_path.iterdir()] == files


@pytest.mark.parametrize(
    ("database", "cause"),
    [
        ("sqlite:///missing/history.db", "unable to open database file"),
        ("postgresql+pg8000://user:secret-word@127.0.0.1/db", "No module named 'pg8000'"),
        ("not a URL", "Could not parse"),
        ("postgresql://127.0.0.1:port/db", "port"),
        ("nonsense://host/db", "nonsense"),
    ],
)
def test_a_database_that_cannot_be_used_is_one_line_that_names_the_option(
    luigi_config, tmp_path, database, cause
):
    luigi_config("task_history", "db_connection", database)
    with pytest.raises(SchedulerError) as raised:
        create_scheduler(tmp_path)
    line = str(raised.value)
    assert line.startswith("[task_history] db_connection ")
    assert cause in line
    assert "\n" not in line
    assert "secret-word" not in line


def test_luigi_gives_a_task_the_attributes_that_are_written():
    task = luigi.scheduler.Task("id", "PENDING", (), family="Family", params={"a": "b"})
    assert (task.id, task.family, task.params) == ("id", "Family", {"a": "b"})
