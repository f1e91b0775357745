import pytest
from config_options import OPTIONS, each_option

from taxi_pipeline import IngestTrips, config
from taxi_pipeline.errors import InvalidConfig


@each_option
def test_an_option_has_a_default_and_a_meaning(luigi_config, section, name, parameter):
    assert getattr(section(), name) == parameter._default
    assert parameter.description.endswith(".")


@pytest.mark.parametrize(
    ("section", "option", "value"),
    [
        (config.source, "url", "https://example.org/trips.parquet"),
        (config.source, "attempts", "0"),
        (config.source, "timeout", "soon"),
        (config.cleaning, "max_minutes", "-1"),
        (config.cleaning, "max_minutes", "nan"),
        (config.cleaning, "known_zones", "yes"),
        (config.features, "max_miles", "far"),
        (config.tuning, "trials", "1e3"),
        (config.tuning, "holdout_days", "28"),
        (config.training, "seed", "-1"),
        (config.training, "threads", "1.5"),
        (config.gate, "min_gain", "1.1"),
        (config.alerts, "webhook", "example.org/hook"),
        (config.luigid, "port", "65536"),
    ],
)
def test_a_wrong_value_is_one_line_that_names_section_and_option(
    luigi_config, section, option, value
):
    luigi_config(section.__name__, option, value)
    with pytest.raises(InvalidConfig, match=rf"^\[{section.__name__}\] {option} ") as raised:
        section()
    assert "\n" not in str(raised.value)


def test_all_sections_are_checked_at_once(luigi_config):
    config.check()
    config.check.cache_clear()
    luigi_config("gate", "min_gain", "2")
    with pytest.raises(InvalidConfig, match=r"^\[gate\] min_gain is '2'"):
        config.check()


def test_a_task_is_not_made_while_a_section_is_wrong(luigi_config):
    luigi_config("gate", "min_gains", "0")
    with pytest.raises(InvalidConfig, match=r"^\[gate\] has no option min_gains: did you mean"):
        IngestTrips(year=2021, month=1)


OPERATIONAL = {
    "source.url",
    "source.attempts",
    "source.timeout",
    "source.check",
    "source.max_wait",
    "source.batch_rows",
    "contract.min_month_share",
    "contract.warn_month_share",
    "contract.min_rows_share",
    "contract.warn_rows_share",
    "contract.zoned_times",
    "compute.scheduler",
    "storage.root",
    "storage.url",
    "tracking.uri",
    "training.device",
    "training.external_memory",
    "training.threads",
    "alerts.webhook",
    "luigid.address",
    "luigid.port",
    "luigid.folder",
    "luigid.hosts",
    "luigid.password",
    "serving.address",
    "serving.port",
    "serving.workers",
    "serving.check_seconds",
}


def test_operational_options_take_no_part_in_what_is_made(luigi_config):
    names = {f"{section.__name__}.{name}" for section, name, _ in OPTIONS}
    later = {f"{one.__name__}.{name}" for one in config.SECTIONS for name in one.later}
    significant = {name for section in config.SECTIONS for name in section().significant_values()}
    assert significant == names - OPERATIONAL - later


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_models_are_tracked_in_a_file_under_a_local_root(luigi_config, tmp_path, scheme):
    luigi_config("storage", "root", f"{scheme}{tmp_path}")
    tracking = config.tracking()
    assert tracking.server_uri == f"sqlite:///{tmp_path}/mlflow/mlflow.db"
    assert tracking.artifacts == f"file://{tmp_path}/mlflow/artifacts"


def test_a_relative_root_gives_an_absolute_tracking_uri(luigi_config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert config.tracking().server_uri == f"sqlite:///{tmp_path}/data/mlflow/mlflow.db"


@pytest.mark.parametrize("root", ["data", "s3://bucket/taxi"])
def test_a_tracking_uri_that_is_set_is_used_whatever_the_root(luigi_config, root):
    luigi_config("storage", "root", root)
    luigi_config("tracking", "uri", "http://127.0.0.1:5000")
    tracking = config.tracking()
    assert tracking.server_uri == "http://127.0.0.1:5000"
    assert tracking.artifacts == ""


def test_a_remote_root_needs_a_tracking_uri(luigi_config):
    luigi_config("storage", "root", "s3://bucket/taxi")
    tracking = config.tracking()
    line = r"^\[tracking\] uri must be set, since \[storage\] root s3://bucket/taxi is not a local"
    with pytest.raises(InvalidConfig, match=line):
        _ = tracking.server_uri
    with pytest.raises(InvalidConfig, match=line):
        _ = tracking.artifacts


def test_a_root_is_a_folder_of_this_machine_or_none(luigi_config, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    for root in (str(tmp_path / "data"), f"file://{tmp_path}/data", "~/data"):
        luigi_config("storage", "root", root)
        assert config.storage().local_folder == tmp_path / "data"
    luigi_config("storage", "root", "s3://bucket/taxi")
    assert config.storage().local_folder is None


def test_a_template_that_cannot_be_used_is_refused_with_the_option_that_holds_it(luigi_config):
    luigi_config("source", "url", "https://user:hunter2@host/{year}.parquet")
    with pytest.raises(InvalidConfig) as raised:
        config.source()
    assert str(raised.value).startswith("[source] url https://***@host/{year}.parquet: it lacks ")
