"""Outputs are removed again and again beside a run, which loses nothing that it needs."""

import json

import pytest
from command_line import CommandLine
from processes import python

FLAGS = ("--source-url", "synthetic://?rows=500", "--tuning-trials", "2")
MONTHS = ("--start", "2021-01", "--stop", "2021-04", "--local-scheduler", *FLAGS)
OTHER = ("--cleaning-max-minutes", "90")


def prune(folder):
    """Remove at once all that another configuration than the run's does not need."""
    arguments = ("prune", "--yes", "--keep-days", "0", "--json", *FLAGS)
    answer = python(folder, "-m", "taxi_pipeline", *arguments, timeout=120)
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


@pytest.mark.parametrize("workers", ["1", pytest.param("2", marks=pytest.mark.slow)])
def test_a_backfill_of_another_configuration_loses_nothing_to_prune(tmp_path, workers):
    line = CommandLine(tmp_path)
    prepared = line("BackfillMonths", "--of", "BuildFeatures", *MONTHS, *OTHER)
    assert prepared.returncode == 0, prepared.stderr
    # Made in a month that the run does not need.
    elsewhere = ("BuildFeatures", "--year", "2022", "--month", "1", "--local-scheduler", *FLAGS)
    assert line(*elsewhere, *OTHER).returncode == 0

    run = ("BackfillMonths", "--of", "EvaluateModel", *MONTHS, *OTHER, "--workers", workers)
    pruned = []
    with line.started(*run) as process:
        while process.poll() is None:
            pruned.append(prune(tmp_path))
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert "This progress looks :)" in errors
    assert len(pruned) > 3
    removed = {removal["location"] for answer in pruned for removal in answer["not_needed"]}
    assert any("/2022-01/" in place for place in removed)
    during = [answer for answer in pruned if answer["in_use"]]
    assert len(during) > 1

    # Now that the run has ended, nothing keeps what it made.
    assert prune(tmp_path)["in_use"] == 0
    assert not list((tmp_path / "data/evaluate").rglob("manifest.json"))
    assert list((tmp_path / "data/ingest").rglob("manifest.json"))
    assert list((tmp_path / "data/.running").iterdir()) == []
