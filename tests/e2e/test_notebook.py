"""The notebook of the tutorial runs, and leads from the course's script to the pipeline."""

import json
import os
import re
import sys

import pytest
from places import REPOSITORY, TLC
from processes import clean_environment, run

NOTEBOOK = REPOSITORY / "docs" / "tutorial" / "from_notebook_to_pipeline.ipynb"
CELLS = json.loads(NOTEBOOK.read_text())["cells"]


def text_of(cell):
    return "".join(cell["source"])


def test_what_its_cells_answered_is_not_kept_in_the_file():
    code = [cell for cell in CELLS if cell["cell_type"] == "code"]
    assert len(code) >= 10
    assert [cell for cell in code if cell["outputs"] or cell["execution_count"]] == []


def test_each_step_says_what_the_orchestrator_adds():
    prose = "\n".join(text_of(cell) for cell in CELLS if cell["cell_type"] == "markdown")
    steps = re.split(r"^## \d+\. ", prose, flags=re.MULTILINE)[1:]
    assert len(steps) == 6
    told = [step.partition("\n")[0] for step in steps if "What the orchestrator adds" in step]
    assert told == [
        step.partition("\n")[0] for step in steps if "script" not in step.split("\n")[0]
    ]


def test_its_links_lead_to_pages():
    links = re.findall(r"\]\(([^)\s]+)\)", "".join(map(text_of, CELLS)))
    assert len(links) >= 4
    assert [link for link in links if not (NOTEBOOK.parent / link).exists()] == []


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """What the cells printed, on the published files if there are any, else on the made-up city."""
    folder = tmp_path_factory.mktemp("notebook")
    environment = clean_environment()
    source = "synthetic://?rows=5000"
    if TLC.is_dir():
        source = f"file://{TLC}/{{taxi}}_tripdata_{{year}}-{{month:02d}}.parquet"
    # Nothing of the developer's own takes part, and nothing is left in the developer's folders.
    for name in ("HOME", "TMPDIR", "IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR"):
        place = folder / name.lower()
        place.mkdir()
        environment[name] = str(place)
    places = [str(REPOSITORY), environment.get("PYTHONPATH", "")]
    environment |= {"TAXI_SOURCE_URL": source, "PYTHONPATH": os.pathsep.join(filter(None, places))}
    execute = (
        "import sys, nbformat, nbclient\n"
        "book = nbformat.read(sys.argv[1], as_version=4)\n"
        "where = {'metadata': {'path': sys.argv[2]}}\n"
        "nbclient.NotebookClient(book, timeout=300, resources=where).execute()\n"
        "nbformat.write(book, sys.argv[3])\n"
    )
    result = folder / "executed.ipynb"
    arguments = [str(NOTEBOOK), str(NOTEBOOK.parent), str(result)]
    command = [sys.executable, "-c", execute, *arguments]
    answer = run(command, folder, environment=environment, timeout=500)
    assert answer.returncode == 0, answer.stderr[-3000:]
    outputs = [
        output
        for cell in json.loads(result.read_text())["cells"]
        for output in cell.get("outputs", [])
    ]
    printed = ["".join(output["text"]) for output in outputs if output.get("name") == "stdout"]
    shown = [output for output in outputs if "image/png" in output.get("data", {})]
    return folder, "".join(printed), shown, outputs


@pytest.mark.slow
def test_script_and_pipeline_have_the_same_error(executed):
    _, printed, _, _ = executed
    (script,) = re.findall(r"^script: RMSE (\d+\.\d+) minutes", printed, re.MULTILINE)
    (pipeline,) = re.findall(r"^pipeline: RMSE (\d+\.\d+) minutes", printed, re.MULTILINE)
    assert script == pipeline
    if TLC.is_dir():
        assert script == "6.6077"


@pytest.mark.slow
def test_the_plan_names_the_rule_that_was_changed_and_nothing_else(executed):
    _, printed, _, _ = executed
    reasons = set(re.findall(r"^runs .*?\S: (.*)$", printed, re.MULTILINE))
    assert reasons == {"cleaning.max_minutes was 60.0, is 45.0"}


@pytest.mark.slow
def test_it_ends_with_a_champion_its_predictions_and_its_report(executed):
    folder, printed, shown, _ = executed
    assert "nyc-green-taxi-duration-trip version 1: challenger, champion" in printed
    assert re.search(r"\d\d% of these trips end within their interval", printed)
    reports = folder.glob("tmpdir/*/data/report/green/2021-01/trip-w1/latest/report.html")
    assert len(list(reports)) == 1
    assert len(shown) == 2


@pytest.mark.slow
def test_no_cell_says_anything_that_a_reader_need_not_read(executed):
    *_, outputs = executed
    assert [output for output in outputs if output.get("name") == "stderr"] == []
