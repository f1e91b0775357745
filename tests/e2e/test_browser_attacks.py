"""Attacks on the central scheduler from pages that a real browser shows."""

import json
import re
import urllib.parse
from http.server import BaseHTTPRequestHandler

import artifacts
import pytest
import servers
from browser import FOREIGN_HOST, chromium
from http_servers import LoopbackServer, QuietHandler, serving
from selenium.webdriver.common.by import By

EXECUTED = "return window.executed === undefined && document.title !== 'executed'"
SCRIPTS = (
    "<img src=x onerror='window.executed=1'>",
    "<script>window.executed=1</script>",
    "<svg onload='window.executed=1'></svg>",
    "'><img src=x onerror=window.executed=1>",
    '"><img src=x onerror=window.executed=1>',
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp) as opened:
        yield opened


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory):
    """A scheduler with a task, that shows the folder it runs in."""
    folder = artifacts.make(tmp_path_factory.mktemp("attacked"))
    with servers.scheduler(folder, "--storage-root", ".") as running:
        running.folder = folder
        running.api("update_resource", resource="cpu", amount=4)
        running.api("add_worker", worker="w", info=[["host", "a"], ["workers", 1]])
        running.api("add_task", worker="w", task_id="B_1", family="B", resources={"cpu": 1})
        yield running


class ForeignPages(QuietHandler, BaseHTTPRequestHandler):
    """A site that shows the pages it was given."""

    pages: dict = {}  # noqa: RUF012

    def do_GET(self):
        page = self.pages.get(urllib.parse.unquote(self.path), "").encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)


@pytest.fixture(scope="module")
def site():
    """An attacker's site."""
    with serving(LoopbackServer(ForeignPages)) as server:
        yield server


@pytest.fixture
def show(browser, site, scheduler):
    """Shows a page of another site in the browser, until the scheduler has answered it."""

    def show(page, *, host=FOREIGN_HOST, refused=1):
        before = refusals(scheduler)
        ForeignPages.pages["/"] = page
        browser.open(f"http://{host}:{site.server_port}/")
        servers.wait_for(lambda: refusals(scheduler) >= before + refused)

    return show


def refusals(scheduler):
    return len(re.findall(r" WARNING 403 ", scheduler.log.read_text()))


def untouched(scheduler):
    known = scheduler.api("task_list", status="", upstream_status="")
    (cpu,) = (one for one in scheduler.api("resource_list") if one["name"] == "cpu")
    return (
        list(known) == ["B_1"]
        and cpu["num_total"] == 4
        and scheduler.api("is_paused") == {"paused": False}
        and [one["state"] for one in scheduler.api("worker_list") if one["name"] == "w"]
        in (["active"], [])
        and "Traceback" not in scheduler.log.read_text()
    )


def attack(url, method, **arguments):
    return f"{url}/api/{method}?" + urllib.parse.urlencode({"data": json.dumps(arguments)})


# --- 1: pages of other sites ------------------------------------------------------------------

# By another name of this machine, and by another port of the same address.
HOSTS = (FOREIGN_HOST, "127.0.0.1")


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize(
    "element",
    [
        '<img src="{url}">',
        '<script src="{url}"></script>',
        '<link rel="stylesheet" href="{url}">',
        '<iframe src="{url}"></iframe>',
        '<object data="{url}"></object>',
        '<video src="{url}"></video>',
        '<meta http-equiv="refresh" content="0;url={url}">',
        '<form action="{url}" method="post"></form><script>document.forms[0].submit()</script>',
        (
            '<form action="{url}" method="post" enctype="text/plain"></form>'
            "<script>document.forms[0].submit()</script>"
        ),
        "<script>location = '{url}'</script>",
        "<script>fetch('{url}', {{mode: 'no-cors'}})</script>",
        "<script>fetch('{url}', {{mode: 'no-cors', referrerPolicy: 'no-referrer'}})</script>",
        "<script>fetch('{url}', {{mode: 'no-cors', method: 'POST', body: 'data={{}}'}})</script>",
        "<script>fetch('{url}', {{headers: {{'X-Requested-With': 'XMLHttpRequest'}}}})</script>",
        "<script>navigator.sendBeacon('{url}', 'data={{}}')</script>",
        (
            "<iframe sandbox='allow-scripts' srcdoc=\"<script>fetch('{url}', {{mode: 'no-cors'}})"
            '</script>"></iframe>'
        ),
    ],
)
def test_a_page_of_another_site_changes_nothing(show, scheduler, host, element):
    for method, arguments in (
        ("pause", {}),
        ("update_resource", {"resource": "cpu", "amount": 0}),
        ("add_task", {"worker": "w", "task_id": "A", "family": "A"}),
        ("disable_worker", {"worker": "w"}),
    ):
        url = attack(scheduler.url, method, **arguments).replace("'", "%27")
        show(element.format(url=url), host=host)
    assert untouched(scheduler)


