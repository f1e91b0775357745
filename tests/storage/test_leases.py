"""What a run works on is known to a removal, and of two that begin at once one sees the other."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from outputs import at_once, everything
from processes import python

from taxi_pipeline.errors import StorageError
from taxi_pipeline.processes import own_name
from taxi_pipeline.storage import layout, leases

HERE, THERE = "transform/green/2021-01", "transform/green/2021-02"


@pytest.fixture
def held(kept):
    holder = leases.Holder(kept)
    yield holder
    holder.release()


def write_lease(storage, name, renewed, **content):
    storage.write_json(
        layout.running_file(name), {"renewed": renewed.isoformat(), "removes": False, **content}
    )


def test_a_lease_stands_for_everything_until_its_folders_are_known(kept, held):
    assert leases.live(kept) == []
    held.cover({HERE})
    (lease,) = leases.live(kept)
    assert lease.covers(HERE)
    assert lease.covers(THERE)
    held.narrow({HERE})
    (lease,) = leases.live(kept)
    assert lease.covers(HERE)
    assert not lease.covers(THERE)
    held.cover({THERE})
    (lease,) = leases.live(kept)
    assert lease.covers(THERE)


def test_nothing_is_left_of_a_lease_that_was_released(kept, held):
    held.cover(())
    held.release()
    held.release()
    assert leases.live(kept) == []
    assert everything(kept) == []


def test_a_lease_that_is_known_to_cover_a_folder_is_not_written_again(kept, held, monkeypatch):
    held.cover(())
    held.narrow({HERE})
    monkeypatch.setattr(type(kept), "write_json", None)
    held.cover({HERE})


def test_the_lease_of_a_process_that_was_killed_is_removed(local, tmp_path):
    code = (
        "import os, sys\n"
        "from taxi_pipeline.storage import leases, open_storage\n"
        "leases.Holder(open_storage(sys.argv[1])).cover(())\n"
        "os._exit(9)"
    )
    assert python(tmp_path, "-c", code, local.root).returncode == 9
    assert len(everything(local)) == 1
    assert leases.live(local) == []
    assert everything(local) == []


@pytest.mark.parametrize(("hours", "lives"), [(1, True), (23, True), (25, False)])
def test_a_lease_of_another_machine_counts_for_a_day_after_its_renewal(kept, hours, lives):
    renewed = datetime.now(UTC) - timedelta(hours=hours)
    write_lease(kept, "another-machine-12-" + "0" * 32, renewed, task_dirs=[HERE])
    assert [lease.covers(HERE) for lease in leases.live(kept)] == [True] * lives


def test_a_lease_is_renewed_while_it_is_held(kept, held, monkeypatch):
    monkeypatch.setattr(leases, "RENEW_SECONDS", 0.01)
    written = threading.Event()
    write = type(kept).write_json

    def note(*arguments):
        write(*arguments)
        if threading.current_thread().name == "lease":
            written.set()

    monkeypatch.setattr(type(kept), "write_json", note)
    held.cover(())
    assert written.wait(10)


def test_a_lease_that_cannot_be_read_stands_for_everything(local):
    write_lease(local, own_name(), datetime.now(UTC), task_dirs=[])
    (file,) = everything(local)
    with open(file, "w") as damaged:  # noqa: PTH123
        damaged.write("{")
    (lease,) = leases.live(local)
    assert lease.covers(HERE)


@pytest.mark.parametrize(
    "content",
    [[], "text", {"renewed": "yesterday"}, {"renewed": None, "task_dirs": "all"}],
    ids=["list", "text", "no time", "no folders"],
)
def test_a_lease_that_makes_no_sense_stands_for_everything(local, content):
    local.write_json(layout.running_file("elsewhere-1-abc"), content)
    (lease,) = leases.live(local)
    assert lease.covers(HERE)
    assert not lease.removes


def test_a_time_without_a_zone_counts_too(local):
    renewed = datetime.now(UTC) - timedelta(days=3)
    write_lease(local, "elsewhere-1-abc", renewed.replace(tzinfo=None))
    assert leases.live(local) == []


def test_the_lease_of_a_process_that_ended_does_no_harm_where_nothing_can_be_written(
    local, monkeypatch
):
    write_lease(local, "elsewhere-1-abc", datetime.now(UTC) - timedelta(days=3))

    def refuse(*_):
        raise StorageError("it is read-only")

    monkeypatch.setattr(type(local), "remove", refuse)
    assert leases.live(local) == []


def test_a_run_waits_for_a_removal_to_end(kept, held, monkeypatch):
    begun, ended = threading.Event(), threading.Event()
    seen = []

    def remove():
        with leases.removal(kept):
            begun.set()
            ended.wait(10)
            seen.append("removed")

    def run():
        begun.wait(10)
        threading.Timer(0.2, ended.set).start()
        held.cover(())
        seen.append("planned")

    at_once(remove, run)
    assert seen == ["removed", "planned"]


def test_a_run_does_not_wait_for_ever(kept, held, monkeypatch):
    monkeypatch.setattr(leases, "WAIT_SECONDS", 0.0)
    with leases.removal(kept), pytest.raises(StorageError, match=r"end it, or remove .*\.running/"):
        held.cover(())


def test_a_removal_waits_until_a_run_is_planned_and_is_told_its_folders(kept, held):
    held.cover(())
    threading.Timer(0.2, held.narrow, [{HERE}]).start()
    with leases.removal(kept) as others:
        assert [lease.covers(HERE) for lease in others] == [True]
        assert [lease.covers(THERE) for lease in others] == [False]
    assert all(not lease.removes for lease in leases.live(kept))


def test_a_removal_does_not_wait_for_ever(kept, held, monkeypatch):
    monkeypatch.setattr(leases, "WAIT_SECONDS", 0.0)
    held.cover(())
    with pytest.raises(StorageError, match="prune when it has ended"):
        leases.removal(kept).__enter__()
    assert len(leases.live(kept)) == 1


@pytest.mark.parametrize("attempt", range(20))
def test_a_run_and_a_removal_that_begin_at_once_never_miss_each_other(kept, attempt):
    """Either the run is planned after the removal, or the removal knows of the run."""
    removing, known, overlapped = threading.Event(), [], []
    run = leases.Holder(kept)

    def work():
        run.cover(())
        if removing.is_set():
            overlapped.append("planned while a removal went on")
        run.narrow({HERE})

    def remove():
        with leases.removal(kept) as others:
            known.extend(others)
            if not others:
                removing.set()
                threading.Event().wait(0.05)
                removing.clear()

    at_once(work, remove)
    run.release()
    assert overlapped == []


def test_a_run_ends_well_although_its_lease_cannot_be_removed(kept, held, monkeypatch, caplog):
    held.cover(())

    def fail(*_):
        raise StorageError("the store is gone")

    monkeypatch.setattr(type(kept), "remove", fail)
    held.release()
    assert caplog.messages == ["the store is gone"]
    monkeypatch.undo()
    for lease in leases.live(kept):
        kept.remove(f"{layout.RUNNING}/{lease.name}")


def test_a_lease_that_a_stopped_thread_was_writing_is_released_all_the_same(kept):
    holder = leases.Holder(kept)
    holder.cover(())
    holder._lock.acquire()
    holder.release(patience=0.01)
    assert leases.live(kept) == []
