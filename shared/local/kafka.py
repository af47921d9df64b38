"""Real Apache Kafka without Docker: fetched by Maven, one KRaft node on loopback, for `make kafka`, `make test-kafka`.

    python -m shared.local.kafka [--fetch] [COMMAND ...]

With a command, the broker starts with nothing in it, the command runs with KAFKA_BOOTSTRAP_SERVERS set, and its exit
code is returned. Without one, the broker runs until Ctrl-C and keeps its records under `.local/kafka`. Needs Java 17
or newer, and Maven the first time.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

import click

from shared.clock import SystemClock
from shared.errors import PlatformError, Unavailable
from shared.local.platform import ROOT
from shared.local.ports import LOOPBACK, needed, preferred
from shared.local.programs import Program, listens
from shared.local.supervisor import Supervisor

BROKER = ROOT / "deploy" / "kafka"
JARS = BROKER / "lib"
SETTINGS = BROKER / "server.properties"
STATE = Path(".local") / "kafka"
DECLARED_PORT = 9092
OLDEST_JAVA = 17
FEWEST_JARS = 40
LOGGED = "-Dorg.slf4j.simpleLogger.defaultLogLevel="
TOOL = ("java", f"{LOGGED}off", "-cp", f"{JARS}/*", "kafka.tools.StorageTool")


def check_java() -> None:
    """Make sure that a Java is here that runs the broker.

    Raises:
        Unavailable: there is none, or it is too old.
    """
    if shutil.which("java") is None:
        raise Unavailable("Apache Kafka needs Java 17 or newer (Debian and Ubuntu: apt install default-jre-headless)")
    shown = _output(("java", "-version"))
    found = re.search(r'version "(\d+)', shown)
    if found is None or int(found[1]) < OLDEST_JAVA:
        raise Unavailable(f"Apache Kafka needs Java {OLDEST_JAVA} or newer, this is: {shown.splitlines()[0]}")


def fetch() -> None:
    """Fetch the broker's jars into `deploy/kafka/lib`, once for each version of the pom.

    Raises:
        Unavailable: there is no Maven, or it cannot reach its repository.
    """
    pom = BROKER / "pom.xml"
    fetched = JARS / "pom.xml"
    if fetched.exists() and fetched.read_bytes() == pom.read_bytes():
        return
    if shutil.which("mvn") is None:
        raise Unavailable("fetching Apache Kafka needs Maven (Debian and Ubuntu: apt install maven)")
    click.echo("fetching Apache Kafka with Maven, about 45 MB")
    shutil.rmtree(JARS, ignore_errors=True)
    output = _output(("mvn", "-q", "-B", "-f", str(pom), "dependency:copy-dependencies", f"-DoutputDirectory={JARS}"))
    if len(list(JARS.glob("*.jar"))) < FEWEST_JARS:
        shutil.rmtree(JARS, ignore_errors=True)
        raise Unavailable(f"Maven could not fetch Apache Kafka:\n{output.strip()[-1000:]}")
    shutil.copyfile(pom, fetched)


def prepare(
    directory: Path,
    port: int,
    *,
    more: str = "",
    users: Mapping[str, str] | None = None,
    cluster: str | None = None,
) -> Path:
    """Return the settings file of a node that keeps its records in `directory`, formatted when it is new.

    Args:
        directory: Where everything of the node is kept.
        port: Where it listens.
        more: Settings beside or instead of the usual ones, with PORT and CONTROLLER_PORT to be filled in.
        users: Names and passwords of SCRAM-SHA-512 users that the node knows from the start.
        cluster: The id of the cluster that the node belongs to, of which `more` then names the voters; alone without.

    Raises:
        Unavailable: the directory could not be formatted.
    """
    directory.mkdir(parents=True, exist_ok=True)
    records = directory.resolve() / "records"
    settings = directory / "server.properties"
    text = f"{SETTINGS.read_text()}\n{more}".replace("CONTROLLER_PORT", str(preferred(port + 1)))
    settings.write_text(re.sub(r"\bPORT\b", str(port), text).replace("DIRECTORY", str(records)))
    if not (records / "meta.properties").exists():
        identity = ("-t", cluster) if cluster else ("--standalone", "-t", new_cluster())
        known = [f"SCRAM-SHA-512=[name={name},password={password}]" for name, password in (users or {}).items()]
        options = [option for user in known for option in ("--add-scram", user)]
        output = _output((*TOOL, "format", *identity, "-c", str(settings), *options))
        if not (records / "meta.properties").exists():
            raise Unavailable(f"Apache Kafka's directory could not be formatted:\n{output.strip()[-1000:]}")
    return settings


def new_cluster() -> str:
    """Return the id of a cluster that does not exist yet."""
    return _output((*TOOL, "random-uuid")).split()[-1]


def program(settings: Path, port: int, *, heap_megabytes: int = 512) -> Program:
    """Return the broker, to be kept running by a supervisor."""
    options = (f"-Xmx{heap_megabytes}m", f"{LOGGED}warn", "-Dorg.slf4j.simpleLogger.showDateTime=true")
    command = ("java", *options, "-cp", f"{JARS}/*", "kafka.Kafka", str(settings))
    return Program(name="apache-kafka", command=command, port=port, ready=listens(port))


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": ["-h", "--help"]})
@click.option("--fetch", "only_fetch", is_flag=True, help="Fetch the broker and stop.")
@click.option("--port", type=int, help=f"Where it listens; {DECLARED_PORT} without a command, else a free one.")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def main(port: int | None, command: tuple[str, ...], *, only_fetch: bool) -> None:
    """Start real Apache Kafka, and run COMMAND on it where there is one."""
    try:
        check_java()
        fetch()
        if not only_fetch:
            sys.exit(_with_command(command, port) if command else _alone(port or DECLARED_PORT))
    except PlatformError as error:
        click.echo(f"kafka: {error.detail}", err=True)
        sys.exit(1)


def _alone(port: int) -> int:
    stop = _stop_event()
    settings = prepare(STATE, needed(port, "Apache Kafka"))
    supervisor = Supervisor(STATE / "logs", SystemClock(), click.echo)
    try:
        supervisor.start([program(settings, port)], stop)
        click.echo(f"Apache Kafka listens on {LOOPBACK}:{port}; Ctrl-C stops it")
        supervisor.supervise(stop)
    except KeyboardInterrupt:
        click.echo("stopped before it was ready")
    finally:
        supervisor.stop()
    return 0


def _with_command(command: tuple[str, ...], asked: int | None) -> int:
    stop = _stop_event()
    directory = STATE.with_name("kafka-for-command")
    shutil.rmtree(directory, ignore_errors=True)
    port = asked or preferred(DECLARED_PORT)
    supervisor = Supervisor(directory / "logs", SystemClock(), click.echo)
    try:
        supervisor.start([program(prepare(directory, port), port)], stop)
        click.echo(f"Apache Kafka listens on {LOOPBACK}:{port}")
        address = {"KAFKA_BOOTSTRAP_SERVERS": f"{LOOPBACK}:{port}", "KAFKA_IS_REAL": "1"}
        environment = {**os.environ, **address}  # noqa: TID251 - handed on, not read
        return subprocess.run(command, env=environment, check=False).returncode  # noqa: S603 - the caller's own
    except KeyboardInterrupt:
        return 1
    finally:
        supervisor.stop()


def _stop_event() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _output(command: tuple[str, ...]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own commands
    return done.stdout + done.stderr


if __name__ == "__main__":
    main()
