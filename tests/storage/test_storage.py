import errno
import hashlib
import json
import os
import threading
import uuid
from pathlib import Path

import fsspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from taxi_pipeline import storage
from taxi_pipeline.errors import StorageError
from taxi_pipeline.storage import MANIFEST, Output, describe_files, open_storage, sha256

HOME = "transform/green/2021-01"
PLACE = f"{HOME}/0123456789abcdef"
CONTENTS = {"trips.parquet": b"PAR1", "model/booster.json": b"{}", "zzz.txt": b""}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@pytest.fixture
def local(tmp_path):
    return open_storage(str(tmp_path / "root"))


@pytest.fixture
def remote():
    root = f"memory://{uuid.uuid4().hex}/root"
    yield open_storage(root)
    files, folder = fsspec.core.url_to_fs(root)
    if files.exists(folder):
        files.rm(folder, recursive=True)


@pytest.fixture(params=["local", "remote"])
def kept(request):
    """A storage of either kind."""
    return request.getfixturevalue(request.param)


def fill(folder, contents=CONTENTS, **facts):
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    (folder / MANIFEST).write_text(json.dumps({**facts, "files": describe_files(folder)}))


def publish(kept, contents=CONTENTS, place=PLACE, **facts):
    with kept.staging() as folder:
        fill(folder, contents, **facts)
        kept.publish(folder, place)
    return folder


def assert_whole(output):
    for name, known in output.manifest()["files"].items():
        content = output.file(name).read_bytes()
        assert known == {
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }


def everything(kept):
    """All files under a root."""
    files, folder = fsspec.core.url_to_fs(kept.root)
    return files.find(folder)


# --- publishing -------------------------------------------------------------------------------


def test_nothing_is_there_at_first(kept):
    output = Output(kept, PLACE)
    assert not output.exists()
    assert kept.folders("") == kept.folders(HOME) == []
    assert kept.read_json(f"{PLACE}/{MANIFEST}") is None
    with pytest.raises(StorageError, match=f"{PLACE} has no {MANIFEST}: the output is not there"):
        output.manifest()


def test_what_is_published_is_there_whole(kept):
    publish(kept, rows=7)
    output = Output(kept, PLACE)
    assert output.exists()
    assert output.manifest()["rows"] == 7
    assert set(output.manifest()["files"]) == set(CONTENTS)
    assert_whole(output)
    assert all(kept.exists(f"{PLACE}/{name}") for name in CONTENTS)


def test_a_folder_of_an_output_is_read_as_a_folder(kept):
    publish(kept)
    folder = Output(kept, PLACE).file("model")
    assert [path.name for path in folder.iterdir()] == ["booster.json"]


def test_nothing_is_visible_before_it_is_published(kept):
    with kept.staging() as folder:
        fill(folder)
        assert not Output(kept, PLACE).exists()
        assert kept.folders(HOME) == []


def test_staging_leaves_nothing_behind(kept):
    staged = publish(kept)
    assert not staged.exists()
    expected = {f"{PLACE}/{name}" for name in (*CONTENTS, MANIFEST)}
    assert {path.partition("/root/")[2] for path in everything(kept)} == expected


def test_a_failure_while_staging_leaves_nothing_at_all(kept):
    staged = []

    def fail():
        with kept.staging() as folder:
            staged.append(folder)
            fill(folder)
            raise RuntimeError("a defect")

    with pytest.raises(RuntimeError, match="a defect"):
        fail()
    assert not staged[0].exists()
    assert not Output(kept, PLACE).exists()
    assert everything(kept) == []


def test_two_stages_write_into_folders_of_their_own(kept):
    with kept.staging() as one, kept.staging() as other:
        assert one != other
        assert list(one.iterdir()) == list(other.iterdir()) == []


def test_what_is_published_first_stays(kept):
    publish(kept, {"data": b"first"}, maker="first")
    staged = publish(kept, {"data": b"second", "more": b""}, maker="second")
    output = Output(kept, PLACE)
    assert output.manifest()["maker"] == "first"
    assert output.file("data").read_bytes() == b"first"
    assert not kept.exists(f"{PLACE}/more")
    assert not staged.exists()


def test_a_folder_without_manifest_is_in_the_way_of_a_local_output(local):
    blocked = Path(local.where(PLACE))
    blocked.mkdir(parents=True)
    (blocked / "trips.parquet").write_bytes(b"half")
    with pytest.raises(StorageError, match=f"is in the way, without a {MANIFEST}: move it away"):
        publish(local)
    assert not Output(local, PLACE).exists()
    assert (blocked / "trips.parquet").read_bytes() == b"half"


