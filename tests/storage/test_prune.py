"""What outputs were made of is followed to its end, and what is removed is gone for good."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from outputs import HOME, KEY, everything, publish

from taxi_pipeline.identity import Identity
from taxi_pipeline.month import Month
from taxi_pipeline.storage import Output, layout, prune
from taxi_pipeline.storage.inventory import TaskDir
from taxi_pipeline.storage.prune import Contents, Made

FOLDER = TaskDir("transform", "green", Month(2021, 1), "", ())


def key_of(number):
    return f"{number:016x}"


def made(number, inputs=()):
    identity = Identity("Task", {}, "1", {}, {f"input {n}": key_of(n) for n in inputs})
    return Made(FOLDER, key_of(number), {"identity": asdict(identity)})


@st.composite
def contents(draw):
    """Outputs of which each was made of some before it, a few of which are gone."""
    count = draw(st.integers(0, 8))
    outputs = [
        made(n, draw(st.sets(st.integers(0, n - 1), max_size=3)) if n else ()) for n in range(count)
    ]
    gone = draw(st.sets(st.integers(0, 8), max_size=2))
    return Contents((), [output for n, output in enumerate(outputs) if n not in gone])


@st.composite
def contents_with_roots(draw):
    drawn = draw(contents())
    return drawn, draw(st.sets(st.sampled_from(drawn.outputs))) if drawn.outputs else set()


def inputs_of(drawn, output):
    return {found for key in output.inputs.values() for found in drawn.by_key.get(key, ())}


@given(contents_with_roots())
def test_whatever_an_output_was_made_of_is_reached_with_it(case):
    drawn, roots = case
    reached = drawn.with_inputs(roots)
    assert roots <= reached <= set(drawn.outputs)
    assert all(inputs_of(drawn, output) <= reached for output in reached)


@given(contents_with_roots())
def test_nothing_is_reached_that_nothing_was_made_of(case):
    drawn, roots = case
    reached = drawn.with_inputs(roots)
    for output in reached - roots:
        assert any(output in inputs_of(drawn, other) for other in reached)


@given(contents_with_roots(), st.data())
def test_what_is_reached_from_two_is_reached_from_one_of_them(case, data):
    drawn, roots = case
    some = data.draw(st.sets(st.sampled_from(sorted(roots, key=str)))) if roots else set()
    both = drawn.with_inputs(some) | drawn.with_inputs(roots - some)
    assert drawn.with_inputs(roots) == both
    assert drawn.with_inputs(both) == both


@given(contents_with_roots())
def test_each_output_goes_before_what_it_was_made_of(case):
    drawn, roots = case
    order = prune.downstream_first(drawn, roots)
    assert len(order) == len(roots)
    assert set(order) == roots
    for place, output in enumerate(order):
        assert not (drawn.with_inputs([output]) - {output}) & set(order[:place])


def test_outputs_are_read_with_what_they_were_made_of(kept):
    identity = Identity("TransformTrips", {}, "1", {}, {"IngestTrips": KEY})
    publish(kept, identity=asdict(identity), finished="2021-02-03T04:05:06+00:00", seconds=7)
    kept.write_json(f"{HOME}/{'f' * 16}/{layout.MANIFEST}", [])
    found, damaged = prune.read(kept).outputs
    assert found.identity == identity
    assert found.inputs == {"IngestTrips": KEY}
    assert found.finished == datetime(2021, 2, 3, 4, 5, 6, tzinfo=UTC)
    assert found.seconds == 7
    assert (damaged.identity, damaged.inputs, damaged.finished) == (None, {}, None)


def test_nothing_is_read_that_a_link_out_of_the_root_leads_to(local, tmp_path):
    publish(local)
    Path(local.uri(HOME)).rename(tmp_path / "outside")
    Path(local.uri(HOME)).symlink_to(tmp_path / "outside")
    assert prune.read(local).outputs == []


def test_an_output_is_removed_with_its_log_and_the_link_to_it(kept):
    log, other = f"{HOME}/logs/1.log", f"{HOME}/logs/2.log"
    kept.write_json(log, {})
    kept.write_json(other, {})
    publish(kept, log=log)
    kept.link_latest(HOME, KEY)
    (output,) = prune.read(kept).outputs
    removal = prune.of_output(kept, output, "why")
    assert removal.size == sum(kept.file_sizes(output.location).values())
    prune.remove(kept, [removal])
    assert [path.partition("/root/")[2] for path in everything(kept)] == [other]
    assert kept.latest_key(HOME) is None


@pytest.mark.parametrize("log", [f"{HOME}/logs/../../x.log", "elsewhere/logs/1.log", "", 5])
def test_nothing_is_removed_as_a_log_that_is_none(kept, log):
    publish(kept, log=log)
    (output,) = prune.read(kept).outputs
    assert prune.of_output(kept, output, "why").logs == ()


def test_a_link_to_another_output_stays(local):
    publish(local)
    publish(local, place=f"{HOME}/{'f' * 16}", key="f" * 16)
    local.link_latest(HOME, KEY)
    _, other = prune.read(local).outputs
    prune.remove(local, [prune.of_output(local, other, "why")])
    assert local.latest_key(HOME) == KEY
    assert Output(local, f"{HOME}/{KEY}").exists()


def test_what_was_set_aside_is_listed_by_when_that_was(kept):
    publish(kept)
    kept.set_aside(f"{HOME}/{KEY}")
    kept.write_json(".damaged/ingest/green/2021-01/source-1.json.89abcdef", {})
    kept.write_json(".damaged/notes.txt", {})
    now = datetime.now(UTC)
    long_ago, today = (list(prune.of_damaged(kept, now + timedelta(days=n))) for n in (-1, 1))
    assert [removal.location for removal in long_ago] == [
        ".damaged/ingest/green/2021-01/source-1.json.89abcdef"
    ]
    assert len(today) == 2
    assert today[1].reason == f"set aside as damaged on {now:%Y-%m-%d}"
    prune.remove(kept, today)
    assert [path.partition("/root/")[2] for path in everything(kept)] == [".damaged/notes.txt"]


def test_it_is_known_when_the_last_trial_of_a_search_was_written(kept):
    trials = f"tune/green/2021-01/trip-w1/trials-{KEY}"
    assert prune.last_written(kept, trials) is None
    before = datetime.now(UTC) - timedelta(seconds=2)
    kept.write_json(f"{trials}/00001.json", {})
    assert before < prune.last_written(kept, trials) <= datetime.now(UTC)
