"""docs/ is built as a site, without warnings and without a network, and says what the code says."""

import importlib.util
import os
import re
import runpy
from pathlib import Path

import pytest
from places import REPOSITORY
from processes import clean_environment, python

DOCS = REPOSITORY / "docs"
WRITTEN = runpy.run_path(str(REPOSITORY / "scripts" / "docs_from_code.py"))["WRITTEN"]
PARTS = ("tutorial", "how-to", "reference", "explanation")
NEEDED = ("mkdocs", "material", "mkdocstrings", "nbconvert")
MISSING = [name for name in NEEDED if importlib.util.find_spec(name) is None]


@pytest.mark.parametrize("name", WRITTEN)
def test_what_is_written_from_the_code_is_as_the_code_says(name):
    assert (REPOSITORY / name).read_text() == WRITTEN[name](), "run scripts/docs_from_code.py"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site, built strictly: a link to nowhere or a page that no menu names is an error."""
    if MISSING:
        never = os.environ.get("TAXI_PIPELINE_NO_SKIPS") == "1"
        (pytest.fail if never else pytest.skip)(f"not installed: {', '.join(MISSING)}")
    folder = tmp_path_factory.mktemp("site")
    build = ("-m", "mkdocs", "build", "--strict", "--config-file", str(REPOSITORY / "mkdocs.yml"))
    known = {**clean_environment(), "NO_MKDOCS_2_WARNING": "1"}
    made = python(folder, *build, "--site-dir", str(folder), environment=known, timeout=180)
    assert made.returncode == 0, made.stdout + made.stderr
    return folder


def pages(site):
    return [page for part in PARTS for page in sorted(Path(site, part).glob("*.html"))]


def test_each_page_of_the_four_parts_has_its_page(site):
    sources = {
        file.relative_to(DOCS).with_suffix(".html")
        for part in PARTS
        for file in (DOCS / part).iterdir()
        if file.suffix in {".md", ".ipynb"}
    }
    assert {page.relative_to(site) for page in pages(site)} == sources
    assert len(sources) >= 25


def test_a_page_loads_nothing_from_elsewhere(site):
    loaded = r'<(?:script|img|iframe)[^>]+src="(?:https?:)?//|<link[^>]+href="(?:https?:)?//'
    assert [page for page in pages(site) if re.search(loaded, page.read_text())] == []
    styles = [file.read_text() for file in site.rglob("*.css")]
    assert styles
    assert not any(re.search(r"url\([\"']?(?:https?:)?//", style) for style in styles)


def test_the_notebook_is_a_page_to_which_links_lead(site):
    assert (
        "What the orchestrator adds"
        in (site / "tutorial" / "from_notebook_to_pipeline.html").read_text()
    )
    assert 'href="tutorial/from_notebook_to_pipeline.html"' in (site / "index.html").read_text()


def test_the_python_api_is_told_by_the_docstrings(site):
    page = (site / "reference" / "api.html").read_text()
    assert 'id="taxi_pipeline.model.duration.DurationModel.predict_published"' in page
    assert 'id="taxi_pipeline.errors.MonthNotPublished"' in page
    assert "The source does not offer the month (yet)." in page
