"""The history checker: what clients were told, held against what every projection shows once all is quiet again.

A client keeps a log of its operations while faults happen:

    history = History()
    asked = history.invoke(kind="nominate", label="ref-17", key="0190…")   # before the first attempt
    history.ended(asked, Outcome.OK, made="0191…")     # a 2xx; `made` is the id in the reply, where there is one
    history.ended(asked, Outcome.FAILED)               # a definite refusal (4xx)
                                                       # neither: nobody knows, and it stays Outcome.UNKNOWN

`label` is the client's own name for the one effect that it asks for, unique per kind. After healing, whoever knows the
projections says what each shows, by label (`Projection`), and the checks below return what is wrong:

    check_effects(history.of("nominate"), projections)  each ok once everywhere, each unknown 0 or 1 times and the same
                                                        everywhere, no failed one anywhere, nothing that nobody asked
    check_log(topic, numbers and hashes, the owner's)   what stands on a log, in order, is the owner's feed
    check_steps(name, (aggregate, version) pairs)       per aggregate: every version once, in order
    check_turns(name, history.of("piece"), (aggregate, label) pairs)    per aggregate: as it was asked for, in turn
    check_same(name, shown, recounted)                  a projection equals a recount from the owners
    check_balance(name, postings)                       each ledger adds up to nothing
    check_capacity(name, taken and capacity)            never more than there is
    check_heads(reader, positions, owners)              a reader stands where the owner stands, with its hash
    check_chain(feed, verify_feed(...))                 the owner's own chain is sound

`Findings(violations)` counts them (`lost`, `doubled`, `stale`) and `require_none()` fails with all of them. Pure:
nothing here asks a database, a broker or a clock, and no word of a service stands here.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from threading import Lock

from shared.events.verify import Verdict


class Outcome(StrEnum):
    """What a client knows of an operation."""

    OK = "ok"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Kind(StrEnum):
    """What is wrong."""

    LOST = "lost"
    DOUBLED = "doubled"
    STALE = "stale"
    SPLIT = "split"
    """Here and not there: an unknown operation has happened for some and not for others."""
    PHANTOM = "phantom"
    """An effect of a refused operation, or of none."""
    REORDERED = "reordered"
    FORKED = "forked"
    """Another content under a number that is known."""
    UNBALANCED = "unbalanced"
    OVERFULL = "overfull"
    BROKEN = "broken"
    """A feed's own chain does not hold."""


@dataclass(slots=True)
class Operation:
    """One thing that a client asked for, under one idempotency key, however often it had to ask."""

    kind: str
    label: str
    key: str
    outcome: Outcome = Outcome.UNKNOWN
    made: str | None = None
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that is wrong, and where."""

    kind: Kind
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.where}: {self.what}"


@dataclass(frozen=True, slots=True)
class Projection:
    """What one place shows: label -> the effects found under it (ids, or anything: their number counts).

    `concerned` are the labels that are to be seen here; None: all. With `shows_ids` the effects are the ids that
    replies name, and are compared with them.
    """

    name: str
    effects: Mapping[str, Sequence[str]]
    concerned: Collection[str] | None = None
    shows_ids: bool = False

    def concerns(self, label: str) -> bool:
        """Return whether the effect of `label` is to be seen here."""
        return self.concerned is None or label in self.concerned


class History:
    """A client's log. Safe to share by threads; an operation itself belongs to the thread that invoked it."""

    def __init__(self) -> None:
        self._operations: list[Operation] = []
        self._lock = Lock()

    def invoke(self, *, kind: str, label: str, key: str) -> Operation:
        """Note that something is about to be asked for; until `ended` its outcome is unknown."""
        operation = Operation(kind, label, key)
        with self._lock:
            self._operations.append(operation)
        return operation

    def ended(self, operation: Operation, outcome: Outcome, made: str | None = None) -> None:
        """Note what the client was told."""
        with self._lock:
            operation.made = made
            operation.outcome = outcome

    def of(self, kind: str) -> list[Operation]:
        """Return the operations of one kind, in the order in which they were invoked."""
        with self._lock:
            return [operation for operation in self._operations if operation.kind == kind]

    def counts(self) -> dict[str, int]:
        """Return how many operations ended how: `ok`, `failed`, `unknown`."""
        with self._lock:
            found = Counter(operation.outcome for operation in self._operations)
        return {outcome.value: found[outcome] for outcome in Outcome}


