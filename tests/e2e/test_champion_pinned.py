"""A rollback holds against a backfill with another configuration, until it is lifted."""

import json

import pytest
from command_line import CommandLine
from processes import python

MODEL = "nyc-green-taxi-duration-trip"
RUN = (
    *("BackfillMonths", "--of", "RegisterModel", "--start", "2021-01", "--stop", "2021-03"),
    *("--source-url", "synthetic://?rows=500", "--tuning-trials", "2", "--local-scheduler"),
)


@pytest.fixture(scope="module")
def line(tmp_path_factory):
    """Two months are registered; the second is champion."""
    line = CommandLine(tmp_path_factory.mktemp("pinned"))
    result = line(*RUN)
    assert result.returncode == 0, result.stderr
    return line


def champion(line, *arguments):
    answer = python(line.folder, "-m", "taxi_pipeline", "champion", *arguments, "--json")
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


@pytest.mark.slow
def test_a_rolled_back_version_serves_through_a_backfill_until_its_pin_is_lifted(line):
    log = champion(line, "log")
    assert [change["action"] for change in log["changes"]] == ["promoted", "promoted"]
    assert log["champion"]["version"] == "2"
    rolled_back = champion(line, "rollback", "--reason", "too slow at night")
    assert rolled_back["champion"]["version"] == "1"

    result = line(*RUN, "--cleaning-max-minutes", "50")
    assert result.returncode == 0, result.stderr
    assert result.stderr.count("(not champion: version 1 is pinned since ") == 2
    assert "(too slow at night))" in result.stderr
    log = champion(line, "log")
    assert log["champion"]["version"] == "1"
    assert len(log["changes"]) == 3
    # A receipt is not made again for a pin, whoever asks.
    assert "Did not run any tasks" in line(*RUN, "--cleaning-max-minutes", "50").stderr
    status = python(line.folder, "-m", "taxi_pipeline", "status")
    assert f"{MODEL}: version 1, trained to 2021-01, serves since 20" in status.stdout

    champion(line, "unpin", "--reason", "mended")
    result = line(*RUN, "--cleaning-max-minutes", "40")
    assert result.returncode == 0, result.stderr
    log = champion(line, "log")
    assert [change["action"] for change in log["changes"][2:]] == [
        *("rolled back", "unpinned", "promoted", "promoted")
    ]
    verified = python(line.folder, "-m", "taxi_pipeline", "verify")
    assert verified.stdout.splitlines()[-1] == "No damage under data."
    for change in log["changes"]:
        at = champion(line, "at", change["when"])
        assert at["champion"]["version"] == change["to_version"]
