import pytest
from luigi.configuration import LuigiConfigParser


@pytest.fixture
def configured(luigi_config, monkeypatch):
    """Puts a configuration file's text in place of the whole configuration."""

    def read(text):
        parser = LuigiConfigParser()
        parser.read_string(text)
        monkeypatch.setattr(LuigiConfigParser, "_instance", parser)
        return parser

    return read
