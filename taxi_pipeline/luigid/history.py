"""The history of tasks in a database: which ran, where, with which parameters, how they ended.

Luigi's own history needs SQLAlchemy 1.4, which is at its end of life. The tables here are those of
Luigi's, so that its databases go on being used, and so are the methods that its pages call.
"""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import luigi.scheduler
import luigi.task_history
import sqlalchemy as sa
import tornado.web
from luigi.task_status import DONE, FAILED, PENDING, RUNNING
from sqlalchemy import orm

logger = logging.getLogger("taxi_pipeline.luigid")

TIMEOUT_SECONDS = 5
"""Seconds that connecting to a PostgreSQL server may take; the scheduler waits for it."""

RECENT = timedelta(days=1)
"""Tasks whose state has changed within this time are on the page ``/history``."""


class _Table(orm.DeclarativeBase):
    """Base of the tables."""


class TaskParameter(_Table):
    """A parameter of a task."""

    __tablename__ = "task_parameters"

    task_id: orm.Mapped[int] = orm.mapped_column(sa.ForeignKey("tasks.id"), primary_key=True)
    name: orm.Mapped[str] = orm.mapped_column(sa.String(128), primary_key=True)
    value: orm.Mapped[str | None] = orm.mapped_column(sa.Text)


class TaskEvent(_Table):
    """A change of a task's state, at a local time."""

    __tablename__ = "task_events"

    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    task_id: orm.Mapped[int | None] = orm.mapped_column(sa.ForeignKey("tasks.id"), index=True)
    event_name: orm.Mapped[str | None] = orm.mapped_column(sa.String(20))
    ts: orm.Mapped[datetime] = orm.mapped_column(sa.TIMESTAMP, index=True)


class TaskRecord(_Table):
    """A task, with the host that it ran on last; ``task_id`` is Luigi's name for it."""

    __tablename__ = "tasks"

    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    task_id: orm.Mapped[str | None] = orm.mapped_column(sa.String(200), index=True)
    name: orm.Mapped[str | None] = orm.mapped_column(sa.String(128), index=True)
    host: orm.Mapped[str | None] = orm.mapped_column(sa.String(128))
    parameters: orm.Mapped[dict[str, TaskParameter]] = orm.relationship(
        collection_class=orm.attribute_keyed_dict("name")
    )
    events: orm.Mapped[list[TaskEvent]] = orm.relationship(
        order_by=(TaskEvent.ts.desc(), TaskEvent.id.desc())
    )


_WHOLE = (orm.selectinload(TaskRecord.parameters), orm.selectinload(TaskRecord.events))
_NUMBER = re.compile("[0-9]{1,9}")
_NEWEST_FIRST = TaskRecord.id.desc()


