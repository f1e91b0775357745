"""A real S3-compatible server on loopback, whose requests are counted, delayed and refused."""

import contextlib
import os
import threading
import time
from http import HTTPStatus

import pytest

from taxi_pipeline.storage import filesystems

BUCKET = "taxi-tests"


class ObjectStore:
    """A server with one bucket.

    Attributes:
        url: of the server.
        requests: method and path of each request so far.
        delay: seconds before each answer.
        refuse: of a request (method and path) the code of S3 with which it is refused, or None.
    """

    def __init__(self):
        # Late, as every test session loads this module.
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
        from werkzeug.serving import WSGIRequestHandler, make_server

        class Silent(WSGIRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_request(self, *_arguments):
                pass

        self.requests = []
        self.delay = 0.0
        self.refuse = lambda _method, _path: None
        self._application = DomainDispatcherApplication(create_backend_app)
        self._server = make_server(
            "127.0.0.1", 0, self._answer, threaded=True, request_handler=Silent
        )
        self.port = self._server.port
        self.url = f"http://127.0.0.1:{self.port}"

    @property
    def environment(self):
        """The variables by which S3's packages find the server."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "tests",
            "AWS_SECRET_ACCESS_KEY": "tests",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def root(self, name):
        return f"s3://{BUCKET}/{name}"

    def client(self):
        import boto3

        return boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id="tests",
            aws_secret_access_key="tests",  # noqa: S106  (of a server on loopback)
            region_name="us-east-1",
        )

    def names(self, prefix):
        """The objects below a prefix, relative to it."""
        pages = (
            self.client()
            .get_paginator("list_objects_v2")
            .paginate(Bucket=BUCKET, Prefix=f"{prefix}/")
        )
        return [
            entry["Key"].removeprefix(f"{prefix}/")
            for page in pages
            for entry in page.get("Contents", [])
        ]

    def read(self, key):
        return self.client().get_object(Bucket=BUCKET, Key=key)["Body"].read()

    @contextlib.contextmanager
    def counted(self):
        """The requests within the block, once it has ended."""
        before, counted = len(self.requests), []
        yield counted
        counted += self.requests[before:]

    @contextlib.contextmanager
    def refusing(self, refuse):
        self.refuse = refuse
        try:
            yield
        finally:
            self.refuse = lambda _method, _path: None

    def start(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.client().create_bucket(Bucket=BUCKET)

    def stop(self):
        self._server.shutdown()

    def _answer(self, environ, start_response):
        from werkzeug.wrappers import Request, Response

        request = Request(environ)
        described = (request.method, request.full_path.rstrip("?"))
        self.requests.append(described)
        time.sleep(self.delay)
        if code := self.refuse(*described):
            status, name = code
            text = f"<Error><Code>{name}</Code><Message>{name}</Message></Error>"
            # What is sent is read, as a client that still sends sees no answer.
            request.get_data()
            return Response(text, status, content_type="application/xml")(environ, start_response)
        return self._application(environ, start_response)


DENIED = (HTTPStatus.FORBIDDEN, "AccessDenied")
BUSY = (HTTPStatus.SERVICE_UNAVAILABLE, "SlowDown")


@pytest.fixture(scope="session")
def _object_store():
    # scripts/smoke --oldest installs none of what the extras bring.
    pytest.importorskip("moto", reason="moto is not installed")
    pytest.importorskip("s3fs", reason="s3fs is not installed")
    running = ObjectStore()
    running.start()
    yield running
    running.stop()


@pytest.fixture
def store(_object_store, monkeypatch):
    """A running server, which the packages of this process find by the environment."""
    for name, text in _object_store.environment.items():
        monkeypatch.setenv(name, text)
    # What is refused on purpose is soon given up.
    monkeypatch.setattr(filesystems, "ATTEMPTS", 2)
    return _object_store


@contextlib.contextmanager
def serving():
    """A running server, for programs that are no tests."""
    running = ObjectStore()
    running.start()
    os.environ.update(running.environment)
    try:
        yield running
    finally:
        running.stop()
