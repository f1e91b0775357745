"""What the registry holds of a model is read without MLflow, and is what MLflow's client says."""

import base64
import json
import shutil
import socket
import sqlite3
import uuid
from contextlib import closing
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

import mlflow
import postgresql
import pytest
import requests
import servers
from http_servers import LoopbackServer, QuietHandler, serving
from outputs import content_digests
from processes import python

from taxi_pipeline.errors import TrackingError
from taxi_pipeline.tracking import lookup
from taxi_pipeline.tracking.lookup import CannotBeAsked, look_up
from taxi_pipeline.tracking.records import KEY_TAG, MONTH_TAG

# --- real registries ------------------------------------------------------------------------------


@pytest.fixture(
    scope="module",
    params=[
        "sqlite",
        *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("server", "postgresql")),
    ],
)
def uri(request, tmp_path_factory):
    """A real registry of each kind."""
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "sqlite":
        yield f"sqlite:///{folder}/registry.db"
    elif request.param == "server":
        with servers.mlflow_server(folder) as url:
            yield url
    else:
        with postgresql.database() as database:
            yield database.full_url


@pytest.fixture
def client(uri):
    return mlflow.MlflowClient(uri, uri)


@pytest.fixture
def name(client):
    """A registered model of two versions, made as the pipeline makes them."""
    name = f"nyc-green-{uuid.uuid4().hex[:8]}"
    client.create_registered_model(name)
    run = client.create_run("0").info.run_id
    for key, month in (("0123456789abcdef", "2021-01"), ("fedcba9876543210", "2021-02")):
        tags = {KEY_TAG: key, MONTH_TAG: month}
        client.create_model_version(name, "s3://bucket/model", run, tags=tags)
    return name


def said_by_mlflow(client, name):
    """Versions and aliases, as MLflow's own client answers."""
    versions = {
        str(version.version): (version.run_id or "", version.creation_timestamp, dict(version.tags))
        for version in client.search_model_versions(f"name = '{name}'")
    }
    aliases = client.get_registered_model(name).aliases
    return versions, {alias: str(version) for alias, version in aliases.items()}


def found(uri, name):
    """The same, as the look-up answers."""
    model = look_up(uri, name)
    versions = {
        number: (version.run_id, round(version.created.timestamp() * 1000), dict(version.tags))
        for number, version in model.versions.items()
    }
    return versions, dict(model.aliases)


def test_versions_tags_and_aliases_are_those_of_mlflows_client(uri, client, name):
    client.set_registered_model_alias(name, "challenger", "2")
    client.set_registered_model_alias(name, "champion", "1")
    assert found(uri, name) == said_by_mlflow(client, name)
    model = look_up(uri, name)
    assert model.aliases == {"challenger": "2", "champion": "1"}
    assert model.versions["1"].candidate_key == "0123456789abcdef"
    assert model.versions["2"].tags[MONTH_TAG] == "2021-02"


def test_a_version_without_run_tags_and_key_is_found(uri, client, name):
    client.create_model_version(name, "s3://bucket/model")
    assert found(uri, name) == said_by_mlflow(client, name)
    assert look_up(uri, name).versions["3"].candidate_key == ""


def test_a_deleted_version_is_not_there(uri, client, name):
    client.delete_model_version(name, "1")
    assert list(look_up(uri, name).versions) == ["2"]
    assert found(uri, name) == said_by_mlflow(client, name)


def test_a_deleted_model_is_not_there(uri, client, name):
    client.delete_registered_model(name)
    assert look_up(uri, name) is None


def test_a_model_without_versions_is_there(uri, client):
    name = f"empty-{uuid.uuid4().hex[:8]}"
    client.create_registered_model(name)
    model = look_up(uri, name)
    assert (model.versions, model.aliases) == ({}, {})


def test_a_renamed_model_is_found_by_its_new_name_only(uri, client, name):
    versions, _ = found(uri, name)
    client.rename_registered_model(name, f"{name}-renamed")
    assert look_up(uri, name) is None
    assert found(uri, f"{name}-renamed")[0] == versions


def test_a_name_with_quotes_is_looked_for_as_it_is(uri, client):
    name = f"driver's {uuid.uuid4().hex[:8]}"
    client.create_registered_model(name)
    assert look_up(uri, name) is not None
    assert look_up(uri, "' OR 1=1 --") is None


# --- a SQLite file --------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [None, b"", "other tables"])
def test_a_file_without_mlflows_tables_has_no_models(tmp_path, content):
    file = tmp_path / "mlflow.db"
    if content == b"":
        file.touch()
    elif content:
        with closing(sqlite3.connect(file)) as database:
            database.execute("CREATE TABLE model_versions (name TEXT)")
    assert look_up(f"sqlite:///{file}", "any") is None
    assert file.exists() == (content is not None)


