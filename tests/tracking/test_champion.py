"""What people decide holds, whatever is registered, moved by hand or interrupted meanwhile."""

import contextlib
import tempfile
from types import SimpleNamespace

import mlflow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from registries import MemoryRegistry

from taxi_pipeline.errors import TrackingError
from taxi_pipeline.evaluation.champions import Verdict
from taxi_pipeline.month import Month
from taxi_pipeline.storage import open_storage
from taxi_pipeline.tracking.aliases import move_aliases
from taxi_pipeline.tracking.champion import promote_version, set_pin
from taxi_pipeline.tracking.ledger import Ledger

NAME = "nyc-green-taxi-duration-linear"
JANUARY = Month(2021, 1)


class Killed(BaseException):
    """The process is ended here."""


class World:
    """A registry in memory and a ledger, which an action may be killed at any write of."""

    def __init__(self, folder):
        self.registry = MemoryRegistry()
        self.ledger = Ledger(open_storage(folder), NAME, "the registry")
        self._left = None
        storage = self.ledger.storage
        write = storage.write_json_exclusive

        def write_json_exclusive(location, content):
            self._count(location)
            written = write(location, content)
            self._count(location)
            return written

        storage.write_json_exclusive = write_json_exclusive
        self.registry.on_write = self._count

    def _count(self, _name):
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                raise Killed

    @contextlib.contextmanager
    def killed_after(self, writes):
        """Within, the process is ended before the next write, or after some."""
        self._left = writes
        with contextlib.suppress(Killed):
            yield
        self._left = None

    # A server, as far as what people do needs one.

    @contextlib.contextmanager
    def client(self):
        yield self.registry

    def lock(self, _what):
        return contextlib.nullcontext()

    # What happens.

    def register(self, version, *, promote=True):
        return self.decide(version, promote=promote).text

    def decide(self, version, *, promote=True):
        if version not in self.registry.versions:
            self.registry.add(version, str(JANUARY + int(version)))
        candidate = SimpleNamespace(
            key=f"key {version}",
            model_name=NAME,
            month=JANUARY + int(version),
            metrics={"rmse": 5.5},
        )
        verdict = Verdict(promote, "it is good")
        decision, _ = move_aliases(self.registry, self.ledger, candidate, version, verdict)
        return decision

    def promote(self, version):
        return promote_version(self, self.ledger, version, "it is better")

    def pin(self, *, pinned=True):
        return set_pin(self, self.ledger, pinned=pinned, reason="holidays")

    # What there is.

    @property
    def champion(self):
        return self.ledger.read().version

    @property
    def alias(self):
        return self.registry.aliases.get("champion", "")

    @property
    def actions(self):
        return [change.action for change in self.ledger.read().changes]


@pytest.fixture
def world(tmp_path, monkeypatch):
    monkeypatch.setattr("taxi_pipeline.tracking.ledger.user_and_host", lambda: "ana@host")
    monkeypatch.setattr("taxi_pipeline.tracking.champion.user_and_host", lambda: "ana@host")
    return World(str(tmp_path))


@pytest.fixture
def rolled_back(world):
    """Version 2 served, and version 1 does again."""
    world.register("1")
    world.register("2")
    world.promote("1")
    return world


def test_each_registration_that_is_promoted_is_a_change(world):
    world.register("1")
    world.register("2")
    world.register("2")
    first, second = world.ledger.read().changes
    assert (first.action, first.from_version, first.to_version) == ("promoted", "", "1")
    assert (second.action, second.from_version, second.to_version) == ("promoted", "1", "2")
    assert (second.candidate_key, second.training_month, second.rmse) == ("key 2", "2021-03", 5.5)
    assert second.why == "it is good"
    assert world.alias == "2"


def test_a_candidate_that_is_not_promoted_is_no_change(world):
    world.register("1", promote=False)
    assert world.actions == []


def test_an_older_version_that_a_person_promotes_is_a_rollback_and_is_pinned(rolled_back):
    champion = rolled_back.ledger.read().champion
    assert (champion.version, rolled_back.alias) == ("1", "1")
    assert champion.since.action == "rolled back"
    assert champion.pin == champion.since
    tag = rolled_back.registry.versions["1"].tags["decision"]
    assert tag == "champion: rolled back by ana@host (it is better)"


def test_a_newer_version_that_a_person_promotes_is_pinned_too(world):
    world.register("1")
    world.register("2", promote=False)
    change = world.promote("2")
    assert (change.action, change.pinned, world.alias) == ("promoted", True, "2")


def test_promoting_the_champion_again_is_no_change(rolled_back):
    before = rolled_back.ledger.read()
    assert rolled_back.promote("1") == before.changes[-1]
    assert rolled_back.ledger.read() == before


