"""What the failures of stores mean, whichever package raises them."""

import fsspec
import pytest

from taxi_pipeline.storage import filesystems


class Answer(Exception):
    """An error as botocore raises it."""

    def __init__(self, code, status=400):
        super().__init__(code)
        self.response = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}


class HttpError(Exception):
    """An error as gcsfs raises it."""

    def __init__(self, code):
        super().__init__(f"status {code}")
        self.code = code


def caused_by(cause):
    error = OSError("translated")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (Answer("AccessDenied"), "denies access"),
        (Answer("Unknown", 503), "not available"),
        (caused_by(Answer("SlowDown")), "not available"),
        (Answer("SignatureDoesNotMatch", 403), "does not accept the credentials"),
        (Answer("NoSuchBucket", 404), "the bucket is not there"),
        (HttpError(403), "denies access"),
        (TimeoutError(), "does not answer"),
    ],
    ids=str,
)
def test_a_failure_is_told_with_what_to_do(error, says):
    line = filesystems.explain(error)
    assert says in line
    assert "\n" not in line


def test_what_is_not_known_is_not_explained():
    assert filesystems.explain(ValueError("a defect")) is None


@pytest.mark.parametrize(
    ("error", "taken"),
    [
        (FileExistsError(), True),
        (caused_by(Answer("PreconditionFailed", 412)), True),
        (caused_by(Answer("ConditionalRequestConflict", 409)), True),
        (caused_by(Answer("AccessDenied", 403)), False),
        (OSError("connection lost"), False),
    ],
    ids=str,
)
def test_a_store_tells_in_its_own_words_that_a_file_is_there(error, taken):
    assert filesystems.was_taken(error) is taken


def test_a_users_own_settings_of_s3_come_first(monkeypatch):
    pytest.importorskip("s3fs", reason="s3fs is not installed")
    monkeypatch.setitem(fsspec.config.conf, "s3", {"config_kwargs": {"read_timeout": 77}})
    remote = filesystems.open_filesystem("s3://bucket-of-nobody/root")
    assert remote.files.config_kwargs["read_timeout"] == 77
    assert remote.files.config_kwargs["connect_timeout"] == filesystems.CONNECT_SECONDS
