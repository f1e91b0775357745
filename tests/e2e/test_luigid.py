"""The central scheduler, with real clients: what it shows, and what it survives."""

import hashlib
import html
import json
import re
import signal
import socket
import time
from urllib.parse import urljoin

import mlflow
import pytest
import servers
from command_line import SMALL
from processes import run
from servers import wait_for

JANUARY = ("--year", "2021", "--month", "1")
REGISTER = ("RegisterModel", *JANUARY, *SMALL)
INGEST = ("IngestTrips", *JANUARY, *SMALL)
# Trials that take a few tenths of a second, so that there is a middle.
LONG = (*SMALL, "--tuning-trials", "12", "--tuning-rounds", "256", "--tuning-max-rounds", "50")

STAGES = {
    "IngestTrips": 2,
    "TransformTrips": 2,
    "BuildFeatures": 2,
    "TuneHyperparameters": 1,
    "TrainModel": 1,
    "EvaluateModel": 1,
    "CalibrateIntervals": 1,
    "ApplyGate": 1,
    "ReportCandidate": 1,
    "RegisterModel": 1,
}


def the(family, tasks, **parameters):
    """The id and the state of the one task of a family."""
    (found,) = (
        (task_id, task)
        for task_id, task in tasks.items()
        if task["name"] == family and parameters.items() <= task["params"].items()
    )
    return found


@pytest.fixture(scope="module")
def january(scheduler):
    """All tasks of the main job, as the scheduler knows them when it has run."""
    asked, _ = the("RegisterModel", scheduler.tasks("DONE"), month="1")
    return scheduler.api("dep_graph", task_id=asked)


@pytest.fixture(scope="module")
def failed(scheduler):
    """A run whose source offers no whole file, and the task that failed in it."""
    (scheduler.client.folder / "green_2022-01.parquet").write_bytes(b"PAR1 cut off")
    template = f"file://{scheduler.client.folder}/{{taxi}}_{{year}}-{{month:02d}}.parquet"
    arguments = ("TransformTrips", "--year", "2022", "--month", "1", "--source-url", template)
    result = scheduler.client(*arguments, *scheduler.flag)
    return result, *the("IngestTrips", scheduler.tasks("FAILED"), year="2022")


# --- what it shows ---------------------------------------------------------------------------


def test_the_graph_of_a_registered_model_has_all_stages_and_all_are_done(january):
    families = [task["name"] for task in january.values()]
    assert {name: families.count(name) for name in STAGES} == STAGES
    assert {task["status"] for task in january.values()} == {"DONE"}
    made = [task for task in january.values() if task["name"] in STAGES]
    assert {task["progress_percentage"] for task in made} == {100}


def test_a_task_that_is_done_says_what_it_made_how_long_it_took_and_where_its_log_is(january):
    for task in january.values():
        if task["name"] in STAGES:
            assert re.search(r", in \d+\.\d s; log data/\S+/logs/\S+\.log$", task["status_message"])
    _, kept = the("TransformTrips", january, month="1")
    assert re.match(r"2,\d{3} of 3,000 rows kept, in ", kept["status_message"])


@pytest.mark.parametrize("family", [family for family in STAGES if family != "ReportCandidate"])
def test_a_task_links_to_the_page_of_its_output_and_that_to_its_log(scheduler, january, family):
    task_id, task = the(family, january, month="1")
    link = task["tracking_url"]
    assert link.startswith(f"{scheduler.url}/files/")
    page = scheduler.text(link)
    assert f"<h1>{family} green 2021-01" in page
    assert html.escape(task["status_message"].partition(", in ")[0]) in page

    (log,) = re.findall(r'href="(\S+\.log)"', page)
    status, headers, lines = scheduler.get(urljoin(link, log))
    assert status == 200
    assert headers["Content-Type"] == "text/plain; charset=utf-8"
    assert f"{family} green 2021-01" in lines
    assert ": starts" in lines
    assert task["status_message"].endswith(urljoin(link, log).rpartition("/files/")[2])
    assert scheduler.history(task_id)[0] == "DONE"


def test_the_report_links_to_the_page_that_it_made(scheduler, january):
    _, task = the("ReportCandidate", january, month="1")
    status, headers, page = scheduler.get(task["tracking_url"])
    assert status == 200
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert "trained on 2021-01" in page


def test_a_task_that_is_asked_for_again_keeps_a_link_to_its_output(scheduler, january):
    assert scheduler.client(*INGEST, *scheduler.flag).returncode == 0
    _, task = the("IngestTrips", scheduler.tasks("DONE"), month="1")
    assert "/files/ingest/green/2021-01/" in task["tracking_url"]
    assert scheduler.get(task["tracking_url"])[0] == 200


