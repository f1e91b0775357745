"""Who may reach the scheduler: how it is configured."""

import pytest

from taxi_pipeline import config, redaction
from taxi_pipeline.errors import InvalidConfig

TOKEN = "A-long.token_of~letters"  # noqa: S105


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", set()),
        ("luigi.example.org", {"luigi.example.org"}),
        ("Luigi.example.org, luigid:8443", {"luigi.example.org", "luigid:8443"}),
        ("a,b c ,  [::1]:80, 10.0.0.5", {"a", "b", "c", "[::1]:80", "10.0.0.5"}),
    ],
)
def test_hosts_are_names_between_commas(luigi_config, text, names):
    luigi_config("luigid", "hosts", text)
    assert config.luigid().host_names == names


@pytest.mark.parametrize(
    "text", ["https://luigi.example.org", "luigi.example.org/luigi", "*", "a:b", "user@host", "ä"]
)
def test_a_host_that_is_no_name_is_one_line(luigi_config, text):
    luigi_config("luigid", "hosts", f"luigid, {text}")
    with pytest.raises(InvalidConfig, match=r"^\[luigid\] hosts has '") as raised:
        config.luigid()
    assert repr(text) in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "password", ["short12", "with blank", "with@sign", "with%41", "wörterbuch"]
)
def test_a_password_that_no_url_can_hold_is_one_line_that_does_not_show_it(luigi_config, password):
    luigi_config("luigid", "password", password)
    with pytest.raises(InvalidConfig, match=r"^\[luigid\] password must have") as raised:
        config.luigid()
    assert password not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_password_is_kept_out_of_the_logs(luigi_config):
    luigi_config("luigid", "password", TOKEN)
    assert config.luigid().password == TOKEN
    assert redaction.redact(f"got {TOKEN}") == "got ***"


def test_a_password_may_come_from_the_environment(configured, monkeypatch):
    monkeypatch.setenv("SCHEDULER_SECRET", TOKEN)
    configured("[luigid]\npassword = ${SCHEDULER_SECRET}\n")
    assert config.luigid().password == TOKEN