@pytest.fixture
def uploads(remote, monkeypatch):
    """The locations that are uploaded, in their order; `fail_at` fails."""

    class Uploads(list):
        fail_at = None

    done = Uploads()
    put_file = remote._files.put_file

    def put(source, target, **options):
        name = target.partition(f"{PLACE}/")[2]
        if name == done.fail_at:
            raise StorageError("connection lost")
        put_file(source, target, **options)
        done.append(name)

    monkeypatch.setattr(remote._files, "put_file", put)
    return done


def test_the_manifest_is_uploaded_last(remote, uploads):
    publish(remote, {**CONTENTS, f"model/{MANIFEST}": b"another", "aaa": b""})
    assert uploads[-1] == MANIFEST
    assert sorted(uploads) == sorted([*CONTENTS, f"model/{MANIFEST}", "aaa", MANIFEST])


@pytest.mark.parametrize("name", ["zzz.txt", MANIFEST])
def test_a_lost_upload_is_no_output_and_can_be_made_good(remote, uploads, name):
    uploads.fail_at = name
    with pytest.raises(StorageError, match="connection lost"):
        publish(remote)
    assert not Output(remote, PLACE).exists()
    uploads.fail_at = None
    publish(remote)
    assert_whole(Output(remote, PLACE))


def at_once(*actions):
    """Run actions in threads that start together, and raise what any of them raised."""
    barrier, failures = threading.Barrier(len(actions)), []

    def run(action):
        barrier.wait(10)
        try:
            action()
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=run, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert failures == []


@pytest.mark.parametrize("attempt", range(10))
def test_two_that_publish_the_same_at_once_leave_one_whole_output(kept, attempt):
    at_once(*(lambda maker=maker: publish(kept, maker=maker) for maker in ("one", "other")))
    output = Output(kept, PLACE)
    assert output.manifest()["maker"] in ("one", "other")
    assert_whole(output)
    assert len(everything(kept)) == len(CONTENTS) + 1


@pytest.mark.parametrize("attempt", range(10))
def test_two_local_outputs_published_at_once_are_never_mixed(local, attempt):
    at_once(
        lambda: publish(local, {"data": b"one", "one": b""}, maker="one"),
        lambda: publish(local, {"data": b"other", "other": b""}, maker="other"),
    )
    output = Output(local, PLACE)
    maker = output.manifest()["maker"]
    assert output.file("data").read_text() == maker
    assert {path.name for path in output.file("data").parent.iterdir()} == {"data", maker, MANIFEST}


# --- reading ----------------------------------------------------------------------------------


def test_only_folders_are_listed_sorted(kept):
    publish(kept, place=f"{HOME}/b")
    publish(kept, place=f"{HOME}/a")
    kept.write_json(f"{HOME}/source.json", {})
    assert kept.folders(HOME) == ["a", "b"]


def test_a_folder_published_meanwhile_is_listed(kept):
    publish(kept, place=f"{HOME}/a")
    assert kept.folders(HOME) == ["a"]
    publish(kept, place=f"{HOME}/b")
    assert kept.folders(HOME) == ["a", "b"]


def test_a_remote_file_is_copied_once(remote, monkeypatch):
    publish(remote)
    output = Output(remote, PLACE)
    first = output.file("trips.parquet")
    monkeypatch.setattr(remote._files, "get", None)
    assert output.file("trips.parquet") == first
    assert first.read_bytes() == CONTENTS["trips.parquet"]


def test_a_location_is_shown_as_a_user_would_type_it(local, remote, tmp_path):
    assert str(Output(local, PLACE)) == f"{tmp_path}/root/{PLACE}"
    assert str(Output(remote, PLACE)) == f"{remote.root}/{PLACE}"


# --- JSON -------------------------------------------------------------------------------------


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(content=json_values)
def test_json_is_read_back_as_it_was(kept, content):
    kept.write_json(f"{HOME}/source.json", content)
    assert kept.read_json(f"{HOME}/source.json") == content


def test_written_json_leaves_nothing_else_behind(kept):
    kept.write_json(f"{HOME}/source.json", {"a": 1})
    kept.write_json(f"{HOME}/source.json", {"a": 2})
    assert kept.read_json(f"{HOME}/source.json") == {"a": 2}
    assert len(everything(kept)) == 1