def test_a_rollback_holds_against_later_registrations_which_say_so(rolled_back):
    today = f"{rolled_back.ledger.read().changes[-1].when:%Y-%m-%d}"
    pin = f"version 1 is pinned since {today} by ana@host (it is better)"
    for version in ("2", "3"):
        assert rolled_back.register(version) == f"not champion: {pin}"
        assert rolled_back.registry.versions[version].tags["decision"] == f"not champion: {pin}"
    assert rolled_back.register("1") == f"champion: {pin}"
    assert (rolled_back.champion, rolled_back.alias) == ("1", "1")


def test_once_the_pin_is_lifted_the_next_candidate_competes(rolled_back):
    assert rolled_back.pin(pinned=False)
    assert rolled_back.champion == "1"
    assert rolled_back.register("3") == "champion: it is good"
    assert (rolled_back.champion, rolled_back.alias) == ("3", "3")


def test_pinning_twice_is_one_change(world):
    world.register("1")
    assert world.pin()
    assert not world.pin()
    assert world.actions == ["promoted", "pinned"]
    assert world.pin(pinned=False)
    assert not world.pin(pinned=False)
    assert world.actions == ["promoted", "pinned", "unpinned"]


def test_without_a_champion_there_is_nothing_to_pin(world):
    world.register("1", promote=False)
    with pytest.raises(
        TrackingError, match=f"{NAME} has no champion: taxi-pipeline champion rollback"
    ):
        world.pin()


def test_a_version_that_is_not_there_cannot_be_promoted(rolled_back):
    with pytest.raises(TrackingError, match=f"^{NAME} has no version 9: there are 1, 2$"):
        rolled_back.promote("9")


def test_a_version_whose_model_was_deleted_cannot_be_promoted(rolled_back, monkeypatch):
    monkeypatch.setattr("taxi_pipeline.tracking.champion.has_model", lambda *_: False)
    with pytest.raises(TrackingError, match=f"^version 2 of {NAME} cannot serve: "):
        rolled_back.promote("2")


# --- moves by hand --------------------------------------------------------------------------------


def test_an_alias_moved_by_hand_is_written_down_and_not_moved_back(world):
    for version in "123":
        world.register(version)
    world.registry.aliases["champion"] = "2"
    world.register("3", promote=False)
    change = world.ledger.read().changes[-1]
    assert (change.action, change.from_version, change.to_version) == ("moved by hand", "3", "2")
    assert (world.champion, world.alias) == ("2", "2")


def test_the_next_candidate_competes_with_a_version_that_was_moved_by_hand(rolled_back):
    rolled_back.registry.aliases["champion"] = "2"
    assert rolled_back.register("3") == "champion: it is good"
    assert rolled_back.actions[-2:] == ["moved by hand", "promoted"]


def test_an_alias_deleted_by_hand_is_written_down(rolled_back):
    del rolled_back.registry.aliases["champion"]
    rolled_back.register("3", promote=False)
    assert rolled_back.actions[-1] == "moved by hand"
    assert (rolled_back.champion, rolled_back.alias) == ("", "")


def test_a_champion_from_before_there_was_a_ledger_is_kept(world):
    for version in "12":
        world.registry.add(version, "2021-03")
    world.registry.aliases["champion"] = "2"
    world.register("1", promote=False)
    assert world.actions == ["found"]
    assert (world.champion, world.alias) == ("2", "2")


def test_an_alias_moved_elsewhere_after_a_kill_stays_where_it_was_moved(world):
    for version in "123":
        world.register(version, promote=version == "3")
    with world.killed_after(3):
        world.promote("1")
    assert not world.ledger.read().is_confirmed
    world.registry.aliases["champion"] = "2"
    world.register("3")
    assert world.actions == ["promoted", "rolled back", "moved by hand", "promoted"]


def test_a_version_that_was_deleted_after_a_kill_does_not_become_champion(world):
    for version in "12":
        world.register(version)
    with world.killed_after(3):
        world.promote("1")
    world.registry.delete("1")
    world.register("2", promote=False)
    assert (world.champion, world.alias) == ("2", "2")


# --- kills ----------------------------------------------------------------------------------------

ACTIONS = {
    "registration": lambda world: world.register("2"),
    "rollback": lambda world: world.promote("1"),
    "pin": lambda world: world.pin(),
    "unpin": lambda world: world.pin(pinned=False),
}


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("writes", range(9))
def test_the_same_command_after_a_kill_at_any_write_ends_with_one_change(world, action, writes):
    world.register("1")
    if action == "rollback":
        world.register("3")
    if action == "unpin":
        world.pin()
    before = world.actions
    with world.killed_after(writes):
        ACTIONS[action](world)
    ACTIONS[action](world)
    history = world.ledger.read()
    assert history.is_confirmed
    assert world.champion == world.alias == ("2" if action == "registration" else "1")
    expected = {"registration": "promoted", "rollback": "rolled back"}.get(action, f"{action}ned")
    assert world.actions == [*before, expected]


