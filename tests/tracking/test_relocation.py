"""A database of MLflow's that was moved or copied with its files names them where they are."""

import logging
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import mlflow
import pytest
from outputs import at_once, content_digests

from taxi_pipeline.errors import TrackingError
from taxi_pipeline.tracking import relocation
from taxi_pipeline.tracking.relocation import relocate, sqlite_file

FILE = "metrics.json"


class Registry:
    """MLflow's database with one run, one logged model and one version, as the pipeline has it."""

    def __init__(self, root, empty, as_uri=True):
        self.root = root
        self.folder = root / "mlflow"
        self.file = self.folder / "mlflow.db"
        self.folder.mkdir(parents=True)
        shutil.copy(empty, self.file)
        place = self.folder / "artifacts"
        experiment = self.client.create_experiment("ours", place.as_uri() if as_uri else str(place))
        self.run = self.add_run(experiment)
        model = self.client.create_logged_model(experiment, source_run_id=self.run)
        Path(relocation.unquote(model.artifact_location.removeprefix("file://"))).mkdir(
            parents=True
        )
        self.client.create_registered_model("ours")
        self.client.create_model_version("ours", model.artifact_location, self.run)

    @property
    def client(self):
        return mlflow.MlflowClient(f"sqlite:///{self.file}")

    def add_run(self, experiment, file=FILE):
        run = self.client.create_run(experiment).info.run_id
        if file:
            self.client.log_text(run, "{}", file)
        return run

    def moved_to(self, root):
        self.root.parent.mkdir(exist_ok=True)
        self.root.rename(root)
        return self.at(root)

    def copied_to(self, root):
        shutil.copytree(self.root, root)
        return self.at(root)

    def at(self, root):
        other = object.__new__(Registry)
        other.root, other.folder, other.run = root, root / "mlflow", self.run
        other.file = other.folder / "mlflow.db"
        return other

    def mentions(self, place):
        """Where the database names a place, in any table."""
        found = set()
        with closing(sqlite3.connect(self.file)) as database:
            tables = [
                name
                for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type='table'")
            ]
            for table in tables:
                for _, column, *_ in database.execute(f"PRAGMA table_info({table})").fetchall():
                    (count,) = database.execute(
                        f'SELECT count(*) FROM {table} WHERE instr("{column}", ?)',  # noqa: S608
                        (f"{place}/mlflow/artifacts",),
                    ).fetchone()
                    if count:
                        found.add(f"{table}.{column}")
        return found


NAMED = {
    "experiments.artifact_location",
    "runs.artifact_uri",
    "logged_models.artifact_location",
    "model_versions.source",
    "model_versions.storage_location",
}


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """A new database of MLflow's; it takes seconds to make one."""
    file = tmp_path_factory.mktemp("empty") / "mlflow.db"
    mlflow.MlflowClient(f"sqlite:///{file}").search_experiments()
    return file


@pytest.fixture
def registry(tmp_path, empty):
    return Registry(tmp_path / "before", empty)


@pytest.fixture
def logged(caplog):
    caplog.set_level(logging.INFO, logger="luigi-interface.taxi_pipeline")
    return lambda: [
        record.getMessage()
        for record in caplog.records
        if record.name == "luigi-interface.taxi_pipeline"
    ]


@pytest.mark.parametrize("as_uri", [True, False], ids=["uri", "path"])
def test_a_moved_database_names_its_files_where_they_are_and_says_so(
    tmp_path, empty, logged, as_uri
):
    before = Registry(tmp_path / "before", empty, as_uri)
    assert before.mentions(before.root) == NAMED
    now = before.moved_to(tmp_path / "now")
    relocate(now.file)
    assert now.mentions(before.root) == set()
    assert now.mentions(now.root) == NAMED
    (line,) = logged()
    assert line == (
        f"the root was moved or copied from {before.root} to {now.root}: MLflow's database names "
        "its files here now"
    )
    assert [entry.path for entry in now.client.list_artifacts(now.run)] == [FILE]


def test_a_database_that_was_not_moved_stays_as_it_is(registry, logged):
    before = content_digests(registry.root)
    relocate(registry.file)
    assert content_digests(registry.root) == before
    assert logged() == []


def test_a_database_is_followed_once(registry, tmp_path, logged):
    now = registry.moved_to(tmp_path / "now")
    relocate(now.file)
    after = content_digests(now.root)
    relocate(now.file)
    assert content_digests(now.root) == after
    assert len(logged()) == 1


def test_a_database_is_followed_from_place_to_place_and_back(registry, tmp_path):
    for name in ("second", "third", "before"):
        registry = registry.moved_to(tmp_path / name)
        relocate(registry.file)
        assert registry.mentions(registry.root) == NAMED


def test_a_copy_changes_only_itself(registry, tmp_path):
    copy = registry.copied_to(tmp_path / "copy")
    before = content_digests(registry.root)
    relocate(copy.file)
    relocate(registry.file)
    assert content_digests(registry.root) == before
    assert copy.mentions(copy.root) == NAMED
    assert copy.mentions(registry.root) == set()


def test_new_runs_of_a_copy_are_written_beside_it(registry, tmp_path):
    copy = registry.copied_to(tmp_path / "copy")
    before = content_digests(registry.root)
    relocate(copy.file)
    copy.add_run("1")
    assert content_digests(registry.root) == before
    assert len(list((copy.folder / "artifacts").rglob(FILE))) == 2


def test_an_experiment_without_files_is_followed_too(registry, tmp_path):
    shutil.rmtree(registry.folder / "artifacts")
    now = registry.moved_to(tmp_path / "now")
    relocate(now.file)
    assert now.mentions(now.root) == NAMED


