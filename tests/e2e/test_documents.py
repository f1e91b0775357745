"""What the documents say to type is typed, and their links lead somewhere."""

import configparser
import os
import re
import shutil
import sys
import textwrap
from pathlib import Path

import pytest
from places import REPOSITORY
from processes import clean_environment, python, run

PAGES = [
    *(REPOSITORY / name for name in ("README.md", "CONTRIBUTING.md")),
    *sorted((REPOSITORY / "docs").rglob("*.md")),
]
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"(?:(?<=\n\n)|\A)(?:(?: {4}.*|)\n)*? {4}.*\n(?=\n? {0,3}\S|\Z)")
PROGRAM = re.compile(
    r"^(scripts/|\.venv/bin/|PYTHONPATH=|MLFLOW_\w+=|"
    r"(luigi|python|taxi-pipeline|pip|install|cp|mv|systemctl|mlflow|export|eval|curl|git|tar) )"
)

NOT_TYPED = {
    "taxi-pipeline champion at": "nothing served on a day before the test",
    "taxi-pipeline champion rollback --to": "whether that version serves depends on what was typed",
    "taxi-pipeline run RegisterModel --year 2021 --month 1 --local-scheduler --storage-root ~": (
        "it reads files that a reader has"
    ),
    "scripts/demo": ".ci/run runs it",
    ".venv/bin/python scripts/bench": "it measures for minutes: test_bench.py runs one of them",
    "scripts/setup": ".ci/run runs it",
    "scripts/test": "it runs this test",
    ".ci/run": "it runs this test",
    ".venv/bin/pytest": "it runs tests",
    ".venv/bin/pre-commit install": "it changes the checkout",
    ".venv/bin/taxi-pipeline write-config --force": "it changes the checkout: test_write_config.py",
    ".venv/bin/python scripts/docs_from_code.py": "it changes the checkout: test_site.py",
    "git tag": "it changes the checkout",
    "scripts/build": "it builds what is committed: test_build_script.py",
    "tar --list": "it lists a release",
    ".venv/bin/python -m zipfile": "it lists a release",
    "mlflow server": "it serves until it is stopped: test_mlflow_server.py",
    "scripts/luigid": "it serves until it is stopped: test_luigid.py",
    "taxi-pipeline luigid": "it serves until it is stopped: test_luigid.py",
    "taxi-pipeline write-config": "it leaves the luigi.cfg that is there: test_write_config.py",
    "taxi-pipeline serve": "it serves until it is stopped: test_serve.py",
    "curl": "it asks a server that serves until it is stopped: test_serve.py",
    "MLFLOW_TRACKING_URI=sqlite:///data/mlflow/mlflow.db mlflow models build-docker": "no Docker",
    "luigi --module taxi_pipeline RegisterModel --recipe theirs": "test_own_recipe.py installs one",
    "pip install": "test_distributions.py installs the package",
    "install -d": "it needs a user of its own and changes the system",
    "cp docs/systemd": "it changes the system",
    "systemctl": "it changes the system",
}
"""Commands, by how they begin, that this test does not type, and why."""


def blocks():
    """Each block as its page, its language and its text; indented ones by how they begin."""
    for page in PAGES:
        text = page.read_text()
        for language, block in FENCED.findall(text):
            yield page.name, language, block
        for found in INDENTED.findall(FENCED.sub("", text)):
            block = textwrap.dedent(found).strip("\n") + "\n"
            if PROGRAM.match(block):
                yield page.name, "bash", block
            elif re.match(r"(from|import) \w+", block):
                yield page.name, "python", block
            elif re.match(r"\[\w+\]\n", block):
                yield page.name, "ini", block


def commands():
    """The commands of the pages, each once, without what is a comment."""
    found = {}
    for page, language, block in blocks():
        if language == "bash":
            for line in block.replace("\\\n", " ").splitlines():
                command = " ".join(re.sub(r"\s+#.*", "", line).split())
                if command:
                    found.setdefault(command, page)
    return found


