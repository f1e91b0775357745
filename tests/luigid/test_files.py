"""Files and folders for a browser, asked for over HTTP."""

import asyncio
import threading

import artifacts
import pytest
import tornado.web
from tornado.httpclient import AsyncHTTPClient

from taxi_pipeline.luigid import files
from taxi_pipeline.luigid.published import PublishedRoot

SECONDS = 20


@pytest.fixture
def root(tmp_path):
    return artifacts.make(tmp_path / "root")


def ask(root, *paths, while_open=lambda: None, **options):
    """What a server answers to requests that are sent at the same time."""

    async def main():
        server = tornado.web.Application(files.routes(root)).listen(0, "127.0.0.1")
        port = next(iter(server._sockets.values())).getsockname()[1]
        client = AsyncHTTPClient()

        async def get(path):
            url = f"http://127.0.0.1:{port}/files/{path}"
            return await client.fetch(url, raise_error=False, request_timeout=SECONDS, **options)

        asked = [asyncio.ensure_future(get(path)) for path in paths]
        await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
        while_open()
        try:
            return [await answer for answer in asked]
        finally:
            server.stop()

    return asyncio.run(main())


@pytest.mark.parametrize("method", ["folder", "file"])
def test_a_disk_that_hangs_keeps_no_other_request_waiting(root, monkeypatch, method):
    goes_on = threading.Event()
    real = getattr(PublishedRoot, method)

    def hangs(self, location):
        assert not location.startswith("slow") or goes_on.wait(SECONDS / 2)
        return real(self, location)

    monkeypatch.setattr(PublishedRoot, method, hangs)
    slow, other = {
        "folder": ("slow/", "evaluate/"),
        "file": ("slow", f"{artifacts.OUTPUT}/evil.svg"),
    }[method]
    answers = ask(root, slow, other, while_open=goes_on.set)
    assert [answer.code for answer in answers] == [404, 200]


@pytest.mark.parametrize("size", [0, 1, files.CHUNK - 1, files.CHUNK, 3 * files.CHUNK + 7])
def test_a_file_of_any_size_is_sent_as_it_is(root, size):
    content = (bytes(range(256)) * (size // 256 + 1))[:size]
    (root / artifacts.OUTPUT / "name.parquet").write_bytes(content)
    (answer,) = ask(root, f"{artifacts.OUTPUT}/name.parquet")
    assert (answer.code, answer.body) == (200, content)
    assert answer.headers["Content-Disposition"] == "attachment"
    (head,) = ask(root, f"{artifacts.OUTPUT}/name.parquet", method="HEAD")
    assert head.headers["Content-Length"] == str(size)
    assert head.headers["ETag"] == answer.headers["ETag"]


def test_a_folder_without_a_slash_leads_to_its_page(root):
    (answer,) = ask(root, artifacts.OUTPUT, follow_redirects=False)
    assert (answer.code, answer.headers["Location"]) == (302, f"/files/{artifacts.OUTPUT}/")


def test_a_file_that_may_not_be_read_is_not_there(root, monkeypatch):
    def refuses(_self, _mode):
        raise PermissionError

    monkeypatch.setattr("pathlib.Path.open", refuses)
    (answer,) = ask(root, f"{artifacts.OUTPUT}/report.html")
    assert answer.code == 404
