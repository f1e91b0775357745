"""What an age may be, and the root's name; what is said of other text."""

from datetime import timedelta

import pytest

from taxi_pipeline import config
from taxi_pipeline.config import option_checks
from taxi_pipeline.config.option_checks import max_answer_age
from taxi_pipeline.errors import InvalidConfig


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("always", timedelta()),
        ("never", None),
        ("1 day", timedelta(days=1)),
        ("2 weeks", timedelta(weeks=2)),
        ("12 hours", timedelta(hours=12)),
        ("30 minutes", timedelta(minutes=30)),
        ("30minutes", timedelta(minutes=30)),
        ("0 days", timedelta()),
    ],
)
def test_an_age_is_read(text, age):
    assert max_answer_age(text) == age


@pytest.mark.parametrize(
    "text", ["", "soon", "1", "day", "-1 day", "1.5 days", "1 year", "1 day ", "9999999 days"]
)
def test_other_text_is_one_line_that_says_what_it_may_be(luigi_config, text):
    luigi_config("source", "check", text)
    with pytest.raises(InvalidConfig) as caught:
        config.source()
    assert str(caught.value) == (
        f"[source] check is {text!r}: it must be always, never, or an age such as 1 day, "
        "12 hours or 30 minutes"
    )


def test_the_source_is_asked_once_a_day_by_default(luigi_config):
    assert config.source().max_answer_age == timedelta(days=1)


# --- the root ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "root", ["data", "a\nb", "Größe", "50% off", "-data", " data ", "file:///a/b", "s3://a/~x"]
)
def test_a_root_may_have_any_name_that_is_text(luigi_config, root):
    luigi_config("storage", "root", root)
    assert config.storage().root == root


def test_a_name_in_bytes_that_are_no_text_is_one_line(luigi_config):
    luigi_config("storage", "root", "/a/b\udcff")
    with pytest.raises(InvalidConfig) as caught:
        config.storage()
    assert str(caught.value) == (
        r"[storage] root /a/b\xff cannot be used: its path is no text in UTF-8 here; rename it, or "
        "take another"
    )


def test_a_name_that_the_locale_cannot_read_is_one_line(luigi_config):
    # As Python hands an umlaut over in a locale of ASCII.
    luigi_config("storage", "root", "/a/" + "ü".encode().decode("ascii", "surrogateescape"))
    with pytest.raises(InvalidConfig) as caught:
        config.storage()
    assert str(caught.value) == (
        "[storage] root /a/ü cannot be used: its path is no text in UTF-8 here; run in a locale of "
        "UTF-8, such as LC_ALL=C.UTF-8"
    )


def test_the_home_of_nobody_is_one_line(luigi_config):
    luigi_config("storage", "root", "~nobody-of-that-name/data")
    with pytest.raises(InvalidConfig, match=r"no such user; a folder of that name is \./~nobody-"):
        config.storage()


@pytest.mark.parametrize(
    "address",
    ["", "tcp://127.0.0.1:8786", "tls://dask.example.org:8786", "tcp://[::1]:8786", "TCP://a:1"],
)
def test_the_address_of_a_dask_scheduler_is_read(luigi_config, address):
    luigi_config("compute", "scheduler", address)
    assert config.compute().scheduler == address


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1:8786", "tcp://127.0.0.1", "http://dask:8787/status", "tcp://a:1/", "tcp:// a:1"],
)
def test_what_is_no_address_of_a_dask_scheduler_is_one_line(luigi_config, address):
    luigi_config("compute", "scheduler", address)
    with pytest.raises(InvalidConfig) as caught:
        config.compute()
    assert str(caught.value).startswith(f"[compute] scheduler is {address!r}: it must be the")
    assert "\n" not in str(caught.value)


def test_a_password_in_the_address_of_a_dask_scheduler_is_not_shown(luigi_config):
    luigi_config("compute", "scheduler", "tcp://me:geheim@dask:8786")
    with pytest.raises(InvalidConfig) as caught:
        config.compute()
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize(
    ("uri", "line"),
    [
        ("postgres://u:p@host/db", r"knows no scheme postgres: did you mean postgresql\?$"),
        ("htp://host", r"knows no scheme htp: did you mean http\?$"),
        ("sqlit:///x.db", r"knows no scheme sqlit: did you mean sqlite\?$"),
        ("postgresql+pg8000://u:p@host/db", r"driver pg8000 is not installed here: install it$"),
        ("mssql://host/db", r"driver pyodbc is not installed here: install it$"),
        ("mysql://host/db", r"driver MySQLdb is not installed here: install it$"),
    ],
)
def test_a_registry_that_training_would_be_for_nothing_with_is_refused_before(
    monkeypatch, uri, line
):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(InvalidConfig, match=line) as found:
        option_checks.check_tracking_uri(uri)
    assert "u:p@" not in str(found.value)


def test_the_driver_of_postgresql_is_told_with_the_extra_that_brings_it(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(InvalidConfig, match=r"pip install 'taxi_pipeline\[postgresql\]'"):
        option_checks.check_tracking_uri("postgresql://host/db")


@pytest.mark.parametrize(
    "uri",
    [
        *("", "databricks", "a/folder", "http://host", "https://host/path", "sqlite:///x.db"),
        *(
            "postgresql://host/db",
            "postgresql+psycopg://host/db",
            "postgresql+other://host/db",
            "gitlab://host",
        ),
    ],
)
def test_registries_that_mlflow_can_reach_are_left_to_it(uri):
    option_checks.check_tracking_uri(uri)
