import pytest
from config_options import each_setting

from taxi_pipeline import config


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


@pytest.mark.parametrize(
    ("luigid", "told"),
    [
        ("", {}),
        ("address = 127.0.0.1\nport = 8082", {}),
        ("port = 9000", {"host": "127.0.0.1", "port": "9000"}),
        ("address = 10.0.0.7\nport = 9000", {"host": "10.0.0.7", "port": "9000"}),
        ("address = 0.0.0.0", {"host": "localhost", "port": "8082"}),
        ("address = ::1\nport = 9000", {"host": "[::1]", "port": "9000"}),
        ("password = a-long-one", {"url": "http://luigi:a-long-one@127.0.0.1:8082"}),
        (
            "address = 10.0.0.7\nport = 9000\npassword = a-long-one",
            {"url": "http://luigi:a-long-one@10.0.0.7:9000"},
        ),
    ],
)
def test_clients_look_for_the_scheduler_where_it_is_told_to_listen(configured, luigid, told):
    parser = configured(f"[luigid]\n{luigid}\n")
    config.apply_luigi_settings()
    found = {
        name: parser.get("core", f"default_scheduler_{name}")
        for name in ("url", "host", "port")
        if parser.has_option("core", f"default_scheduler_{name}")
    }
    assert found == told


@pytest.mark.parametrize("option", ["url = http://other:1", "host = other", "port = 1"])
def test_a_client_that_is_told_where_the_scheduler_is_looks_there(configured, option):
    parser = configured(f"[core]\ndefault_scheduler_{option}\n[luigid]\nport = 9000\n")
    config.apply_luigi_settings()
    name, _, value = option.partition(" = ")
    found = {one for one in parser["core"] if one.startswith("default_scheduler")}
    assert found == {f"default_scheduler_{name}"}
    assert parser.get("core", f"default_scheduler_{name}") == value
