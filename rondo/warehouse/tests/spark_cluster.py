"""A real Spark cluster for tests: a standalone master and two workers, each a process of its own, on loopback."""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path

STARTED_WITHIN = 180.0
WORKERS = 2
# Small, and without the usual giving back of processors: both workers have to work.
_SMALL = """
spark.driver.host 127.0.0.1
spark.driver.memory 512m
spark.executor.memory 512m
spark.cores.max 2
spark.dynamicAllocation.enabled false
spark.sql.shuffle.partitions 2
spark.default.parallelism 2
"""
_JAVA = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto"
THRIFTY = f"""
spark.sql.adaptive.enabled false
spark.sql.codegen.wholeStage false
spark.sql.codegen.factoryMode NO_CODEGEN
spark.driver.extraJavaOptions {_JAVA}
spark.executor.extraJavaOptions {_JAVA}
"""
"""Spares what pays off with many rows alone: plans that change while they run, and Java made for each query."""


def missing() -> str:
    """Why no cluster can be started here; empty where one can."""
    if find_spec("pyspark") is None:
        return "the extra “spark” is not installed (pip install rondo-crm[spark])"
    return "" if os.environ.get("JAVA_HOME") or shutil.which("java") else "Java 17 is not installed"


@contextmanager
def cluster(folder: Path, defaults: str = THRIFTY) -> Iterator[str]:
    """The address of a running cluster that keeps its files in ``folder``; its processes end with the block.

    Applications find their part in ``folder/conf``, which ``SPARK_CONF_DIR`` has to name, with ``defaults`` added.
    """
    pyspark = find_spec("pyspark")
    assert pyspark is not None and pyspark.origin is not None
    home = Path(pyspark.origin).parent
    (folder / "conf").mkdir()
    (folder / "conf" / "spark-defaults.conf").write_text(_SMALL + defaults)
    port, status = _free_ports(2)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SPARK_")}
    environment = kept | {
        "SPARK_HOME": str(home),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_CONF_DIR": str(folder / "conf"),
        "SPARK_DAEMON_MEMORY": "256m",
        "SPARK_DAEMON_JAVA_OPTS": _JAVA,
    }
    address = f"spark://127.0.0.1:{port}"
    with ExitStack() as started:

        def start(role: str, name: str, *arguments: str) -> None:
            log = started.enter_context((folder / f"{name}.log").open("wb"))
            command = [str(home / "bin" / "spark-class"), f"org.apache.spark.deploy.{role}", "--host", "127.0.0.1"]
            process = subprocess.Popen(
                [*command, *arguments], env=environment, stdout=log, stderr=log, start_new_session=True
            )
            started.callback(_end, process)

        start("master.Master", "master", "--port", str(port), "--webui-port", str(status))
        for number in range(WORKERS):
            where = folder / f"worker{number}"
            limits = ("--cores", "1", "--memory", "600m", "--webui-port", "0", "--work-dir", str(where))
            start("worker.Worker", where.name, *limits, address)
        _wait(f"http://127.0.0.1:{status}/json/", folder)
        yield address


def _wait(status: str, folder: Path) -> None:
    deadline = time.monotonic() + STARTED_WITHIN
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(status, timeout=5) as answer:
                workers = json.load(answer)["workers"]
            if sum(worker["state"] == "ALIVE" for worker in workers) == WORKERS:
                return
        except OSError:
            pass  # not up yet
        time.sleep(1)
    logs = "\n".join(path.read_text(errors="replace")[-2000:] for path in sorted(folder.glob("*.log")))
    raise AssertionError(f"The cluster was not up within {STARTED_WITHIN:.0f} seconds:\n{logs}")


def _end(process: "subprocess.Popen[bytes]") -> None:
    """The process and those it started, by its own process group."""
    try:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(15)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(15)
    except ProcessLookupError:
        process.wait(15)


def _free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _number in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]
