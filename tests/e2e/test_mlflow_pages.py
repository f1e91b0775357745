"""What a person sees of the candidates in MLflow's pages, in a real browser."""

import re
from types import SimpleNamespace

import mlflow
import pytest
import servers
from browser import chromium
from command_line import SMALL, CommandLine
from selenium.webdriver.common.by import By

pytestmark = pytest.mark.slow

MODEL = "nyc-green-taxi-duration-trip"


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    """An MLflow server with the candidates of two months."""
    folder = tmp_path_factory.mktemp("registry")
    with servers.mlflow_server(folder) as url:
        result = CommandLine(folder)(
            *("BackfillMonths", "--of", "RegisterModel", "--start", "2021-01", "--stop", "2021-03"),
            *("--tracking-uri", url, "--local-scheduler", *SMALL),
        )
        assert result.returncode == 0, result.stderr
        client = mlflow.MlflowClient(url)
        experiment = client.get_experiment_by_name("nyc-taxi-duration").experiment_id
        runs = client.search_runs([experiment], "tags.candidate_key != ''")
        yield SimpleNamespace(url=url, client=client, experiment=experiment, runs=runs)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp) as opened:
        opened.resize(1440, 900)
        yield opened


def wait_for_text(browser, *texts):
    """What the page says, once it says all of these."""

    def body():
        said = browser.all("body")[0].text
        return said if all(text in said for text in texts) else None

    return browser.wait(body, 60)


def find_link(browser, text):
    """Where a link leads, which MLflow opens in a tab of its own."""
    found = browser.wait(lambda: browser.driver.find_elements(By.LINK_TEXT, text), 30)
    return found[0].get_attribute("href")


def test_the_experiments_description_leads_to_its_candidates(browser, registry):
    browser.open(
        f"{registry.url}/#/experiments/{registry.experiment}/runs?workflowType=machine_learning"
    )
    wait_for_text(browser, "2021-01 trip", "search 2021-01 trip")
    link = find_link(browser, "candidates with RMSE and verdict")
    browser.picture("mlflow_experiment.png")
    browser.open(link)
    wait_for_text(browser, "2 matching runs")


def test_the_view_of_candidates_tells_month_error_and_verdict_and_no_trial(browser, registry):
    browser.open(
        f"{registry.url}/#/experiments/{registry.experiment}/runs"
        "?workflowType=machine_learning&viewStateShareKey=candidates"
    )
    wait_for_text(browser, "2 matching runs")
    errors = [f"{run.data.metrics['rmse']:.4f}"[:-1] for run in registry.runs]
    shown = wait_for_text(browser, "2021-01 trip", "2021-02 trip", "PROMOTED", *errors)
    browser.picture("mlflow_candidates.png")
    assert {"rmse", "verdict", "verdict_reason"} <= set(shown.splitlines())
    assert "search 2021" not in shown
    assert not re.search(r"trial \d", shown)


def test_the_page_of_a_version_begins_with_month_error_and_verdict(browser, registry):
    version = registry.client.get_model_version_by_alias(MODEL, "champion")
    browser.open(f"{registry.url}/#/models/{MODEL}/versions/{version.version}")
    # The page shows the link that follows as a link.
    headline = version.description.splitlines()[0].partition(" [Report](")[0]
    assert re.match(r"2021-0\d: RMSE \d+\.\d{4} minutes, PROMOTED: ", headline)
    wait_for_text(browser, headline)
    browser.picture("mlflow_version.png")


def test_the_page_of_the_model_leads_to_its_candidates(browser, registry):
    browser.open(f"{registry.url}/#/models/{MODEL}")
    wait_for_text(browser, "All candidates, with RMSE and verdict", "Version 2")
    browser.picture("mlflow_model.png")
    browser.open(find_link(browser, "All candidates, with RMSE and verdict"))
    wait_for_text(browser, "2 matching runs", "PROMOTED")


def test_the_page_of_a_run_says_what_it_is_of(browser, registry):
    run = registry.runs[0]
    browser.open(
        f"{registry.url}/#/experiments/{registry.experiment}/runs/{run.info.run_id}"
        "?workflowType=machine_learning"
    )
    wait_for_text(browser, run.info.run_name, "Model training", "verdict")
    browser.picture("mlflow_run.png")
