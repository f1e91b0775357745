import json
import os
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import unquote, urljoin, urlsplit

import luigi
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taxi_pipeline import TransformTrips
from taxi_pipeline.luigid import pages
from taxi_pipeline.luigid.published import PublishedRoot

PLACE = "transform/green/2021-01/0123456789abcdef"
LOG = "transform/green/2021-01/logs/1.log"
MANIFEST = {
    "task": "TransformTrips",
    "label": "TransformTrips green 2021-01",
    "key": "0123456789abcdef",
    "identity": {
        "inputs": {"IngestTrips green 2021-01": "fedcba9876543210"},
        "config": {"cleaning.max_minutes": "60.0"},
    },
    "summary": "2,880 of 3,000 rows kept",
    "rows": 2880,
    "rmse": 5.091,
    "columns": ["a", "b"],
    "files": {},
    "log": LOG,
    "code": {"commit": "abc123"},
    "packages": {"pandas": "2"},
    "seconds": 0.3,
}


class Page(HTMLParser):
    """A page as a browser reads it: its links with their texts, its images and its text."""

    def __init__(self, root, location=""):
        super().__init__()
        self.root, self.at = root, f"http://scheduler/files/{location}{'/' * bool(location)}"
        self.links, self.images, self.text, self.tags = [], [], "", []
        self.source = pages.folder(PublishedRoot(root), location).decode()
        self.feed(self.source)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        attributes = dict(attributes)
        if tag == "a":
            self.links.append(("", attributes["href"]))
        if tag == "img":
            self.images.append(attributes["src"])

    def handle_data(self, data):
        self.text += data
        if self.tags[-1:] == ["a"]:
            self.links[-1] = (self.links[-1][0] + data, self.links[-1][1])

    def handle_endtag(self, tag):
        self.tags.append(f"/{tag}")

    @property
    def files(self):
        """What the scheduler shows for the links, by their texts."""
        return {text: self.file(link) for text, link in self.links}

    def file(self, link):
        split = urlsplit(urljoin(self.at, link))
        assert (split.netloc, split.path[:7]) == ("scheduler", "/files/")
        return self.root / unquote(split.path[7:])


def output(root, place=PLACE, **facts):
    folder = root / place
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps({**MANIFEST, **facts}))
    log = root / LOG
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("a line\n")
    return folder


# --- an output --------------------------------------------------------------------------------


def test_an_outputs_page_says_what_was_made_and_from_what(tmp_path):
    output(tmp_path)
    page = Page(tmp_path, PLACE)
    for said in (
        "TransformTrips green 2021-01",
        "2,880 of 3,000 rows kept",
        "IngestTrips green 2021-01",
        "fedcba9876543210",
        "cleaning.max_minutes",
        "60.0",
        "0123456789abcdef",
        "abc123",
    ):
        assert said in page.text
    assert "<tr><th>rows</th><td>2,880</td></tr>" in page.source
    assert "<tr><th>rmse</th><td>5.091</td></tr>" in page.source
    for unsaid in ("packages", "pandas", "columns"):
        assert unsaid not in page.text


def test_code_that_is_not_committed_is_said(tmp_path):
    output(tmp_path, code={"commit": None})
    assert "no commit" in Page(tmp_path, PLACE).text


def test_the_links_lead_to_the_log_the_manifest_and_the_folders_above(tmp_path):
    folder = output(tmp_path)
    stage = tmp_path / "transform"
    assert Page(tmp_path, PLACE).files == {
        "outputs": tmp_path,
        "transform": stage,
        "green": stage / "green",
        "2021-01": stage / "green" / "2021-01",
        "Log of this run": tmp_path / LOG,
        "all that is known": folder / "manifest.json",
        "manifest.json": folder / "manifest.json",
    }


def test_plots_are_shown_and_listed(tmp_path):
    folder = output(tmp_path)
    for name in ("search.png", "graph.svg", "trials.csv"):
        (folder / name).write_bytes(b"any")
    page = Page(tmp_path, PLACE)
    assert page.images == ["graph.svg", "search.png"]
    assert {"graph.svg", "search.png", "trials.csv"} <= set(page.files)


def test_an_output_without_log_has_no_link_to_one(tmp_path):
    output(tmp_path, log="")
    assert "Log of this run" not in Page(tmp_path, PLACE).text


@given(st.text(st.characters(codec="utf-8"), min_size=1))
@settings(max_examples=50)
def test_no_value_is_read_as_html(text):
    text = f"<script>{text}</script><img src=x onerror=y>\"'&amp;"
    with TemporaryDirectory() as folder:
        output(
            Path(folder),
            label=text,
            summary=text,
            key=text,
            fact=text,
            code={"commit": text},
            identity={"inputs": {text: text}, "config": {text: text}},
            **{"<b>fact</b>": 1},
        )
        page = Page(Path(folder), PLACE)
    assert not {"script", "img", "b"} & set(page.tags)
    assert page.text.count("<img src=x onerror=y>\"'&amp;") == 10  # the label as title and heading


@pytest.mark.parametrize(
    "wrong",
    [
        {"label": 1},
        {"summary": None},
        {"key": ["a"]},
        {"log": {"a": 1}},
        {"code": "abc123"},
        {"code": {"commit": 7}},
        {"identity": []},
        {"identity": {"inputs": {}}},
        {"identity": {"inputs": {"a": 1}, "config": {}}},
        {"identity": {"inputs": {}, "config": "a"}},
        {"label": "\ud800"},
        {"fact": "\udcff"},
    ],
    ids=str,
)
def test_a_manifest_with_values_of_other_types_is_a_file_as_any_other(tmp_path, wrong):
    output(tmp_path, **wrong)
    page = Page(tmp_path, PLACE)
    assert "manifest.json" in page.files
    assert "Made from" not in page.text


