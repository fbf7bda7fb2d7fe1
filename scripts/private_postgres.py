"""A PostgreSQL server of one's own for as long as a command runs: in a temporary folder, on a free port, then gone.

``python scripts/private_postgres.py COMMAND ...`` runs the command with ``RONDO_DATABASE_URL`` set. The server trades
durability for speed (fsync off), so it is for tests alone; and it compiles no queries to machine code (jit off), which
takes seconds for a rule of many conditions and spares milliseconds (docs/settings.md).
"""

import contextlib
import os
import pwd
import random
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def programs() -> Path | None:
    """The folder of ``initdb`` and ``pg_ctl``: on the path, or the newest where Debian keeps it; None if absent."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    versions = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]), reverse=True
    )
    return versions[0].parent if versions else None


def free_port() -> int:
    """A TCP port that nobody listens on at this moment, from below those that systems give to outgoing connections: one
    of them could have taken it before a server that takes seconds to start.
    """
    for port in random.SystemRandom().sample(range(20_000, 32_000), 100):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("100 ports between 20000 and 32000 are in use; end some of the servers on this machine.")


@contextmanager
def private_postgres() -> Iterator[str]:
    """Runs a server and yields the address of its database ``rondo``; stops it and removes its folder afterwards.

    As root it runs as the user ``postgres``, since PostgreSQL refuses to run as root.

    Raises:
        RuntimeError: PostgreSQL is not installed, or the server did not start (with its log).
    """
    folder = programs()
    if folder is None:
        raise RuntimeError("PostgreSQL is not installed (Debian: apt-get install postgresql).")
    # Becoming the user in the child needs no program of its own, so that the path may lack the system's folders.
    owner = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
    home = Path(tempfile.mkdtemp(prefix="rondo-postgres-"))
    data, log, key = home / "data", home / "log", home / "password"
    password = secrets.token_urlsafe(18)
    key.write_text(password)
    if owner:
        os.chown(home, owner.pw_uid, owner.pw_gid)
        os.chown(key, owner.pw_uid, owner.pw_gid)

    def call(program: str, *arguments: str, check: bool = True) -> None:
        done = subprocess.run(
            [str(folder / program), *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            cwd=home,
            user=owner.pw_uid if owner else None,
            group=owner.pw_gid if owner else None,
            extra_groups=[] if owner else None,
        )
        if check and done.returncode:
            told = log.read_text(errors="replace") if log.exists() else ""
            raise RuntimeError(f"{program} ended with {done.returncode}: {done.stderr}\n{told}")

    try:
        call(
            "initdb",
            f"--pgdata={data}",
            "--username=rondo",
            f"--pwfile={key}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        )
        port = free_port()
        options = (
            f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= "
            "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c autovacuum_naptime=5s -c jit=off"
        )
        call("pg_ctl", f"--pgdata={data}", f"--log={log}", "--wait", "--options", options, "start")
        yield f"postgresql://rondo:{password}@127.0.0.1:{port}/postgres"
    finally:
        if (data / "postmaster.pid").exists():
            call("pg_ctl", f"--pgdata={data}", "--mode=immediate", "--wait", "stop", check=False)
        shutil.rmtree(home, ignore_errors=True)


def main() -> int:
    """Runs the command given as arguments against a private server and returns its exit status."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with private_postgres() as address:
        return subprocess.run(sys.argv[1:], env=os.environ | {"RONDO_DATABASE_URL": address}).returncode


if __name__ == "__main__":
    sys.exit(main())