def test_a_registration_that_completes_a_killed_one_says_that_it_promoted(world):
    with world.killed_after(2):
        world.register("1")
    assert world.ledger.interrupted()
    assert world.alias == ""
    decision = world.decide("1")
    assert decision.promoted
    assert world.alias == "1"


def test_a_registration_that_completes_a_killed_pin_has_promoted_nothing(world):
    world.register("1")
    with world.killed_after(2):
        world.pin()
    assert world.ledger.interrupted()
    assert not world.decide("1").promoted


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["register", "refuse", "promote", "pin", "unpin", "by hand", "delete"]),
        st.sampled_from("1234"),
        st.none() | st.integers(0, 8),
    ),
    max_size=10,
)


@settings(max_examples=100)
@given(STEPS)
def test_ledger_and_alias_agree_after_whatever_happened(steps):
    with tempfile.TemporaryDirectory() as folder:
        world = World(folder)
        for step, version, writes in steps:
            with world.killed_after(writes) if writes is not None else contextlib.nullcontext():
                _happen(world, step, version)
        _settle(world)

        history = world.ledger.read()
        assert history.is_confirmed
        held = world.alias if world.alias in world.registry.versions else ""
        assert history.version == held
        changes = history.changes
        assert [change.number for change in changes] == list(range(1, len(changes) + 1))
        serving = ""
        for change in changes:
            assert change.from_version == serving
            serving = change.to_version


@settings(max_examples=100)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["register", "refuse"]),
            st.sampled_from("1234"),
            st.none() | st.integers(0, 8),
        ),
        max_size=8,
    )
)
def test_no_sequence_of_registrations_replaces_what_a_person_has_chosen(steps):
    with tempfile.TemporaryDirectory() as folder:
        world = World(folder)
        world.register("2")
        world.register("3")
        world.promote("2")
        before = world.ledger.read()
        for step, version, writes in steps:
            with world.killed_after(writes) if writes is not None else contextlib.nullcontext():
                _happen(world, step, version)
        assert world.ledger.read() == before
        assert world.alias == "2"


def _happen(world, step, version):
    there = version in world.registry.versions
    if step in {"register", "refuse"}:
        world.register(version, promote=step == "register")
    elif step in {"pin", "unpin"}:
        with contextlib.suppress(TrackingError):  # nobody serves
            world.pin(pinned=step == "pin")
    elif step == "by hand":
        if there:
            world.registry.aliases["champion"] = version
        else:
            world.registry.aliases.pop("champion", None)
    elif there and step == "promote":
        world.promote(version)
    elif there:
        world.registry.delete(version)


def _settle(world):
    """A further registration, which brings ledger and registry together."""
    world.register("1", promote=False)


# --- MLflow ---------------------------------------------------------------------------------------


def test_a_rollback_in_mlflow_moves_the_alias_and_knows_the_versions_figures(
    copy, server, ledger, client
):
    copy()
    copy(key="newer", month=Month(2021, 3))
    change = promote_version(server, ledger, "1", "it is better")
    assert (change.action, change.training_month, change.rmse) == ("rolled back", "2021-01", 5.5)
    assert change.candidate_key == "a key"
    assert str(client.get_model_version_by_alias(NAME, "champion").version) == "1"
    third = copy(key="third", month=Month(2021, 4))
    assert third.aliases == ("challenger",)
    assert third.decision.startswith("not champion: version 1 is pinned since ")
    assert client.get_model_version(NAME, "3").tags["decision"] == third.decision


def test_a_model_that_was_never_registered_cannot_be_promoted(server, ledger):
    with pytest.raises(TrackingError, match=f"there is no registered model {NAME}: the task Reg"):
        promote_version(server, ledger, "1", "why not")


CALLS = ["set_registered_model_alias", "set_model_version_tag"]


@pytest.mark.parametrize("call", CALLS)
def test_a_rollback_that_was_interrupted_is_completed(copy, server, ledger, monkeypatch, call):
    copy()
    copy(key="newer", month=Month(2021, 3))

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(mlflow.MlflowClient, call, interrupted)
        with pytest.raises(KeyboardInterrupt):
            promote_version(server, ledger, "1", "it is better")
    change = promote_version(server, ledger, "1", "it is better")
    assert change.to_version == "1"
    assert len(ledger.read().changes) == 3
    with server.client() as client:
        assert str(client.get_registered_model(NAME).aliases["champion"]) == "1"