@pytest.mark.parametrize("content", ["[" * 100_000, '{"key": ' + "9" * 5000 + "}", "\x00\xff"])
def test_a_manifest_that_no_reader_bears_is_a_file_as_any_other(tmp_path, content):
    folder = output(tmp_path)
    (folder / "manifest.json").write_text(content)
    assert "Made from" not in Page(tmp_path, PLACE).text


@pytest.mark.parametrize(
    "log", ["javascript:alert(1)", "../../etc/passwd", "mlflow/mlflow.db", "\0"]
)
def test_a_log_that_is_not_shown_is_not_linked(tmp_path, log):
    (tmp_path / "mlflow").mkdir()
    (tmp_path / "mlflow" / "mlflow.db").touch()
    output(tmp_path, log=log)
    page = Page(tmp_path, PLACE)
    assert "Made from" in page.text
    assert "Log of this run" not in page.text


# --- a folder ---------------------------------------------------------------------------------


def test_the_root_lists_the_stages_and_nothing_else(tmp_path):
    output(tmp_path)
    (tmp_path / "champions" / "nyc").mkdir(parents=True)
    for name in ("mlflow", ".staging", "taxi_pipeline/luigid", "tests"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("luigi.cfg", "a.txt", "luigid.log", "state.json"):
        (tmp_path / name).write_text("12345")
    page = Page(tmp_path)
    assert list(page.files) == ["champions/", "transform/"]
    assert "<h1>outputs</h1>" in page.source
    assert "Made from" not in page.text


def test_an_empty_root_has_a_page(tmp_path):
    assert Page(tmp_path).files == {}


def test_a_link_to_nowhere_is_named(tmp_path):
    month = output(tmp_path).parent
    (month / "gone").symlink_to(month / "nowhere")
    page = Page(tmp_path, "transform/green/2021-01")
    assert "gone" in page.text
    assert "gone" not in page.files


def test_what_a_browser_cannot_show_is_named_with_its_size_and_not_linked(tmp_path):
    (output(tmp_path) / "state.db").write_text("12345")
    page = Page(tmp_path, PLACE)
    assert "state.db" in page.text
    assert "5 bytes" in page.text
    assert "state.db" not in page.files


def test_a_folder_that_a_link_leads_out_of_the_root_to_is_not_named(tmp_path):
    secret = tmp_path / "elsewhere" / "secret"
    secret.mkdir(parents=True)
    root = tmp_path / "root"
    (output(root) / "out").symlink_to(secret)
    assert "out/" not in Page(root, PLACE).text
    assert pages.folder(PublishedRoot(root), f"{PLACE}/out") is None


def test_a_name_that_is_not_utf8_is_shown_as_far_as_it_is(tmp_path):
    folder = output(tmp_path)
    Path(os.fsdecode(os.fsencode(folder) + b"/odd\xff.json")).write_bytes(b"{}")
    page = Page(tmp_path, PLACE)
    assert "odd\N{REPLACEMENT CHARACTER}.json" in page.text
    assert not [name for name in page.files if "odd" in name]


@pytest.mark.parametrize("content", ['{"name": "not ours"}', "[1]", "cut o"])
def test_a_manifest_that_is_no_outputs_is_a_file_as_any_other(tmp_path, content):
    folder = output(tmp_path)
    (folder / "manifest.json").write_text(content)
    page = Page(tmp_path, PLACE)
    assert "manifest.json" in page.files
    assert "Made from" not in page.text


file_names = st.text(
    st.characters(codec="utf-8", exclude_characters="/\0", exclude_categories=["Cc"]),
    min_size=1,
    max_size=20,
).filter(lambda name: not name.startswith("."))


@given(st.sets(file_names, min_size=1, max_size=4))
@settings(max_examples=50)
def test_a_file_of_any_name_is_found_by_its_link(names):
    with TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        month = root / "transform" / "green" / "2021-01"
        month.mkdir(parents=True)
        for name in names:
            (month / f"{name}.json").write_bytes(b"")
        page = Page(root, "transform/green/2021-01")
        found = {page.file(link) for _, link in page.links}
        assert found == {root, root / "transform", month.parent, *month.iterdir()}


@pytest.mark.parametrize("name", ["50%25.png", "a#b.png", "a?b.png", "javascript:alert(1).png"])
def test_a_plot_of_any_name_is_found(tmp_path, name):
    folder = output(tmp_path)
    (folder / name).write_bytes(b"")
    page = Page(tmp_path, PLACE)
    assert [page.file(link) for link in page.images] == [folder / name]


# --- of real outputs --------------------------------------------------------------------------


def test_on_the_pages_of_real_outputs_every_link_leads_somewhere(tmp_path, luigi_config):
    luigi_config("storage", "root", str(tmp_path))
    luigi_config("source", "url", "synthetic://?rows=1000")
    assert luigi.build([TransformTrips(year=2021, month=1)], local_scheduler=True)
    folders = [path for path in tmp_path.rglob("*") if path.is_dir()]
    logs = []
    shown = PublishedRoot(tmp_path)
    folders = [
        folder for folder in folders if shown.folder(folder.relative_to(tmp_path).as_posix())
    ]
    assert len(folders) >= 10
    for folder in [tmp_path, *folders]:
        location = folder.relative_to(tmp_path).as_posix()
        files = Page(tmp_path, "" if folder == tmp_path else location).files
        assert all(file.exists() for file in files.values())
        logs += [file for text, file in files.items() if text == "Log of this run"]
    assert len(set(logs)) == 2
