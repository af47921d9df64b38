"""Runs a service's own part and ends, or stops, at a point that a test orders: before, inside and after transactions.

    python -m tests.faults.processes.dying ORDERS NAME services.enrolment relay

is `python -m services.enrolment relay`, in the same process and with the same arguments. While a file `ORDERS/NAME`
stands, the first time that its point is reached the file becomes `NAME.done` and the process is killed (or stopped)
from inside, at that very instruction, so that nothing of it runs on. The service's code is not changed: the driver's
own monitoring tells of transactions, and the two methods that talk to Kafka are wrapped.
"""

from __future__ import annotations

import contextlib
import json
import os
import runpy
import signal
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import local

from pymongo import monitoring

from shared.clock import SystemClock

BEGIN = "begin"  # a transaction's first command is about to be sent
COMMIT = "commit"  # all of it is written, the commit is about to be sent
COMMITTED = "committed"  # the database has acknowledged the commit, nobody else knows yet
SENDING = "sending"  # the relay is about to hand records to Kafka
SENT = "sent"  # it has handed them over and waits for acknowledgements
ACKNOWLEDGED = "acknowledged"  # all are acknowledged, nothing is marked
TELLING_KAFKA = "telling-kafka"  # the reader is about to commit its offsets
KILL, KILL_ALL, STOP = "kill", "kill-all", "stop"


@dataclass(frozen=True, slots=True)
class Order:
    """Where to end, and how. `touches` is the end of a name `database/collection` that the transaction wrote to.

    `skip` is how often the point is passed before it counts. `kill-all` takes the whole process group: the API with
    its workers.
    """

    point: str
    do: str = KILL
    touches: str = ""
    skip: int = 0


def order(orders: Path, name: str, what: Order) -> Path:
    """Give an order to the program `name`; return the file that stands once it was carried out."""
    done = orders / f"{name}.done"
    done.unlink(missing_ok=True)
    draft = orders / f"{name}.draft"
    draft.write_text(json.dumps(asdict(what)), encoding="utf-8")
    draft.rename(orders / name)
    return done


class Dying(monitoring.CommandListener):
    """Looks at each point whether there is an order for it."""

    def __init__(self, orders: Path, name: str) -> None:
        self._file = orders / name
        self._done = orders / f"{name}.done"
        self._passed = 0
        self._of_thread = local()

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        """A command is about to be sent."""
        command = event.command
        if command.get("startTransaction"):
            self._of_thread.touched = set()
            self.reach(BEGIN)
        if "txnNumber" in command and isinstance(command.get(event.command_name), str):
            touched = getattr(self._of_thread, "touched", set())
            if event.command_name in {"insert", "update", "delete", "findAndModify"}:
                touched.add(f"{event.database_name}/{command[event.command_name]}")
        if event.command_name == "bulkWrite":
            touched = getattr(self._of_thread, "touched", set())
            touched.update(each["ns"].replace(".", "/", 1) for each in command["nsInfo"])
        if event.command_name == "commitTransaction":
            self.reach(COMMIT)

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """A command was answered."""
        if event.command_name == "commitTransaction":
            self.reach(COMMITTED)

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """A command failed."""

    def reach(self, point: str) -> None:
        """End here, if that was ordered."""
        if not self._file.exists():
            return
        with contextlib.suppress(OSError, ValueError):
            wanted = Order(**json.loads(self._file.read_text(encoding="utf-8")))
            touched = getattr(self._of_thread, "touched", set())
            if wanted.point != point or not any(name.endswith(wanted.touches) for name in touched or {""}):
                return
            self._passed += 1
            if self._passed <= wanted.skip:
                return
            self._file.rename(self._done)  # one process only, of all that run under this name
            self._passed = 0
            if wanted.do == STOP:
                os.kill(os.getpid(), signal.SIGSTOP)
            elif wanted.do == KILL_ALL:
                os.killpg(os.getpgid(0), signal.SIGKILL)
            else:
                os.kill(os.getpid(), signal.SIGKILL)


def _wrap_kafka(dying: Dying) -> None:
    from shared.events.consumer import KafkaLog
    from shared.events.sending import Sender

    send, hand_over, commit = Sender.send, Sender._hand_over, KafkaLog.commit

    def sending(self, topic, records):
        dying.reach(SENDING)
        offsets = send(self, topic, records)
        dying.reach(ACKNOWLEDGED)
        return offsets

    def handing_over(self, line, topic, record):
        future = hand_over(self, line, topic, record)
        if dying._file.exists():
            SystemClock().sleep(0.004)  # linger: the record is on its way, or just there
            dying.reach(SENT)
        return future

    def telling(self, offsets):
        dying.reach(TELLING_KAFKA)
        commit(self, offsets)

    Sender.send, Sender._hand_over, KafkaLog.commit = sending, handing_over, telling


def main(orders: str, name: str, module: str, *arguments: str) -> None:
    """Run the module as the main program; where that becomes gunicorn, gunicorn runs in here too."""
    dying = Dying(Path(orders), name)
    monitoring.register(dying)
    _wrap_kafka(dying)
    become = os.execv

    def becoming(path, command):
        become(path, [command[0], "-m", "tests.faults.processes.dying", orders, name, *command[2:]])

    os.execv = becoming
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
