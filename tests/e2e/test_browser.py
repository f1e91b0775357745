"""What a person sees of the scheduler, in a real browser."""

import json
import re

import pytest
import servers
from browser import chromium
from command_line import SMALL
from selenium.webdriver.common.by import By

STAGES = (
    *("IngestTrips", "TransformTrips", "BuildFeatures"),
    *("TuneHyperparameters", "TrainModel", "EvaluateModel", "ApplyGate"),
    *("CalibrateIntervals", "ReportCandidate", "RegisterModel"),
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp) as opened:
        yield opened


@pytest.fixture
def page(browser, scheduler):
    """The list of tasks."""
    browser.resize(1400, 900)
    browser.open(f"{scheduler.url}/")
    browser.wait(lambda: "/static/visualiser/index.html" in browser.driver.current_url)
    browser.wait(lambda: browser.all("#taskTable tbody .statusMessage"))
    (length,) = browser.all("select[name=taskTable_length]")
    length.send_keys("100")
    return browser


def row(page, family):
    """The table's row of the one task of a family in January."""
    (found,) = (
        row
        for row in page.all("#taskTable tbody tr")
        if family in row.text and re.search(r"year=2021, month=1\b", row.text)
    )
    return found


def button(row, title):
    (found,) = row.find_elements(By.CSS_SELECTOR, f"[title='{title}']")
    return found


def status_line(page, family):
    """The line beneath the row of a family."""
    return page.run(
        "return arguments[0].nextElementSibling.querySelector('.status-line').textContent",
        row(page, family),
    )


def wait_until_the_sidebar_has_gone(page):
    (sidebar,) = page.all(".main-sidebar")
    page.wait(lambda: sidebar.rect["x"] + sidebar.rect["width"] <= 0)


def test_the_table_has_all_stages_of_a_registered_model_as_done(page):
    for family in STAGES:
        assert row(page, family).text.startswith("DONE")


def test_the_table_has_the_status_line_of_each_task_without_a_click(page):
    for family, line in (("RegisterModel", "version 1 (champion"), ("TransformTrips", "rows kept")):
        assert line in status_line(page, family)
    button(row(page, "TrainModel"), "View graph").click()
    page.driver.back()  # the table is drawn anew
    page.wait(lambda: page.all("#taskTable tbody .status-line"))
    assert "version 1 (champion" in status_line(page, "RegisterModel")
    lines = page.texts("#taskTable tbody .status-line")
    assert len(lines) == len(page.all("#taskTable tbody .statusMessage"))


def test_the_status_message_tells_the_version_and_whether_it_is_champion(page):
    button(row(page, "RegisterModel"), "Status message").click()
    page.wait(lambda: page.all("#statusMessageModal pre") and page.all("#statusMessageModal.in"))
    said = page.wait(lambda: page.all("#statusMessageModal pre")[0].text)
    assert said.startswith("nyc-green-taxi-duration-trip version 1 (champion")
    assert page.all("#statusMessageModal .progress-bar")[0].text == "100%"


def test_the_button_of_a_task_leads_to_the_graph_of_all_that_it_was_made_from(page):
    button(row(page, "RegisterModel"), "View graph").click()
    page.wait(lambda: page.texts(".graph-node-a") == ["RegisterModel 2021-01"])
    wait_until_the_sidebar_has_gone(page)
    page.all("#hideDoneCheckbox")[0].click()
    shown = page.wait(lambda: page.texts(".graph-node-a")[1:] and page.texts(".graph-node-a"))
    assert {f"{family} 2021-01" for family in STAGES} <= set(shown)
    assert shown.count("BuildFeatures 2021-02") == 1  # the month after
    page.resize(800, 1500)
    page.driver.refresh()  # the width is that of the window when the page was opened
    page.wait(lambda: page.texts(".graph-node-a"))
    wait_until_the_sidebar_has_gone(page)
    page.all("#graphContainer")[0].screenshot(str(page.pictures / "graph.png"))


def test_the_link_of_a_task_leads_to_its_output_with_its_plot(page):
    before = page.driver.current_window_handle
    button(row(page, "EvaluateModel"), "Track Progress").click()
    page.wait(lambda: len(page.driver.window_handles) == 2)
    (opened,) = set(page.driver.window_handles) - {before}
    page.driver.switch_to.window(opened)
    try:
        page.wait(lambda: page.all("img"))
        assert page.all("h1")[0].text == "EvaluateModel green 2021-01 trip-w1"
        assert page.all("p")[0].text.startswith("RMSE ")
        for image in page.all("img"):
            page.wait(lambda image=image: image.get_property("naturalWidth"))
        assert [image.get_attribute("alt") for image in page.all("img")] == ["evaluation.png"]
        page.resize(1000, page.all("html")[0].size["height"] + 20)
        page.picture("output.png")
        page.driver.find_element(By.LINK_TEXT, "Log of this run").click()
        page.wait(lambda: page.driver.current_url.endswith(".log"))
        assert "EvaluateModel green 2021-01 trip-w1: starts" in page.all("body")[0].text
    finally:
        page.driver.close()
        page.driver.switch_to.window(before)


