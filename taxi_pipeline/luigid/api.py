"""The interface that clients and Luigi's page use, with checked arguments."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import luigi.server
import tornado.web
from luigi.scheduler import RPC_METHODS

from taxi_pipeline.luigid import arguments


class ApiHandler(luigi.server.RPCHandler):
    """Luigi's handler; arguments that make no sense are refused before anything is done."""

    def get(self, method: str) -> None:
        """Call a method of the scheduler."""
        if method not in RPC_METHODS or not hasattr(self._scheduler, method):
            raise tornado.web.HTTPError(HTTPStatus.NOT_FOUND)
        try:
            known = arguments.read(method, self.get_argument("data", "{}"))
        except arguments.RefusedArguments as refused:
            self.set_status(HTTPStatus.BAD_REQUEST)
            self.set_header("Content-Type", "text/plain; charset=utf-8")
            self.finish(f"{refused}\n")
            return
        result: Any = getattr(self._scheduler, method)(**known)
        if self._cors_config.enabled:
            self._handle_cors()
        self.write({"response": result})

    post = get
