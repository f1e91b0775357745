"""What holds for a storage of either kind: publishing, reading, JSON."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from outputs import CONTENTS, HOME, KEY, PLACE, assert_whole, at_once, everything, fill, publish

from taxi_pipeline.errors import DamagedOutput, StorageError
from taxi_pipeline.storage import MANIFEST, Output, open_storage

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def test_nothing_is_there_at_first(kept):
    output = Output(kept, PLACE)
    assert not output.exists()
    assert kept.list_dirs("") == kept.list_dirs(HOME) == []
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
        assert kept.list_dirs(HOME) == []


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


def test_a_folder_without_manifest_is_set_aside_for_a_local_output(local, caplog):
    blocked = Path(local.uri(PLACE))
    blocked.mkdir(parents=True)
    (blocked / "trips.parquet").write_bytes(b"half")
    publish(local)
    assert_whole(Output(local, PLACE))
    (aside,) = Path(local.uri(".damaged")).rglob("trips.parquet")
    assert aside.read_bytes() == b"half"
    assert str(aside.parent) in caplog.text


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


def test_only_folders_are_listed_sorted(kept):
    publish(kept, place=f"{HOME}/b")
    publish(kept, place=f"{HOME}/a")
    kept.write_json(f"{HOME}/source.json", {})
    assert kept.list_dirs(HOME) == ["a", "b"]


def test_a_folder_published_meanwhile_is_listed(kept):
    publish(kept, place=f"{HOME}/a")
    assert kept.list_dirs(HOME) == ["a"]
    publish(kept, place=f"{HOME}/b")
    assert kept.list_dirs(HOME) == ["a", "b"]


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
def test_damaged_json_is_one_line_that_names_the_file(kept, content):
    publish(kept, {"broken.json": content})
    with pytest.raises(DamagedOutput) as raised:
        kept.read_json(f"{PLACE}/broken.json")
    line = str(raised.value)
    assert line.startswith(f"{kept.uri(PLACE)}/broken.json is damaged: it is ")
    assert "\n" not in line


# --- what verify and prune need -------------------------------------------------------------------


def test_a_file_is_read_as_it_is(kept):
    publish(kept)
    with kept.open_file(f"{PLACE}/trips.parquet") as file:
        assert file.read(3) == b"PAR"
        assert file.read() == b"1"


def test_a_file_that_is_not_there_cannot_be_opened(kept):
    with pytest.raises(StorageError, match=f"{PLACE}/nothing cannot be read"):
        kept.open_file(f"{PLACE}/nothing").__enter__()


def test_it_is_known_when_a_file_was_written(kept):
    before = datetime.now(UTC) - timedelta(seconds=2)
    publish(kept)
    assert before < kept.modified(f"{PLACE}/trips.parquet") <= datetime.now(UTC)
    assert kept.modified(f"{PLACE}/nothing") is None


def test_what_is_removed_is_gone_and_nothing_else(kept):
    publish(kept)
    kept.write_json(f"{HOME}/logs/1.log", {})
    kept.write_json(f"{HOME}/logs/2.log", {})
    kept.remove(PLACE)
    kept.remove(PLACE)
    kept.remove(f"{HOME}/logs/1.log")
    kept.remove("nowhere/at/all")
    assert [path.partition("/root/")[2] for path in everything(kept)] == [f"{HOME}/logs/2.log"]


def test_an_output_whose_removal_was_interrupted_is_none(kept, monkeypatch):
    publish(kept)

    def interrupt(*_, **options):
        if options.get("recursive", True):
            raise KeyboardInterrupt

    if hasattr(kept, "_files"):
        remove = kept._files.rm
        monkeypatch.setattr(
            kept._files, "rm", lambda path, **how: interrupt(**how) or remove(path, **how)
        )
    else:
        monkeypatch.setattr("shutil.rmtree", interrupt)
    with pytest.raises(KeyboardInterrupt):
        kept.remove(PLACE)
    monkeypatch.undo()
    assert not Output(kept, PLACE).exists()
    assert not kept.exists(f"{PLACE}/{MANIFEST}")


def test_an_output_that_is_removed_can_be_published_again_and_read(kept):
    publish(kept)
    assert Output(kept, PLACE).file("trips.parquet").read_bytes() == b"PAR1"
    kept.remove(PLACE)
    publish(kept, {"trips.parquet": b"PAR2"})
    assert Output(kept, PLACE).file("trips.parquet").read_bytes() == b"PAR2"


def test_the_key_that_the_latest_link_names_is_known(local):
    publish(local)
    assert local.latest_key(HOME) is None
    local.link_latest(HOME, KEY)
    assert local.latest_key(HOME) == KEY


def test_a_link_that_is_removed_leaves_what_it_leads_to(local, tmp_path):
    publish(local)
    outside = tmp_path / "outside"
    Path(local.uri(HOME)).rename(outside)
    Path(local.uri(HOME)).symlink_to(outside)
    assert local.leads_outside(PLACE)
    local.remove(HOME)
    assert (outside / KEY / MANIFEST).exists()
    assert not Path(local.uri(HOME)).exists()


def test_nothing_under_the_root_leads_outside(kept):
    publish(kept)
    assert not kept.leads_outside(f"{PLACE}/trips.parquet")
    assert not kept.leads_outside("")


def test_a_file_is_removed_from_a_store_whose_folders_are_real(tmp_path):
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "1.log").write_text("made")
    open_storage(f"local://{tmp_path}").remove("logs/1.log")
    assert list((tmp_path / "logs").iterdir()) == []
