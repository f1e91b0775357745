"""Attacks on the central scheduler, as real requests to a real one."""

import base64
import json
import os
import pickle
import re
import subprocess
import urllib.parse

import artifacts
import luigi.rpc
import pytest
import servers
from processes import clean_environment, run

PASSWORD = "letters-of_the.token"  # noqa: S105
ROUTES = (
    *("/", "/static/visualiser/index.html", "/static/visualiser/js/luigi.js", "/metrics"),
    *("/api/task_list", "/api/pause", "/files/", f"/files/{artifacts.OUTPUT}/manifest.json"),
    *("/history", "/tasklist", "/tasklist/A", "/nothing", "/api/nothing"),
    '/api/update_resource?data={"resource":"cpu","amount":0}',
    '/api/add_task?data={"worker":"w","task_id":"A","family":"A"}',
)
FOREIGN = {
    "rebound name": {"Host": "evil.example"},
    "rebound name and port": {"Host": "evil.example:8082"},
    "address of another machine": {"Host": "192.0.2.7:8082"},
    "origin": {"Origin": "https://evil.example"},
    "origin of another port": {"Origin": "http://127.0.0.1:9"},
    "no origin": {"Origin": "null"},
    "cross-site": {"Sec-Fetch-Site": "cross-site"},
    "same-site": {"Sec-Fetch-Site": "same-site"},
    "link": {
        "Sec-Fetch-Site": "cross-site",
        "Sec-Fetch-Mode": "navigate",
        "Sec-Fetch-Dest": "document",
    },
}
SCRIPT = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def attacked(tmp_path_factory):
    """A scheduler that shows the folder it runs in, in which there is everything."""
    folder = artifacts.make(tmp_path_factory.mktemp("attacked"))
    with servers.scheduler(folder, "--storage-root", ".") as running:
        running.folder = folder
        yield running


@pytest.fixture(scope="module")
def locked(tmp_path_factory):
    """A scheduler with a password from the environment."""
    folder = artifacts.make(tmp_path_factory.mktemp("locked"))
    (folder / "luigi.cfg").write_text("[luigid]\npassword = ${SCHEDULER_SECRET}\n")
    arguments = ("--storage-root", ".")
    with servers.scheduler(folder, *arguments, SCHEDULER_SECRET=PASSWORD) as running:
        running.folder = folder
        yield running


def untouched(scheduler):
    """Whether nothing has changed what the scheduler knows, and nothing was too much for it."""
    return (
        scheduler.api("is_paused") == {"paused": False}
        and "A" not in scheduler.api("task_list", status="", upstream_status="")
        and [one["num_total"] for one in scheduler.api("resource_list") if one["name"] == "cpu"]
        != [0]
        and "Traceback" not in scheduler.log.read_text()
    )


def call(scheduler, method, **arguments):
    """Status and text of a call, as a client sends it."""
    body = urllib.parse.urlencode({"data": json.dumps(arguments)})
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    status, _, text = scheduler.ask("POST", f"/api/{method}", headers, body)
    return status, text


# --- 1: who asks -----------------------------------------------------------------------------


@pytest.mark.parametrize("foreign", FOREIGN.values(), ids=FOREIGN)
def test_requests_of_other_sites_are_refused_on_every_route(attacked, foreign):
    for method in ("GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE"):
        for path in ROUTES:
            status, headers, text = attacked.ask(method, urllib.parse.quote(path, "/?={}"), foreign)
            assert status == 403, (method, path)
            assert "SECRET" not in text
            assert "Access-Control-Allow-Origin" not in headers
    assert untouched(attacked)


def test_a_link_from_another_site_leads_to_a_page_that_asks_for_a_second_click(attacked):
    _, headers, text = attacked.ask("GET", "/history", FOREIGN["link"])
    assert "href=''" in text
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "href" not in attacked.ask("GET", "/api/pause", FOREIGN["link"])[2]


def test_a_link_in_a_mail_changes_nothing(attacked):
    followed = {**FOREIGN["link"], "Sec-Fetch-Site": "none"}
    assert attacked.ask("GET", "/api/pause", followed)[0] == 403
    assert attacked.ask("GET", "/history", followed)[0] == 200
    assert untouched(attacked)


@pytest.mark.parametrize("host", ["localhost", "localhost:1", "127.0.0.1", "[::1]:8082"])
def test_names_of_loopback_are_let_in(attacked, host):
    assert attacked.ask("GET", "/metrics", {"Host": host})[0] == 200