def test_json_that_cannot_be_written_leaves_what_was_there(kept):
    kept.write_json(f"{HOME}/source.json", {"a": 1})
    with pytest.raises(TypeError):
        kept.write_json(f"{HOME}/source.json", {"a": object()})
    assert kept.read_json(f"{HOME}/source.json") == {"a": 1}
    assert len(everything(kept)) == 1


def test_a_reader_sees_the_old_or_the_new_json_but_never_a_part(kept):
    contents = [{"rows": ["x" * 50] * 2000, "which": which} for which in (0, 1)]
    location, seen, stop = f"{HOME}/source.json", [], threading.Event()
    kept.write_json(location, contents[0])

    def read():
        while not stop.is_set():
            seen.append(kept.read_json(location))

    def write():
        try:
            for turn in range(40):
                kept.write_json(location, contents[turn % 2])
        finally:
            stop.set()

    at_once(read, write)
    assert seen
    assert all(content in contents for content in seen)


@pytest.mark.parametrize("content", [b"", b'{"a": ', b"\xff\xfe\xff"])
def test_json_that_cannot_be_read_is_one_line_that_names_the_file(kept, content):
    publish(kept, {"broken.json": content})
    with pytest.raises(StorageError) as raised:
        kept.read_json(f"{PLACE}/broken.json")
    line = str(raised.value)
    assert line.startswith(f"{kept.where(PLACE)}/broken.json cannot be read: ")
    assert "\n" not in line


# --- JSON that is written once ------------------------------------------------------------------

TRIAL = f"{HOME}/trials/00001.json"


@pytest.fixture
def without_links(local, monkeypatch):
    """A local storage on a file system that knows no hard links."""

    def refuse(*_arguments):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    monkeypatch.setattr(os, "link", refuse)
    return local


@pytest.fixture
def atomic(remote, monkeypatch):
    """A remote storage that creates a file in one step, as object stores do; memory has two."""
    lock, pipe_file = threading.Lock(), remote._files.pipe_file

    def pipe(*arguments, **options):
        with lock:
            pipe_file(*arguments, **options)

    monkeypatch.setattr(remote._files, "pipe_file", pipe)
    return remote


@pytest.fixture(params=["local", "without_links", "atomic"])
def creating(request):
    """A storage of each kind that creates a file in its own way."""
    return request.getfixturevalue(request.param)


def create_at_once(kept, *contents):
    """Create one file from as many threads, none of which writes before all are about to."""
    barrier, answers = threading.Barrier(len(contents)), {}

    class Last(dict):
        """A content that is ready when the others are."""

        def items(self):
            barrier.wait(10)
            return super().items()

    def create(number):
        answers[number] = kept.create_json(TRIAL, Last(contents[number]))

    at_once(*(lambda number=number: create(number) for number in range(len(contents))))
    return [answers[number] for number in range(len(contents))]


def test_json_that_is_created_first_stays(creating):
    assert creating.create_json(TRIAL, {"maker": "first"}) is True
    assert creating.create_json(TRIAL, {"maker": "second"}) is False
    assert creating.read_json(TRIAL) == {"maker": "first"}
    assert {path.partition("/root/")[2] for path in everything(creating)} == {TRIAL}


def test_each_location_is_created_for_itself(creating):
    assert creating.create_json(TRIAL, 1)
    assert creating.create_json(f"{HOME}/trials/00002.json", 2)
    assert creating.read_json(f"{HOME}/trials/00002.json") == 2


def test_json_is_created_as_it_is_written(creating):
    content = {"b": [1, None], "a": "ü"}
    creating.create_json(TRIAL, content)
    assert creating.local_file(TRIAL).read_text() == storage.to_json(content)


def test_created_json_can_be_written_over_on_purpose(creating):
    creating.create_json(TRIAL, 1)
    creating.write_json(TRIAL, 2)
    assert creating.read_json(TRIAL) == 2


def test_what_is_no_json_is_not_created_and_leaves_nothing(creating):
    with pytest.raises((TypeError, StorageError), match="not JSON serializable"):
        creating.create_json(TRIAL, {"a": object()})
    assert everything(creating) == []
    assert creating.create_json(TRIAL, {"a": 1})