def test_a_name_that_was_made_to_lead_to_the_scheduler_shows_nothing_and_changes_nothing(
    browser, scheduler
):
    for path in ("/", "/files/", "/history", "/api/pause", "/static/visualiser/index.html"):
        browser.open(f"http://{FOREIGN_HOST}:{scheduler.port}{path}")
        assert "[luigid] hosts" in browser.all("body")[0].text
    status = browser.driver.execute_async_script(
        "fetch('/api/pause').then(answer => arguments[0](answer.status))"
    )
    assert status == 403
    assert untouched(scheduler)


def test_another_site_cannot_read_or_frame_what_the_scheduler_shows(browser, show, scheduler):
    output = f"{scheduler.url}/files/{artifacts.OUTPUT}"
    show(
        f"<iframe src='{scheduler.url}/'></iframe><iframe src='{output}/report.html'></iframe>"
        f"<img src='{output}/evil.svg'><script>window.answers = [];"
        f"fetch('{output}/manifest.json').then(a => a.text(), () => 'refused')"
        ".then(text => answers.push(text))</script>",
        refused=4,
    )
    browser.wait(lambda: browser.run("return window.answers.length"))
    assert browser.run("return window.answers") == ["refused"]
    assert browser.run("return document.images[0].naturalWidth") == 0
    assert untouched(scheduler)


def test_a_link_from_another_site_is_followed_after_a_second_click(browser, show, scheduler):
    show(f"<a href='{scheduler.url}/files/evaluate/'>outputs</a>", refused=0)
    browser.driver.find_element(By.LINK_TEXT, "outputs").click()
    browser.wait(lambda: "page of another site" in browser.all("body")[0].text)
    browser.driver.find_element(By.LINK_TEXT, "Open the scheduler's page").click()
    browser.wait(lambda: browser.texts("h1") == ["evaluate"])


def test_a_person_logs_in_with_the_password_and_sees_the_page(browser, tmp_path):
    password = "letters-of_the.token"  # noqa: S105
    (tmp_path / "luigi.cfg").write_text(f"[luigid]\npassword = {password}\n")
    with servers.scheduler(tmp_path) as locked:
        browser.open(f"http://me:{password}@127.0.0.1:{locked.port}/")
        browser.wait(lambda: browser.texts("#DONE_info .info-box-number") == ["0"])


# --- 3: what clients tell ---------------------------------------------------------------------

VIEWS = (
    *("#tab=tasks", "#tab=workers", "#tab=resources", "#tab=graph&taskId={task}"),
    *("#tab=graph&taskId={task}&visType=d3", "#tab=graph&taskId={task}&invert=1"),
)


def look_at_all(browser, scheduler, task):
    """Open each view and click what can be clicked; whether a script was run anywhere."""
    quiet = True
    for view in VIEWS:
        browser.open(f"{scheduler.url}/static/visualiser/index.html{view.format(task=task)}")
        browser.wait(lambda: browser.run("return document.readyState === 'complete' && !$.active"))
        browser.run(
            "$('.statusMessage, .showError, .graph-node-a, .node').each(function () {"
            "  $(this).trigger('mouseover').trigger('mouseenter').trigger('click'); })"
        )
        browser.wait(lambda: browser.run("return !$.active"))
        quiet = quiet and browser.run(EXECUTED)
    for path in ("/history", "/tasklist", "/tasklist/A", "/metrics"):
        browser.open(f"{scheduler.url}{path}")
        quiet = quiet and browser.run(EXECUTED)
    return quiet


