"""Which log a topic is: cluster id and topic id from the broker, and the generation that the owner's relay names.

Asked at the start, after reconnects and every 15 seconds; another answer means that the log began anew, so the reader
rewinds to 0 and keeps its numbers. Only looks; only the owner's relay makes a topic.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from shared.events.refusals import unavailable

REQUEST_MILLISECONDS: Final = 5000


class LogPlaces:
    """The topics that the broker has and the log that each of them is just now."""

    def __init__(self, bootstrap_servers: str, config: Mapping[str, object] | None = None) -> None:
        self._config = {**(config or {}), "bootstrap_servers": bootstrap_servers}
        self._admin: KafkaAdminClient | None = None

    def look(self) -> dict[str, str]:
        """Return topic -> place (`<cluster id>/<topic id>`) of every topic that exists. Asks for no topic by name.

        Raises:
            Unavailable: The broker does not answer.
        """
        try:
            if self._admin is None:
                self._admin = KafkaAdminClient(
                    request_timeout_ms=REQUEST_MILLISECONDS, bootstrap_timeout_ms=REQUEST_MILLISECONDS, **self._config
                )
            cluster = self._admin.describe_cluster()["cluster_id"]
            described = self._admin.describe_topics()
        except (KafkaError, OSError, ValueError) as error:
            self.close()
            raise unavailable(error, "the broker does not answer") from error
        return {topic["name"]: f"{cluster}/{topic['topic_id']}" for topic in described if topic["error_code"] == 0}

    def close(self) -> None:
        """Close the client."""
        admin, self._admin = self._admin, None
        if admin is not None:
            admin.close()