@pytest.mark.parametrize("kind", ["local", "atomic"])
@pytest.mark.parametrize("attempt", range(20))
def test_of_many_that_create_at_once_exactly_one_has_written_and_its_json_stays(
    request, kind, attempt
):
    kept = request.getfixturevalue(kind)
    contents = [{"maker": maker, "rows": ["x" * 50] * 50} for maker in range(6)]
    answers = create_at_once(kept, *contents)
    assert sorted(answers) == [False] * 5 + [True]
    assert kept.read_json(TRIAL) == contents[answers.index(True)]
    assert len(everything(kept)) == 1


@pytest.mark.parametrize("attempt", range(10))
def test_of_two_that_create_at_once_without_links_one_json_stays_whole(without_links, attempt):
    contents = [{"maker": maker, "rows": ["x" * 50] * 50} for maker in range(2)]
    answers = create_at_once(without_links, *contents)
    assert True in answers
    assert without_links.read_json(TRIAL) in contents
    assert len(everything(without_links)) == 1


def test_a_reader_sees_created_json_whole_or_not_at_all(creating):
    content = {"rows": ["x" * 50] * 20_000}
    locations = [f"{HOME}/trials/{number:05d}.json" for number in range(5)]
    seen, stop = [], threading.Event()

    def read():
        for location in locations:
            over, found = False, None
            while found is None and not over:
                over, found = stop.is_set(), creating.read_json(location)
            seen.append(found)

    def create():
        try:
            for location in locations:
                creating.create_json(location, content)
        finally:
            stop.set()

    at_once(read, create)
    assert seen == [content] * 5


@pytest.mark.parametrize("refused", [FileExistsError, PermissionError])
def test_a_store_tells_itself_whether_json_was_there(remote, monkeypatch, refused):
    def refuse(*_arguments, mode, **_options):
        assert mode == "create"
        raise refused("AccessDenied")

    monkeypatch.setattr(remote._files, "pipe_file", refuse)
    if refused is FileExistsError:
        assert remote.create_json(TRIAL, {}) is False
    else:
        with pytest.raises(StorageError, match=r"json cannot be written: PermissionError Access"):
            remote.create_json(TRIAL, {})


def test_a_file_in_the_way_of_a_created_files_folder_is_one_line_that_names_it(local):
    local.write_json(HOME, {})
    with pytest.raises(StorageError) as raised:
        local.create_json(TRIAL, {})
    line = str(raised.value)
    assert line.startswith(f"{local.where(TRIAL)} cannot be written: ")
    assert "\n" not in line


# --- files that grow --------------------------------------------------------------------------

LOG = f"{HOME}/logs/1.log"


def content(kept, location):
    with fsspec.open(kept.where(location), "rb") as file:
        return file.read()


def grow(kept, failure=None):
    with kept.growing_file(LOG) as path:
        path.write_text("line 0\n")
        if failure:
            raise failure


def test_a_file_that_grew_is_there_at_the_end_and_nothing_else(kept):
    with kept.growing_file(LOG) as path, path.open("a") as file:
        for number in range(3):
            file.write(f"line {number}\n")
    assert content(kept, LOG) == b"line 0\nline 1\nline 2\n"
    assert [path.partition("/root/")[2] for path in everything(kept)] == [LOG]


def test_a_file_that_grew_until_a_failure_is_there(kept):
    with pytest.raises(KeyboardInterrupt):
        grow(kept, KeyboardInterrupt)
    assert content(kept, LOG) == b"line 0\n"


def test_a_local_file_can_be_read_while_it_grows(local):
    with local.growing_file(LOG) as path:
        for number in range(3):
            with path.open("a") as file:
                file.write(f"line {number}\n")
            assert content(local, LOG).count(b"\n") == number + 1
    assert path == Path(local.where(LOG))


def test_a_remote_file_grows_on_this_machine_which_keeps_no_copy(remote):
    with remote.growing_file(LOG) as path:
        path.write_text("line 0\n")
        assert not remote.exists(LOG)
    assert remote.exists(LOG)
    assert not path.parent.exists()


def test_a_file_in_the_way_of_a_growing_files_folder_is_one_line_that_names_it(local, tmp_path):
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "transform").write_text("in the way")
    with pytest.raises(StorageError, match=r"1\.log cannot be written: ") as raised:
        local.growing_file(LOG).__enter__()
    assert "\n" not in str(raised.value)


