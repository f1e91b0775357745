"""What there is under a root is found, and nothing else is taken for an output."""

from outputs import KEY, publish

from taxi_pipeline.month import Month
from taxi_pipeline.storage.inventory import TaskDir, task_dirs

OTHER = "f" * 16


def test_an_empty_root_has_nothing(kept):
    assert list(task_dirs(kept)) == []


def test_outputs_are_found_by_stage_taxi_month_and_variant(kept):
    publish(kept, place=f"transform/green/2021-01/{KEY}")
    publish(kept, place=f"transform/green/2021-01/{OTHER}")
    publish(kept, place=f"train/yellow/2023-02/trip-w1/{KEY}")
    kept.write_json("train/yellow/2023-02/trip-w1/logs/1.log", {})
    found = list(task_dirs(kept))
    assert [(folder.location, folder.keys) for folder in found] == [
        ("train/yellow/2023-02/trip-w1", [KEY]),
        ("transform/green/2021-01", [KEY, OTHER]),
    ]
    train = found[0]
    assert (train.stage, train.taxi, train.month) == ("train", "yellow", Month(2023, 2))
    assert train.variant == "trip-w1"
    assert train.output(kept, KEY).manifest()["key"] == KEY


def test_searches_are_found_by_their_trials(kept):
    kept.write_json(f"tune/green/2021-01/trip-w1/trials-{OTHER}/00001.json", {})
    (found,) = task_dirs(kept)
    assert found == TaskDir("tune", "green", Month(2021, 1), "trip-w1", (f"trials-{OTHER}",))
    assert found.searches == [OTHER]
    assert found.keys == []


def test_what_is_no_output_is_passed_over(kept):
    publish(kept, place=f".damaged/transform/green/2021-01/{KEY}")
    publish(kept, place=f"mlflow/artifacts/1/{KEY}")
    publish(kept, place="transform/green/notes/2021")
    assert [folder for folder in task_dirs(kept) if folder.keys] == []


def test_the_link_to_the_latest_output_is_no_output(local):
    publish(local, place=f"transform/green/2021-01/{KEY}")
    local.link_latest("transform/green/2021-01", KEY)
    (found,) = task_dirs(local)
    assert found.keys == [KEY]


def test_a_month_with_nothing_but_a_pointer_is_found(kept):
    kept.write_json("ingest/green/2021-01/source-ab12.json", {})
    kept.write_json("ingest/green/2021-01/logs/1.log", {})
    (found,) = task_dirs(kept)
    assert (found.location, found.keys) == ("ingest/green/2021-01", [])
