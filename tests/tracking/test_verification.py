"""A registered model is tried as it lies in MLflow before an alias moves to it."""

import re
import shutil
import sys
from pathlib import Path

import mlflow
import numpy as np
import pytest

from taxi_pipeline.errors import TrackingError
from taxi_pipeline.model.duration import DurationModel
from taxi_pipeline.tracking import verification
from taxi_pipeline.tracking.aliases import move_aliases
from taxi_pipeline.tracking.artifacts import LISTING, damage_of_files


def files_of(client, registration):
    """The folder of a version's files."""
    place = client.get_model_version_download_uri(registration.model_name, registration.version)
    return Path(place.removeprefix("file://"))


def empty_file(folder):
    (folder / "MLmodel").write_text("")


def no_files(folder):
    shutil.rmtree(folder)


def no_model(folder):
    shutil.rmtree(folder / "data")


def no_code(folder):
    shutil.rmtree(folder / "code")


def half_a_model(folder):
    for file in folder.glob("data/model/*"):
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def no_signature(folder):
    described = folder / "MLmodel"
    described.write_text(described.read_text().replace("PULocationID", "zone"))


def flipped_byte(folder):
    """In a file that decides nothing of what is predicted for the input example."""
    file = folder / "requirements.txt"
    content = bytearray(file.read_bytes())
    content[0] ^= 1
    file.write_bytes(content)


DAMAGE = [empty_file, no_files, no_model, no_code, half_a_model, no_signature]


@pytest.fixture
def other_model(fit, january, tmp_path):
    """Another model of the same form."""
    half = january[january.index % 2 == 0]
    fit("linear", half).save(tmp_path / "other")
    return tmp_path / "other"


def predictions(client, registration, candidate):
    path = sys.path
    try:
        loaded = mlflow.pyfunc.load_model(str(files_of(client, registration)))
    finally:
        sys.path = path
    return loaded.predict(candidate.example)


def assert_mended(client, registration, candidate):
    expected = DurationModel.load(candidate.model).predict_published(candidate.example)
    np.testing.assert_allclose(predictions(client, registration, candidate), expected)


@pytest.mark.parametrize("damage", [*DAMAGE, flipped_byte], ids=lambda damage: damage.__name__)
def test_files_that_are_not_what_was_registered_are_copied_again(
    copy, client, candidate, damage, caplog
):
    first = copy()
    damage(files_of(client, first))
    second = copy()
    assert (second.run_id, second.version) == (first.run_id, first.version)
    assert_mended(client, second, candidate)
    assert damage_of_files(files_of(client, second)) == ""
    (record,) = [record for record in caplog.records if record.levelname == "WARNING"]
    assert record.getMessage().endswith("its files are copied to MLflow again")


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__)
def test_damaged_files_without_a_list_of_them_are_copied_again(
    copy, client, candidate, damage, caplog
):
    first = copy()
    (files_of(client, first) / LISTING).unlink()
    damage(files_of(client, first))
    second = copy()
    assert (second.run_id, second.version) == (first.run_id, first.version)
    assert_mended(client, second, candidate)
    (record,) = [record for record in caplog.records if record.levelname == "WARNING"]
    text = record.getMessage()
    assert "linear version 1 cannot be loaded (" in text
    assert not re.search(r"\btmp\w{8}/", text), "a folder that is there for a moment"
    assert text.endswith("its files are copied to MLflow again")


def test_the_files_of_another_model_are_replaced(copy, client, candidate, other_model, caplog):
    first = copy()
    shutil.copytree(other_model, files_of(client, first) / "data" / "model", dirs_exist_ok=True)
    (files_of(client, first) / LISTING).unlink()
    with pytest.raises(AssertionError):
        assert_mended(client, first, candidate)
    second = copy()
    assert second.version == first.version
    assert_mended(client, second, candidate)
    assert "predicts other minutes" in caplog.text


def test_nothing_is_copied_again_where_nothing_is_wrong(copy, monkeypatch, caplog):
    copy()
    monkeypatch.setattr(verification, "upload_model", lambda *_: pytest.fail("copied again"))
    copy()
    assert [record for record in caplog.records if record.levelname == "WARNING"] == []


@pytest.fixture
def cannot_be_mended(client):
    """Puts a file in the place of a version's folder, so that nothing can be written there."""

    def spoil(registration):
        folder = files_of(client, registration)
        shutil.rmtree(folder)
        folder.write_text("no folder")

    return spoil


def test_no_alias_moves_to_a_model_that_cannot_be_loaded(copy, client, cannot_be_mended):
    first = copy(promote=False)
    cannot_be_mended(first)
    with pytest.raises(TrackingError) as raised:
        copy(promote=True)
    text = str(raised.value)
    assert "\n" not in text
    assert f"{first.model_name} version 1, loaded from " in text
    assert "artifacts, cannot be loaded as it was registered (" in text
    assert "its files cannot be written again (" in text
    assert "the aliases stay as they were: delete that version and its run in MLflow" in text
    assert client.get_registered_model(first.model_name).aliases == {"challenger": 1}


def test_the_advice_helps(copy, client, candidate, cannot_be_mended):
    first = copy()
    cannot_be_mended(first)
    with pytest.raises(TrackingError):
        copy()
    client.delete_model_version(first.model_name, first.version)
    client.delete_run(first.run_id)
    second = copy()
    assert second.run_id != first.run_id
    assert second.version != first.version
    assert second.aliases == ("challenger", "champion")
    assert_mended(client, second, candidate)


def test_a_new_model_is_tried_before_it_has_an_alias(copy, client, monkeypatch):
    tried = []

    def watched(*arguments, **options):
        tried.append("moved")
        return move_aliases(*arguments, **options)

    verify = verification.verify_version

    def verified(*arguments):
        tried.append("tried")
        verify(*arguments)

    monkeypatch.setattr("taxi_pipeline.tracking.registration.verify_version", verified)
    monkeypatch.setattr("taxi_pipeline.tracking.registration.move_aliases", watched)
    copy()
    assert tried == ["tried", "moved"]
