"""A process that a local supervisor started ends when that supervisor is gone, even by kill -9.

On Linux the kernel tells (`die_with_parent`); elsewhere the process looks at its parent's number now and then. Both do
nothing for a process that was started by anything else.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading

from environs import Env

PARENT_VARIABLE = "SUPERVISOR_PID"
LOOK_EVERY_SECONDS = 1.0
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(number: int = signal.SIGKILL) -> None:
    """Ask the kernel for signal `number` when the parent ends; safe between fork and exec. No effect off Linux."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, number)


def watch(stop: threading.Event) -> None:
    """Set `stop` when the supervisor named by SUPERVISOR_PID is no longer this process's parent."""
    parent = Env().int(PARENT_VARIABLE, 0)
    if parent:
        threading.Thread(target=_look, args=(parent, stop), name="lifeline", daemon=True).start()


def _look(parent: int, stop: threading.Event) -> None:
    while not stop.wait(LOOK_EVERY_SECONDS):
        if os.getppid() != parent:
            stop.set()
