"""The connection to a Spark cluster: one application per process, opened when it is first asked for (docs/spark.md)."""

import os
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from rondo.errors import StateError

REACHED_WITHIN = 5.0
"""Seconds in which the master has to take a connection."""
GRANTED_WITHIN = 120.0
"""Seconds in which the cluster has to give the first processor."""

# Figures depend on these; whatever spark-defaults.conf says, they hold.
_FIXED = {
    "spark.app.name": "rondo",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.ansi.doubleQuotedIdentifiers": "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.catalogImplementation": "in-memory",
    "spark.ui.showConsoleProgress": "false",
}
# A process that serves pages would otherwise hold the cluster's processors for as long as it runs.
_USUAL = {
    "spark.ui.enabled": "false",
    "spark.dynamicAllocation.enabled": "true",
    "spark.dynamicAllocation.executorIdleTimeout": "20s",
    "spark.dynamicAllocation.shuffleTracking.timeout": "60s",
    "spark.driver.maxResultSize": "0",
}
_LOG_BYTES = 1_000_000

_lock = threading.Lock()
_root: Any = None
_opened: tuple[int, str] = (0, "")


def session(address: str) -> Any:
    """A Spark session with names of its own, on the application of this process at ``address`` (``spark://…``).

    Raises:
        StateError: Spark or Java is not installed, no master answers, or the cluster gives no processor in time.
    """
    global _root, _opened
    with _lock:
        if _root is not None and (_opened != (os.getpid(), address) or _ended(_root)):
            _close()
        if _root is None:
            _root = _open(address)
            _opened = (os.getpid(), address)
        return _root.newSession()


def stop() -> None:
    """End the application of this process, if there is one."""
    with _lock:
        _close()


def log_file() -> Path:
    """What Spark says about itself."""
    return Path(settings.RONDO_HOME) / "logs" / "spark.log"


@contextmanager
def answering() -> Iterator[None]:
    """What Spark could not do, said as an error of ours; a query that is wrong is its writer's matter.

    Raises:
        StateError: a job failed, or the cluster is gone.
    """
    from py4j.protocol import Py4JError
    from pyspark.errors import AnalysisException, PySparkException

    try:
        yield
    except AnalysisException:
        raise
    except (PySparkException, Py4JError) as error:
        raise StateError(
            _("Spark could not answer (%(reason)s); %(log)s says more.")
            % {"reason": _first_line(error), "log": log_file()}
        ) from error


def _ended(root: Any) -> bool:
    """Whether the application is over, by the cluster's will or because its Java process is gone."""
    try:
        return bool(root.sparkContext._jsc.sc().isStopped())
    except Exception:
        return True


def _open(address: str) -> Any:
    if find_spec("pyspark") is None:
        raise StateError(
            _("RONDO_ENGINE=%(value)s: Spark is not installed here; run “pip install rondo-crm[spark]”.")
            % {"value": address}
        )
    _find_java(address)
    _reach(address)
    from pyspark import SparkConf, SparkContext
    from pyspark.java_gateway import launch_gateway
    from pyspark.sql import SparkSession

    with _log() as log:
        try:
            if SparkContext._gateway is None:
                gateway = launch_gateway(popen_kwargs={"stdout": log, "stderr": log})
                SparkContext._ensure_initialized(gateway=gateway)
            conf = SparkConf(_jvm=SparkContext._jvm).setMaster(address)
            for name, value in _FIXED.items():
                conf.set(name, value)
            for name, value in _USUAL.items():
                conf.setIfMissing(name, value)
            found = SparkSession(SparkContext(conf=conf))
        except Exception as error:
            _end_java()
            raise StateError(
                _("RONDO_ENGINE=%(value)s: Spark did not start (%(reason)s); %(log)s says more.")
                % {"value": address, "reason": _first_line(error), "log": log_file()}
            ) from error
    _first_job(found, address)
    return found


def _find_java(address: str) -> None:
    home = os.environ.get("JAVA_HOME")
    if (Path(home) / "bin" / "java").exists() if home else shutil.which("java"):
        return
    raise StateError(
        _("RONDO_ENGINE=%(value)s: Spark needs Java 17 or newer, and there is none; install it or set JAVA_HOME.")
        % {"value": address}
    )


def _reach(address: str) -> None:
    """Spark itself tries for a minute; who mistyped an address is told at once."""
    reasons = []
    for master in address.removeprefix("spark://").split(","):
        host, _colon, port = master.rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), REACHED_WITHIN).close()
            return
        except OSError as error:
            reasons.append(str(error))
    raise StateError(
        _("RONDO_ENGINE=%(value)s: no master answers there (%(reason)s); start one or mend the address.")
        % {"value": address, "reason": "; ".join(reasons)}
    )


def _first_job(found: Any, address: str) -> None:
    """Without a free worker Spark waits for one, and says so nowhere but in its log."""
    context, late = found.sparkContext, threading.Event()

    def give_up() -> None:
        late.set()
        context.cancelAllJobs()

    timer = threading.Timer(GRANTED_WITHIN, give_up)
    timer.daemon = True
    timer.start()
    try:
        found.range(1).count()
    except Exception as error:
        context.stop()
        if not late.is_set():
            reason = _first_line(error)
        else:
            reason = _("no worker had a processor and memory to give within %(seconds)d seconds") % {
                "seconds": GRANTED_WITHIN
            }
        raise StateError(
            _("RONDO_ENGINE=%(value)s: Spark did not start (%(reason)s); %(log)s says more.")
            % {"value": address, "reason": reason, "log": log_file()}
        ) from error
    finally:
        timer.cancel()


def _close() -> None:
    global _root
    root, _root = _root, None
    if root is None:
        return
    if _opened[0] == os.getpid():
        with suppress(Exception):  # it may be gone already
            root.stop()
        _end_java()
    else:  # of the process that this one was forked from, which goes on with it
        from pyspark import SparkContext

        SparkContext._gateway = SparkContext._jvm = SparkContext._active_spark_context = None


def _end_java() -> None:
    """The Java process ends when its input does; the next application gets another."""
    from pyspark import SparkContext

    gateway = SparkContext._gateway
    SparkContext._gateway = SparkContext._jvm = None
    if gateway is None:
        return
    with suppress(Exception):
        gateway.shutdown()
    if (process := getattr(gateway, "proc", None)) is not None:
        process.stdin.close()
        process.wait(30)


@contextmanager
def _log() -> Iterator[Any]:
    path = log_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = "wb" if path.exists() and path.stat().st_size > _LOG_BYTES else "ab"
    with path.open(mode) as file:
        yield file


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