def test_a_file_that_is_no_database_does_not_answer(tmp_path):
    (tmp_path / "mlflow.db").write_bytes(b"no database" * 100)
    line = f"the MLflow server sqlite:///{tmp_path}/mlflow.db does not answer (file is not a data"
    with pytest.raises(TrackingError) as raised:
        look_up(f"sqlite:///{tmp_path}/mlflow.db", "any")
    assert str(raised.value).startswith(line)


@pytest.fixture(scope="module")
def filled_file(tmp_path_factory):
    file = tmp_path_factory.mktemp("filled") / "plain.db"
    mlflow.MlflowClient(f"sqlite:///{file}").create_registered_model("any")
    return file


@pytest.mark.parametrize("folder", ["a#b", "a%20b", "a b", "a'b", 'a"b', "añ日", "a&b=c"])
def test_a_database_is_read_wherever_it_lies_and_not_changed(tmp_path, filled_file, folder):
    (tmp_path / folder).mkdir()
    file = tmp_path / folder / "mlflow.db"
    shutil.copy(filled_file, file)
    before = content_digests(tmp_path)
    assert look_up(f"sqlite:///{file}", "any") is not None
    assert content_digests(tmp_path) == before


# --- a server that answers as it is told ----------------------------------------------------------


class Answers(QuietHandler, BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self)
        status, content = self.server.answer(self)
        self.send_response(status)
        if status in {301, 302}:
            self.send_header("Location", content)
        self.end_headers()
        self.wfile.write(content if isinstance(content, bytes) else json.dumps(content).encode())

    @property
    def query(self):
        return parse_qs(urlsplit(self.path).query)


MODEL = {"registered_model": {"name": "any", "aliases": [{"alias": "champion", "version": "1"}]}}


def version(number):
    return {"version": str(number), "creation_timestamp": 0, "run_id": "r", "tags": []}


def as_mlflow(request):
    if "registered-models/get" in request.path:
        return 200, MODEL
    return 200, {"model_versions": [version(1)]}


@pytest.fixture
def server():
    running = LoopbackServer(Answers)
    running.asked, running.answer = [], as_mlflow
    with serving(running):
        yield running


@pytest.fixture(autouse=True)
def no_credentials(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    for kind in ("USERNAME", "PASSWORD", "TOKEN", "AUTH", "AWS_SIGV4"):
        monkeypatch.delenv(f"MLFLOW_TRACKING_{kind}", raising=False)


def sent(server):
    """The credentials that came with each request."""
    found = {request.headers["Authorization"] for request in server.asked}
    (one,) = found
    kind, _, content = (one or "").partition(" ")
    return base64.b64decode(content).decode() if kind == "Basic" else one


def with_user(server, user):
    return server.base_url.replace("://", f"://{user}@")


def test_the_path_of_a_uri_comes_before_that_of_the_api(server):
    look_up(f"{server.base_url}/behind/proxy/", "any")
    paths = [urlsplit(request.path).path for request in server.asked]
    api = "/behind/proxy/api/2.0/mlflow"
    assert paths == [f"{api}/registered-models/get", f"{api}/model-versions/search"]


def test_without_credentials_none_are_sent(server):
    look_up(server.base_url, "any")
    assert sent(server) is None


def test_user_and_password_of_the_uri_come_first(server, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "other")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "another")
    look_up(with_user(server, "ann:a%40b"), "any")
    assert sent(server) == "ann:a@b"


def test_user_and_password_of_the_environment_come_before_a_token(server, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "ann")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "secret")
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "token")
    look_up(server.base_url, "any")
    assert sent(server) == "ann:secret"


def test_a_token_is_sent(server, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "token")
    look_up(server.base_url, "any")
    assert sent(server) == "Bearer token"


def test_mlflows_file_of_credentials_is_read(server, tmp_path):
    (tmp_path / ".mlflow").mkdir()
    (tmp_path / ".mlflow" / "credentials").write_text(
        "[mlflow]\nmlflow_tracking_username = ann\nmlflow_tracking_password = kept\n"
    )
    look_up(server.base_url, "any")
    assert sent(server) == "ann:kept"


def test_credentials_are_not_passed_on_to_another_server(server):
    other = LoopbackServer(Answers)
    other.asked, other.answer = [], as_mlflow
    with serving(other):
        server.answer = lambda request: (302, f"{other.base_url}{request.path}")
        look_up(with_user(server, "ann:secret"), "any")
    assert sent(server) == "ann:secret"
    assert sent(other) is None


def test_all_pages_of_versions_are_read(server):
    def answer(request):
        if "registered-models/get" in request.path:
            return 200, MODEL
        page = int(request.query.get("page_token", ["0"])[0])
        following = {"next_page_token": str(page + 1)} if page < 2 else {}
        return 200, {"model_versions": [version(page + 1)], **following}

    server.answer = answer
    assert list(look_up(server.base_url, "any").versions) == ["1", "2", "3"]


