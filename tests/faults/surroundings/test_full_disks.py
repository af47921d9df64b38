"""Full disks (P18): under the database, under an API's temporary files, under the logs.

What is promised: 503 with Retry-After and nothing half accepted while the disk is full, service again when there is
room, and logs that are dropped before any request is. The local broker keeps its records in memory and has no disk;
Apache Kafka's is a matter of its own suite.
"""

from __future__ import annotations

import httpx
import pytest

from tests.faults.surroundings.disks import small_disk
from tests.faults.surroundings.stage import ANSWER_SECONDS, LEAD, Nominations, Stage, wait_until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]
FORM_BYTES = 900_000
"""More than Werkzeug keeps of a form's file in memory: the rest of it goes to a temporary file."""


def test_p18_full_disk_under_the_logs_and_temporary_files_loses_lines_and_no_request(tmp_path):
    """Nominations go on without a log; a file that has no room on the way in is a 503, and is taken when there is."""
    with small_disk(4) as disk, Stage(tmp_path) as stage:
        stage.prepare("enrolment")
        api = stage.start("enrolment", "api", disk=disk, TMPDIR=str(disk.folder))
        stage.open_course(api)
        nominations = Nominations(stage, api)
        assert nominations.nominate() == 201
        assert send_form(stage, api.url, "before").status_code == 202  # from now on this is the place for such files
        kept = stage.unit().database(LEAD)["contents"].count_documents({})
        assert "http.request" in disk.read("log")
        disk.fill()
        length = len(disk.read("log"))
        assert [nominations.nominate() for _ in range(5)] == [201] * 5
        assert len(disk.read("log")) <= length + 4096
        answer = send_form(stage, api.url, "first")
        assert answer.status_code == 503, answer.text
        assert "Retry-After" in answer.headers
        assert stage.unit().database(LEAD)["contents"].count_documents({}) == kept
        disk.free()
        assert send_form(stage, api.url, "first").status_code == 202
        assert nominations.nominate() == 201
        wait_until(lambda: len(disk.read("log")) > length, "lines again")
        nominations.check()


def send_form(stage: Stage, url: str, key: str) -> httpx.Response:
    """Return the answer to a file of nominations that is sent as a form."""
    content = key.encode() + b"\n" + b"1" * FORM_BYTES
    return httpx.post(
        f"{url}/v1/organisations/{LEAD}/enrolment-uploads",
        files={"file": ("people.csv", content, "text/csv")},
        headers=stage.headers("hr", key=key),
        timeout=ANSWER_SECONDS,
    )


def test_p18_full_disk_under_the_database_is_a_503_and_nothing_half_accepted(tmp_path):
    """Requests are refused in words; with room again each acknowledged nomination is there once.

    SecantusDB names no cause and panics: it fails at the plainest read from then on, and that is what tells it from a
    fault of the API's own. It is started anew, as its supervisor does.
    """
    with small_disk(192) as disk, Stage(tmp_path, database_folder=disk.folder / "database", disk=disk) as stage:
        stage.prepare("enrolment")
        api = stage.api()
        stage.open_course(api)
        nominations = Nominations(stage, api)
        assert [nominations.nominate() for _ in range(5)] == [201] * 5
        disk.fill()
        with nominations.running(clients=2):
            wait_until(lambda: 503 in nominations.statuses, "a refusal", 240)
        assert {*nominations.statuses} <= {201, 503}
        assert nominations.without_retry_after == 0
        disk.free()
        stage.revive_database()
        wait_until(lambda: nominations.nominate() == 201, "an acknowledged request")
        nominations.settle()
        nominations.check()
