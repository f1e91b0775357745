"""What holds of outputs in a real S3-compatible store: publishing, reading, failures."""

import os
import signal
import time

import pytest
from object_store import BUCKET, BUSY, DENIED
from outputs import CONTENTS, HOME, KEY, PLACE, assert_whole, at_once, fill, publish
from processes import python

from taxi_pipeline.errors import DamagedOutput, StorageError
from taxi_pipeline.storage import MANIFEST, Output, RemoteStorage

NAMES = {f"{PLACE}/{name}" for name in (*CONTENTS, MANIFEST)}


@pytest.fixture
def name(tmp_path):
    """A prefix of the test's own."""
    return tmp_path.name


@pytest.fixture
def kept(store, name):
    return RemoteStorage(store.root(name))


@pytest.fixture
def other(store, name):
    """The same root as another process sees it."""
    return RemoteStorage(store.root(name))


def test_what_is_published_is_there_whole_and_nothing_beside_it(store, kept, name):
    publish(kept)
    assert_whole(Output(kept, PLACE))
    assert set(store.names(name)) == NAMES


def test_a_large_file_is_uploaded_in_parts_and_arrives_whole(store, kept):
    content = os.urandom(20 * 2**20)
    with store.counted() as requests:
        publish(kept, {"large": content})
    parts = [path for method, path in requests if method == "PUT" and "partNumber=" in path]
    assert len(parts) == 3
    assert Output(kept, PLACE).file("large").read_bytes() == content


def test_the_manifest_is_uploaded_last_and_only_where_there_is_none(store, kept, name):
    with store.counted() as requests:
        publish(kept)
    written = [path for method, path in requests if method == "PUT" and "/.locks/" not in path]
    assert written[-1].endswith(f"/{MANIFEST}")
    assert len(written) == len(NAMES)
    before = store.read(f"{name}/{PLACE}/{MANIFEST}")
    manifest = store.client().put_object
    with pytest.raises(Exception, match="PreconditionFailed"):
        manifest(Bucket=BUCKET, Key=f"{name}/{PLACE}/{MANIFEST}", Body=b"", IfNoneMatch="*")
    assert store.read(f"{name}/{PLACE}/{MANIFEST}") == before


def test_a_manifest_that_appeared_meanwhile_stays(store, kept, other, name, monkeypatch):
    """As if the lock had been lost: the store itself refuses the second manifest."""
    publish(kept, maker="first")
    before = store.read(f"{name}/{PLACE}/{MANIFEST}")
    monkeypatch.setattr(other, "exists", lambda _location: False)
    publish(other, maker="second")
    assert store.read(f"{name}/{PLACE}/{MANIFEST}") == before


@pytest.mark.parametrize("attempt", range(3))
def test_files_of_two_that_publish_at_once_are_never_mixed(store, kept, other, name, attempt):
    at_once(
        lambda: publish(kept, {"data": b"one", "one": b""}, maker="one"),
        lambda: publish(other, {"data": b"other", "other": b""}, maker="other"),
    )
    output = Output(kept, PLACE)
    maker = output.manifest()["maker"]
    assert output.file("data").read_text() == maker
    assert {path.rpartition("/")[2] for path in store.names(name)} == {"data", maker, MANIFEST}


def test_json_is_created_by_exactly_one_of_many(kept, other):
    location, answers = f"{HOME}/trials/00001.json", []
    at_once(
        *(
            lambda number=number, kept=kept: answers.append(
                kept.write_json_exclusive(location, {"maker": number})
            )
            for number, kept in enumerate((kept, other) * 4)
        )
    )
    assert sorted(answers) == [False] * 7 + [True]


@pytest.mark.parametrize("lost", [*sorted(CONTENTS), MANIFEST])
def test_a_store_that_fails_in_the_middle_of_a_publish_shows_nothing_half(store, kept, lost):
    def refuse(method, path):
        return BUSY if method == "PUT" and path.endswith(lost) else None

    with store.refusing(refuse), pytest.raises(StorageError, match="the store is not available"):
        publish(kept)
    assert not Output(kept, PLACE).exists()
    publish(kept)
    assert_whole(Output(kept, PLACE))


KILLED = """
import sys
from pathlib import Path
from taxi_pipeline.storage import open_storage
open_storage(sys.argv[1]).publish(Path(sys.argv[2]), sys.argv[3])
"""