def test_a_server_that_always_names_a_further_page_is_broken(server, monkeypatch):
    monkeypatch.setattr(lookup, "MAX_PAGES", 3)
    further = {"model_versions": [], "next_page_token": "again"}
    server.answer = lambda request: (200, further if "versions" in request.path else MODEL)
    with pytest.raises(TrackingError, match="more than 3 pages"):
        look_up(server.base_url, "any")
    assert len(server.asked) == 4


@pytest.mark.parametrize(
    ("status", "content"),
    [
        (200, b"<html>welcome</html>"),
        (200, b""),
        (200, b"[]"),
        (200, b'{"registered_model": 3}'),
        (401, b"who are you"),
        (404, b"<html>nothing here</html>"),
        (404, b'{"error_code": "ENDPOINT_NOT_FOUND"}'),
        (404, b"[]"),
        (500, b'{"error_code": "INTERNAL_ERROR"}'),
        (302, b"file:///etc/hostname"),
    ],
)
def test_an_answer_that_is_none_of_mlflows_is_one_line(server, status, content):
    server.answer = lambda _: (status, content.decode() if status == 302 else content)
    with pytest.raises(TrackingError) as raised:
        look_up(with_user(server, "ann:secret1"), "any")
    line = str(raised.value)
    assert line.startswith(f"the MLflow server http://***@127.0.0.1:{server.server_port} does not ")
    assert "\n" not in line
    assert "secret1" not in line


def test_a_server_that_is_not_there_is_one_line():
    with pytest.raises(
        TrackingError, match=r"127\.0\.0\.1:9 does not answer .it cannot be reached.$"
    ):
        look_up("http://127.0.0.1:9", "any")


def test_a_server_that_hangs_is_given_up(monkeypatch):
    monkeypatch.setattr(lookup, "TIMEOUT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(TrackingError, match=r"does not answer .no answer within 0\.2 s.$"):
            look_up(f"http://127.0.0.1:{port}", "any")


def test_a_database_server_that_is_not_there_is_one_line():
    with pytest.raises(TrackingError) as raised:
        look_up("postgresql://ann:secret2@127.0.0.1:9/registry", "any")
    line = str(raised.value)
    assert line.startswith("the MLflow server postgresql://***@127.0.0.1:9/registry does not answe")
    assert "\n" not in line
    assert "secret2" not in line


@pytest.mark.parametrize(
    ("variables", "verify", "certificate"),
    [
        ({}, True, None),
        ({"INSECURE_TLS": "true"}, False, None),
        ({"SERVER_CERT_PATH": "/ca.pem", "CLIENT_CERT_PATH": "/me.pem"}, "/ca.pem", "/me.pem"),
    ],
    ids=["as usual", "insecure", "own certificates"],
)
def test_certificates_are_those_of_mlflows_client(
    server, monkeypatch, variables, verify, certificate
):
    for name, value in variables.items():
        monkeypatch.setenv(f"MLFLOW_TRACKING_{name}", value)
    asked, get = [], requests.Session.get

    def remember(session, url, *, verify, cert, **options):
        asked.append((verify, cert))
        return get(session, url, **options)

    monkeypatch.setattr(requests.Session, "get", remember)
    look_up(server.base_url, "any")
    assert set(asked) == {(verify, certificate)}


# --- which can be asked ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "uri",
    [
        "http://host",
        "https://host/path",
        "sqlite:///mlflow.db",
        "sqlite+pysqlite:///mlflow.db",
        "postgresql+psycopg2://host/db",
        "mysql+pymysql://host/db",
    ],
)
def test_web_servers_and_databases_are_asked(uri, monkeypatch):
    for way in ("_ask_server", "_ask_sqlite", "_ask_database"):
        monkeypatch.setattr(f"taxi_pipeline.tracking.lookup.{way}", lambda *_: "the answer")
    assert look_up(uri, "any") == "the answer"


@pytest.mark.parametrize(
    "uri",
    [
        "databricks",
        "databricks://profile",
        "arn:aws:sagemaker:us-east-1:0:mlflow",
        "./mlruns",
    ],
)
def test_registries_of_other_kinds_cannot_be_asked(uri):
    with pytest.raises(CannotBeAsked, match=r"^a registry of this kind cannot be asked$"):
        look_up(uri, "any")


def test_a_server_whose_requests_are_signed_cannot_be_asked(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_AWS_SIGV4", "true")
    with pytest.raises(CannotBeAsked):
        look_up("https://host", "any")


def test_asking_a_server_or_a_file_imports_nothing_heavy(server, tmp_path):
    heavy = ("mlflow", "sqlalchemy", "pandas", "numpy")
    code = (
        "import sys\n"
        "from taxi_pipeline.tracking.lookup import look_up\n"
        f"look_up({server.base_url!r}, 'any')\n"
        f"look_up('sqlite:///{tmp_path}/none.db', 'any')\n"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    answer = python(tmp_path, "-c", code)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.strip() == "[]"
