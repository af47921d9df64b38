"""Three releases: the checkout, one that knows more than it tells, and one that tells it.

A released event never changes its shape: another shape is another version, `enrolment.requested.v2`. So that nobody is
told what they do not know, it takes two releases: KNOWS reads both versions, keeps a field more with each enrolment
and needs an index more; TELLS tells the second version.

    releases = Releases(folder)                                # makes the copies; the checkout is chosen
    with a_stage(folder, through=releases.through) as stage:   # each start of a part asks which is chosen
        releases.prepare(stage, KNOWS)
        releases.choose(KNOWS)

How a part becomes one of the chosen release is `choosing.py`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from shared.partnership.model import SERVICES
from tests.faults.processes.choosing import ROOT, environment_of
from tests.faults.processes.stage import Stage

THIS, KNOWS, TELLS = "this", "knows", "tells"
FIELD = "asked_by"
"""What is told with the second version of a request for a place, and kept with every enrolment."""
FIRST, SECOND = "enrolment.requested.v1", "enrolment.requested.v2"
Edit = tuple[str, str, str]
"""A file, what stands there once, and what stands there instead."""
_ROW = '        row("requested", facts.Requested, _asked_of, seat_reactions.when_requested),\n'
_HEARD = f'        Subscription("{FIRST}", Requested, employer, heard.requested, by_employer),\n'
_REQUESTED = "    pcf_level: str\n    requested_on: date\n\n\n@dataclass(frozen=True, slots=True)\nclass Confirmed"
TO_KNOW: tuple[Edit, ...] = (
    (
        "services/enrolment/domain/enrolments.py",
        "    history: tuple[Happened, ...] = ()\n\n\ndef opened",
        f'    history: tuple[Happened, ...] = ()\n    {FIELD}: str = "next"\n\n\ndef opened',
    ),
    (
        "services/enrolment/storage/indexes.py",
        '    "enrolments": [\n',
        f'    "enrolments": [\n        [("{FIELD}", 1), ("_id", 1)],\n',
    ),
    (
        "services/enrolment/messaging/consumed.py",
        '        service: str = "enrolment",\n    )',
        '        service: str = "enrolment",\n        version: str = "v1",\n    )',
    ),
    (
        "services/enrolment/messaging/consumed.py",
        'type=f"{service}.{name}.v1", struct=struct',
        'type=f"{service}.{name}.{version}", struct=struct',
    ),
    ("services/enrolment/messaging/consumed.py", _ROW, _ROW + _ROW.replace("),\n", ', version="v2"),\n')),
    ("services/assessment/messaging/consumed.py", f'"{FIRST}",\n', f'"{FIRST}",\n        "{SECOND}",\n'),
    ("services/accreditation/messaging/consumed.py", f'"{FIRST}",\n', f'"{FIRST}",\n        "{SECOND}",\n'),
    ("services/reporting/messaging/consumed.py", _HEARD, _HEARD + _HEARD.replace(FIRST, SECOND)),
)
TO_TELL: tuple[Edit, ...] = (
    (
        "services/enrolment/domain/events.py",
        _REQUESTED,
        _REQUESTED.replace("date\n", f'date\n    {FIELD}: str = "next"\n'),
    ),
    (
        "services/enrolment/messaging/published.py",
        'type=f"enrolment.{_NAMES[type(event)]}.v1",',
        'type=f"enrolment.{_NAMES[type(event)]}.v{1 + isinstance(event, events.Requested)}",',
    ),
)
CONTRACTS = "shared/contracts/events"


class Releases:
    """All three, and which of them a part is when it starts."""

    def __init__(self, folder: Path) -> None:
        self._folders = {THIS: ROOT, KNOWS: folder / KNOWS, TELLS: folder / TELLS}
        self._chosen = folder / "chosen"
        _make(self._folders[KNOWS], TO_KNOW)
        _make(self._folders[TELLS], (*TO_KNOW, *TO_TELL))
        self.choose(THIS)

    @property
    def through(self) -> tuple[str, ...]:
        """The module that starts a part, and its first arguments."""
        return ("tests.faults.processes.choosing", str(self._chosen))

    def choose(self, release: str) -> None:
        """Let whatever starts from now on be of this release."""
        draft = self._chosen.with_suffix(".draft")
        draft.write_text(str(self._folders[release]), encoding="utf-8")
        draft.rename(self._chosen)

    def environment(self, release: str) -> dict[str, str]:
        """Return what lets Python find a release before anything else."""
        return environment_of(self._folders[release])

    def of(self, pid: int) -> str:
        """Return the release where a process looks for its code first."""
        told = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        path = next(one.partition(b"=")[2].decode() for one in told if one.startswith(b"PYTHONPATH="))
        return next(name for name, folder in self._folders.items() if str(folder) == path.split(os.pathsep)[0])

    def prepare(self, stage: Stage, release: str) -> None:
        """Make the databases ready for a release, as is done before anything of it starts."""
        told = json.loads(stage.platform.place.running_file.read_text(encoding="utf-8"))["environment"]
        for service in SERVICES:
            subprocess.run(
                (sys.executable, "-m", f"services.{service}", "prepare"),
                env={**os.environ, **told, **self.environment(release)},  # noqa: TID251 - handed on, not read
                check=True,
                capture_output=True,
            )


def _make(folder: Path, edits: Sequence[Edit]) -> None:
    for name in ("services", "shared"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name, before, after in edits:
        text = (folder / name).read_text(encoding="utf-8")
        assert text.count(before) == 1, f"{name} is another by now: {before!r}"
        (folder / name).write_text(text.replace(before, after), encoding="utf-8")
    contract = json.loads((folder / CONTRACTS / f"{FIRST}.json").read_text(encoding="utf-8"))
    contract["$id"] = contract["$id"].replace(FIRST, SECOND)
    contract["properties"][FIELD] = {"type": "string", "maxLength": 20}
    contract["required"].append(FIELD)
    (folder / CONTRACTS / f"{SECOND}.json").write_text(json.dumps(contract), encoding="utf-8")