def test_a_publisher_that_is_killed_leaves_nothing_half_and_is_not_waited_for(
    store, kept, tmp_path
):
    fill(tmp_path)
    killed = []

    def kill(method, path):
        if method == "PUT" and path.endswith("/trips.parquet") and not killed:
            killed.append(path)
            process = path_of_child(tmp_path)
            os.kill(process, signal.SIGKILL)

    program = tmp_path.parent / "publish.py"
    program.write_text(KILLED.replace("import sys", _SAY_PID, 1))
    with store.refusing(kill):
        result = python(
            tmp_path.parent, program, kept.root, tmp_path, PLACE, environment=dict(os.environ)
        )
    assert result.returncode == -signal.SIGKILL
    assert not Output(kept, PLACE).exists()
    started = time.monotonic()
    publish(kept)
    assert time.monotonic() - started < 30
    assert_whole(Output(kept, PLACE))


_SAY_PID = """import os, sys
from pathlib import Path
Path(sys.argv[2]).with_suffix(".pid").write_text(str(os.getpid()))"""


def path_of_child(folder):
    return int(folder.with_suffix(".pid").read_text())


def test_a_missing_file_is_found_missing(store, kept, name):
    publish(kept)
    store.client().delete_object(Bucket=BUCKET, Key=f"{name}/{PLACE}/zzz.txt")
    assert not Output(kept, PLACE).exists()
    with pytest.raises(DamagedOutput, match=r"its zzz\.txt is missing"):
        Output(kept, PLACE).check_sizes()


def test_an_output_is_asked_for_with_two_requests(store, kept):
    publish(kept)
    with store.counted() as requests:
        assert Output(kept, PLACE).exists()
    assert len(requests) == 2


@pytest.mark.parametrize(
    ("code", "says"), [(DENIED, "the store denies access"), (BUSY, "the store is not available")]
)
@pytest.mark.parametrize("act", ["read", "list", "write"])
def test_a_store_that_refuses_is_one_line(store, kept, code, says, act):
    acts = {
        "read": lambda: kept.read_json(f"{PLACE}/{MANIFEST}"),
        "list": lambda: kept.file_sizes(PLACE),
        "write": lambda: kept.write_json(f"{HOME}/a.json", {}),
    }
    with store.refusing(lambda _method, _path: code), pytest.raises(StorageError) as raised:
        acts[act]()
    line = str(raised.value)
    assert says in line
    assert kept.root in line
    assert "\n" not in line


@pytest.mark.parametrize("act", [RemoteStorage.read_json, RemoteStorage.file_sizes])
def test_a_bucket_that_is_not_there_is_one_line_rather_than_an_empty_root(store, act):
    with pytest.raises(StorageError, match="the bucket is not there: create it"):
        act(RemoteStorage("s3://nobody-made-this/root"), PLACE)


def in_a_process(**variables):
    """What reading of a root says in a process of its own."""
    program = (
        "from taxi_pipeline.errors import StorageError\n"
        "from taxi_pipeline.storage import open_storage\n"
        "try:\n"
        f"    open_storage('s3://{BUCKET}/root').read_json('{HOME}/{KEY}/{MANIFEST}')\n"
        "except StorageError as error:\n"
        "    print(error)\n"
    )
    environment = {name: text for name, text in os.environ.items() if not name.startswith("AWS_")}
    given = {"AWS_EC2_METADATA_DISABLED": "true", "HOME": "/nonexistent", **variables}
    result = python(None, "-c", program, environment=environment | given)
    assert result.returncode == 0, result.stderr
    (line,) = result.stdout.splitlines()
    return line


def test_missing_credentials_are_one_line_that_says_how_they_are_given(store):
    line = in_a_process(AWS_ENDPOINT_URL=store.url)
    assert "no credentials for the store were found" in line
    assert "AWS_ACCESS_KEY_ID" in line


def test_a_store_that_is_not_there_is_one_line_within_seconds(store):
    variables = store.environment | {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    assert "the store cannot be reached: check the network and the endpoint" in in_a_process(
        **variables
    )


def test_a_missing_package_is_one_line_that_names_the_extra(monkeypatch):
    def refuse(*_arguments, **_options):
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr("fsspec.core.url_to_fs", refuse)
    with pytest.raises(StorageError, match=r"not installed: pip install 'taxi_pipeline\[s3\]'"):
        RemoteStorage("s3://bucket/root")
