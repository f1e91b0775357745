"""A run that is killed after any write between gate, ledger and alias is completed by the next."""

import json
import shutil

import pytest
from killed_runs import output, run_killed, writes

from taxi_pipeline.tracking.lookup import look_up

NAME = "nyc-green-taxi-duration-course"
COMMON = (
    *("--module", "taxi_pipeline", "--year", "2021", "--recipe", "course", "--local-scheduler"),
    *("--source-url", "synthetic://?rows=1000"),
)
REGISTER = ("RegisterModel", "--month", "2", *COMMON)
LEDGER = f"write_json_exclusive champions/{NAME}"


@pytest.fixture(scope="module")
def ready(tmp_path_factory):
    """A folder in which January's model is champion and February's is evaluated."""
    folder = tmp_path_factory.mktemp("ready")
    for command in (("RegisterModel", "--month", "1"), ("EvaluateModel", "--month", "2")):
        assert run_killed([(folder, None)], [*command, *COMMON]) == [0], output(folder)
    return folder


def copy(ready, place):
    return shutil.copytree(ready, place, symlinks=True)


def assert_agreed(folder):
    """February's model is champion by ledger, alias and receipt, and is there once."""
    root = folder / "data"
    ledger = root / "champions" / NAME
    names = {file.name for file in ledger.iterdir()}
    assert names == {f"0000{number}{end}" for number in "12" for end in (".json", ".done.json")}
    change = json.loads((ledger / "00002.json").read_text())
    assert [change[name] for name in ("action", "from_version", "to_version")] == [
        *("promoted", "1", "2")
    ]
    record = json.loads((root / change["gate_record"]).read_text())
    assert (record["verdict"], record["compared_with"]["version"]) == ("PROMOTED", "1")
    registered = look_up(f"sqlite:///{root}/mlflow/mlflow.db", NAME)
    assert registered.aliases == {"challenger": "2", "champion": "2"}
    assert set(registered.versions) == {"1", "2"}
    keys = [version.candidate_key for version in registered.versions.values()]
    assert len(set(keys)) == 2
    version = registered.versions["2"]
    assert version.candidate_key == change["candidate_key"] == record["candidate"]
    assert version.tags["verdict"] == "PROMOTED"
    assert version.tags["decision"].startswith("champion: ")
    (receipt,) = (root / "register/green/2021-02").glob("*/[0-9a-f]*/receipt.json")
    receipt = json.loads(receipt.read_text())
    assert (receipt["version"], receipt["aliases"]) == ("2", ["challenger", "champion"])
    assert receipt["decision"] == version.tags["decision"]


def assert_completed(ready, place, lasts):
    """Runs that are killed after a write are completed by the same command, and nothing is left."""
    folders = [copy(ready, place / str(number)) for number in range(len(lasts))]
    kills = zip(folders, lasts, strict=True)
    runs = [(folder, end) for folder, last in kills for end in (last, None, None)]
    ends = run_killed(runs, REGISTER)
    for number, folder in enumerate(folders):
        assert ends[3 * number : 3 * number + 3] == [-9, 0, 0], (lasts[number], output(folder))
        assert writes(folder) == []
        assert_agreed(folder)


def test_gate_ledger_and_alias_agree_after_a_kill_between_ledger_and_alias(ready, tmp_path):
    assert_completed(ready, tmp_path, [f"{NAME}/00002.json"])


@pytest.mark.slow
def test_gate_ledger_and_alias_agree_after_a_kill_at_each_of_their_writes(ready, tmp_path):
    whole = copy(ready, tmp_path / "whole")
    assert run_killed([(whole, None)], REGISTER) == [0], output(whole)
    assert_agreed(whole)
    found = writes(whole)
    # From the gate's pointer to the receipt, the ledger and the alias between them.
    # Intervals may be made before it.
    pointer = "write_json gate/green/2021-02/course-w1/champion-"
    gate = next(number for number, write in enumerate(found) if write.startswith(pointer))
    assert found[gate + 1].startswith("publish gate/green/2021-02/course-w1/")
    change = found.index(f"write_json_exclusive champions/{NAME}/00002.json")
    assert found[change + 1] == f"set_registered_model_alias {NAME} champion 2"
    assert found[change + 2] == f"write_json_exclusive champions/{NAME}/00002.done.json"
    assert found[-1].startswith("publish register/green/2021-02/course-w1/")
    # Numbers of writes, from 1: of the gate, the ledger, the alias, and the last one.
    gates = range(gate + 1, gate + 4)
    assert_completed(ready, tmp_path, [*gates, *range(change, change + 5), len(found)])