class TaskHistory(luigi.task_history.TaskHistory):
    """The history, for a scheduler to write and for Luigi's pages to read.

    A task has one record, however often it runs. What cannot be written is logged and left out: no
    work waits for the history.

    Args:
        url: SQLAlchemy's URL of the database; the tables are made if they are not there.

    Raises:
        SQLAlchemyError: the database cannot be used, or the URL cannot be understood.
        ImportError: the database's driver is not installed.
    """

    def __init__(self, url: str) -> None:
        place = sa.make_url(url)
        waits = place.get_driver_name() in {"psycopg", "psycopg2"}
        engine = sa.create_engine(
            place,
            # A connection that a restarted server has forgotten is replaced.
            pool_pre_ping=True,
            connect_args={"connect_timeout": TIMEOUT_SECONDS} if waits else {},
        )
        _Table.metadata.create_all(engine)
        with engine.connect() as connection:
            for table in _Table.metadata.sorted_tables:
                # Fails where a table of this name is another program's.
                connection.execute(sa.select(table).limit(1))
        self._sessions = orm.sessionmaker(engine)

    # --- what the scheduler tells ---

    def task_scheduled(self, task: luigi.scheduler.Task) -> None:
        """A task waits to run."""
        self._write(task, PENDING)

    def task_started(self, task: luigi.scheduler.Task, worker_host: str) -> None:
        """A task runs on a host."""
        self._write(task, RUNNING, worker_host)

    def task_finished(self, task: luigi.scheduler.Task, successful: bool) -> None:
        """A task has ended."""
        self._write(task, DONE if successful else FAILED)

    def _write(self, task: luigi.scheduler.Task, status: str, host: str | None = None) -> None:
        event = TaskEvent(event_name=status, ts=_now())
        try:
            with self._sessions.begin() as session:
                record = self._newest(session, task.id)
                if record is None:
                    record = TaskRecord(task_id=task.id, name=task.family)
                    for name, value in task.params.items():
                        record.parameters[name] = TaskParameter(name=name, value=value)
                    session.add(record)
                    session.flush()
                if host:
                    record.host = host
                event.task_id = record.id
                session.add(event)
        except sa.exc.SQLAlchemyError as error:
            logger.warning("%s is %s, which the history lacks: %s", task.id, status, _line(error))

    # --- what Luigi's pages ask ---

    @contextlib.contextmanager
    def _session(self, session: orm.Session | None = None) -> Iterator[orm.Session]:
        """The session given, or one of its own, within which a lost database is a page's error.

        Luigi's pages begin with this one, and hand the session to the methods that they call.
        """
        if session is not None:
            yield session
            return
        try:
            with self._sessions() as own:
                yield own
        except sa.exc.DataError:
            # No text in a database is like that.
            raise tornado.web.HTTPError(404) from None
        except sa.exc.SQLAlchemyError as error:
            reason = "Database of the history not available"
            raise tornado.web.HTTPError(503, "%s", _line(error), reason=reason) from None

    def find_latest_runs(self, session: orm.Session | None = None) -> Sequence[TaskRecord]:
        """The tasks whose state has changed within :data:`RECENT`, the last changed one first."""
        changed = sa.func.max(TaskEvent.ts)
        since = _now() - RECENT
        return self._found(_by_events(changed.desc()).where(TaskEvent.ts >= since), session)

    def find_all_by_name(
        self, task_name: str, session: orm.Session | None = None
    ) -> Sequence[TaskRecord]:
        """The tasks of a family, in the order in which they were first scheduled."""
        return self.find_all_by_parameters(task_name, session)

    def find_all_by_parameters(
        self, task_name: str, session: orm.Session | None = None, **task_params: Any
    ) -> Sequence[TaskRecord]:
        """The tasks of a family with these parameters, in the same order."""
        query = _by_events(sa.func.min(TaskEvent.ts)).where(TaskRecord.name == task_name)
        for name, value in task_params.items():
            query = query.where(TaskRecord.parameters.any(name=name, value=str(value)))
        return self._found(query, session)

    def find_task_by_id(self, id: str, session: orm.Session | None = None) -> TaskRecord:  # noqa: A002
        """The task with a record's number.

        Raises:
            HTTPError: there is none.
        """
        number = int(id) if _NUMBER.fullmatch(id) else 0
        with self._session(session) as opened:
            return _there(opened.scalar(sa.select(TaskRecord).where(TaskRecord.id == number)))

    def find_task_by_task_id(self, task_id: str, session: orm.Session | None = None) -> TaskRecord:
        """The task that Luigi names so.

        Raises:
            HTTPError: there is none.
        """
        with self._session(session) as opened:
            return _there(self._newest(opened, task_id))

    def find_all_runs(self) -> Sequence[TaskRecord]:
        """All tasks, without their parameters and events."""
        with self._session() as session:
            return session.scalars(sa.select(TaskRecord).order_by(TaskRecord.id)).all()

    def find_all_events(self) -> Sequence[TaskEvent]:
        """All events."""
        with self._session() as session:
            return session.scalars(sa.select(TaskEvent).order_by(TaskEvent.id)).all()

    def _found(
        self, query: sa.Select[TaskRecord], session: orm.Session | None
    ) -> Sequence[TaskRecord]:
        with self._session(session) as opened:
            return opened.scalars(query.options(*_WHOLE)).all()

    @staticmethod
    def _newest(session: orm.Session, task_id: str) -> TaskRecord | None:
        """The record of a task; Luigi's own history made another with each start of a scheduler."""
        query = sa.select(TaskRecord).where(TaskRecord.task_id == task_id)
        return session.scalar(query.order_by(_NEWEST_FIRST).limit(1))


def _by_events(order: sa.ColumnElement[Any]) -> sa.Select[TaskRecord]:
    """Tasks in an order of their events."""
    return sa.select(TaskRecord).join(TaskEvent).group_by(TaskRecord.id).order_by(order)


def _there(record: TaskRecord | None) -> TaskRecord:
    if record is None:
        raise tornado.web.HTTPError(404)
    return record


def _now() -> datetime:
    """The local time without a zone, as Luigi writes and its pages show it."""
    return datetime.now()  # noqa: DTZ005


def _line(error: Exception) -> str:
    return str(error).partition("\n")[0]
