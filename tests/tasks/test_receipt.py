"""A receipt counts as long as the registry has the version that it certifies."""

import json
import shutil

import mlflow
import pytest
from http_servers import LoopbackServer

from taxi_pipeline import BackfillMonths, Month, RegisterModel, config
from taxi_pipeline.logger import warn_once
from taxi_pipeline.runtime.plan import plan
from taxi_pipeline.tasks import receipt
from taxi_pipeline.tasks.receipt import ReceiptStage
from taxi_pipeline.tracking.records import KEY_TAG

NAME = "nyc-green-taxi-duration-linear"


@pytest.fixture(autouse=True)
def nothing_said():
    warn_once.cache_clear()


@pytest.fixture
def task(pipeline, copy_root):
    """A model that was registered as version 1."""
    task = of_month(1)

    def register():
        assert pipeline.run(task).status.name.startswith("SUCCESS")

    copy_root("linear registered", pipeline.root, register)
    assert task.complete()
    return task


def of_month(month):
    return RegisterModel(year=2021, month=month, recipe="linear")


@pytest.fixture
def client(task):
    return mlflow.MlflowClient(config.tracking().server_uri)


@pytest.fixture
def asked(monkeypatch):
    """The models that the registry was asked for."""
    names, look_up = [], receipt.look_up

    def remember(uri, name):
        names.append(name)
        return look_up(uri, name)

    monkeypatch.setattr(receipt, "look_up", remember)
    return names


def written(task):
    return json.loads(task.output().file(task.RECEIPT).read_text())


def delete_version(client):
    client.delete_model_version(NAME, "1")


def delete_model(client):
    client.delete_registered_model(NAME)


def give_the_number_to_another(client):
    client.set_model_version_tag(NAME, "1", KEY_TAG, "0123456789abcdef")


def rename_model(client):
    client.rename_registered_model(NAME, "mine")


LOSSES = (delete_version, delete_model, give_the_number_to_another, rename_model)


@pytest.mark.parametrize("lose", LOSSES)
def test_a_version_that_is_lost_is_registered_again_by_the_same_command(
    pipeline, task, client, console, lose
):
    before = written(task)
    lose(client)
    assert not task.complete()
    assert pipeline.run(of_month(1)).status.name.startswith("SUCCESS")
    assert task.complete()
    after = written(task)
    found = client.get_model_version(NAME, after["version"])
    assert found.tags[KEY_TAG] == task.requires()["evaluation"].key
    assert after["aliases"] == found.aliases == ["challenger"]
    if lose is delete_version:
        assert after["version"] != before["version"]
        assert after["run_id"] == before["run_id"]
    (done,) = [text for text in console.messages if text.startswith(f"{task.label}: nyc-")]
    assert f", since version 1 of {NAME} is not in the registry any more -> " in done


def test_the_new_receipt_takes_the_place_of_the_old_one_which_is_kept_aside(pipeline, task, client):
    place, before = task.output().location, written(task)
    delete_version(client)
    pipeline.run(of_month(1))
    assert task.output().location == place
    (aside,) = (pipeline.root / ".damaged").rglob(task.RECEIPT)
    assert json.loads(aside.read_text()) == before
    assert len([path for path in pipeline.made("register") if ".damaged" not in path.parts]) == 1


def test_a_receipt_that_another_process_published_meanwhile_stays(pipeline, task, client):
    """Two processes register the same candidate: the second finds its version and a receipt."""
    made = task.output()
    place = pipeline.root / made.location
    for file in place.iterdir():
        (pipeline.root / f"kept-{file.name}").write_bytes(file.read_bytes())
    shutil.rmtree(place)
    make = RegisterModel.make

    def make_slowly(self, folder):
        facts = make(self, folder)
        place.mkdir()
        for file in pipeline.root.glob("kept-*"):
            file.rename(place / file.name.removeprefix("kept-"))
        return facts

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(RegisterModel, "make", make_slowly)
        pipeline.run(of_month(1))
    assert task.complete()
    assert not (pipeline.root / ".damaged").exists()
    assert [version.version for version in client.search_model_versions()] == [1]


def test_a_plan_says_which_version_is_lost(task, client):
    delete_version(client)
    step = plan(task)[-1]
    assert (step.state, step.reason) == (
        "runs",
        f"version 1 of {NAME} is not in the registry any more",
    )


def test_only_the_month_whose_version_is_lost_is_registered_again(pipeline, task, client):
    pipeline.run(of_month(2))
    delete_version(client)
    assert not task.complete()
    assert of_month(2).complete()


