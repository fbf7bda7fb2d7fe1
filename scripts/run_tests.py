"""Runs every test: the suite on SQLite, then what touches the database on a private PostgreSQL as well.

As root on Debian it first installs the Chromium and PostgreSQL that are missing. Elsewhere it says what is left out and
why. Arguments go to pytest. It ends with pytest's own summary, and fails if any run failed.
"""

import os
import shutil
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from scripts.private_postgres import private_postgres, programs
from tests.browsing import chromium_path

NO_TESTS = 5  # pytest's exit status when the selection is empty


def say(line: str) -> None:
    """One line to the person, in order with what child processes print."""
    sys.stdout.write(f"== {line}\n")
    sys.stdout.flush()


def prepare() -> None:
    """Installs Chromium and PostgreSQL where they are missing and that can be done; otherwise says what is left out."""
    missing = {}
    if chromium_path() is None:
        missing["chromium"] = "the browser tests are skipped"
    if programs() is None:
        missing["postgresql"] = "the suite runs on SQLite alone"
    if not missing:
        return
    apt = shutil.which("apt-get")
    if apt and os.geteuid() == 0:
        say(f"Installing {' and '.join(missing)} with apt-get")
        # A service's path often lacks the system's folders, and dpkg refuses to work without them.
        path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"])
        quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "PATH": path}
        subprocess.run([apt, "update", "-qq"], env=quiet)
        subprocess.run([apt, "install", "-y", "-qq", "--no-install-recommends", *missing], env=quiet)
        reason = "apt-get could not install it (see above)"
    else:
        reason = "it is not installed, and only root on Debian can install it here"
    for name, effect in missing.items():
        if (chromium_path() if name == "chromium" else programs()) is None:
            say(f"{name} is missing: {effect}. Reason: {reason}.")


def prepare_spark() -> None:
    """Installs the extra ``spark`` for the test that starts a cluster, where there is the Java that it needs."""
    if find_spec("pyspark") is not None:
        return
    skipped = "the test on a Spark cluster is skipped"
    if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        say(f"Java is missing: {skipped}. Reason: Spark needs Java 17, and nothing else here does.")
        return
    say("Installing Spark from requirements-spark.lock (430 MB, once)")
    # A source package: setuptools, which makes the wheel, is in requirements-dev.lock.
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    given = ["--require-hashes", "--no-deps", "--no-build-isolation", "--requirement", "requirements-spark.lock"]
    if subprocess.run([*pip, *given]).returncode:
        say(f"Spark is missing: {skipped}. Reason: pip could not install it (see above).")


def suite(arguments: list[str], **settings: str) -> int:
    """One pytest run over the given settings, spread over the processors; its exit status."""
    spread = min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, 4)
    command = [sys.executable, "-m", "pytest", "-ra"]
    if spread > 1 and not any(argument.startswith("-n") for argument in arguments):
        command += ["-n", str(spread), "--dist", "loadscope"]
    # Bytecode is kept whatever the machine's own habit: the tests start hundreds of processes, and compiling what each
    # of them imports would take longer than the tests.
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("RONDO_") and name != "PYTHONDONTWRITEBYTECODE"
    }
    return subprocess.run(command + arguments, env=kept | settings).returncode


def main() -> int:
    """Prepares, runs the suites, and returns 0 only if both passed."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    os.chdir(Path(__file__).resolve().parent.parent)
    chosen = sys.argv[1:]
    prepare()
    if not chosen:
        prepare_spark()
    say("Tests on SQLite")
    first = suite(chosen)
    if programs() is None:
        say("PostgreSQL is missing: no test ran on it")
        return first
    with private_postgres() as address:
        say("Tests on PostgreSQL, those that reach a database")
        second = suite([*chosen, "-m", "not once"], RONDO_DATABASE_URL=address)
    outcome = {first, second}
    if chosen:
        outcome.discard(NO_TESTS)
    if first not in (0, NO_TESTS):
        say("The run on SQLite failed; see above.")
    return max(outcome, default=NO_TESTS)


if __name__ == "__main__":
    sys.exit(main())
