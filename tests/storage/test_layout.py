"""Each location under the root, spelt out: what stands here is where users' outputs are."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxi_pipeline.storage import layout

FEATURES = "features/green/2021-01"
TUNE = "tune/yellow/2021-03/pretrip-w3"


def test_a_task_has_a_folder_by_stage_taxi_and_month():
    assert layout.task_dir("features", "green", "2021-01") == FEATURES


def test_a_variant_has_a_folder_of_its_own():
    assert layout.task_dir("tune", "yellow", "2021-03", "pretrip-w3") == TUNE


def test_an_output_lies_under_its_key_with_its_manifest():
    output = layout.output_dir(FEATURES, "0123456789abcdef")
    assert output == f"{FEATURES}/0123456789abcdef"
    assert layout.manifest_file(output) == f"{FEATURES}/0123456789abcdef/manifest.json"
    assert layout.output_file(output, "features.parquet") == f"{output}/features.parquet"


def test_what_is_not_ingested_has_a_folder_that_no_key_names():
    assert layout.not_ingested_dir(FEATURES) == f"{FEATURES}/not-ingested"


def test_a_browser_asks_for_a_folder_with_a_slash():
    assert layout.browsable(FEATURES) == f"{FEATURES}/"


def test_a_log_is_named_by_its_start_and_its_process():
    started = datetime(2021, 2, 3, 4, 5, 6, 7, tzinfo=UTC)
    assert layout.log_file(FEATURES, started, 42) == (
        f"{FEATURES}/logs/20210203T040506.000007Z-42.log"
    )


def test_a_source_has_a_pointer_of_its_own():
    assert layout.source_pointer("ingest/green/2021-01", "ab12") == (
        "ingest/green/2021-01/source-ab12.json"
    )


def test_trials_lie_beside_the_outputs_of_their_search():
    trials = layout.trials_dir(TUNE, "ab12")
    assert trials == f"{TUNE}/trials-ab12"
    assert layout.trial_file(trials, 7) == f"{TUNE}/trials-ab12/00007.json"


@given(st.lists(st.integers(1, 99_999), unique=True))
def test_trials_are_listed_in_their_order(numbers):
    files = [layout.trial_file("trials", number) for number in sorted(numbers)]
    assert files == sorted(files)


def test_mlflow_has_a_folder_under_the_root():
    assert layout.tracking_database() == "mlflow/mlflow.db"
    assert layout.tracking_artifacts() == "mlflow/artifacts"


@pytest.mark.parametrize("location", [".staging/ab12", "../other", "mlflow/.locks/a.lock"])
def test_what_is_being_made_or_outside_is_hidden(location):
    assert layout.is_hidden(location)


@pytest.mark.parametrize("location", ["", "ingest", f"{FEATURES}/0123456789abcdef/manifest.json"])
def test_outputs_are_not_hidden(location):
    assert not layout.is_hidden(location)


def test_what_is_set_aside_says_since_when():
    now = datetime(2021, 2, 3, 4, 5, 6, tzinfo=UTC)
    aside = layout.set_aside(f"{FEATURES}/0123456789abcdef", now, "89abcdef")
    assert aside == f".damaged/{FEATURES}/0123456789abcdef.20210203T040506Z-89abcdef"
    assert layout.parse_set_aside(f"{aside}/model/model.json") == (aside, now)
    assert layout.parse_set_aside(aside) == (aside, now)


def test_what_was_set_aside_before_names_had_a_time_is_known_too():
    aside = f".damaged/{TUNE}/trials-ab12/00001.json.89abcdef"
    assert layout.parse_set_aside(aside) == (aside, None)
    assert layout.parse_set_aside(".damaged/notes.txt") is None


def test_pointers_are_told_from_other_files():
    assert layout.is_source_pointer("source-ab12.json")
    assert not layout.is_source_pointer("sources.txt")
    name = layout.champion_pointer("gate/green/2021-01/trip-w1", "ab12").rpartition("/")[2]
    assert layout.is_champion_pointer(name)
    assert not layout.is_champion_pointer("champions.json")


def test_a_process_says_what_it_works_on_in_a_file_of_its_own():
    assert layout.running_file("host-1-ab12") == ".running/host-1-ab12.json"


def test_a_change_of_the_champion_and_its_confirmation_are_named_by_its_number():
    model = "nyc-green-taxi-duration-trip"
    assert layout.ledger_dir(model) == f"champions/{model}"
    assert layout.change_file(model, 7) == f"champions/{model}/00007.json"
    assert layout.confirmation_file(model, 7) == f"champions/{model}/00007.done.json"


@given(st.integers(1, 10**7), st.booleans())
def test_a_change_is_known_by_its_files_name(number, is_confirmation):
    file = layout.confirmation_file if is_confirmation else layout.change_file
    name = file("model", number).rpartition("/")[2]
    assert layout.parse_change(name) == (number, is_confirmation)


@pytest.mark.parametrize("name", ["notes.txt", "1.json", "00001.json.tmp", "00001.done"])
def test_other_files_are_no_changes(name):
    assert layout.parse_change(name) is None


@pytest.mark.parametrize(
    ("folder", "holds"),
    [
        ("train/green/2021-01", True),
        ("train/green/2021-01/trip-w1/0123456789abcdef/model", True),
        ("anything/yellow/2021-12", True),
        ("champions/nyc-green-taxi-duration-trip", True),
        ("pages/green/trip-w1", True),
        ("pages/green", False),
        ("pages/green/trip-w1/more", False),
        ("", False),
        (".", False),
        ("train", False),
        ("train/green", False),
        ("train/green/2021-13", False),
        ("train/green/models/2021-01", False),
        ("champions", False),
        ("champions/green/2021-01", False),
        (".staging/green/2021-01", False),
        ("train/green/2021-01/..", False),
    ],
)
def test_outputs_are_in_the_folders_of_months_of_ledgers_and_of_pages(folder, holds):
    assert layout.holds_outputs(folder) == holds


@pytest.mark.parametrize(
    ("file", "is_one"),
    [
        ("train/green/2021-01/logs/1.log", True),
        ("train/green/2021-01/0123456789abcdef/manifest.json", True),
        ("champions/model/00001.json", True),
        ("champions/model/00001.done.json", True),
        ("champions/model/notes.json", False),
        ("pages/green/trip-w1/2021-01--2021-04.html", True),
        ("pages/green/trip-w1/notes.html", False),
        ("champions/00001.json", False),
        ("train/green/2021-01", False),
        ("train/green/notes.json", False),
        ("luigi.cfg", False),
        ("mlflow/mlflow.db", False),
        ("train/green/2021-01/.env", False),
    ],
)
def test_files_of_outputs_are_told_from_all_others(file, is_one):
    assert layout.is_of_outputs(file) == is_one
