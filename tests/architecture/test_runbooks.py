"""Every command that a runbook names is there, with those options, and every page that it points to."""

from __future__ import annotations

import re
import shlex
from itertools import pairwise
from pathlib import Path

import click
import pytest

from shared.local.cli import main

ROOM = Path(__file__).resolve().parents[2] / "docs" / "runbooks"
PAGES = sorted(ROOM.glob("*.md"))
_FENCED = re.compile(r"^\s*(partnership .+)$", re.MULTILINE)
_INLINE = re.compile(r"`(partnership [^`]+)`")
_LINK = re.compile(r"\]\(([^)#]+\.md)(?:#[^)]*)?\)")


def commands_in(text: str) -> set[str]:
    """Return the `partnership …` commands of a page."""
    return {line.strip().rstrip("`") for line in (*_FENCED.findall(text), *_INLINE.findall(text))}


def faults_of(line: str) -> list[str]:
    """Return what is wrong with a command as a page spells it; a place in <> stands for anything."""
    words = shlex.split(line.replace("…", "").replace("<", "").replace(">", ""))[1:]
    command: click.Command = main
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.commands.get(words[0])
        if found is None:
            return [f"no command {words[0]}"]
        command, words = found, words[1:]
    return _faults_of_options(command, words)


def _faults_of_options(command: click.Command, words: list[str]) -> list[str]:
    options = {name: one for one in command.params if isinstance(one, click.Option) for name in one.opts}
    faults = [f"no option {word}" for word in words if word.startswith("--") and word not in (*options, "--help")]
    for word, value in pairwise(words):
        kind = options[word].type if word in options else None
        if isinstance(kind, click.Choice) and value not in kind.choices:
            faults.append(f"{value} is none of {', '.join(kind.choices)}")
    return faults


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_of_a_runbook_is_there_with_its_options(page):
    """Somebody reads it at night: what it says to type is what there is."""
    assert {line: faults_of(line) for line in commands_in(page.read_text(encoding="utf-8")) if faults_of(line)} == {}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_page_that_a_runbook_points_to_is_there(page):
    """No link leads nowhere."""
    links = _LINK.findall(page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).is_file()] == []


def test_the_check_notices_a_command_an_option_and_a_choice_that_are_not_there():
    """Each of the three kinds of mistake."""
    assert faults_of("partnership freshness --service enrolment --all") == []
    assert faults_of("partnership refresh") == ["no command refresh"]
    assert faults_of("partnership freshness --servce enrolment") == ["no option --servce"]
    assert faults_of("partnership freshness --service nothing")[0].startswith("nothing is none of")
    assert commands_in("run `partnership topics` or\n\n    partnership freshness --all\n") == {
        "partnership topics",
        "partnership freshness --all",
    }
