"""A real PostgreSQL of a test's own, on loopback."""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

import servers
import sqlalchemy
from processes import run

FOLDERS = tuple(Path("/usr/lib/postgresql").glob("*/bin"))
# As it stands in a URL; the database knows it as dawn@5%.
PASSWORD = "dawn%405%25"  # noqa: S105  (of a server that lives as long as the tests)


class Database:
    """A server in a folder that its user, who must not be root, may enter."""

    def __init__(self, folder):
        self.folder = folder
        self.port = servers.free_port()
        self.url = f"postgresql://luigi:${{HISTORY_PASSWORD}}@127.0.0.1:{self.port}/postgres"
        self.full_url = self.url.replace("${HISTORY_PASSWORD}", PASSWORD)
        self.as_user = ()
        if os.geteuid() == 0:
            self.as_user = (servers.installed("runuser"), "-u", "postgres", "--")
            shutil.chown(folder, "postgres")
        (folder / "password").write_text("dawn@5%")
        login = ("--username=luigi", f"--pwfile={folder}/password", "--auth=scram-sha-256")
        self._run("initdb", *login, "--no-sync", "--locale=C.UTF-8")

    def empty(self):
        """Remove all tables."""
        engine = sqlalchemy.create_engine(self.full_url)
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP SCHEMA public CASCADE")
            connection.exec_driver_sql("CREATE SCHEMA public")
        engine.dispose()

    def start(self):
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        self._run("pg_ctl", "start", f"--log={self.folder}/log", f"--options={options}")

    def stop(self):
        self._run("pg_ctl", "stop", "--mode=immediate")

    @contextlib.contextmanager
    def down(self):
        self.stop()
        try:
            yield
        finally:
            self.start()

    def _run(self, name, *arguments):
        program = servers.installed(name, *FOLDERS)
        command = [*self.as_user, program, f"--pgdata={self.folder}/data", *arguments]
        answer = run(command, self.folder)
        assert answer.returncode == 0, answer.stderr


@contextlib.contextmanager
def database():
    """A running database; without PostgreSQL the test is skipped."""
    servers.installed("initdb", *FOLDERS)
    with tempfile.TemporaryDirectory() as folder:
        server = Database(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()
