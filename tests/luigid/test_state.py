"""The scheduler's state in its file."""

import os
import pickle
import stat

import luigi.scheduler
import pytest

from taxi_pipeline.luigid import state

RETRY_DELAY = 900.0


class Evil:
    """What runs a command when it is unpickled."""

    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "state.pickle"


def known_state(**task):
    """The state of a scheduler that has been asked for a task and for what it requires."""
    scheduler = luigi.scheduler.Scheduler()
    scheduler.add_task(worker="w", task_id="A_1", family="A", params={"month": "1"}, deps=["B_1"])
    scheduler.add_worker("w", [["workers", 2]])
    scheduler.add_task_batcher("w", "A", ["month"])
    scheduler.get_work(worker="w", host="a.b")
    for name, value in task.items():
        setattr(scheduler._state.get_task("A_1"), name, value)
    return scheduler._state.get_state()


def told(known):
    tasks, workers, batchers = known
    return (
        {key: vars(task) for key, task in tasks.items()},
        {key: {**vars(one), "tasks": len(one.tasks)} for key, one in workers.items()},
        batchers,
    )


def refused(file, caplog):
    """The one line about a file that is set aside, and where it is."""
    before = file.read_bytes() if file.is_file() else None
    with caplog.at_level("WARNING"):
        assert state.read(file) is None
    assert not file.is_symlink()
    assert not file.exists()
    (aside,) = file.parent.glob("state.pickle.refused-*")
    assert before is None or aside.read_bytes() == before
    (record,) = caplog.records
    assert "\n" not in record.getMessage()
    assert aside.name in record.getMessage()
    return record.getMessage()


def test_a_state_is_read_as_it_was_written(file):
    known = known_state()
    state.write(file, known)
    assert told(state.read(file)) == told(known)


def test_a_state_of_luigis_own_scheduler_is_read(file):
    known = known_state()
    file.write_bytes(pickle.dumps(known))
    file.chmod(0o644)
    assert told(state.read(file)) == told(known)


def test_no_file_is_no_state(file):
    assert state.read(file) is None


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_nobody_else_may_read_or_write_the_file_whatever_the_umask(file, mask):
    before = os.umask(mask)
    try:
        state.write(file, known_state())
        state.write(file, known_state())
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["state.pickle"]


def test_what_a_killed_scheduler_was_writing_is_no_hindrance(file):
    file.with_suffix(".new").write_bytes(b"cut o")
    state.write(file, known_state())
    assert state.read(file)


# --- files of others -------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o660, 0o602, 0o666, 0o777])
def test_a_file_that_others_may_write_is_not_read(file, caplog, tmp_path, mode):
    file.write_bytes(pickle.dumps(Evil(f"touch {tmp_path}/executed")))
    file.chmod(mode)
    assert f"others may write it (mode {mode:o})" in refused(file, caplog)
    assert not (tmp_path / "executed").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_user_is_not_read(file, caplog):
    state.write(file, known_state())
    os.chown(file, 12345, 12345)
    assert "it belongs to another user (number 12345)" in refused(file, caplog)


def test_a_file_of_another_user_is_told_by_its_owner_alone(file, caplog, monkeypatch):
    state.write(file, known_state())
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    assert f"it belongs to another user (number {file.stat().st_uid})" in refused(file, caplog)


def test_a_link_to_a_file_is_not_followed(file, caplog, tmp_path):
    state.write(tmp_path / "other", known_state())
    file.symlink_to(tmp_path / "other")
    assert "it cannot be read" in refused(file, caplog)


def test_a_pipe_is_not_waited_for(file, caplog):
    os.mkfifo(file)
    assert "it is no file" in refused(file, caplog)


def test_a_folder_is_not_read(file, caplog):
    file.mkdir()
    assert "it is no file" in refused(file, caplog)


# --- other content ---------------------------------------------------------------------------


def test_a_pickle_that_runs_a_command_runs_none(file, caplog, tmp_path):
    file.write_bytes(pickle.dumps(Evil(f"touch {tmp_path}/executed")))
    assert "system" in refused(file, caplog)
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize(
    "content",
    [b"", b"\x80", b"not a pickle", b"\x00" * 100, b"cos\nsystem\n(S'true'\ntR.", b"\x80\x05N."],
    ids=str,
)
def test_what_is_no_state_is_set_aside(file, caplog, content):
    file.write_bytes(content)
    assert "the scheduler begins anew" in refused(file, caplog)


def test_a_state_that_is_cut_off_anywhere_is_set_aside(file, caplog):
    whole = pickle.dumps(known_state())
    for length in range(0, len(whole), 7):
        file.write_bytes(whole[:length])
        refused(file, caplog)
        caplog.clear()
        for aside in file.parent.glob("*.refused-*"):
            aside.unlink()


@pytest.mark.parametrize(
    "content",
    [
        *(7, "state", {}, (), ({},), ({}, {}, {}, {}), ([], {}), ({}, []), ({"A": 1}, {}, {})),
        *(({}, {"w": {}}, {}), ({}, {}, []), ({}, {"w": luigi.scheduler.Task("A", "DONE", [])})),
        ({"A": luigi.scheduler.Task}, {}, {}),
    ],
    ids=lambda content: str(content)[:30],  # a task's text has the time in it,
)
def test_data_of_another_form_is_set_aside(file, caplog, content):
    file.write_bytes(pickle.dumps(content))
    refused(file, caplog)


def test_several_files_that_are_set_aside_are_all_kept(file):
    for _ in range(3):
        file.write_bytes(b"not a pickle")
        assert state.read(file) is None
    assert len(list(file.parent.iterdir())) == 3


# --- repair ----------------------------------------------------------------------------------


def test_a_state_that_is_well_is_not_changed(caplog):
    known = known_state(tracking_url="http://a/", status_message="trial 1/2, best 5.1")
    before = told(known)
    assert told(state.repair(known, RETRY_DELAY)) == before
    assert not caplog.records


def test_a_failed_task_without_a_time_to_try_it_again_gets_one(caplog):
    tasks, _, _ = state.repair(known_state(status="FAILED"), RETRY_DELAY)
    task = tasks["A_1"]
    assert task.retry == pytest.approx(task.updated + RETRY_DELAY, abs=60)
    (record,) = caplog.records
    assert "a failed task without a time to try it again (1)" in record.getMessage()


def test_links_and_lines_that_hold_scripts_are_mended():
    known = known_state(tracking_url="javascript:alert(1)", status_message="<script>")
    tasks, _, _ = state.repair(known, RETRY_DELAY)
    assert tasks["A_1"].tracking_url is None
    assert tasks["A_1"].status_message == "\u2039script\u203a"


@pytest.mark.parametrize(
    "wrong",
    [
        *({"family": "<script>"}, {"id": "<script>"}, {"priority": "high"}, {"status": "<b>"}),
        *({"resources": {"<b>": 1}}, {"params": {"a": []}}, {"deps": None}, {"deps": {"<b>"}}),
    ],
    ids=str,
)
def test_a_task_that_would_break_the_page_is_removed_with_a_line(caplog, wrong):
    tasks, workers, _ = state.repair(known_state(**wrong), RETRY_DELAY)
    assert list(tasks) == ["B_1"]
    assert workers["w"].tasks == set()
    (record,) = caplog.records
    assert "a task that makes no sense (1)" in record.getMessage()


def test_a_worker_that_would_break_the_page_is_removed_with_a_line(caplog):
    known = known_state()
    known[1]["w"].info["name"] = "twice"
    _, workers, _ = state.repair(known, RETRY_DELAY)
    assert workers == {}
    assert "a worker that makes no sense (1)" in caplog.text
