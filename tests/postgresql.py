"""A throw-away PostgreSQL cluster on a socket in a temporary folder, and a fresh database for whoever asks.

The server refuses to run as root, so it runs as the user that Debian's package makes, or as nobody. It ends with the
session of tests that started it, and takes its data with it.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from sealtool.ledger import create_ledger

WITH_PASSWORD = "with_password"
"""A role whose members have to say a password."""

_CONFIGURATION = """
listen_addresses = ''
unix_socket_permissions = 0777
fsync = off
full_page_writes = off
max_connections = 60
shared_buffers = 16MB
wal_level = minimal
max_wal_senders = 0
autovacuum = off
logging_collector = off
"""
"""Not durable, because nothing here is worth a flush. The tests of durability ask for settings of their own."""


def programs() -> Path | None:
    """The folder of initdb and pg_ctl: the newest that is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("pg_ctl")
    return Path(on_path).resolve().parent if on_path else None


@dataclass
class Cluster:
    """A server that is ours alone."""

    programs: Path
    folder: Path
    user: str
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def make(self) -> None:
        self._run("initdb", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
        configuration = self.folder / "data" / "postgresql.conf"
        with configuration.open("a", encoding="utf-8") as file:
            file.write(f"{_CONFIGURATION}unix_socket_directories = '{self.folder}'\n")
        access = self.folder / "data" / "pg_hba.conf"
        access.write_text(f"local all +{WITH_PASSWORD} scram-sha-256\nlocal all all trust\n", encoding="utf-8")
        self.start()
        with contextlib.closing(self.connect()) as connection:
            connection.execute(f"CREATE ROLE {WITH_PASSWORD}")

    def start(self) -> None:
        self._run("pg_ctl", "--wait", "--silent", f"--log={self.folder / 'log'}", "start")

    def stop(self, mode: str = "immediate") -> None:
        self._run("pg_ctl", "--wait", "--silent", f"--mode={mode}", "stop")

    def fill_its_disk(self) -> None:
        """From now on no file of the running server can grow; the signal that would tell, it ignores."""
        postmaster = self._postmaster()
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text(encoding="ascii").split()
        for process in (postmaster, *map(int, children)):
            limit = [*self._as_user, "prlimit", f"--pid={process}", "--fsize=0:"]
            subprocess.run(limit, check=True, stdin=subprocess.DEVNULL)

    def wait_for_its_end(self) -> None:
        """A server that cannot write its log ends by itself, after it has tried to recover."""
        deadline = time.monotonic() + 30
        while (self.folder / "data" / "postmaster.pid").exists():
            assert time.monotonic() < deadline, "the server goes on without a disk"
            time.sleep(0.02)

    def _postmaster(self) -> int:
        return int((self.folder / "data" / "postmaster.pid").read_text(encoding="ascii").split()[0])

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self.programs / program), f"--pgdata={self.folder / 'data'}", *arguments]
        done = subprocess.run(
            [*self._as_user, *command],
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # a pipe would be held open by the server
            stderr=subprocess.PIPE if program == "initdb" else subprocess.DEVNULL,
            check=False,
        )
        assert done.returncode == 0, f"{program}: {(done.stderr or b'').decode()}"

    @property
    def _as_user(self) -> list[str]:
        as_user = ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups"]
        return as_user if os.geteuid() == 0 else []

    def connect(self, database: str = "postgres", user: str = "postgres") -> psycopg.Connection:
        return psycopg.connect(host=str(self.folder), dbname=database, user=user, autocommit=True)

    def database(self, template: str = "template1") -> str:
        """The name of a new database, a copy of another one."""
        name = f"ledger_{os.getpid()}_{next(self._numbers)}"
        with contextlib.closing(self.connect()) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')
        return name

    def database_with_ledger(self) -> str:
        """A new database with an empty ledger in it."""
        name = self.database()
        create_ledger(self.url(name)).close()
        return name

    def url(self, database: str, user: str = "postgres") -> str:
        return f"postgresql+psycopg://{user}@/{database}?host={self.folder}"


def _servant() -> str:
    """The user that the server runs as."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid()).pw_name
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    pytest.skip("There is no user that PostgreSQL could run as: initdb refuses root.")


_MEMORY = Path("/dev/shm")  # noqa: S108 - the cluster gets a private folder there
_ROOM_FOR_ALL_DATABASES = 4 * 1024**3


def _place() -> Path | None:
    """In memory where there is room: each database is some hundred files, which a disk takes long to make and remove.

    None for the usual folder for temporary files.
    """
    has_room = _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free >= _ROOM_FOR_ALL_DATABASES
    return _MEMORY if has_room and os.access(_MEMORY, os.W_OK | os.X_OK) else None


@contextlib.contextmanager
def throw_away_cluster() -> Iterator[Cluster]:
    """A running cluster; skips, and says so, where PostgreSQL is not installed."""
    found = programs()
    if found is None:
        pytest.skip("PostgreSQL is not installed, so nothing says whether ledgers work there: apt install postgresql")
    user = _servant()
    # in the folder for temporary files itself: the path of a socket may have 107 bytes
    with tempfile.TemporaryDirectory(prefix="sealtool-pg-", dir=_place(), ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        if os.geteuid() == 0:
            shutil.chown(folder, user)
        cluster = Cluster(found, folder, user)
        cluster.make()
        try:
            yield cluster
        finally:
            cluster.stop()