@pytest.mark.parametrize("client", [luigi.rpc.RequestsFetcher, luigi.rpc.URLLibFetcher])
@pytest.mark.parametrize("credentials", ["", f"luigi:{PASSWORD}@"])
def test_luigis_own_clients_are_let_in_and_asked_for_the_password(
    attacked, locked, client, credentials
):
    for scheduler in (attacked, locked):
        remote = luigi.rpc.RemoteScheduler(f"http://{credentials}127.0.0.1:{scheduler.port}")
        remote._fetcher, remote._rpc_retry_attempts = client(), 1
        if scheduler is locked and not credentials:
            with pytest.raises(luigi.rpc.RPCError):
                remote.is_paused()
        else:
            remote.add_worker("w", [("host", "a"), ("workers", 1)])
            remote.add_task(task_id="B_1", family="B", worker="w", params={"a": "<1> & 2"})
            assert remote.get_work(worker="w", host="a")["task_id"] == "B_1"
            remote.set_task_status_message("B_1", "half done")
            remote.add_task(task_id="B_1", family="B", worker="w", status="DONE")
            assert remote.is_paused() == {"paused": False}


def test_curl_is_let_in(attacked, locked):
    curl = (servers.installed("curl"), "--silent", "--fail", "--max-time", "20")
    assert run([*curl, f"{attacked.url}/api/is_paused"]).stdout == '{"response": {"paused": false}}'
    assert run([*curl, f"{locked.url}/metrics"]).returncode == 22
    for given in (("--user", f"any:{PASSWORD}"), ("--oauth2-bearer", PASSWORD)):
        assert "luigi_task" in run([*curl, *given, f"{locked.url}/metrics"]).stdout


def test_a_proxy_that_is_named_is_let_in(tmp_path):
    (tmp_path / "luigi.cfg").write_text("[luigid]\nhosts = luigi.example.org\n")
    proxied = {"Host": "luigi.example.org", "Origin": "https://luigi.example.org"}
    with servers.scheduler(tmp_path) as scheduler:
        assert scheduler.ask("POST", "/api/is_paused", proxied)[0] == 200
        assert scheduler.ask("POST", "/api/is_paused", FOREIGN["origin"])[0] == 403


@pytest.mark.parametrize("password", ["", PASSWORD])
def test_a_scheduler_that_others_reach_without_a_password_says_so(tmp_path, password):
    (tmp_path / "luigi.cfg").write_text(f"[luigid]\npassword = {password}\n")
    command = [*servers.LUIGID, "--address", "0.0.0.0", "--port", "0"]  # noqa: S104
    log = tmp_path / "log"
    with (
        log.open("w") as file,
        subprocess.Popen(command, stderr=file, cwd=tmp_path, env=clean_environment()) as process,
    ):
        servers.wait_for(lambda: "scheduler at " in log.read_text(), process)
        process.terminate()
    assert log.read_text().count(" WARNING whoever reaches 0.0.0.0 may") == (not password)


def test_without_the_password_nothing_is_shown_on_any_route(locked):
    wrong = {"Authorization": "Basic " + base64.b64encode(b"luigi:wrong").decode()}
    for headers in ({}, wrong):
        for path in ROUTES:
            status, answered, text = locked.ask("GET", urllib.parse.quote(path, "/?={}"), headers)
            assert status == 401, path
            assert answered["WWW-Authenticate"].startswith("Basic ")
            assert len(text.splitlines()) == 1


def test_the_password_is_in_no_log_and_in_no_file(locked):
    right = base64.b64encode(f"luigi:{PASSWORD}".encode()).decode()
    assert locked.ask("GET", "/metrics", {"Authorization": f"Basic {right}"})[0] == 200
    assert locked.ask("GET", f"/api/x?data={PASSWORD}")[0] == 401
    servers.wait_for((locked.folder / "luigid" / "state.pickle").exists)
    files = [locked.log, *(locked.folder / "luigid").rglob("*")]
    assert len(files) > 2
    for file in files:
        assert PASSWORD.encode() not in file.read_bytes()
        assert right.encode() not in file.read_bytes()


