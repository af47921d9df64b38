"""The `partnership` command: exit codes, messages, what it refuses."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import shared
from shared.clock import SystemClock
from shared.errors import Malformed
from shared.identifiers import new_identifier
from shared.identity.tokens import TokenVerifier
from shared.local import backbone as backbones
from shared.local.cli import main
from shared.local.issuer import LocalIssuer
from shared.local.platform import alone
from shared.testing.backbone import free_port_base

ROOT = Path(shared.__file__).parent.parent
FILE = ROOT / "scenarios" / "north-west-london" / "partnership.yaml"


def run(*arguments: str, **environment: str):
    """Return the result of a command in this process."""
    return CliRunner().invoke(main, [str(argument) for argument in arguments], env=environment)


def test_check_says_that_a_good_file_is_good():
    """Exit code 0, the title, the hash that heartbeats carry."""
    result = run("check", FILE)
    assert result.exit_code == 0
    assert "North West London, version 1, 9 organisations" in result.stdout


def test_check_reports_every_fault_with_its_line(tmp_path):
    """Exit code 1, all faults on the error output."""
    file = tmp_path / "partnership.yaml"
    file.write_text(FILE.read_text().replace("version: 1", "version: x").replace("encoding: cp1252", "encoding: cp0"))
    result = run("check", file)
    assert result.exit_code == 1
    assert f"{file} has 2 faults:\n  line 3: version: 'x' is not a whole number\n  line " in result.stderr


@pytest.mark.parametrize("arguments", [["dance"], ["check"], ["token"], ["up", "--backbone", "cloud"]])
def test_wrong_usage_is_exit_code_2(arguments):
    """Unknown commands, missing arguments and unknown choices."""
    assert run(*arguments).exit_code == 2


def test_a_token_for_a_running_platform_is_believed(tmp_path):
    """The printed text is a token, nothing else."""
    clock = SystemClock()
    issuer = LocalIssuer(tmp_path / "keys", "local", clock, new_identifier)
    issuer.prepare(("brent",))
    result = run("token", "--state", tmp_path, "--organisation", "brent", "--role", "hr", "--service", "assessment")
    principal = TokenVerifier(issuer.trusted_issuers_file, "assessment", clock).verify(result.stdout.strip())
    assert (principal.organisation, principal.roles) == ("brent", {"hr"})


def test_a_token_is_refused_in_production(tmp_path):
    """The local issuer works in the local profile only."""
    result = run("token", "--state", tmp_path, "--organisation", "brent", "--role", "hr", PROFILE="production")
    assert result.exit_code == 1
    assert "local profile only" in result.stderr


def test_two_runs_of_one_checkout_do_not_fight(tmp_path):
    """The second `up` says who runs already, and changes nothing."""
    with alone(tmp_path):
        done = up(tmp_path)
    assert done.returncode == 1
    assert f"the platform already runs from this checkout (process {os.getpid()})" in done.stderr


def test_a_taken_port_is_said_before_anything_starts(tmp_path):
    """Which port, for whom, and what to do."""
    base = free_port_base()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", base + 2))
        taken.listen()
        done = up(tmp_path, PORT_BASE=str(base))
    assert done.returncode == 1
    assert f"port {base + 2}, where assessment should listen, is taken by another program" in done.stderr
    assert "PORT_BASE" in done.stderr


def test_external_needs_both_addresses(monkeypatch):
    """Asked for without them, it says which variables are missing."""
    monkeypatch.delenv("MONGODB_URI", raising=False)
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9092")
    with pytest.raises(Malformed, match="needs both KAFKA_BOOTSTRAP_SERVERS and MONGODB_URI"):
        backbones.choose("external", Path("unused"), 8000)


@pytest.mark.parametrize(
    ("asked", "servers", "uri", "kind"),
    [
        (None, "127.0.0.1:9092", "mongodb://127.0.0.1:27017", "external"),
        (None, "127.0.0.1:9092", "", "local"),
        (None, "", "", "local"),
        ("local", "127.0.0.1:9092", "mongodb://127.0.0.1:27017", "local"),
    ],
)
def test_the_backbone_is_chosen_by_the_rules(monkeypatch, tmp_path, asked, servers, uri, kind):
    """What was asked for, else external where both addresses are set, else local; never Docker unasked."""
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", servers)
    monkeypatch.setenv("MONGODB_URI", uri)
    chosen = backbones.choose(asked, tmp_path, 48_300)
    assert chosen.kind == kind
    assert chosen.description.startswith(kind)


def up(state: Path, **environment: str) -> subprocess.CompletedProcess:
    """Return the result of `partnership up` in a process of its own."""
    command = [sys.executable, "-m", "shared.local.cli", "up", "--state", str(state)]
    variables = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", **environment}
    with subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            out, err = process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate()
    return subprocess.CompletedProcess(command, process.returncode, out, err)
