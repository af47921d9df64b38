"""Small disks that a test can fill: a tmpfs in a mount namespace of its own, which is gone when the test is."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from shared.testing.backbone import Server


class Disk:
    """A folder that is a small disk for whoever is started by `inside`, and an empty folder for everybody else."""

    def __init__(self, folder: Path, megabytes: int, keeper: subprocess.Popen[str]) -> None:
        self.folder = folder
        self._megabytes = megabytes
        self._keeper = keeper

    def inside(self, command: list[str]) -> list[str]:
        """Return the command that runs where the disk is seen."""
        enter = ["nsenter", f"--mount=/proc/{self._keeper.pid}/ns/mnt", "sh", "-c"]
        return [*enter, 'cd "$0" && mountpoint -q . && exec "$@"', str(self.folder), *command]

    def put(self, server: Server) -> Server:
        """Let a database, not yet started, run where the disk is seen, with its files in the folder `database`."""
        self.run("mkdir -p database && touch database/secantusd.toml")
        server.command = self.inside(server.command)
        return server

    def fill(self) -> None:
        """Leave not a byte free."""
        self.run(f"head -c {self._megabytes}M /dev/zero > filler; test -s filler")
        self.run("head -c 1M /dev/zero > rest; true")

    def free(self) -> None:
        """Take away what filled it."""
        self.run("rm -f filler rest")

    def read(self, name: str) -> str:
        """Return what a file on it holds."""
        return self.run(f"cat {name}")

    def run(self, script: str) -> str:
        """Run a line of shell where the disk is seen, and return what it writes."""
        command = self.inside(["sh", "-c", script])
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@contextmanager
def small_disk(megabytes: int) -> Iterator[Disk]:
    """Give a disk of that size; it ends with its keeper, which ends with the test, even when that is killed.

    Skips the test, loudly, where mounting is not permitted.
    """
    with tempfile.TemporaryDirectory() as name:
        script = f"mount -t tmpfs -o size={megabytes}m tmpfs {name} && echo mounted && exec cat"
        try:
            keeper = subprocess.Popen(
                ["unshare", "--mount", "sh", "-c", script],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        except OSError as error:
            pytest.skip(f"NOT RUN: there is no unshare to mount a small disk with ({error})")
        with keeper:
            assert keeper.stdout is not None
            if keeper.stdout.readline().strip() != "mounted":
                _, why = keeper.communicate()
                pytest.skip(f"NOT RUN: a small disk cannot be mounted here, which needs root: {why.strip()}")
            try:
                yield Disk(Path(name), megabytes, keeper)
            finally:
                assert keeper.stdin is not None
                keeper.stdin.close()
                keeper.wait(10)