def test_a_run_works_with_a_password_and_says_in_one_line_when_it_lacks_one(locked, luigi):
    ingest = ("IngestTrips", "--year", "2021", "--month", "1")
    ingest += ("--source-url", "synthetic://?rows=500", "--scheduler-url")
    for url in (locked.url, f"http://luigi:wrong-password@127.0.0.1:{locked.port}"):
        result = luigi(*ingest, url)
        assert result.returncode == 40
        (line,) = result.stderr.splitlines()
        assert line.startswith(f"ERROR: the scheduler at {locked.url} refuses: ")
        assert "luigi:PASSWORD@host:port" in line
        assert "wrong-password" not in line
    result = luigi(*ingest, f"http://luigi:{PASSWORD}@127.0.0.1:{locked.port}")
    assert result.returncode == 0, result.stderr
    assert PASSWORD not in result.stderr + result.stdout
    for file in (luigi.folder / "data").rglob("*.*"):
        assert file.is_dir() or PASSWORD.encode() not in file.read_bytes()


def test_a_run_that_names_the_scheduler_in_the_configuration_sends_the_password(locked, luigi):
    luigi.environment["SCHEDULER_SECRET"] = PASSWORD
    (luigi.folder / "luigi.cfg").write_text(
        f"[core]\ndefault-scheduler-url = http://luigi:${{SCHEDULER_SECRET}}@127.0.0.1:{locked.port}\n"
    )
    result = luigi(
        *("IngestTrips", "--year", "2021", "--month", "2"),
        *("--source-url", "synthetic://?rows=500"),
    )
    assert result.returncode == 0, result.stderr
    assert PASSWORD not in result.stderr + result.stdout


@pytest.mark.parametrize("text", ["short", "with blank in it", "with@sign"])
def test_a_password_that_no_url_holds_is_one_line_at_the_start(tmp_path, text):
    (tmp_path / "luigi.cfg").write_text(f"[luigid]\npassword = {text}\n")
    result = run([*servers.LUIGID, "--port", "0"], tmp_path, environment=clean_environment())
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("ERROR: [luigid] password must have")
    assert text not in line


# --- 2: what stops it ------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["FAILED", "DISABLED"])
def test_a_task_that_is_told_first_with_its_end_stops_nothing_across_restarts(tmp_path, status):
    told = {"worker": "w", "task_id": "A_1", "family": "A", "status": status, "expl": "'a'"}
    port = 0
    for _ in range(2):
        with servers.scheduler(tmp_path, port=port) as scheduler:
            port = scheduler.port
            assert call(scheduler, "add_task", **told)[0] == 200
            for method in ("task_list", "worker_list", "resource_list", "graph", "prune"):
                scheduler.api(method)
            for path in ("/metrics", "/history", "/tasklist"):
                scheduler.text(path)
            assert list(scheduler.tasks(status)) == ["A_1"]
            assert scheduler.end() == 0
            assert "Traceback" not in scheduler.log.read_text()


class Evil:
    """What runs a command when it is unpickled."""

    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


@pytest.mark.parametrize("mode", [0o600, 0o666])
@pytest.mark.parametrize("content", ["evil", "cut", "other"])
def test_a_state_that_is_not_its_own_is_set_aside_with_one_line(tmp_path, mode, content):
    state = tmp_path / "luigid" / "state.pickle"
    state.parent.mkdir()
    evil = pickle.dumps(Evil(f"touch {tmp_path}/executed"))
    state.write_bytes({"evil": evil, "cut": evil[:-5], "other": b"not a pickle"}[content])
    state.chmod(mode)
    with servers.scheduler(tmp_path) as scheduler:
        assert scheduler.tasks("DONE") == {}
        lines = scheduler.log.read_text().splitlines()
    (line,) = [line for line in lines if " WARNING " in line]
    assert "state in luigid/state.pickle is not used" in line
    assert len(list(state.parent.glob("state.pickle.refused-*"))) == 1
    assert not (tmp_path / "executed").exists()


# --- 3: what enters --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "told",
    [
        *({"family": SCRIPT}, {"task_id": SCRIPT}, {"worker": SCRIPT}, {"module": SCRIPT}),
        *({"deps": [SCRIPT]}, {"resources": {SCRIPT: 1}}, {"params": {SCRIPT: "a"}}),
        *({"status": SCRIPT}, {"priority": SCRIPT}, {"batch_id": SCRIPT}, {"params": {"a": {}}}),
        *({"task_id": "' onclick='alert(1)"}, {"family": "a\x00"}, {"priority": float("nan")}),
    ],
    ids=str,
)
def test_a_task_that_holds_markup_is_refused_in_one_line(attacked, told):
    task = {"worker": "w", "task_id": "A", "family": "A", **told}
    status, text = call(attacked, "add_task", **task)
    assert status == 400
    assert len(text.splitlines()) == 1
    assert untouched(attacked)


