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
