import logging
import sys
from urllib.parse import quote

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from taxi_pipeline import redaction
from taxi_pipeline.redaction import (
    MASK,
    RedactingFilter,
    redact,
    redact_url,
    register_url_secrets,
)

HIDDEN = "hunter2222"
PUBLISHED = (
    "https://d37ci6vzurychx.cloudfront.net/trip-data/{taxi}_tripdata_{year}-{month:02d}.parquet"
)
# A mask in a secret could make the secret anew out of the text around it.
texts = st.text(st.characters(exclude_characters="*", exclude_categories=["Cs"]), max_size=20)
secrets = texts.filter(lambda text: len(text) >= redaction.MIN_LENGTH)


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch):
    """No secrets are known but those that a test tells."""
    monkeypatch.setattr(redaction, "_secrets", set())
    monkeypatch.setattr(redaction, "_secrets_of_environment", frozenset)


@pytest.fixture
def environment(monkeypatch):
    """Sets a variable, and has the environment read anew."""
    monkeypatch.undo()
    monkeypatch.setattr(redaction, "_secrets", set())

    def set_variable(name, value):
        monkeypatch.setenv(name, value)
        redaction._secrets_of_environment.cache_clear()

    yield set_variable
    redaction._secrets_of_environment.cache_clear()


# --- what a URL hides -------------------------------------------------------------------------


@given(secrets, texts, texts)
def test_a_remembered_password_is_not_shown_wherever_it_stands(password, before, after):
    url = f"https://user:{quote(password, safe='')}@example.org/file"
    register_url_secrets(url)
    for form in (password, quote(password, safe=""), url):
        shown = redact(f"{before}{form}{after}")
        assert password not in shown
        assert quote(password, safe="") not in shown


@given(secrets, texts, texts)
def test_a_remembered_query_is_not_shown_wherever_it_stands(query, before, after):
    register_url_secrets(f"https://example.org/file?{query}")
    assert query not in redact(f"{before}{query}{after}")


@given(st.lists(secrets, min_size=1, max_size=5), texts)
def test_of_many_secrets_none_is_shown(known, between):
    for secret in known:
        redaction.register_secret(secret)
    shown = redact(between.join(known))
    assert not any(secret in shown for secret in known)


@pytest.mark.parametrize(
    ("url", "secret"),
    [
        ("postgresql://luigi:{}@localhost/luigi", HIDDEN),
        ("s3://key:{}@bucket/taxi", HIDDEN),
        ("https://luigi:{}@example.org/", f"p@{HIDDEN}"),
        ("https://luigi:{}@example.org/", f"p:{HIDDEN}"),
        ("https://example.org?{}", f"key={HIDDEN}"),
        # What SQLAlchemy reads, although a URL should have it as %2F.
        ("postgresql://luigi:{}@localhost/luigi", f"p/{HIDDEN}"),
        # What fsspec reads.
        ("simplecache::https://luigi:{}@example.org/file", HIDDEN),
    ],
)
def test_a_secret_is_found_in_any_kind_of_url(url, secret):
    register_url_secrets(url.format(secret))
    assert HIDDEN not in redact(f"the server says: {secret} is wrong, at {url.format(secret)}")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("GET https://user:pw@host/file", "GET https://***@host/file"),
        ("'https://token@host/'", "'https://***@host/'"),
        ("https://host/f?sig=abc&part=1", "https://host/f?sig=***&part=1"),
        ("https://host/f?part=1&X-Amz-Signature=abc", "https://host/f?part=1&X-Amz-Signature=***"),
        ("https://host/f#access_token=abc", "https://host/f#access_token=***"),
        ("a mail to someone@example.org", "a mail to someone@example.org"),
        ("design=modern", "design=modern"),
    ],
)
def test_what_urls_usually_hide_is_masked_although_nobody_told_it(text, shown):
    assert redact(text) == shown


@pytest.mark.parametrize(
    "url",
    [
        "synthetic://?rows=20000&seed=0",
        "https://user:short@host/",
        "https://user@host/",
        "https://host:8443/file",
        "data",
        "",
    ],
)
def test_what_is_no_secret_is_not_remembered(url):
    register_url_secrets(url)
    assert redaction._secrets == set()


@given(texts)
def test_a_text_without_secrets_and_urls_is_left_as_it_is(text):
    plain = text.replace("=", "").replace("@", "")
    assert redact(plain) == plain


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:p@w@host:8443/a?b#c", "https://host:8443/a?b#c"),
        ("https://user@host", "https://host"),
        ("https://host/a@b", "https://host/a@b"),
        ("", ""),
    ],
)
def test_a_link_names_no_user(url, shown):
    assert redaction.strip_credentials(url) == shown


