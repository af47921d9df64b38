"""When the broker answers, and the answer is no: another thing than a broker that does not answer.

Waiting may help here too (somebody corrects the rights), so a refusal is an `Unavailable`; but a person has to be told.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from kafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    IllegalSaslStateError,
    SaslAuthenticationFailedError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailedError,
    UnsupportedSaslMechanismError,
)

from shared.errors import Unavailable

NOT_ALLOWED: Final = (
    TopicAuthorizationFailedError,
    GroupAuthorizationFailedError,
    ClusterAuthorizationFailedError,
    TransactionalIdAuthorizationFailedError,
)
NOT_KNOWN: Final = (SaslAuthenticationFailedError, UnsupportedSaslMechanismError, IllegalSaslStateError)


class RefusedByBroker(Unavailable):
    """The broker does not know who asks, or does not let them: rights or a password are wrong, and waiting is vain."""

    slug = "refused-by-broker"


def unavailable(error: Exception, detail: str) -> Unavailable:
    """Return what an error of the client comes to: a refusal where the broker said no, else as `detail` says."""
    allowed, known = _named(error, NOT_ALLOWED), _named(error, NOT_KNOWN)
    if allowed is not None:
        return RefusedByBroker(f"the broker does not allow it ({allowed})")
    if known is not None:
        return RefusedByBroker(f"the broker does not let this user in ({known})")
    return Unavailable(f"{detail} ({type(error).__name__})")


def _named(error: Exception, kinds: Sequence[type[Exception]]) -> str | None:
    """Return which of these the error is; an idempotent producer that may write nowhere has it in its text only."""
    said = str(error)
    return next((kind.__name__ for kind in kinds if isinstance(error, kind) or kind.__name__ in said), None)