def test_runs_without_files_are_followed_with_the_others(registry, tmp_path):
    run = registry.add_run("1", file=None)
    now = registry.copied_to(tmp_path / "now")
    relocate(now.file)
    location = now.client.get_run(run).info.artifact_uri
    assert location.startswith((now.folder / "artifacts").as_uri())


@pytest.mark.parametrize(
    "place", ["elsewhere", "elsewhere/artifacts", "elsewhere/mlflow/artifacts"]
)
def test_an_experiment_that_somebody_keeps_elsewhere_stays(registry, tmp_path, place):
    own = registry.client.create_experiment("own", (tmp_path / place).as_uri())
    run = registry.add_run(own)
    now = registry.moved_to(tmp_path / "now")
    relocate(now.file)
    assert now.mentions(now.root) == NAMED
    assert now.client.get_experiment(own).artifact_location == (tmp_path / place).as_uri()
    assert now.client.get_run(run).info.artifact_uri.startswith((tmp_path / place).as_uri())


def test_files_that_were_left_at_the_place_before_are_named_there(registry, tmp_path):
    left = registry.add_run("1")
    now = registry.copied_to(tmp_path / "now")
    shutil.rmtree(now.folder / "artifacts" / left)
    relocate(now.file)
    assert [entry.path for entry in now.client.list_artifacts(left)] == [FILE]
    assert [entry.path for entry in now.client.list_artifacts(now.run)] == [FILE]


def test_a_database_that_is_reached_through_a_link_was_not_moved(registry, tmp_path, logged):
    (tmp_path / "link").symlink_to(registry.root)
    relocate(tmp_path / "link" / "mlflow" / "mlflow.db")
    assert logged() == []
    assert registry.mentions(registry.root) == NAMED


def test_a_link_at_the_place_before_leaves_the_database_as_it_is(registry, tmp_path, logged):
    now = registry.moved_to(tmp_path / "now")
    registry.root.symlink_to(now.root)
    relocate(now.file)
    assert logged() == []


def test_processes_at_once_follow_a_database_once(registry, tmp_path, logged):
    now = registry.moved_to(tmp_path / "now")
    at_once(*[lambda: relocate(now.file)] * 4)
    assert now.mentions(now.root) == NAMED
    assert len(logged()) == 1


def test_a_database_that_cannot_be_written_is_one_line_that_says_what_to_do(
    registry, tmp_path, monkeypatch, logged
):
    now = registry.moved_to(tmp_path / "now")
    before = content_digests(now.root)
    monkeypatch.setattr(relocation, "LOCK_SECONDS", 0.1)
    with closing(sqlite3.connect(now.file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(TrackingError) as raised:
            relocate(now.file)
        other.execute("ROLLBACK")
    line = str(raised.value)
    assert line.startswith(f"the root was moved or copied from {registry.root} to {now.root}, but ")
    assert "make it and its folder writable, then run this again" in line
    assert "\n" not in line
    assert content_digests(now.root) == before
    relocate(now.file)
    assert now.mentions(now.root) == NAMED


def test_an_explicit_database_is_called_by_its_folder(tmp_path, empty, logged):
    (tmp_path / "before").mkdir()
    shutil.copy(empty, tmp_path / "before" / "x.db")
    client = mlflow.MlflowClient(f"sqlite:///{tmp_path}/before/x.db")
    client.create_experiment("ours", (tmp_path / "before" / "artifacts").as_uri())
    run = client.create_run("1").info.run_id
    client.log_text(run, "{}", FILE)
    (tmp_path / "before").rename(tmp_path / "now")
    relocate(tmp_path / "now" / "x.db")
    (line,) = logged()
    assert line.startswith(
        f"the folder of MLflow's database was moved or copied from {tmp_path}/before to "
        f"{tmp_path}/now: "
    )


@pytest.mark.parametrize("content", [None, b""])
def test_where_there_is_no_database_nothing_is_done(tmp_path, content):
    file = tmp_path / "mlflow.db"
    if content is not None:
        file.write_bytes(content)
    relocate(file)
    assert file.exists() == (content is not None)


def test_a_file_that_is_no_database_is_one_line(tmp_path):
    (tmp_path / "mlflow.db").write_bytes(b"no database" * 100)
    with pytest.raises(TrackingError, match=r"cannot be read .file is not a database.: move"):
        relocate(tmp_path / "mlflow.db")


@pytest.mark.parametrize("name", ["a#b", "a b", "a%b", "a'b", "añ日"])
def test_places_of_any_name_are_followed(tmp_path, empty, name):
    before = Registry(tmp_path / f"before {name}", empty)
    now = before.moved_to(tmp_path / f"now {name}")
    relocate(now.file)
    assert [entry.path for entry in now.client.list_artifacts(now.run)] == [FILE]
    assert not before.root.exists()


@pytest.mark.parametrize(
    ("uri", "file"),
    [
        ("sqlite:////a/b.db", "/a/b.db"),
        ("sqlite:///b.db", "HERE/b.db"),
        ("sqlite:///c/../b.db", "HERE/b.db"),
        ("sqlite:////a/b.db?timeout=3", "/a/b.db"),
        ("sqlite+pysqlite:////a/b.db", "/a/b.db"),
        ("sqlite:////a#b%20c.db", "/a#b%20c.db"),
        ("sqlite:///:memory:", None),
        ("sqlite://", None),
        ("sqlite:///", None),
        ("sqlite:///file:/a/b.db?uri=true", None),
        ("postgresql:///b.db", None),
        ("http://host/b.db", None),
        ("databricks", None),
    ],
)
def test_the_file_of_a_tracking_uri_is_that_of_mlflow(uri, file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    expected = None if file is None else Path(file.replace("HERE", str(tmp_path)))
    assert sqlite_file(uri) == expected
