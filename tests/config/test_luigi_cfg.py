import configparser
import re

import pytest
from config_options import OPTIONS, each_option, each_setting
from places import REPOSITORY

from taxi_pipeline import config
from taxi_pipeline.compute.cores import cores


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
    assert after["resources"].pop("cpu") == str(cores())
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