@pytest.mark.parametrize(
    ("method", "told"),
    [
        ("add_worker", {"worker": "w", "info": [["host", SCRIPT]]}),
        ("add_worker", {"worker": "w", "info": [["name", "twice"]]}),
        ("update_resource", {"resource": SCRIPT, "amount": 1}),
        ("update_resources", {SCRIPT: 1}),
        ("set_task_progress_percentage", {"task_id": "A", "progress_percentage": SCRIPT}),
        ("update_metrics_task_started", {"task": {}}),
        ("ping", {}),
        ("task_list", {"status": ["a"]}),
        ("dep_graph", {"unknown": 1}),
    ],
    ids=str,
)
def test_other_calls_that_make_no_sense_are_refused_in_one_line(attacked, method, told):
    status, text = call(attacked, method, **told)
    assert status == 400
    assert len(text.splitlines()) == 1
    assert untouched(attacked)


@pytest.mark.parametrize("data", ["{", "[]", "7", "%ff", "[" * 50_000, '{"a": "\\ud800"}'])
def test_what_is_no_json_is_a_client_error(attacked, data):
    body = f"data={data if data.startswith('%') else urllib.parse.quote(data)}"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert attacked.ask("POST", "/api/task_list", headers, body)[0] == 400
    assert untouched(attacked)


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "JAVAscript:alert(1)", "data:text/html,a", "//evil.example/"]
)
def test_a_link_that_is_no_page_is_left_out(attacked, url):
    task = {"worker": "w", "task_id": "L_1", "family": "L", "tracking_url": url}
    assert call(attacked, "add_task", **task)[0] == 200
    (known,) = attacked.api("task_search", task_str="L_1")["PENDING"].values()
    assert known["tracking_url"] is None


def test_a_status_line_cannot_hold_a_tag(attacked):
    call(attacked, "add_task", worker="w", task_id="M_1", family="M")
    assert call(attacked, "set_task_status_message", task_id="M_1", status_message=SCRIPT)[0] == 200
    shown = attacked.api("get_task_status_message", task_id="M_1")["statusMessage"]
    assert "<" not in shown
    assert "img src=x" in shown


@pytest.mark.parametrize("path", ["/", "/history", "/tasklist", "/nothing", "/files/", "/metrics"])
def test_every_answer_has_a_policy(attacked, path):
    _, headers, _ = attacked.ask("GET", path)
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert not re.search(r"script-src [^;]*(unsafe|http|\*|data:)", policy)
    assert headers["X-Content-Type-Options"] == "nosniff"


# --- 4: files --------------------------------------------------------------------------------


def files(scheduler, location, method="GET", **headers):
    return scheduler.ask(method, f"/files/{urllib.parse.quote(location)}", headers)


@pytest.mark.parametrize("location", artifacts.SECRETS)
def test_what_is_no_output_is_not_shown(attacked, location):
    if not location.startswith("luigid/"):
        assert (attacked.folder / location).exists()
    for asked in (location, f"{location}/", f"ingest/../{location}", f"./{location}"):
        status, _, text = files(attacked, asked)
        assert status in {404, 403, 302} - ({302} if asked == location else set()), asked
        assert "SECRET" not in text


def test_the_pages_of_folders_list_outputs_alone(attacked):
    _, _, root = files(attacked, "")
    assert re.findall(r'<td><a href="([^"]+)"', root) == ["champions/", "evaluate/"]
    _, _, page = files(attacked, f"{artifacts.OUTPUT}/")
    linked = re.findall(r'<td><a href="([^"]+)"', page)
    assert linked == ["evil.html", "evil.svg", "manifest.json", "report.html"]
    assert "outside" not in page
    for folder in (f"{artifacts.OUTPUT}/outside/", "mlflow/", "luigid/", "tasks/", "tasks/green/"):
        assert files(attacked, folder)[0] == 404