def test_metrics_and_history_have_what_ran(scheduler, january):
    metrics, page = scheduler.text("/metrics"), scheduler.text("/history")
    for family, count in STAGES.items():
        done = re.search(rf'\nluigi_task_done_total{{family="{family}"}} (\S+)\n', metrics)
        assert float(done[1]) >= count
        assert f">{family}</a>" in page


def test_while_a_task_runs_it_says_how_far_it_is(scheduler):
    search = ("TuneHyperparameters", "--year", "2021", "--month", "2", *LONG, *scheduler.flag)
    with scheduler.client.started(*search) as process:
        running = wait_for(
            lambda: [
                task
                for task in scheduler.tasks("RUNNING").values()
                if str(task["status_message"]).startswith("trial ")
            ],
            process,
        )
        _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert re.match(r"trial \d+/12, best \d+\.\d{4}$", running[0]["status_message"])
    assert 0 < running[0]["progress_percentage"] < 100
    assert running[0]["tracking_url"].endswith(".log")


def test_a_failed_task_says_why_in_one_line_with_the_place_of_its_log(scheduler, failed):
    result, task_id, task = failed
    assert result.returncode == 30
    assert task["status"] == "FAILED"
    told = json.loads(scheduler.api("fetch_error", task_id=task_id)["error"])
    (line,) = told.splitlines()
    assert line.startswith("green 2022-01: ")
    assert "is truncated" in line
    log = re.search(r"\(log (data/\S+\.log)\)$", line)[1]
    assert "Traceback" in (scheduler.client.folder / log).read_text()
    assert "is truncated" in scheduler.text(task["tracking_url"])
    assert scheduler.history(task_id) == ["FAILED", "RUNNING", "PENDING"]


def test_the_page_of_the_root_has_the_stages_and_no_hidden_folder(scheduler):
    page = scheduler.text("/files/")
    assert 'href="ingest/"' in page
    hidden = [path.name for path in (scheduler.client.folder / "data").glob(".*")]
    assert hidden
    assert not [name for name in hidden if name in page]
    assert [scheduler.get(f"/files/{name}/")[0] for name in hidden] == [404] * len(hidden)


@pytest.mark.parametrize(
    "path",
    [
        "../luigid/",
        "../luigid.log",
        "%2e%2e/luigid/history.db",
        "..%2fluigid/history.db",
        "ingest/../../luigid/",
        "ingest/%2e%2e/%2e%2e/luigid.log",
        "/etc/",
        "%2fetc/",
        "/etc/passwd",
        "%00/",
        "ingest/%ff/",
        "nothing",
    ],
)
def test_what_is_not_under_the_root_is_not_shown(scheduler, path):
    status, _, text = scheduler.get(f"/files/{path}")
    assert 400 <= status < 500
    assert "root:" not in text
    assert "Traceback" not in scheduler.log.read_text()


# --- what it survives ------------------------------------------------------------------------


def test_a_scheduler_that_is_started_again_knows_what_it_knew(luigi):
    folder = luigi.folder
    (folder / "green_2021_1").write_bytes(b"PAR1 cut off")
    broken = ("--source-url", f"file://{folder}/{{taxi}}_{{year}}_{{month}}")
    fails = ("IngestTrips", *JANUARY, *broken)
    works = ("IngestTrips", "--year", "2021", "--month", "2", *SMALL)
    with servers.scheduler(folder) as scheduler:
        assert luigi(*works, *scheduler.flag).returncode == 0
        assert luigi(*fails, *scheduler.flag).returncode == 30
        before = [scheduler.tasks(status) for status in ("DONE", "FAILED")]
        assert scheduler.end() == 0
    with servers.scheduler(folder, port=scheduler.port) as scheduler:
        assert [scheduler.tasks(status) for status in ("DONE", "FAILED")] == before
        done, failed = (the("IngestTrips", tasks) for tasks in before)
        assert scheduler.get(done[1]["tracking_url"])[0] == 200
        assert scheduler.history(done[0])[0] == "DONE"
        assert scheduler.history(failed[0])[0] == "FAILED"
        assert "truncated" in scheduler.api("fetch_error", task_id=failed[0])["error"]


def test_a_scheduler_that_was_killed_knows_what_it_knew_seconds_before(luigi):
    state = luigi.folder / "luigid" / "state.pickle"
    with servers.scheduler(luigi.folder) as scheduler:
        assert luigi(*INGEST, *scheduler.flag).returncode == 0
        before, ended = scheduler.tasks("DONE"), time.time()
        wait_for(lambda: state.exists() and state.stat().st_mtime > ended, seconds=10)
        assert scheduler.end(signal.SIGKILL) == -signal.SIGKILL
    with servers.scheduler(luigi.folder) as scheduler:
        assert scheduler.tasks("DONE") == before
        task_id, _ = the("IngestTrips", before)
        assert scheduler.history(task_id)[0] == "DONE"