@pytest.mark.parametrize("script", SCRIPTS)
def test_what_clients_tell_runs_in_no_view(browser, tmp_path, script):
    fields = [
        *({"family": script}, {"task_id": f"A{script}"}, {"worker": script}, {"module": script}),
        *({"deps": [script]}, {"resources": {script: 1}}, {"params": {script: script}}),
        *({"status": script}, {"priority": script}, {"batch_id": script}, {"owners": [script]}),
        *({"params": {"a": script}}, {"expl": script}, {"tracking_url": script}),
    ]
    with servers.scheduler(tmp_path) as told:
        told.api("add_task", worker="w", task_id="A_1", family="A", deps=["C_1"])
        told.api("add_worker", worker="w", info=[["host", "a"]])
        for number, field in enumerate(fields):
            task = {"worker": "w", "task_id": f"A_{number + 2}", "family": "A", **field}
            for status in ("PENDING", "FAILED"):
                call(told, "add_task", **{"status": status, **task})
        told.api("get_work", worker="w", host="a")
        call(told, "set_task_status_message", task_id="A_1", status_message=script)
        call(told, "set_task_progress_percentage", task_id="A_1", progress_percentage=script)
        call(told, "add_worker", worker="w", info=[["username", script], ["first_task", script]])
        call(told, "update_resource", resource=script, amount=1)
        assert look_at_all(browser, told, "A_1")
        assert len(told.api("task_list", status="", upstream_status="")) >= 3


def call(scheduler, method, **arguments):
    """The status of a call, whose arguments may make no sense."""
    return scheduler.ask("GET", attack("", method, **arguments))[0]


def test_a_link_that_is_a_script_is_not_on_the_page(browser, tmp_path):
    with servers.scheduler(tmp_path) as told:
        for number, url in enumerate(("javascript:window.executed=1", "http://127.0.0.1:9/a")):
            told.api("add_task", worker="w", task_id=f"A_{number}", family="A", tracking_url=url)
        browser.open(f"{told.url}/static/visualiser/index.html")
        links = browser.wait(lambda: browser.all("[title='Track Progress']"))
        assert [link.get_attribute("href") for link in links] == ["http://127.0.0.1:9/a"]


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_policy_stops_a_script_that_came_onto_the_page_all_the_same(browser, scheduler, script):
    browser.open(f"{scheduler.url}/static/visualiser/index.html")
    browser.wait(lambda: browser.run("return window.jQuery && !$.active"))
    # Not from within the driver's own script, in which the policy does not hold.
    browser.run(
        "const text = arguments[0]; setTimeout(() => {"
        "document.body.insertAdjacentHTML('beforeend', text);"
        "const link = document.createElement('a'); link.href = 'javascript:window.executed=1';"
        "document.body.append(link); link.click(); window.tried = 1;"
        "$('body').append($('<div>').html(text)); })",
        script,
    )
    browser.wait(lambda: browser.run("return window.tried"))
    said = browser.wait(lambda: [entry["message"] for entry in browser.driver.get_log("browser")])
    assert "Content Security Policy" in "".join(said)
    assert browser.run(EXECUTED)


# --- 4: what tasks made -----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["evil.html", "evil.svg"])
def test_a_script_in_an_artifact_is_not_run(browser, scheduler, name):
    browser.driver.get_log("performance")
    browser.open(f"{scheduler.url}/files/{artifacts.OUTPUT}/{name}")
    browser.wait(lambda: browser.run("return document.readyState") == "complete")
    assert browser.run(EXECUTED)
    assert browser.run("return window.origin") == "null"
    for button in browser.all("button"):
        button.click()
    for link in browser.all("a"):
        link.click()
        browser.wait(lambda: "page of another site" in browser.all("body")[0].text)
        assert browser.all("a") == []
    assert untouched(scheduler)


def test_a_report_is_shown_with_its_styles_and_its_pictures(browser, scheduler):
    browser.driver.get_log("browser")
    browser.open(f"{scheduler.url}/files/{artifacts.OUTPUT}/report.html")
    (title,) = browser.all("h1")
    assert title.value_of_css_property("color") == "rgba(1, 2, 3, 1)"
    assert title.value_of_css_property("font-size") == "33px"
    assert browser.all("rect")[0].rect["width"] == 9
    assert browser.run("return document.images[0].naturalWidth") == 7
    assert [entry["message"] for entry in browser.driver.get_log("browser")] == []


def test_the_page_of_an_output_shows_its_plots_without_their_scripts(browser, scheduler):
    browser.open(f"{scheduler.url}/files/{artifacts.OUTPUT}/")
    browser.wait(lambda: browser.run("return document.images[0].naturalWidth") == 9)
    assert browser.run(EXECUTED)
    browser.driver.find_element(By.LINK_TEXT, "Log of this run").click()
    browser.wait(lambda: browser.all("body")[0].text == "first line")