def reason(command):
    """Why a command is not typed, or None: the longest beginning that is known decides."""
    known = [begin for begin in NOT_TYPED if command.startswith(begin)]
    return NOT_TYPED[max(known, key=len)] if known else None


def test_the_blocks_of_the_pages_are_found():
    languages = [language for _, language, _ in blocks()]
    assert languages.count("bash") >= 10
    assert languages.count("python") >= 5
    assert languages.count("ini") >= 4


def test_each_reason_not_to_type_a_command_is_for_one_that_is_there():
    unused = [begin for begin in NOT_TYPED if not any(c.startswith(begin) for c in commands())]
    assert unused == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_links_within_the_repository_lead_to_files(page):
    targets = re.findall(r"\]\(([^)\s]+)\)", FENCED.sub("", page.read_text()))
    inner = [target for target in targets if not re.match(r"https?://|mailto:", target)]
    missing = []
    for target in inner:
        file, _, anchor = target.partition("#")
        there = page.parent / file if file else page
        if not there.exists() or (anchor and anchor not in anchors(there)):
            missing.append(target)
    assert missing == []


def anchors(page):
    """The names that a page's headings have as targets of links."""
    headings = re.findall(r"^#+ (.+)$", FENCED.sub("", page.read_text()), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_configurations_can_be_read():
    for page, language, block in blocks():
        if language == "ini":
            options = block.partition("\nlocation ")[0]
            parser = configparser.ConfigParser(inline_comment_prefixes="#", interpolation=None)
            parser.read_string(options, page)
            assert all(parser[section] for section in parser.sections()), page


@pytest.fixture(scope="module")
def typed(tmp_path_factory):
    """A folder as a reader's, with the made-up city for a source, and a way to type there."""
    folder = tmp_path_factory.mktemp("reader")
    (folder / "luigi.cfg").write_text(
        "[core]\nlocal_scheduler = true\n"
        "[source]\nurl = synthetic://?rows=3000\n"
        "[tuning]\ntrials = 2\n"
    )
    programs = Path(sys.executable).parent
    (folder / ".venv").mkdir()
    (folder / ".venv" / "bin").symlink_to(programs)
    for page, language, block in blocks():
        if page == "add_a_recipe.md" and language == "python" and '"mine"' in block:
            (folder / "my_tasks.py").write_text(block)
    known = clean_environment()
    known["PATH"] = f"{programs}{os.pathsep}{known['PATH']}"

    def run_it(command):
        return run(["bash", "-c", command], folder, environment=known, timeout=300)

    run_it.folder = folder
    return run_it


@pytest.fixture(scope="module")
def answers(typed):
    """What each command says, typed in the order of the pages."""
    return {command: typed(command) for command in commands() if reason(command) is None}


PENDING = 20
"""The exit code of a range that ends with a month whose evaluation month is not published."""


@pytest.mark.slow
def test_commands_do_what_the_pages_say(answers):
    assert len(answers) >= 12
    failed = {
        command: answer.stderr[-1500:]
        for command, answer in answers.items()
        if answer.returncode not in {0, PENDING} or "Traceback" in answer.stderr
    }
    assert failed == {}


FIRST = """
folder = next(__import__("pathlib").Path("data/train").glob("green/2021-01/trip-w1/*/model"))
import pandas
frame = pandas.read_parquet("green_tripdata_2021-03.parquet")
del pandas
"""
"""What a reader has at hand when a page goes on from there."""


@pytest.mark.slow
def test_python_does_what_the_pages_say(answers, typed):
    assert answers
    trips = next(typed.folder.glob("data/ingest/green/2021-03/*/trips.parquet"))
    shutil.copy(trips, typed.folder / "green_tripdata_2021-03.parquet")
    for page, language, block in blocks():
        if language == "python":
            before = FIRST if re.search(r"\bfolder\b", block) else ""
            result = python(typed.folder, "-c", before + block, timeout=300)
            assert result.returncode == 0, f"{page}: {block}\n{result.stderr}"