@pytest.mark.slow
def test_a_backfill_can_be_watched_while_it_runs(page, scheduler):
    months = ("BackfillMonths", "--of", "RegisterModel", "--start", "2021-04", "--stop", "2021-06")
    # Searches that last as long as it takes to look at one.
    trials = ("--tuning-trials", "60", "--tuning-seconds", "5")
    trials += ("--tuning-rounds", "256", "--tuning-max-rounds", "50")
    with scheduler.client.started(*months, *SMALL, *trials, *scheduler.flag) as process:
        servers.wait_for(
            lambda: [
                task
                for task in scheduler.tasks("RUNNING").values()
                if task["params"].get("month") == "5"
                and str(task["status_message"]).startswith("trial ")
            ],
            process,
        )
        page.open(f"{scheduler.url}/static/visualiser/index.html#tab=tasks&order=4,desc")
        page.wait(lambda: page.all("#taskTable tbody .statusMessage"))
        running = next(row for row in page.all("#taskTable tr") if row.text.startswith("RUNNING"))
        button(running, "Status message").click()
        page.wait(lambda: page.all("#statusMessageModal.in") and page.all(".modal-backdrop.in"))
        said = page.wait(lambda: page.all("#statusMessageModal pre")[0].text)
        page.resize(1400, 960)
        page.driver.execute_script(
            "$('.modal-backdrop, .modal').css('background', 'none');"
            "$('.modal-dialog').css({marginTop: '675px', boxShadow: '0 0 20px #888'})"
        )
        page.picture("scheduler.png")
        assert re.match(r"trial \d+/60, best \d+\.\d{4}$", said)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 0, told


@pytest.mark.parametrize("kind", ["svg", "d3"])
def test_a_graph_names_the_month_of_each_task(page, scheduler, kind):
    tasks = scheduler.tasks("DONE")
    (asked,) = (
        key
        for key, task in tasks.items()
        if (task["name"], task["params"].get("month")) == ("EvaluateModel", "1")
    )
    page.open(
        f"{scheduler.url}/static/visualiser/index.html#tab=graph&taskId={asked}&visType={kind}"
    )
    selector = {"svg": ".graph-node-a", "d3": ".taskNode .name"}[kind]
    shown = page.wait(lambda: page.texts(selector)[3:] and page.texts(selector))
    assert {"EvaluateModel 2021-01", "BuildFeatures 2021-02", "TrainModel 2021-01"} <= set(shown)


def test_the_times_of_the_runs_of_a_family_are_shown(page, scheduler):
    page.open(f"{scheduler.url}/tasklist")
    page.driver.find_element(By.LINK_TEXT, "TransformTrips").click()
    page.wait(lambda: page.all("rect"))
    assert page.all("h1")[0].text == "TransformTrips"
    assert [text for text in page.texts("tbody tr td:nth-child(2)") if text == "DONE"]
    assert all(float(text) >= 0 for text in page.texts("tbody tr td:nth-child(3)"))
    page.all("tbody a")[0].click()
    page.wait(lambda: "TransformTrips" in page.all("body")[0].text)


# jQuery tries what browsers do, with an event in an element that it never shows; and browsers ask
# for an icon, which Luigi has none of.
OF_NO_MATTER = re.compile(r"/jquery-1\.10\.0\.min\.js|/favicon\.ico")
PAGES = (
    *("/files/", "/files/evaluate/", "/history", "/tasklist", "/tasklist/TrainModel"),
    *("/static/visualiser/index.html", "/static/visualiser/index.html#tab=workers"),
    "/static/visualiser/index.html#tab=resources",
)


def test_no_page_asks_anything_of_another_machine_or_needs_what_is_not_there(page, scheduler):
    page.driver.get_log("performance")
    page.driver.get_log("browser")
    asked = [key for key, task in scheduler.tasks("DONE").items() if task["name"] == "TrainModel"]
    graphs = [f"/static/visualiser/index.html#tab=graph&taskId={one}" for one in asked]
    for path in (*PAGES, *graphs, *(f"{graph}&visType=d3" for graph in graphs)):
        page.open(f"{scheduler.url}{path}")
        page.wait(lambda: page.run("return document.readyState") == "complete")
        page.wait(lambda: page.run("return !window.jQuery || !jQuery.active"))
    told = [json.loads(entry["message"])["message"] for entry in page.driver.get_log("performance")]
    asked = {
        event["params"]["request"]["url"]
        for event in told
        if event["method"] == "Network.requestWillBeSent"
    }
    assert {
        url for url in asked if not url.startswith((f"{scheduler.url}/", "data:", "about:"))
    } == set()
    # What the policy forbids, what is not found, and what a script stumbles over.
    problems = [entry["message"] for entry in page.driver.get_log("browser")]
    assert [text for text in problems if not OF_NO_MATTER.search(text)] == []