@dataclass(frozen=True, slots=True)
class Findings:
    """All that is wrong; empty when nothing is."""

    violations: Sequence[Violation] = field(default_factory=tuple)

    @property
    def lost(self) -> int:
        """Return how many effects are missing somewhere."""
        return self.number_of(Kind.LOST, Kind.SPLIT)

    @property
    def doubled(self) -> int:
        """Return how many effects happened more than once, or without having been asked for."""
        return self.number_of(Kind.DOUBLED, Kind.PHANTOM)

    @property
    def stale(self) -> int:
        """Return how many things are shown otherwise than their owner has them."""
        return len(self.violations) - self.lost - self.doubled

    def number_of(self, *kinds: Kind) -> int:
        """Return how many violations are of these kinds."""
        return sum(1 for violation in self.violations if violation.kind in kinds)

    def require_none(self, most_told: int = 20) -> None:
        """Do nothing if nothing is wrong.

        Raises:
            AssertionError: something is; the message names the first of it.
        """
        if self.violations:
            told = "\n".join(str(violation) for violation in self.violations[:most_told])
            raise AssertionError(f"{len(self.violations)} violations of the promises:\n{told}")


def check_effects(operations: Sequence[Operation], projections: Sequence[Projection]) -> list[Violation]:
    """Return every operation whose effect is not exactly what its client was told, and every effect of no operation."""
    found = [violation for operation in operations for violation in _of_operation(operation, projections)]
    asked = {operation.label for operation in operations}
    for projection in projections:
        for label in sorted(projection.effects.keys() - asked):
            found.append(Violation(Kind.PHANTOM, projection.name, f"{label} was asked for by nobody"))
    return found


def _of_operation(operation: Operation, projections: Sequence[Projection]) -> list[Violation]:
    found: list[Violation] = []
    seen: dict[str, int] = {}
    for projection in projections:
        effects = projection.effects.get(operation.label, ())
        if not projection.concerns(operation.label):
            if effects:
                found.append(Violation(Kind.PHANTOM, projection.name, f"{operation.label} is no concern of this place"))
            continue
        seen[projection.name] = len(effects)
        found += _in_place(operation, projection, effects)
    if operation.outcome is Outcome.UNKNOWN and len(set(seen.values())) > 1:
        here = ", ".join(f"{name}: {number}" for name, number in seen.items())
        found.append(Violation(Kind.SPLIT, operation.kind, f"{operation.label}, whose outcome nobody knows, is {here}"))
    return found


def _in_place(operation: Operation, projection: Projection, effects: Sequence[str]) -> list[Violation]:
    name, label, outcome = projection.name, operation.label, operation.outcome
    if outcome is Outcome.FAILED:
        return [Violation(Kind.PHANTOM, name, f"{label} was refused and is there")] if effects else []
    if len(effects) > 1:
        return [Violation(Kind.DOUBLED, name, f"{label} is there {len(effects)} times")]
    if outcome is Outcome.OK and not effects:
        return [Violation(Kind.LOST, name, f"{label} was acknowledged and is not there")]
    if projection.shows_ids and operation.made and effects and effects[0] != operation.made:
        return [Violation(Kind.STALE, name, f"{label} was acknowledged under another id")]
    return []


def check_log(topic: str, seen: Iterable[tuple[int, str]], owner: Sequence[str]) -> list[Violation]:
    """Return where a log differs from its owner's feed. Sent again is allowed; out of order the first time is not.

    Args:
        topic: Its name.
        seen: Number and hash of every event on the log, in its order.
        owner: The owner's hashes, of number 1 first.
    """
    found: list[Violation] = []
    highest = 0
    for number, digest in seen:
        if number < 1 or number > len(owner):
            found.append(Violation(Kind.PHANTOM, topic, f"number {number} is none of its owner's"))
        elif owner[number - 1] != digest:
            found.append(Violation(Kind.FORKED, topic, f"number {number} is not its owner's"))
        elif number > highest + 1:
            found.append(Violation(Kind.REORDERED, topic, f"number {number} comes after number {highest}"))
        highest = max(highest, number)
    if highest < len(owner):
        found.append(Violation(Kind.LOST, topic, f"ends at number {highest}, its owner's at {len(owner)}"))
    return found


