"""A new database of MLflow's, made by migrations or copied."""

import contextlib
import sqlite3

import mlflow
import pytest

from taxi_pipeline.tracking import new_database
from taxi_pipeline.tracking.new_database import create_database, template_file


@pytest.fixture
def template(tmp_path, monkeypatch):
    """Where empty tables are kept; none are there yet."""
    path = tmp_path / "compiled" / "mlflow.db"
    monkeypatch.setattr(new_database, "template_file", lambda: path)
    return path


@pytest.fixture
def migrations(monkeypatch):
    """How often the tables were made by migrations."""
    made = []
    make_tables = new_database._make_tables

    def counted(file):
        made.append(file)
        make_tables(file)

    monkeypatch.setattr(new_database, "_make_tables", counted)
    return made


def content(file):
    """The schema of a database, and its rows but for their times."""
    with contextlib.closing(sqlite3.connect(file)) as database:
        schema = database.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
        tables = [name for kind, name, _ in schema if kind == "table"]
        rows = {name: database.execute(f"SELECT * FROM {name}").fetchall() for name in tables}  # noqa: S608
    experiments = [row[:4] for row in rows.pop("experiments")]
    # The migrations leave the order of some constraints to chance.
    lines = [sorted(line.strip(",\t ") for line in (sql or "").split("\n")) for *_, sql in schema]
    return sorted(lines), rows, experiments


def test_a_database_made_of_the_template_is_the_one_that_migrations_make(
    tmp_path, template, migrations
):
    create_database(tmp_path / "first" / "mlflow.db")
    assert template.is_file()
    create_database(tmp_path / "second" / "mlflow.db")
    assert len(migrations) == 1
    first, second = (content(tmp_path / name / "mlflow.db") for name in ("first", "second"))
    assert first == second
    assert ("0", "Default") in {(str(row[0]), row[1]) for row in second[2]}


def test_a_database_made_of_the_template_is_of_use(tmp_path, template):
    for name in ("first", "second"):
        create_database(tmp_path / name / "mlflow.db")
        uri = f"sqlite:///{tmp_path / name}/mlflow.db"
        client = mlflow.MlflowClient(uri, uri)
        run = client.create_run(client.create_experiment("trips"))
        client.log_metric(run.info.run_id, "rmse", 5.0)
        assert client.get_run(run.info.run_id).data.metrics == {"rmse": 5.0}
    assert template.is_file()


def test_the_template_holds_no_experiment_and_no_place(tmp_path, template):
    create_database(tmp_path / "mlflow.db")
    with contextlib.closing(sqlite3.connect(template)) as database:
        assert database.execute("SELECT * FROM experiments").fetchall() == []
    assert str(tmp_path).encode() not in template.read_bytes()


def test_a_database_that_is_there_stays_as_it_is(tmp_path, template):
    (tmp_path / "mlflow.db").write_bytes(b"another's")
    create_database(tmp_path / "mlflow.db")
    assert (tmp_path / "mlflow.db").read_bytes() == b"another's"
    assert not template.exists()


def half(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def no_database(path):
    path.write_text("text")


def empty(path):
    path.write_bytes(b"")


def of_another_schema(path):
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE alembic_version SET version_num = 'older'")


@pytest.mark.parametrize("damage", [half, no_database, empty, of_another_schema])
def test_a_damaged_template_is_told_replaced_and_not_used(
    tmp_path, template, migrations, caplog, damage
):
    create_database(tmp_path / "first" / "mlflow.db")
    damage(template)
    create_database(tmp_path / "second" / "mlflow.db")
    assert len(migrations) == 2
    assert "MLflow's tables are made without it" in caplog.text
    assert content(tmp_path / "second" / "mlflow.db") == content(tmp_path / "first" / "mlflow.db")
    create_database(tmp_path / "third" / "mlflow.db")
    assert len(migrations) == 2


def test_where_the_template_cannot_be_kept_the_database_is_made_all_the_same(tmp_path, template):
    template.parent.write_text("a file where the folder would be")
    create_database(tmp_path / "mlflow.db")
    assert content(tmp_path / "mlflow.db")[2]


def test_the_template_is_that_of_the_versions_which_make_the_tables(monkeypatch):
    before = template_file()
    assert mlflow.__version__ in before.name
    assert before.parent.name == "__pycache__"
    monkeypatch.setattr(mlflow, "__version__", "3.99")
    assert template_file() != before
