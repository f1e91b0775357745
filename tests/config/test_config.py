import configparser
import re

import luigi
import pytest
from luigi.configuration import LuigiConfigParser
from places import REPOSITORY

from taxi_pipeline import IngestTrips, config
from taxi_pipeline import __main__ as command
from taxi_pipeline.errors import InvalidConfig

OPTIONS = [
    (section, name, parameter)
    for section in config.SECTIONS
    for name, parameter in section.get_params()
]
each_option = pytest.mark.parametrize(
    ("section", "name", "parameter"),
    OPTIONS,
    ids=[f"{section.__name__}.{name}" for section, name, _ in OPTIONS],
)
each_setting = pytest.mark.parametrize(
    "setting", config.LUIGI_SETTINGS, ids=lambda setting: f"{setting.section}.{setting.option}"
)


@pytest.fixture
def configured(luigi_config, monkeypatch):
    """Puts a configuration file's text in place of the whole configuration."""

    def read(text):
        parser = LuigiConfigParser()
        parser.read_string(text)
        monkeypatch.setattr(LuigiConfigParser, "_instance", parser)
        return parser

    return read


# --- reading ----------------------------------------------------------------------------------


def test_a_section_is_read_by_making_it(luigi_config):
    luigi_config("cleaning", "max_minutes", "90")
    assert config.cleaning().max_minutes == 90.0


def test_a_section_is_read_anew_each_time(luigi_config):
    assert config.cleaning().max_minutes == 60.0
    luigi_config("cleaning", "max_minutes", "90")
    assert config.cleaning().max_minutes == 90.0


def test_an_option_may_be_written_with_dashes(luigi_config):
    luigi_config("cleaning", "max-minutes", "90")
    with pytest.warns(DeprecationWarning, match="max-minutes"):
        assert config.cleaning().max_minutes == 90.0


@each_option
def test_an_option_has_a_default_and_a_meaning(luigi_config, section, name, parameter):
    assert getattr(section(), name) == parameter._default
    assert parameter.description.endswith(".")


def test_a_misspelt_option_is_an_error_that_names_the_nearest_one(luigi_config):
    luigi_config("cleaning", "max_minute", "90")
    with pytest.raises(InvalidConfig) as raised:
        config.cleaning()
    line = "[cleaning] has no option max_minute: did you mean max_minutes?"
    assert str(raised.value) == line


def test_an_unknown_option_that_resembles_none_is_an_error_that_names_all(luigi_config):
    luigi_config("gate", "zzz", "1")
    with pytest.raises(InvalidConfig) as raised:
        config.gate()
    assert str(raised.value) == "[gate] has no option zzz: it has min_gain."


@pytest.mark.parametrize("section", config.SECTIONS, ids=lambda section: section.__name__)
def test_every_section_refuses_options_that_it_does_not_know(luigi_config, section):
    luigi_config(section.__name__, "colour", "red")
    with pytest.raises(InvalidConfig, match=rf"^\[{section.__name__}\] has no option colour: "):
        section()


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


# --- what decides about outputs ---------------------------------------------------------------

OPERATIONAL = {
    "source.url",
    "source.attempts",
    "source.timeout",
    "storage.root",
    "storage.url",
    "tracking.uri",
    "training.threads",
    "alerts.webhook",
    "luigid.address",
    "luigid.port",
    "luigid.folder",
}


def test_operational_options_take_no_part_in_what_is_made(luigi_config):
    names = {f"{section.__name__}.{name}" for section, name, _ in OPTIONS}
    significant = {name for section in config.SECTIONS for name in section().significant_values()}
    assert significant == names - OPERATIONAL


def test_significant_values_are_texts_in_one_form(luigi_config):
    luigi_config("cleaning", "max_minutes", "060")
    luigi_config("cleaning", "known_zones", "TRUE")
    values = config.cleaning().significant_values()
    assert values == {
        "cleaning.min_minutes": "1.0",
        "cleaning.max_minutes": "60.0",
        "cleaning.only_month": "false",
        "cleaning.known_zones": "true",
        "cleaning.keep_reversals": "true",
        "cleaning.min_miles": "0.0",
        "cleaning.max_miles": "inf",
    }


# --- tracking and threads ---------------------------------------------------------------------


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


@pytest.fixture
def three_cores(luigi_config, monkeypatch):
    """Three cores, and a run that has not begun."""
    monkeypatch.setattr("os.sched_getaffinity", lambda _process: {0, 3, 5})
    monkeypatch.setattr(config.training, "tasks_at_once", 1)
    monkeypatch.setattr(config.training, "most_threads", None)


def test_no_number_of_threads_means_every_core_of_the_process(luigi_config, three_cores):
    assert config.training().thread_count == 3
    luigi_config("training", "threads", "2")
    assert config.training().thread_count == 2


@pytest.mark.parametrize(
    ("threads", "tasks_at_once", "most_threads", "expected"),
    [(0, 2, None, 1), (0, 9, None, 1), (0, 1, 2, 2), (4, 2, None, 4), (4, 2, 3, 3), (0, 1, 0, 3)],
)
def test_tasks_share_the_cores_up_to_what_the_scheduler_allows(
    *, luigi_config, three_cores, monkeypatch, threads, tasks_at_once, most_threads, expected
):
    luigi_config("training", "threads", threads)
    monkeypatch.setattr(config.training, "tasks_at_once", tasks_at_once)
    monkeypatch.setattr(config.training, "most_threads", most_threads)
    assert config.training().thread_count == expected