def check_steps(name: str, steps: Iterable[tuple[str, int]], first: int = 1) -> list[Violation]:
    """Return where an aggregate's versions are not `first`, `first` + 1, … in the order given."""
    found: list[Violation] = []
    last: dict[str, int] = defaultdict(lambda: first - 1)
    seen: set[tuple[str, int]] = set()
    for aggregate, step in steps:
        if (aggregate, step) in seen:
            found.append(Violation(Kind.DOUBLED, name, f"{aggregate} has step {step} twice"))
        elif step < last[aggregate]:
            found.append(Violation(Kind.REORDERED, name, f"{aggregate} has step {step} after step {last[aggregate]}"))
        elif step > last[aggregate] + 1:
            found.append(Violation(Kind.LOST, name, f"{aggregate} has step {step} right after {last[aggregate]}"))
        seen.add((aggregate, step))
        last[aggregate] = max(last[aggregate], step)
    return found


def check_turns(name: str, operations: Sequence[Operation], shown: Iterable[tuple[str, str]]) -> list[Violation]:
    """Return where acknowledged effects on one aggregate stand in another order than that in which they were asked for.

    Args:
        name: Of the place.
        operations: In the order of their invocation; of one aggregate each only after the answer to the one before.
        shown: Aggregate and label of every effect, in the place's order. One whose outcome nobody knows may stand
            anywhere: it may have happened long after its client gave up.
    """
    found: list[Violation] = []
    turns = {one.label: turn for turn, one in enumerate(operations) if one.outcome is Outcome.OK}
    last: dict[str, str] = {}
    for aggregate, label in shown:
        if label not in turns:
            continue
        before = last.setdefault(aggregate, label)
        if turns[label] < turns[before]:
            found.append(Violation(Kind.REORDERED, name, f"{label} stands after {before}, which was asked for later"))
        else:
            last[aggregate] = label
    return found


def check_same(name: str, shown: Mapping[str, object], recounted: Mapping[str, object]) -> list[Violation]:
    """Return where what a projection shows differs from a recount out of its owners' feeds."""
    missing = [Violation(Kind.LOST, name, f"{key} is missing") for key in sorted(recounted.keys() - shown.keys())]
    strange = [Violation(Kind.PHANTOM, name, f"{key} is no owner's") for key in sorted(shown.keys() - recounted.keys())]
    differing = [
        Violation(Kind.STALE, name, f"{key} is {shown[key]}, by its owners' feeds {recounted[key]}")
        for key in sorted(shown.keys() & recounted.keys())
        if shown[key] != recounted[key]
    ]
    return [*missing, *strange, *differing]


def check_balance(name: str, postings: Mapping[str, Iterable[int]]) -> list[Violation]:
    """Return the accounts, or pairs of accounts, whose postings do not add up to nothing."""
    sums = {account: sum(amounts) for account, amounts in postings.items()}
    return [Violation(Kind.UNBALANCED, name, f"{account} is out by {left}") for account, left in sums.items() if left]


def check_capacity(name: str, taken: Mapping[str, tuple[int, int]]) -> list[Violation]:
    """Return the things of which more is taken than there is; by name, taken and capacity."""
    return [
        Violation(Kind.OVERFULL, name, f"{what}: {used} of {capacity} are taken")
        for what, (used, capacity) in taken.items()
        if used > capacity
    ]


def check_heads(
    reader: str, positions: Mapping[str, tuple[int, str]], owners: Mapping[str, tuple[int, str]]
) -> list[Violation]:
    """Return the feeds in which a reader stands elsewhere than the owner: feed -> number and hash.

    A feed without any event needs no position.
    """
    found: list[Violation] = []
    for feed, (number, digest) in owners.items():
        at, head = positions.get(feed, (0, ""))
        if at < number:
            found.append(Violation(Kind.STALE, reader, f"{feed} is read to {at}, its owner is at {number}"))
        elif at > number or (number and head != digest):
            found.append(Violation(Kind.FORKED, reader, f"{feed} at {at} is not what its owner has at {number}"))
    return found


def check_chain(feed: str, verdict: Verdict) -> list[Violation]:
    """Return what is wrong with an owner's feed, as `verify_feed` found it once nothing waits for a number any more."""
    found: list[Violation] = []
    if verdict.first_break is not None:
        found.append(Violation(Kind.BROKEN, feed, f"the chain does not hold at number {verdict.first_break}"))
    if verdict.lost or verdict.unnumbered:
        found.append(
            Violation(Kind.LOST, feed, f"{verdict.lost} entries have no number, {verdict.unnumbered} wait for one")
        )
    return found