def logs(folder):
    """How many runs of each stage there were, by the folder of the stage."""
    files = (folder / "data").glob("*/green/**/logs/*.log")
    stages = [path.relative_to(folder / "data").parts[0] for path in files]
    return {stage: stages.count(stage) for stage in stages}


ONCE = {
    "ingest": 2,
    "transform": 2,
    "features": 2,
    "tune": 1,
    "train": 1,
    "evaluate": 1,
    "intervals": 1,
    "gate": 1,
    "report": 1,
    "register": 1,
}


def assert_whole(folder):
    """Every output holds what its manifest says, and there is one version of the model."""
    manifests = list((folder / "data").glob("*/green/**/manifest.json"))
    assert len(manifests) == sum(ONCE.values())
    for manifest in manifests:
        for name, known in json.loads(manifest.read_text())["files"].items():
            content = (manifest.parent / name).read_bytes()
            assert hashlib.sha256(content).hexdigest() == known["sha256"]
    uri = f"sqlite:///{folder}/data/mlflow/mlflow.db"
    client = mlflow.MlflowClient(uri, uri)
    assert len(client.search_model_versions("name = 'nyc-green-taxi-duration-trip'")) == 1


@pytest.mark.slow
def test_what_a_killed_client_left_is_completed_by_another(luigi):
    # Else the scheduler believes for two minutes that the client goes on.
    (luigi.folder / "luigi.cfg").write_text(
        "[scheduler]\nworker_disconnect_delay = 3\nprune_on_get_work = true\n"
    )
    run = ("RegisterModel", *JANUARY, *LONG)
    with servers.scheduler(luigi.folder) as scheduler:
        with luigi.started(*run, *scheduler.flag) as process:
            wait_for(lambda: list(luigi.folder.glob("data/tune/**/trials-*/*.json")), process)
            process.kill()
            process.wait(20)
        wait_for(lambda: not scheduler.tasks("RUNNING"))
        result = luigi(*run, *scheduler.flag)
        assert result.returncode == 0, result.stderr
        assert scheduler.tasks("FAILED") == {}
    assert logs(luigi.folder) == {**ONCE, "tune": 2}
    assert_whole(luigi.folder)


def test_two_clients_that_ask_for_the_same_month_run_each_task_once(luigi):
    with servers.scheduler(luigi.folder) as scheduler:
        run = (*REGISTER, *scheduler.flag, "--training-threads")
        with luigi.started(*run, "1") as one, luigi.started(*run, "2") as other:
            said = [process.communicate(timeout=120)[1] for process in (one, other)]
        codes = {one.returncode, other.returncode}
        assert codes <= {0, 10}, said
        assert 0 in codes, said
        assert not [text for text in said if "Traceback" in text or "ERROR" in text]
        task_id, _ = the("RegisterModel", scheduler.tasks("DONE"))
        history = scheduler.history(task_id)
        assert (history[0], history.count("RUNNING")) == ("DONE", 1)
    assert logs(luigi.folder) == ONCE
    assert_whole(luigi.folder)


@pytest.mark.slow
def test_two_clients_with_different_months_both_complete_theirs(luigi):
    with servers.scheduler(luigi.folder) as scheduler:
        model = ("TrainModel", "--year", "2021", *LONG, *scheduler.flag, "--month")
        with luigi.started(*model, "1") as one, luigi.started(*model, "5") as other:
            said = [process.communicate(timeout=120)[1] for process in (one, other)]
        assert [one.returncode, other.returncode] == [0, 0], said


def test_what_was_just_made_is_made_anew_with_another_configuration(scheduler):
    run = ("TransformTrips", "--year", "2021", "--month", "9", *SMALL, *scheduler.flag)
    assert scheduler.client(*run).returncode == 0
    result = scheduler.client(*run, "--cleaning-max-minutes", "50")
    assert result.returncode == 0, result.stderr
    assert "since cleaning.max_minutes was 60.0, is 50.0" in result.stderr


def test_clients_with_outputs_in_different_folders_both_complete(luigi):
    with servers.scheduler(luigi.folder) as scheduler:
        run = ("BuildFeatures", *JANUARY, *SMALL, *scheduler.flag, "--storage-root")
        with luigi.started(*run, "one") as one, luigi.started(*run, "other") as other:
            said = [process.communicate(timeout=90)[1] for process in (one, other)]
        assert [one.returncode, other.returncode] == [0, 0], said
    for root in ("one", "other"):
        assert list((luigi.folder / root).glob("features/*/*/*/manifest.json"))


