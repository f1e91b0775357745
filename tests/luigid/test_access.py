"""Who is let in."""

import base64
from http import HTTPStatus
from types import SimpleNamespace

import pytest
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

from taxi_pipeline.luigid.access import Access

FIREFOX = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"}
PROXY = Access({"luigi.example.org", "luigi.example.org:8443"}, address="10.0.0.5")
TOKEN = "letters-of_the.token"  # noqa: S105


def request(path="/api/pause", host="127.0.0.1:8082", method="GET", **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HTTPServerRequest(
        start_line=RequestStartLine(method, path, "HTTP/1.1"),
        headers=HTTPHeaders({"Host": host, **named}),
    )


def is_let_in(access, *arguments, **headers):
    return access.refusal(request(*arguments, **headers)) is None


# --- the name it is asked by -----------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "localhost:8082", "LOCALHOST:1", "localhost.", "127.0.0.1", "127.1.2.3:80"),
        *("[::1]", "[::1]:8082", "10.0.0.5:8082", "luigi.example.org", "Luigi.Example.ORG:443"),
    ],
)
def test_names_of_its_own_are_let_in(host):
    assert is_let_in(PROXY, host=host)


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "evil.example:8082", "localhost.evil.example", "127.0.0.1.evil.example"),
        *("evil.luigi.example.org", "xluigi.example.org", "192.0.2.1", "[2001:db8::1]:8082"),
        *("10.0.0.6", "2130706433", "0x7f.1", "[::1", "localhost..", ":8082"),
    ],
)
def test_a_name_that_leads_here_but_is_not_its_own_is_refused(host):
    refusal = PROXY.refusal(request(host=host))
    assert refusal.status == HTTPStatus.FORBIDDEN
    assert "[luigid] hosts" in refusal.reason
    assert "\n" not in refusal.reason


def test_without_further_names_only_loopback_is_let_in():
    assert is_let_in(Access(), host="localhost:8082")
    assert not is_let_in(Access(), host="luigi.example.org")


@pytest.mark.parametrize(
    ("local", "host", "let_in"),
    [
        ("10.0.0.7", "10.0.0.7:8082", True),
        ("::ffff:10.0.0.7", "10.0.0.7:8082", True),
        ("fe80::1%eth0", "[fe80::1]:8082", True),
        ("10.0.0.7", "10.0.0.8:8082", False),
    ],
)
def test_the_address_that_a_request_came_to_is_its_own(local, host, let_in):
    asked = request(host=host)
    listening = SimpleNamespace(getsockname=lambda: (local, 8082))
    stream = SimpleNamespace(closed=lambda: False, socket=listening)
    asked.connection = SimpleNamespace(stream=stream)
    assert (Access().refusal(asked) is None) == let_in


# --- pages of other sites --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("127.0.0.1:8082", "http://127.0.0.1:8082"),
        ("luigi.example.org", "https://luigi.example.org"),
        ("luigi.example.org:443", "https://luigi.example.org"),
        ("127.0.0.1:8082", "https://luigi.example.org"),  # a proxy that names what it asks
        ("127.0.0.1:8082", "https://luigi.example.org:8443"),
    ],
)
def test_its_own_pages_may_send_requests(host, origin):
    assert is_let_in(PROXY, host=host, Origin=origin, Sec_Fetch_Site="same-origin")


@pytest.mark.parametrize(
    "origin",
    [
        *("https://evil.example", "null", "", "http://127.0.0.1:9999", "http://localhost:8082"),
        *("https://luigi.example.org:444", "file://", "http://10.0.0.5", "ftp://127.0.0.1:8082"),
        "chrome-extension://127.0.0.1:8082",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "OPTIONS"])
def test_pages_of_another_origin_are_refused(origin, method):
    assert not is_let_in(PROXY, method=method, Origin=origin)


@pytest.mark.parametrize("path", ["/", "/api/pause", "/files/", "/metrics", "/history", "/static/"])
@pytest.mark.parametrize("site", ["cross-site", "same-site", "anything"])
def test_requests_of_another_site_are_refused_on_every_route(path, site):
    assert not is_let_in(Access(), path, Sec_Fetch_Site=site)


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_what_a_person_types_and_what_its_own_pages_ask_is_let_in(site):
    assert is_let_in(Access(), Sec_Fetch_Site=site)


@pytest.mark.parametrize(
    ("path", "offered"), [("/files/train/", True), ("/", True), ("/api/pause", False)]
)
def test_a_link_from_another_site_may_be_followed_by_a_second_click_unless_it_changes_something(
    path, offered
):
    asked = request(
        path, Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate", Sec_Fetch_Dest="document"
    )
    assert Access().refusal(asked).offers_page == offered


@pytest.mark.parametrize("site", ["none", "same-origin"])
def test_a_link_in_a_mail_changes_nothing(site):
    followed = {"Sec_Fetch_Site": site, "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}
    assert not is_let_in(Access(), "/api/pause", **followed)
    assert is_let_in(Access(), "/files/", **followed)


def test_a_page_that_another_site_embeds_is_not_offered():
    asked = request(
        "/", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate", Sec_Fetch_Dest="iframe"
    )
    assert not Access().refusal(asked).offers_page


def test_a_browser_that_does_not_say_which_site_asks_must_show_that_a_script_of_the_page_does():
    assert not is_let_in(PROXY, host="10.0.0.5:8082", **FIREFOX)
    assert is_let_in(PROXY, host="10.0.0.5:8082", X_Requested_With="XMLHttpRequest", **FIREFOX)
    assert is_let_in(PROXY, "/", host="10.0.0.5:8082", **FIREFOX)


@pytest.mark.parametrize("agent", ["curl/8.5", "python-requests/2.32", "Prometheus/3.0", ""])
def test_clients_that_are_no_browsers_are_let_in(agent):
    assert is_let_in(Access(), User_Agent=agent)


# --- the password ----------------------------------------------------------------------------


def basic(password, user="luigi"):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize(
    "authorization",
    [basic(TOKEN), basic(TOKEN, user=""), f"Bearer {TOKEN}", f"bearer  {TOKEN}"],
)
def test_who_knows_the_password_is_let_in(authorization):
    assert is_let_in(Access(password=TOKEN), Authorization=authorization)


@pytest.mark.parametrize(
    "authorization",
    [
        *("", "Basic", "Basic ", "Basic !", "Basic " + TOKEN, TOKEN, "Bearer", f"Token {TOKEN}"),
        *(basic(""), basic(TOKEN[:-1]), basic(TOKEN + "x"), basic(TOKEN.upper()), "Bearer \xe4"),
    ],
)
def test_who_does_not_know_the_password_is_refused(authorization):
    refusal = Access(password=TOKEN).refusal(request(Authorization=authorization))
    assert refusal.status == HTTPStatus.UNAUTHORIZED
    assert TOKEN not in refusal.reason


def test_the_password_helps_no_page_of_another_site():
    asked = {"Authorization": basic(TOKEN)}
    assert not is_let_in(Access(password=TOKEN), Sec_Fetch_Site="cross-site", **asked)
    assert not is_let_in(Access(password=TOKEN), host="evil.example", **asked)
