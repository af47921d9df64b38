"""Ends what a killed supervisor left behind, where the kernel did not (Linux ends children with their parent)."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

OURS = ("services.", "tansu", "secantusd-py", "gunicorn")


def end_leftovers(running_file: Path) -> list[str]:
    """End the programs that `running_file` names and that still run, and return their names.

    A process number that another program has by now is left alone: the command line decides.
    """
    try:
        programs = json.loads(running_file.read_text(encoding="utf-8"))["programs"]
    except (OSError, ValueError, KeyError):
        return []
    ended = [name for name, pid in programs.items() if _is_ours(int(pid))]
    for name in ended:
        os.killpg(int(programs[name]), signal.SIGKILL)
    return ended


def _is_ours(pid: int) -> bool:
    ps = shutil.which("ps")
    if ps is None:
        return False
    asked = [ps, "-o", "pgid=,command=", "-p", str(pid)]
    shown = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603 - no shell
    group, _, command = shown.partition(" ")
    return group == str(pid) and any(word in command for word in OURS)