def test_a_run_asks_the_registry_once_for_each_model(pipeline, task, asked):
    pipeline.run(of_month(1))
    assert asked == [NAME]


def test_a_backfill_asks_as_often_for_many_months_as_for_one(pipeline, task, asked):
    def backfill(stop):
        asked.clear()
        pipeline.run(
            BackfillMonths(
                of=RegisterModel,
                of_params={"recipe": "linear"},
                start=Month(2021, 1),
                stop=Month(2021, stop),
            )
        )
        return len(asked)

    one = backfill(2)
    backfill(4)
    assert backfill(4) == one <= 3


# --- registries that do not answer, or cannot be asked --------------------------------------------


@pytest.fixture
def silent(pipeline):
    """The URL of a server that is not there (any more)."""
    with LoopbackServer(object) as server:
        url = f"http://user:hidden1@127.0.0.1:{server.server_port}"
    pipeline.configure("tracking", "uri", url)
    return url


def register_meanwhile(pipeline, monkeypatch, *months):
    """Run the tasks where the registry is another one than their receipts say."""
    elsewhere = f"sqlite:///{pipeline.root}/elsewhere.db"
    with monkeypatch.context() as patch:
        patch.setattr(config.tracking, "server_uri", elsewhere)
        for month in months:
            assert pipeline.run(of_month(month)).status.name.startswith("SUCCESS")


def test_a_server_that_does_not_answer_is_trusted_and_named_once(
    pipeline, silent, monkeypatch, console
):
    register_meanwhile(pipeline, monkeypatch, 1, 2)
    console.clear()
    assert of_month(1).complete()
    assert of_month(2).complete()
    (line,) = [record.getMessage() for record in console.records if record.levelname == "WARNING"]
    server = silent.replace("user:hidden1", "***")
    assert line == (
        f"the MLflow server {server} does not answer (it cannot be reached): its versions "
        "are taken to be registered, as their receipts say"
    )


def test_a_registry_of_another_kind_is_trusted(pipeline, monkeypatch, console):
    pipeline.configure("tracking", "uri", "databricks://profile")
    register_meanwhile(pipeline, monkeypatch, 1)
    console.clear()
    assert of_month(1).complete()
    assert console.records == []


def test_a_damaged_database_is_named_once_and_the_receipt_trusted(pipeline, task, console):
    file = pipeline.root / "mlflow" / "mlflow.db"
    file.write_bytes(b"no database" * 100)
    console.clear()
    assert task.complete()
    (line,) = [record.getMessage() for record in console.records if record.levelname == "WARNING"]
    assert line.startswith(f"the MLflow server sqlite:///{file} does not answer (file is not a dat")


# --- identity -------------------------------------------------------------------------------------


@pytest.fixture
def made_before(pipeline, monkeypatch):
    """Where the receipt is that was made when identities held the place of the root."""

    def as_before(task):
        uri = config.tracking().server_uri
        server = {"tracking.uri": f"{uri} ({receipt.digest(uri)})"}
        return super(ReceiptStage, task)._config_values() | server

    with monkeypatch.context() as before:
        before.setattr(ReceiptStage, "_config_values", as_before)
        assert pipeline.run(of_month(1)).status.name.startswith("SUCCESS")
        return of_month(1).output().location


def test_a_receipt_made_when_identities_held_the_place_of_the_root_is_found(made_before):
    task = of_month(1)
    assert task.complete()
    assert task.output().location == made_before
    assert task.key != task.output().manifest()["key"]


def test_a_receipt_made_before_gives_way_to_a_new_one_once_its_version_is_lost(
    pipeline, made_before
):
    delete_version(mlflow.MlflowClient(config.tracking().server_uri))
    task = of_month(1)
    assert not task.complete()
    assert pipeline.run(task).status.name.startswith("SUCCESS")
    assert task.complete()
    assert task.output().location != made_before
    assert task.key == task.output().manifest()["key"]


def test_the_identity_does_not_hold_the_place_of_the_root(pipeline, tmp_path):
    first = of_month(1)._config_values()["tracking.uri"]
    pipeline.configure("storage", "root", str(tmp_path / "other"))
    assert of_month(1)._config_values()["tracking.uri"] == first
    pipeline.configure("tracking", "uri", f"sqlite:///{tmp_path}/x.db")
    assert of_month(1)._config_values()["tracking.uri"] != first