@pytest.mark.parametrize("name", ["evil.html", "evil.svg", "report.html", "manifest.json"])
def test_artifacts_are_shown_as_of_no_site(attacked, name):
    status, headers, _ = files(attacked, f"{artifacts.OUTPUT}/{name}")
    assert status == 200
    policy = [part.strip() for part in headers["Content-Security-Policy"].split(";")]
    assert "sandbox" in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_a_log_that_grows_is_never_answered_as_unchanged(attacked):
    location = f"{artifacts.MONTH}/logs/1.log"
    log = attacked.folder / location
    for line in range(5):
        _, headers, text = files(attacked, location)
        assert text == log.read_text()
        validators = {"If-None-Match": headers["ETag"]}
        assert attacked.ask("GET", f"/files/{location}", validators)[0] == 304
        before = log.stat()
        log.write_text(f"{text}line {line}\n")
        os.utime(log, ns=(before.st_atime_ns, before.st_mtime_ns))  # within one tick of the clock
        status, _, after = attacked.ask("GET", f"/files/{location}", validators)
        assert (status, after) == (200, log.read_text())


@pytest.mark.parametrize("length", [9, 8])
def test_a_log_that_is_written_anew_is_never_answered_as_unchanged(attacked, length):
    location = f"{artifacts.MONTH}/logs/2.log"
    log = attacked.folder / location
    log.write_text("x" * 9)
    _, headers, _ = files(attacked, location)
    log.write_text("y" * length)
    answer = attacked.ask("GET", f"/files/{location}", {"If-None-Match": headers["ETag"]})
    assert (answer[0], answer[2]) == (200, "y" * length)


def test_a_file_that_is_too_large_to_be_read_is_validated_at_once(attacked):
    location = f"{artifacts.OUTPUT}/huge.parquet"
    with (attacked.folder / location).open("wb") as file:
        file.truncate(2**40)  # takes no room, and hours to read
    try:
        status, headers, _ = files(attacked, location, method="HEAD")
        assert (status, headers["Content-Length"]) == (200, str(2**40))
        again = attacked.ask("GET", f"/files/{location}", {"If-None-Match": headers["ETag"]})
        assert again[0] == 304
        assert "huge.parquet" in files(attacked, f"{artifacts.OUTPUT}/")[2]
    finally:
        (attacked.folder / location).unlink()


@pytest.mark.parametrize(
    "content",
    [
        *('{"summary": 1}', "[" * 100_000, "\x00", '{"summary": "\\ud800"}', '"a"', "null"),
        json.dumps({**artifacts.MANIFEST, "identity": []}),
        json.dumps({**artifacts.MANIFEST, "identity": {"inputs": {"a": 1}, "config": []}}),
        json.dumps({**artifacts.MANIFEST, "code": "a"}),
        json.dumps({**artifacts.MANIFEST, "log": ["a"], "label": {}}),
    ],
    ids=lambda content: content[:20],
)
def test_a_manifest_of_any_content_leaves_the_page_of_its_folder(attacked, content):
    folder = attacked.folder / artifacts.MONTH / "fedcba9876543210"
    folder.mkdir(exist_ok=True)
    (folder / "manifest.json").write_text(content)
    assert files(attacked, f"{artifacts.MONTH}/fedcba9876543210/")[0] == 200
    assert untouched(attacked)


def test_a_name_that_is_not_utf8_leaves_the_page_of_its_folder(attacked):
    folder = attacked.folder / artifacts.MONTH / "odd"
    folder.mkdir(exist_ok=True)
    with open(os.fsencode(folder) + b"/\xff.json", "wb"):  # noqa: PTH123
        pass
    assert files(attacked, f"{artifacts.MONTH}/odd/")[0] == 200
    assert untouched(attacked)


@pytest.mark.parametrize(
    "path",
    [
        *("%00", "%00/", "evaluate%00.json", "a%00b/c.json", "%ff", "%ff/", "%c3", "..", "../"),
        *("%2e%2e/luigi.cfg", "..%2fluigi.cfg", "%2fetc/passwd", "//etc/passwd", "/etc/passwd"),
        *("a" * 5000, "a/" * 2000, "evaluate/green/2021-01/" + "a" * 300 + ".json", "%5c..%5c"),
        *("evaluate/green/2021-13/a.json", "evaluate/green/2021-01/circle/a.json", "~/a.json"),
        "evaluate/green/2021-01/pipe.json",
    ],
    ids=lambda path: path[:30],
)
def test_an_odd_path_is_a_client_error(attacked, path):
    month = attacked.folder / artifacts.MONTH
    if not (month / "circle").is_symlink():
        (month / "circle").symlink_to("circle")
        os.mkfifo(month / "pipe.json")
    status, _, text = attacked.ask("GET", f"/files/{path}")
    assert 400 <= status < 500
    assert "SECRET" not in text
    assert "root:" not in text
    assert untouched(attacked)
