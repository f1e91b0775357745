"""The program that answers requests with one version of a registered model.

It is MLflow's scoring server on a socket that listens already. It is run as a file, in a process of
its own: there, ``taxi_pipeline`` is the code that MLflow packaged with the version, so nothing of
this package is imported here. On its standard output it says ``ready`` once it answers, or why it
cannot. It ends when its standard input is closed, after the requests that it has begun.

Usage: scoring_program.py MODEL_FOLDER SOCKET_NUMBER NAME VERSION
"""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import sys
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import mlflow.pyfunc
import uvicorn
from fastapi import Request
from fastapi.responses import JSONResponse, Response
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import BAD_REQUEST
from mlflow.pyfunc import scoring_server

VERSION_HEADER = "X-Model-Version"
"""The header of each answer that says which version gave it."""

LAST_SECONDS = 30
"""Seconds that the requests which have begun are given to end."""

REQUEST_SECONDS = 0.5
"""Seconds that a connection which is accepted last has for its request to arrive."""

MAX_LETTERS = 500
"""Of a message; MLflow quotes the rows."""

FURTHER = ("Input:", "IMPORTANT:")
"""After these words MLflow quotes the whole request, or tells of MLflow 1."""

logger = logging.getLogger("uvicorn.error")


class Refused(MlflowException):
    """Rows that the model does not take, in the words of what refused them."""

    def __init__(self, line: str) -> None:
        super().__init__(line, error_code=BAD_REQUEST)
        self.line = line

    def serialize_as_json(self) -> str:
        """The body of the answer, without the rows and the traceback that MLflow adds."""
        return json.dumps({"error_code": self.error_code, "message": self.line})


class Refusing:
    """A model whose errors are one line.

    Args:
        model: as MLflow loads it.
    """

    def __init__(self, model: Any) -> None:
        self.model, self.metadata = model, model.metadata

    def predict(self, data: Any, params: dict[str, Any] | None = None) -> Any:
        """What the model predicts.

        Raises:
            Refused: it does not take the rows.
        """
        try:
            return self.model.predict(data, params=params)
        except MlflowException as error:
            # MLflow's message quotes all rows and the schema before it comes to the point.
            raise Refused(one_line(error.message.rpartition("Error: ")[2])) from error
        except Exception as error:
            if not is_for_user(error):
                logger.exception("the model failed")
                raise Refused(one_line(f"{type(error).__name__}: {error}")) from error
            raise Refused(one_line(str(error))) from error


def is_for_user(error: Exception) -> bool:
    """Whether an error's text is written for those who call the model."""
    return any(kind.__name__ == "TaxiPipelineError" for kind in type(error).__mro__)


def one_line(text: str) -> str:
    """A text on one line, cut where it is long."""
    line = " ".join(text.split())
    return line if len(line) <= MAX_LETTERS else f"{line[:MAX_LETTERS]} ..."


def refusal(status: int, code: str, message: str) -> Response:
    """An answer that refuses a request, as MLflow's own are made."""
    return JSONResponse({"error_code": code, "message": one_line(message)}, status)


def application(model: Any, name: str, version: str) -> Any:
    """MLflow's scoring application, which says which version answers and refuses in one line.

    Args:
        model: as MLflow loads it.
        name: of the registered model.
        version: its version.
    """
    app: Any = scoring_server.init(Refusing(model))  # type: ignore[arg-type]  # all that it uses

    async def model_version() -> dict[str, str]:
        """Which model answers."""
        return {"model": name, "version": version}

    async def in_one_line(
        request: Request, answer_to: Callable[[Request], Awaitable[Any]]
    ) -> Response:
        answer = await answered(request, answer_to)
        answer.headers[VERSION_HEADER] = version
        return answer

    app.get("/model")(model_version)
    app.middleware("http")(in_one_line)
    return app


async def answered(request: Request, answer_to: Callable[[Request], Awaitable[Any]]) -> Response:
    """The answer to a request; if it refuses, then in one line."""
    if request.method == "POST" and not request.headers.get("content-type"):
        return refusal(415, "BAD_REQUEST", "say what the rows are: Content-Type: application/json")
    try:
        answer = await answer_to(request)
    except Exception as error:  # noqa: BLE001  (what MLflow does not expect of a request's body)
        # The model's own errors are Refused: this one came of reading the request.
        cause = f"{type(error).__name__}: {error}"
        return refusal(400, "BAD_REQUEST", f"the request cannot be read: {cause}")
    if answer.status_code < 400:  # noqa: PLR2004  (HTTP)
        return answer  # type: ignore[no-any-return]
    text = b"".join([part async for part in answer.body_iterator]).decode(errors="replace")
    try:
        told = json.loads(text)
        code, message = str(told["error_code"]), str(told["message"])
    except (ValueError, KeyError, TypeError):
        code, message = "BAD_REQUEST", text
    for word in FURTHER:
        message = message.partition(word)[0]
    return refusal(answer.status_code, code, message)


class Server(uvicorn.Server):
    """A server that says when it answers, and ends when nobody holds its input any more."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer."""
        await super().startup(sockets=sockets)
        threading.Thread(target=self._end_with_input, daemon=True).start()
        say("ready")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End, once those that have connected last have sent their requests."""
        for server in self.servers:
            server.close()
        # Uvicorn would close a connection whose request is still on its way.
        await asyncio.sleep(REQUEST_SECONDS)
        await super().shutdown(sockets)

    def _end_with_input(self) -> None:
        sys.stdin.read()
        self.should_exit = True


def say(line: str) -> None:
    """Tell who started this."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Load the model, try it, and serve."""
    folder, number, name, version = sys.argv[1:]
    try:
        model = mlflow.pyfunc.load_model(folder, suppress_warnings=True)
        if model.input_example is not None:
            # A model that cannot predict replaces none that can; and the first takes longer.
            model.predict(model.input_example)
    except Exception as error:  # noqa: BLE001  (told to who started this, in one line)
        say(one_line(str(error) if is_for_user(error) else f"{type(error).__name__}: {error}"))
        sys.exit(1)
    listening = socket.socket(fileno=int(number))
    config = uvicorn.Config(
        application(model, name, version),
        log_level="warning",
        timeout_graceful_shutdown=LAST_SECONDS,
    )
    Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