@pytest.fixture
def refusing(remote, monkeypatch):
    """A store that takes no files."""

    def refuse(*_arguments, **_options):
        raise PermissionError("AccessDenied")

    monkeypatch.setattr(remote._files, "put_file", refuse)
    return remote


def test_a_grown_file_that_cannot_be_uploaded_is_a_warning_of_one_line(refusing, caplog):
    grow(refusing)
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert "1.log cannot be written: PermissionError Access" in record.getMessage()


def test_a_failure_is_told_rather_than_that_its_log_cannot_be_uploaded(refusing):
    with pytest.raises(KeyboardInterrupt):
        grow(refusing, KeyboardInterrupt)


# --- roots ------------------------------------------------------------------------------------


def test_a_root_that_cannot_be_written_is_one_line_that_names_it(tmp_path):
    root = tmp_path / "root"
    root.write_text("a file")
    kept = open_storage(str(root))
    line = f"[storage] root {root} cannot be written: Not a directory"
    with pytest.raises(StorageError) as raised:
        publish(kept)
    assert str(raised.value) == line
    with pytest.raises(StorageError) as raised:
        kept.write_json("source.json", {})
    assert str(raised.value) == line
    with pytest.raises(StorageError) as raised:
        kept.create_json("source.json", {})
    assert str(raised.value) == line


def test_a_root_with_an_unknown_protocol_is_one_line_that_names_it():
    with pytest.raises(StorageError, match=r"^\[storage\] root nope://bucket is not usable: .+$"):
        open_storage("nope://bucket")


def test_a_remote_root_that_cannot_be_asked_is_one_line(remote, monkeypatch):
    def refuse(*_arguments, **_options):
        raise ConnectionError("no route to host")

    for method in ("exists", "cat_file", "ls"):
        monkeypatch.setattr(remote._files, method, refuse)
    for question in (remote.exists, remote.read_json, remote.folders):
        with pytest.raises(StorageError) as raised:
            question(PLACE)
        where = f"{remote.root}/{PLACE}"
        assert str(raised.value) == (
            f"{where} cannot be read: ConnectionError no route to host; "
            "check [storage] root and the access to it"
        )


def test_a_download_that_broke_off_is_not_taken_for_the_file(remote, monkeypatch):
    remote.write_json("a/b.json", {"whole": True})
    get = remote._files.get

    def broken(_source, target, **_options):
        Path(target).write_text("{")
        raise ConnectionError("reset")

    monkeypatch.setattr(remote._files, "get", broken)
    with pytest.raises(StorageError):
        remote.local_file("a/b.json")
    monkeypatch.setattr(remote._files, "get", get)
    assert json.loads(remote.local_file("a/b.json").read_text()) == {"whole": True}


def test_a_store_that_refuses_to_be_written_is_one_line(remote, monkeypatch):
    def refuse(*_arguments, **_options):
        raise PermissionError("AccessDenied")

    monkeypatch.setattr(remote._files, "pipe_file", refuse)
    with pytest.raises(StorageError, match=r"cannot be written: PermissionError AccessDenied"):
        remote.write_json("a.json", {})


def test_a_local_root_may_be_a_url(tmp_path):
    publish(open_storage(f"file://{tmp_path}/root"), rows=7)
    assert Output(open_storage(f"{tmp_path}/root"), PLACE).manifest()["rows"] == 7


def test_a_slash_at_the_end_of_a_root_does_not_matter(kept):
    publish(kept, rows=7)
    output = Output(open_storage(f"{kept.root}/"), PLACE)
    assert output.manifest()["rows"] == 7
    assert str(output) == str(Output(kept, PLACE))


def test_a_root_is_opened_once_in_a_process_and_anew_in_another(tmp_path, monkeypatch):
    root = str(tmp_path)
    first = open_storage(root)
    assert open_storage(root) is first
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert open_storage(root) is not first


# --- files ------------------------------------------------------------------------------------


def test_a_files_sha256_is_that_of_its_content(tmp_path):
    file = tmp_path / "abc"
    file.write_bytes(b"abc")
    assert sha256(file) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_the_files_of_a_folder_are_described_by_their_relative_names(tmp_path):
    for name, content in CONTENTS.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    (tmp_path / "empty").mkdir()
    assert describe_files(tmp_path) == {
        name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in CONTENTS.items()
    }


def test_json_is_written_for_people_in_the_order_given():
    assert storage.to_json({"b": 1, "a": [2]}) == '{\n  "b": 1,\n  "a": [\n    2\n  ]\n}\n'
