"""The section of the central scheduler as a service."""

from __future__ import annotations

from taxi_pipeline import redaction
from taxi_pipeline.config import option_checks
from taxi_pipeline.config.parameters import BoundedIntParameter, StrParameter
from taxi_pipeline.config.section import Section


class luigid(Section):  # noqa: N801  (a section's name is its class's name)
    """The scheduler that `taxi-pipeline luigid` starts."""

    address: StrParameter = StrParameter(
        default="127.0.0.1",
        significant=False,
        description="Interface to listen on. Where others can reach it, set a password as well, or "
        "let them in through a proxy that asks for one.",
    )
    port: BoundedIntParameter = BoundedIntParameter(
        0, 65535, default=8082, significant=False, description="Port to listen on; 0 takes any."
    )
    folder: StrParameter = StrParameter(
        default="luigid",
        significant=False,
        description="Folder of its state, and of its history unless [task_history] db_connection "
        "names another database, such as postgresql://user:${PASSWORD}@host/luigi.",
    )
    hosts: StrParameter = StrParameter(
        default="",
        check=option_checks.check_hosts,
        significant=False,
        description="Further names under which browsers and clients may reach it, such as those of "
        "a proxy or a container, separated by commas; with a port only if URLs name it. Loopback "
        "and the address that it listens on need not be named.",
    )
    password: StrParameter = StrParameter(
        default="",
        check=option_checks.check_password,
        secrets=redaction.register_secret,
        significant=False,
        description="Password, or token, that it asks for; ${NAME} takes it from the environment. "
        "Clients send it as http://luigi:PASSWORD@host:port. Empty: none.",
    )

    @property
    def host_names(self) -> frozenset[str]:
        """The further names, in small letters."""
        return frozenset(self.hosts.lower().replace(",", " ").split())
