"""``champion`` as a person and as a script use it."""

import json
from datetime import UTC, datetime, timedelta

import mlflow
import pytest
from processes import python

from taxi_pipeline import config
from taxi_pipeline.cli.main import main
from taxi_pipeline.tasks.base.ledgers import open_ledger
from taxi_pipeline.tracking import ledger as ledgers

NAME = "nyc-green-taxi-duration-linear"
START = datetime(2021, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def client(finished):
    """A registry with three versions, of which none is champion."""
    uri = config.tracking().server_uri
    client = mlflow.MlflowClient(uri, uri)
    first = client.get_model_version(NAME, "1")
    for month in ("2021-02", "2021-03"):
        tags = {**first.tags, "candidate_key": f"key {month}", "training_month": month}
        client.create_model_version(NAME, first.source, first.run_id, tags=tags)
    return client


@pytest.fixture
def clock(monkeypatch):
    """Each change is made a day after the one before."""

    def now():
        return START + timedelta(days=len(open_ledger(NAME).read().changes))

    monkeypatch.setattr(ledgers, "now", now)
    monkeypatch.setattr(ledgers, "user_and_host", lambda: "ana@host")


@pytest.fixture
def served(client, clock):
    """Versions 1, 2 and 3 were promoted on the first three days of June."""
    ledger = open_ledger(NAME)
    for number in "123":
        facts = {"training_month": f"2021-0{number}", "rmse": 5.0 + int(number) / 8}
        history = ledger.read()
        change = ledger.append(history, "promoted", number, pinned=False, why="a gain", **facts)
        client.set_registered_model_alias(NAME, "champion", number)
        ledger.confirm(change)
    return ledger


@pytest.fixture
def champion(capsys):
    """The exit code of the command, and what it printed."""

    def run(*arguments, model=NAME):
        code = main(["champion", *arguments, "--model", model])
        printed = capsys.readouterr()
        return code, (printed.out or printed.err).rstrip("\n")

    return run


def alias(client):
    return str(client.get_model_version_by_alias(NAME, "champion").version)


def test_the_log_is_a_table_with_the_newest_last(served, champion):
    code, text = champion("log")
    assert code == 0
    header, *rows, last = text.splitlines()
    assert header.split() == [
        *(
            "change",
            "when",
            "(UTC)",
            "what",
            "version",
            "month",
            "judged",
            "on",
            "RMSE",
            "by",
            "why",
        )
    ]
    assert rows[0].split() == [
        *("1", "2021-06-01", "12:00:00", "promoted", "1", "2021-01", "5.1250", "ana@host"),
        *("a", "gain"),
    ]
    assert rows[2].split()[4:7] == ["2", "->", "3"]
    assert last == f"{NAME} version 3, trained to 2021-03, serves since 2021-06-03 12:00:00 UTC."


def test_a_script_reads_the_log_as_json(served, champion):
    _, text = champion("log", "--json")
    content = json.loads(text)
    assert [change["to_version"] for change in content["changes"]] == ["1", "2", "3"]
    assert content["champion"]["version"] == "3"
    assert content["difference"] == content["registry_error"] == ""


def test_a_model_without_a_champion_says_so(client, champion):
    code, text = champion("log")
    assert code == 0
    assert text.startswith(f"No champion of {NAME} is known yet: ")


@pytest.mark.parametrize(
    ("time", "version"),
    [
        ("2021-06-01", "1"),
        ("2021-06-02", "2"),
        ("2021-06-03T11:59", "2"),
        ("2021-06-03T14:00+02:00", "3"),
        ("2021-07-01", "3"),
    ],
    ids=str,
)
def test_each_time_has_its_champion(served, champion, time, version):
    code, text = champion("at", time)
    assert code == 0
    assert text.startswith(f"{NAME} version {version}, trained to 2021-0{version}, served at 2021-")
    assert f"RMSE 5.{125 * int(version)}0 minutes" in text
    answer = json.loads(champion("at", time, "--json")[1])
    assert answer["champion"]["version"] == version
    assert answer["champion"]["since"] == f"2021-06-0{version}T12:00:00+00:00"


def test_the_time_before_the_first_change_is_not_known(served, champion):
    code, text = champion("at", "2021-06-01T11:59")
    assert code == 1
    assert text == (
        f"ERROR: which version of {NAME} served at 2021-06-01 11:59:00 UTC is not known: the "
        "ledger begins at 2021-06-01 12:00:00 UTC"
    )


def test_the_future_is_not_known(served, champion):
    code, text = champion("at", "2999-01-01")
    assert (code, text) == (1, "ERROR: 2999-01-01 23:59:59 UTC is in the future")


def test_today_means_now(served, champion):
    before = datetime.now(UTC).replace(microsecond=0)
    code, text = champion("at", f"{before:%Y-%m-%d}", "--json")
    assert code == 0
    told = datetime.fromisoformat(json.loads(text)["time"])
    assert before <= told <= datetime.now(UTC)
    assert "23:59:59" not in champion("at", f"{before:%Y-%m-%d}")[1]


def test_a_later_time_of_today_is_the_future(served, champion):
    later = datetime.now(UTC) + timedelta(seconds=50)
    code, text = champion("at", f"{later:%Y-%m-%dT%H:%M:%S.%f}")
    assert code == 1
    assert text.endswith("is in the future")


def test_a_time_is_not_known_before_anything_was_promoted(client, champion):
    code, text = champion("at", "2021-06-15")
    assert (code, text) == (
        1,
        f"ERROR: no champion of {NAME} is known: nothing was promoted so far",
    )


def test_a_time_at_which_the_alias_was_gone_has_no_champion(served, client, champion):
    client.delete_registered_model_alias(NAME, "champion")
    code, text = champion("at", "2021-06-15")
    assert (code, text.partition(" at ")[0]) == (0, f"No version of {NAME} served")
    assert champion("log")[1].endswith(f"No version of {NAME} serves: its alias was taken away.")


def test_what_is_no_date_is_one_line(served, capsys):
    assert main(["champion", "at", "yesterday"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "'yesterday' is no date: write 2021-06-15, or 2021-06-15T12:00 (taxi-pip" in line


def test_a_rollback_goes_to_the_version_that_served_before_and_pins_it(served, client, champion):
    code, text = champion("rollback", "--reason", "complaints")
    assert code == 0
    assert text == (
        f"{NAME} version 2, trained to 2021-02, serves since 2021-06-04 12:00:00 UTC; pinned by "
        "ana@host on 2021-06-04 (complaints). No registration replaces it until "
        f"taxi-pipeline champion unpin --model {NAME} is run."
    )
    assert alias(client) == "2"
    champion("rollback", "--reason", "more complaints")
    assert alias(client) == "1"
    assert champion("rollback", "--reason", "even more") == (
        1,
        f"ERROR: no version of {NAME} is known that served before version 1: name one with --to",
    )


def test_a_version_that_was_deleted_is_passed_over(served, client, champion):
    client.delete_model_version(NAME, "2")
    champion("rollback", "--reason", "complaints")
    assert alias(client) == "1"


def test_a_rollback_to_a_named_version(served, client, champion):
    answer = json.loads(champion("rollback", "--to", "1", "--reason", "complaints", "--json")[1])
    assert answer["changed"]
    assert answer["champion"]["version"] == alias(client) == "1"
    _, text = champion("rollback", "--to", "1", "--reason", "complaints")
    assert text.startswith("Nothing was to be changed. ")


def test_a_rollback_to_the_champion_pins_it(served, champion):
    champion("rollback", "--to", "3", "--reason", "it is good")
    assert served.read().champion.pin.why == "it is good"
    assert [change.action for change in served.read().changes][3:] == ["pinned"]


def test_a_rollback_to_a_version_that_is_not_there_is_one_line(served, champion):
    code, text = champion("rollback", "--to", "9", "--reason", "complaints")
    assert (code, text) == (1, f"ERROR: {NAME} has no version 9: there are 1, 2, 3")


def test_a_rollback_that_was_killed_is_completed_and_goes_no_further(
    served, client, champion, monkeypatch
):
    def killed(*_):
        raise SystemExit(-9)

    with monkeypatch.context() as patch:
        patch.setattr(mlflow.MlflowClient, "set_registered_model_alias", killed)
        with pytest.raises(SystemExit):
            champion("rollback", "--reason", "complaints")
    _, text = champion("log")
    assert "Not in agreement: change 4 (rolled back, version 2) is not confirmed: " in text
    champion("rollback", "--reason", "complaints")
    assert alias(client) == served.read().version == "2"
    assert len(served.read().changes) == 4


def test_a_pin_is_set_and_lifted(served, champion):
    _, text = champion("pin", "--reason", "holidays")
    assert "; pinned by ana@host on 2021-06-04 (holidays). No registration" in text
    assert champion("pin")[1].startswith("Nothing was to be changed. ")
    _, text = champion("unpin")
    assert text.endswith(
        "UTC. It is not pinned: the next candidate that the gate lets pass replaces it."
    )
    assert champion("unpin")[1].startswith("Nothing was to be changed. ")


def test_without_a_champion_there_is_nothing_to_pin(client, champion):
    code, text = champion("pin")
    assert code == 1
    assert text.startswith(f"ERROR: {NAME} has no champion: taxi-pipeline champion rollback")


def test_a_move_by_hand_is_in_the_log(served, client, champion):
    client.set_registered_model_alias(NAME, "champion", "1")
    _, text = champion("log")
    assert "moved by hand  3 -> 1" in text
    assert "somebody in MLflow  the alias was moved in MLflow; noticed by ana@host" in text
    assert text.splitlines()[-1].startswith(f"{NAME} version 1, ")


def test_a_registry_that_does_not_answer_is_told(served, champion, luigi_config):
    luigi_config("tracking", "uri", "http://127.0.0.1:9")
    code, text = champion("log")
    assert code == 0
    assert text.startswith("The registry was not asked: the MLflow server http://127.0.0.1:9 does")


def test_a_name_that_the_pipeline_does_not_give_is_one_line(client, champion):
    code, text = champion("log", model="../elsewhere")
    assert code == 1
    assert text.startswith("ERROR: --model ../elsewhere is none that the pipeline registers: ")


def test_a_root_that_is_not_there_is_one_line(champion, luigi_config, tmp_path):
    luigi_config("storage", "root", str(tmp_path / "nowhere"))
    code, text = champion("log")
    assert (code, text.partition(":")[0]) == (1, "ERROR")
    assert "is not there: check --storage-root" in text


def test_the_log_imports_nothing_heavy(served, finished):
    code = (
        "import sys; from taxi_pipeline.cli.main import main; "
        f"main(['champion', 'log', '--model', {NAME!r}, '--tracking-uri', 'sqlite:///mlflow.db']); "
        "print(sorted({'pandas', 'mlflow', 'xgboost', 'sklearn'} & set(sys.modules)))"
    )
    answer = python(finished, "-c", code)
    assert answer.stdout.splitlines()[-1] == "[]", answer.stderr
    assert len(answer.stdout.splitlines()) == 6