def test_a_root_is_a_folder_of_this_machine_or_none(luigi_config, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    for root in (str(tmp_path / "data"), f"file://{tmp_path}/data", "~/data"):
        luigi_config("storage", "root", root)
        assert config.storage().local_folder == tmp_path / "data"
    luigi_config("storage", "root", "s3://bucket/taxi")
    assert config.storage().local_folder is None


# --- Luigi's own options ----------------------------------------------------------------------


@each_setting
def test_luigi_gets_a_setting_that_the_user_has_not_made(configured, setting):
    parser = configured("")
    config.apply_luigi_settings()
    assert parser.get(setting.section, setting.option) == setting.value


@each_setting
@pytest.mark.filterwarnings("ignore:.*with dashes:DeprecationWarning")
@pytest.mark.parametrize("dashes", [True, False], ids=["dashes", "underscores"])
def test_a_setting_that_the_user_has_made_is_left_as_it_is(configured, setting, dashes):
    option = setting.option.replace("-", "_")
    option = option.replace("_", "-") if dashes else option
    parser = configured(f"[{setting.section}]\n{option} = 77\n")
    config.apply_luigi_settings()
    assert parser.get(setting.section, setting.option) == "77"
    spellings = {setting.option.replace("-", "_"), setting.option.replace("_", "-")}
    assert len(spellings & set(parser[setting.section])) == 1


def test_settings_are_the_same_when_applied_again(configured):
    parser = configured("[retcode]\ntask_failed = 3\n")
    config.apply_luigi_settings()
    before = {name: dict(parser[name]) for name in parser.sections()}
    config.apply_luigi_settings()
    assert {name: dict(parser[name]) for name in parser.sections()} == before


# --- the file ---------------------------------------------------------------------------------


def test_the_written_file_holds_every_section_and_every_option_once():
    parser = configparser.ConfigParser(strict=True)
    parser.read_string(config.as_cfg())
    written = {name: set(parser[name]) for name in parser.sections()}
    expected = {section.__name__: set(section.get_param_names(True)) for section in config.SECTIONS}
    for setting in config.LUIGI_SETTINGS:
        expected.setdefault(setting.section, set()).add(setting.option)
    assert written == expected


@each_option
def test_a_value_of_the_written_file_is_the_default(configured, section, name, parameter):
    parser = configured(config.as_cfg())
    assert parser.has_option(section.__name__, name)
    assert getattr(section(), name) == parameter._default


@each_setting
def test_a_setting_of_the_written_file_is_what_luigi_gets_without_it(configured, setting):
    parser = configured(config.as_cfg())
    assert parser.get(setting.section, setting.option) == setting.value


def test_the_written_file_leaves_nothing_to_be_set_but_this_machines_cores(configured):
    parser = configured(config.as_cfg())
    before = {name: dict(parser[name]) for name in parser.sections()}
    config.apply_luigi_settings()
    after = {name: dict(parser[name]) for name in parser.sections()}
    assert after["resources"].pop("cpu") == str(config.cores())
    assert after == before


def test_each_option_of_the_written_file_follows_its_meaning():
    lines = config.as_cfg().splitlines()
    assert all(len(line) < 100 for line in lines if line.startswith("#"))
    values = [number for number, line in enumerate(lines) if re.match(r"[a-z]", line)]
    assert len(values) == len(OPTIONS) + len(config.LUIGI_SETTINGS)
    assert all(lines[number - 1].startswith("# ") for number in values)


def test_the_repositorys_file_is_the_written_one():
    file = REPOSITORY / "luigi.cfg"
    if not file.exists():
        pytest.skip("the repository has no luigi.cfg yet")
    assert file.read_text() == config.as_cfg()


def test_write_config_writes_the_file(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert command.main(["write-config"]) == 0
    assert (tmp_path / "luigi.cfg").read_text() == config.as_cfg()
    assert "wrote luigi.cfg" in capsys.readouterr().out


def test_write_config_keeps_a_file_that_is_there_unless_forced(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "luigi.cfg"
    file.write_text("[core]\n")
    assert command.main(["write-config"]) == 1
    assert file.read_text() == "[core]\n"
    assert "--force" in capsys.readouterr().err
    assert command.main(["write-config", "--force"]) == 0
    assert file.read_text() == config.as_cfg()


@pytest.mark.parametrize("text", ["https://h/a%20b/{year}-{month:02d}", "${NOT_SET}/{year}{month}"])
def test_a_value_that_cannot_be_read_is_one_line_that_says_how_to_write_it(luigi_config, text):
    luigi.configuration.get_config().set("source", "url", "x")
    luigi.configuration.get_config()._sections["source"]["url"] = text
    with pytest.raises(InvalidConfig) as raised:
        config.source()
    assert str(raised.value).startswith("[source] cannot be read: ")
    assert "\n" not in str(raised.value)


def test_names_of_the_default_section_are_no_options_of_the_others(luigi_config):
    luigi.configuration.get_config().defaults()["base"] = "/somewhere"
    luigi.configuration.get_config().set("storage", "root", "%(base)s/data")
    assert config.storage().root == "/somewhere/data"