# --- a single URL -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://host/a@1/b.parquet", "https://host/a@1/b.parquet"),
        ("https://host:8080/a@1/b.parquet", "https://host:8080/a@1/b.parquet"),
        ("https://token@host/b.parquet", "https://***@host/b.parquet"),
        ("https://user:p@host/b.parquet", "https://***@host/b.parquet"),
        ("https://user:p/w@host/b.parquet", "https://***@host/b.parquet"),
        ("https://host/b.parquet?sig=x&y=1#z", "https://host/b.parquet?***"),
        ("https://host/b.parquet#z", "https://host/b.parquet#***"),
        ("s3://bucket/b.parquet", "s3://bucket/b.parquet"),
        ("synthetic://?rows=5&seed=1", "synthetic://?rows=5&seed=1"),
        ("/data/a@b/c.parquet", "/data/a@b/c.parquet"),
        (PUBLISHED, PUBLISHED),
    ],
)
def test_a_redacted_url_still_says_where_the_file_is(url, shown):
    assert redact_url(url) == shown


@settings(max_examples=50)
@given(
    secret=st.text(min_size=1),
    url=st.sampled_from(
        [
            "https://user:{}@host.test/a/b.parquet",
            "https://host.test/a/b.parquet?X-Amz-Signature={}",
            "https://host.test/a/b.parquet?x=1&sig={}&y=2",
            "https://host.test/a/b.parquet?{}",
            "https://host.test/a/b.parquet#token={}",
            "https://user:{0}@host.test/b.parquet?token={0}",
            "simplecache::https://user:{}@host.test/b.parquet",
        ]
    ),
)
def test_a_redacted_url_never_shows_a_secret(secret, url):
    shown = redact_url(url.format("X9X9" + secret))
    assert "X9X9" not in shown
    assert shown.startswith(("https://", "***@"))
    assume("@" not in secret)
    assert "host.test" in shown


# --- what the environment hides ---------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "PASSWORD",
        "PGPASSWORD",
        "MLFLOW_TRACKING_PASSWORD",
        "MLFLOW_TRACKING_TOKEN",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "client_secret",
        "SOME_API_KEY",
    ],
)
def test_a_variable_that_is_named_as_a_secret_is_one(environment, name):
    environment(name, HIDDEN)
    assert redact(f"with {HIDDEN}") == f"with {MASK}"


@pytest.mark.parametrize(
    ("name", "value"), [("TOKEN_FILE", "/etc/token"), ("HOME", "/home/luigi"), ("PASSWORD", "abc")]
)
def test_another_variable_and_a_short_one_are_none(environment, name, value):
    environment(name, value)
    assert redact(f"with {value}") == f"with {value}"


# --- in the log -------------------------------------------------------------------------------


def record(message, *arguments, error=None):
    trace = None
    if error:
        try:
            raise error
        except type(error):
            trace = sys.exc_info()
    return logging.LogRecord("any", logging.INFO, __file__, 1, message, arguments, trace)


def shown(logged):
    assert RedactingFilter().filter(logged)
    return logging.Formatter("%(levelname)s %(message)s").format(logged)


@pytest.fixture
def known():
    register_url_secrets(f"https://user:{HIDDEN}@host/")
    return HIDDEN


def test_a_secret_in_a_message_or_in_its_arguments_is_masked(known):
    assert shown(record(f"with {known}")) == "INFO with ***"
    assert shown(record("with %s of %d", known, 7)) == "INFO with *** of 7"
    assert shown(record("with %(it)s", {"it": known})) == "INFO with ***"
    assert shown(record("%s%s", known[:5], known[5:])) == "INFO ***"


def test_a_record_without_secrets_keeps_its_arguments(known):
    logged = record("%d of %s", 1, "2")
    assert shown(logged) == "INFO 1 of 2"
    assert (logged.msg, logged.args) == ("%d of %s", (1, "2"))


def test_a_secret_in_a_traceback_is_masked(known):
    text = shown(record("failed", error=ValueError(f"wrong: {known}")))
    assert known not in text
    assert text.startswith("INFO failed\nTraceback (most recent call last):\n")
    assert text.endswith("\nValueError: wrong: ***")


def test_a_secret_in_the_cause_of_a_failure_is_masked(known):
    error = ValueError("wrong")
    error.__cause__ = OSError(known)
    assert "OSError: ***" in shown(record("failed", error=error))


def test_a_record_that_passes_twice_is_masked_once(known):
    logged = record("with %s", known, error=ValueError(known))
    assert shown(logged) == shown(logged)


@pytest.mark.parametrize("arguments", [("a",), (1, 2)])
def test_a_malformed_call_to_the_log_is_no_failure_of_who_calls(known, arguments):
    # As without the filter: logging itself tells of it on the standard error.
    assert RedactingFilter().filter(record("%d of", *arguments))
