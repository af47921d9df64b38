"""Whether stores that somebody else runs hold anything of a partnership yet. Looks; deletes nothing."""

from __future__ import annotations

from collections.abc import Sequence

from pymongo.errors import PyMongoError

from shared.errors import Conflict, Unavailable
from shared.events.envelope import topic_of
from shared.events.log_identity import LogPlaces
from shared.local.backbone import Backbone
from shared.partnership import Partnership
from shared.partnership.model import SERVICES
from shared.storage.mongo import connect, database_name

KINDS_OF_TOPIC = ("org", "out", "in")


def refuse_yesterday(backbone: Backbone, partnership: Partnership) -> None:
    """Make sure that neither store holds a database or a topic with one of the partnership's names.

    Raises:
        Conflict: one does; the message says which, and what to do.
        Unavailable: a store does not answer.
    """
    databases = sorted(_expected_databases(partnership) & _databases(backbone))
    topics = sorted(_expected_topics(partnership) & _topics(backbone))
    if databases or topics:
        found = " and ".join([*_told("MongoDB", "database", databases), *_told("Kafka", "topic", topics)])
        raise Conflict(
            f"a demo begins with nothing, and there is something of {partnership.title} already: {found}. "
            "Delete both the databases and the topics, or name stores that are empty; nothing was changed"
        )


def _expected_databases(partnership: Partnership) -> set[str]:
    return {database_name(service, owner) for service in SERVICES for owner in partnership.owners(service)}


def _expected_topics(partnership: Partnership) -> set[str]:
    return {
        topic_of(kind, owner, service)
        for kind in KINDS_OF_TOPIC
        for service in SERVICES
        for owner in partnership.owners(service)
    }


def _databases(backbone: Backbone) -> set[str]:
    client = connect(backbone.mongodb_uri, appname="demo")
    try:
        return set(client.list_database_names())
    except PyMongoError as error:
        raise Unavailable(f"the database at MONGODB_URI does not answer ({type(error).__name__})") from error
    finally:
        client.close()


def _topics(backbone: Backbone) -> set[str]:
    places = LogPlaces(backbone.kafka_bootstrap_servers, backbone.kafka_config)
    try:
        return set(places.look())
    except Unavailable as error:
        raise Unavailable("the broker at KAFKA_BOOTSTRAP_SERVERS does not answer") from error
    finally:
        places.close()


def _told(store: str, kind: str, names: Sequence[str]) -> list[str]:
    if not names:
        return []
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return [f"{store} has the {kind} {names[0]}{more}"]
