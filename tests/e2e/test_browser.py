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
    *("ReportCandidate", "RegisterModel"),
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


def wait_until_the_sidebar_has_gone(page):
    (sidebar,) = page.all(".main-sidebar")
    page.wait(lambda: sidebar.rect["x"] + sidebar.rect["width"] <= 0)


def test_the_table_has_all_stages_of_a_registered_model_as_done(page):
    for family in STAGES:
        assert row(page, family).text.startswith("DONE")


def test_the_status_message_tells_the_version_and_whether_it_is_champion(page):
    button(row(page, "RegisterModel"), "Status message").click()
    page.wait(lambda: page.all("#statusMessageModal pre") and page.all("#statusMessageModal.in"))
    said = page.wait(lambda: page.all("#statusMessageModal pre")[0].text)
    assert said.startswith("nyc-green-taxi-duration-trip version 1 (champion")
    assert page.all("#statusMessageModal .progress-bar")[0].text == "100%"


def test_the_button_of_a_task_leads_to_the_graph_of_all_that_it_was_made_from(page):
    button(row(page, "RegisterModel"), "View graph").click()
    page.wait(lambda: page.texts(".graph-node-a") == ["RegisterModel"])
    wait_until_the_sidebar_has_gone(page)
    page.all("#hideDoneCheckbox")[0].click()
    shown = page.wait(lambda: page.texts(".graph-node-a")[1:] and page.texts(".graph-node-a"))
    assert set(STAGES) <= set(shown)
    assert shown.count("BuildFeatures") == 2  # the month, and the month after
    page.resize(800, 1200)
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


def test_our_own_pages_ask_nothing_of_another_machine(page, scheduler):
    # Luigi's own pages ask others for a font and for the library of their charts.
    page.driver.get_log("performance")
    for path in ("/files/", "/files/evaluate/"):
        page.open(f"{scheduler.url}{path}")
        page.wait(lambda: page.driver.execute_script("return document.readyState") == "complete")
    told = [json.loads(entry["message"])["message"] for entry in page.driver.get_log("performance")]
    asked = {
        event["params"]["requestId"]: event["params"]["request"]["url"]
        for event in told
        if event["method"] == "Network.requestWillBeSent"
    }
    for event in told:
        if event["params"].get("blockedReason"):
            asked.pop(event["params"]["requestId"], None)
    elsewhere = {url for url in asked.values() if url.startswith("http")} - {
        url for url in asked.values() if url.startswith(f"{scheduler.url}/")
    }
    assert elsewhere == set()
