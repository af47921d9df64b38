"""What a killed supervisor left behind: ours is ended, anybody else's is left alone."""

import json
import subprocess

from shared.local.leftovers import end_leftovers


def running(tmp_path, **programs: int):
    """Return a file that names programs, as a run writes it."""
    file = tmp_path / "running.json"
    file.write_text(json.dumps({"programs": programs}))
    return file


def test_a_program_left_behind_is_ended(tmp_path):
    """Its command line says that it is one of ours."""
    command = ["sh", "-c", "sleep 60; : services.enrolment relay"]
    with subprocess.Popen(command, start_new_session=True) as left:
        assert end_leftovers(running(tmp_path, relay=left.pid)) == ["relay"]
        assert left.wait(10) == -9


def test_another_program_under_that_number_is_left_alone(tmp_path):
    """Numbers are used again."""
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as other:
        assert end_leftovers(running(tmp_path, relay=other.pid)) == []
        assert other.poll() is None
        other.kill()


def test_nothing_is_ended_when_nothing_was_left(tmp_path):
    """No file, a broken file, a number that nobody has."""
    assert end_leftovers(tmp_path / "running.json") == []
    broken = tmp_path / "broken.json"
    broken.write_text("{")
    assert end_leftovers(broken) == []
    assert end_leftovers(running(tmp_path, relay=2**22 - 1)) == []
