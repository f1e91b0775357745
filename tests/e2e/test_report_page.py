"""The pages of candidates in a real browser: light and dark, wide and on a phone, offline."""

import json

import pytest
from browser import chromium
from command_line import SMALL, CommandLine

pytestmark = pytest.mark.slow

WIDTHS = {"wide": 1400, "phone": 390}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """The pages of two months and of both side by side."""
    folder = tmp_path_factory.mktemp("pages")
    result = CommandLine(folder)(
        *("BackfillMonths", "--of", "RegisterModel", "--start", "2021-01", "--stop", "2021-03"),
        *("--local-scheduler", *SMALL),
    )
    assert result.returncode == 0, result.stderr
    drift = CommandLine(folder)(
        *("ReportDrift", "--year", "2021", "--month", "3", "--local-scheduler", *SMALL)
    )
    assert drift.returncode == 0, drift.stderr
    return folder / "data"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp) as opened:
        yield opened


@pytest.fixture(
    params=["report/**/report.html", "pages/**/*.html", "drift/**/drift.html"],
    ids=["report", "months", "drift"],
)
def page(request, root):
    return max(root.glob(request.param)).as_uri()


def emulate(browser, scheme, width):
    browser.driver.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"features": [{"name": "prefers-color-scheme", "value": scheme}]},
    )
    browser.resize(width, 1000)


def brightness(browser, selector, property_name):
    """How bright a colour of an element is, from 0 to 255."""
    script = "return getComputedStyle(document.querySelector(arguments[0]))[arguments[1]]"
    colour = browser.driver.execute_script(script, selector, property_name)
    numbers = colour[colour.index("(") + 1 : -1].split(",")[:3]
    return sum(map(float, numbers)) / 3


@pytest.mark.parametrize("width", WIDTHS.values(), ids=list(WIDTHS))
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_and_is_readable(browser, page, scheme, width):
    emulate(browser, scheme, width)
    browser.open(page)
    fits = "return document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    assert browser.driver.execute_script(fits)
    is_dark = scheme == "dark"
    assert (brightness(browser, "body", "backgroundColor") < 128) == is_dark
    for selector, of in (("h1", "color"), ("figure svg text", "fill")):
        assert (brightness(browser, selector, of) > 128) == is_dark
    browser.picture(f"page-{scheme}-{width}.png")


def test_the_words_of_the_charts_can_be_read_on_a_phone(browser, page):
    emulate(browser, "light", WIDTHS["phone"])
    browser.open(page)
    script = """
    return [...document.querySelectorAll("figure svg")].map(svg => {
      const size = parseFloat(getComputedStyle(svg.querySelector("text")).fontSize);
      return size * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
    })"""
    sizes = browser.driver.execute_script(script)
    assert sizes
    assert min(sizes) >= 6


def test_the_page_asks_for_nothing_and_reports_no_error(browser, page):
    browser.driver.get_log("performance")
    browser.open(page)
    events = [json.loads(entry["message"]) for entry in browser.driver.get_log("performance")]
    asked = [
        event["message"]["params"]["request"]["url"]
        for event in events
        if event["message"]["method"] == "Network.requestWillBeSent"
    ]
    assert [url for url in asked if not url.startswith(("file:", "data:", "about:"))] == []
    assert browser.driver.get_log("browser") == []


def test_from_the_months_a_link_leads_to_the_report_of_each(browser, root):
    (page,) = root.glob("pages/**/*.html")
    browser.open(page.as_uri())
    links = [link.get_attribute("href") for link in browser.all("td a")]
    assert len(links) == 2
    for link, month in zip(links, ("2021-01", "2021-02"), strict=True):
        browser.open(link)
        assert f"trained on {month}" in browser.texts("h1")[0]