@pytest.mark.slow
def test_a_client_that_waits_goes_on_where_a_killed_one_ended(luigi):
    (luigi.folder / "luigi.cfg").write_text("[scheduler]\nworker_disconnect_delay = 3\n")
    run = ("TuneHyperparameters", *JANUARY, *LONG)
    with servers.scheduler(luigi.folder) as scheduler:
        waits = (*run, "--training-threads", "1", *scheduler.flag)
        with luigi.started(*run, *scheduler.flag) as killed, luigi.started(*waits) as waiting:
            wait_for(lambda: list(luigi.folder.glob("data/tune/**/trials-*/*.json")), killed)
            for process in (killed, waiting):
                worker = f"pid={process.pid}"
                running = scheduler.tasks("RUNNING").values()
                if any(worker in task["worker_running"] for task in running):
                    break
            process.kill()
            left = waiting if process is killed else killed
            assert left.wait(90) == 0
    assert len(list(luigi.folder.glob("data/tune/green/2021-01/*/[0-9a-f]*/manifest.json"))) == 1


def test_a_client_bears_that_the_scheduler_is_killed_and_started_again(luigi):
    port = servers.free_port()
    with servers.scheduler(luigi.folder, port=port) as scheduler:
        run = ("TuneHyperparameters", *JANUARY, *LONG, *scheduler.flag)
        with luigi.started(*run) as client:
            wait_for(lambda: list(luigi.folder.glob("data/tune/**/trials-*/*.json")), client)
            scheduler.end(signal.SIGKILL)
            time.sleep(2)
            with servers.scheduler(luigi.folder, port=port):
                assert client.wait(90) == 0


def test_a_task_that_cannot_be_looked_at_ends_the_run_at_once(luigi):
    with servers.scheduler(luigi.folder) as scheduler:
        assert luigi(*INGEST, *scheduler.flag).returncode == 0
        (pointer,) = luigi.folder.glob("data/ingest/green/2021-01/source-*.json")
        pointer.unlink()
        pointer.mkdir()
        result = luigi(*INGEST, *scheduler.flag, timeout=30)
        assert result.returncode == 35
        assert str(pointer.relative_to(luigi.folder)) in result.stderr


# --- what can be wrong -----------------------------------------------------------------------


def refused(folder, *flags):
    """The one line with which a scheduler does not start."""
    result = run([*servers.LUIGID, *flags], folder, timeout=30)
    assert result.returncode == 1, result.stderr
    (line,) = [line for line in result.stderr.splitlines() if not re.search(r" INFO ", line)]
    assert line.startswith("ERROR: ")
    return line


def test_a_port_that_is_in_use_is_one_line_that_names_it(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"127.0.0.1 port {port}" in refused(tmp_path, "--port", str(port))


@pytest.mark.parametrize("port", ["http", "-1", "70000", "80.5"])
def test_a_wrong_port_is_one_line_that_names_the_option(tmp_path, port):
    assert f"[luigid] port is {port!r}" in refused(tmp_path, f"--port={port}")


def test_an_address_of_another_machine_is_one_line_that_names_it(tmp_path):
    assert "192.0.2.1" in refused(tmp_path, "--port", "0", "--address", "192.0.2.1")


def test_a_second_scheduler_in_the_same_folder_is_one_line(scheduler):
    folder = scheduler.client.folder
    line = refused(folder, "--port", "0")
    assert "another scheduler keeps its state in luigid" in line
    assert scheduler.text("/metrics")


def test_a_folder_that_cannot_be_made_is_one_line_that_names_it(tmp_path):
    (tmp_path / "file").touch()
    assert "file/state" in refused(tmp_path, "--port", "0", "--folder", "file/state")


def test_without_a_scheduler_a_client_says_within_seconds_how_to_start_one(luigi):
    url = f"http://127.0.0.1:{servers.free_port()}"
    result = luigi(*INGEST, "--scheduler-url", url, timeout=20)
    assert result.returncode == 40
    (line,) = result.stderr.splitlines()
    assert line.startswith("ERROR: ")
    assert "(taxi-pipeline luigid)" in line
    assert url in line


# --- with an MLflow server -------------------------------------------------------------------


@pytest.mark.slow
def test_with_an_mlflow_server_the_links_lead_to_its_pages(scheduler, luigi):
    with servers.mlflow_server(luigi.folder) as server:
        run = ("RegisterModel", "--year", "2021", "--month", "3", *SMALL)
        result = scheduler.client(*run, "--tracking-uri", server, *scheduler.flag)
        assert result.returncode == 0, result.stderr
        client = mlflow.MlflowClient(server)
        for family, tag in (
            ("RegisterModel", "candidate_key"),
            ("TuneHyperparameters", "search_key"),
        ):
            _, task = the(family, scheduler.tasks("DONE"), month="3")
            page = re.match(rf"{server}/#/experiments/\d+/runs/(\w+)\?", task["tracking_url"])
            assert tag in client.get_run(page[1]).data.tags
