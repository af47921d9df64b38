"""What stands beside a document, as `shared.storage.rows` asks for it: the one `$lookup` that the NULL sink has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from tests.faults.simulation.matching import Document

Matching = Callable[[str, Document], Iterable[Document]]


def is_beside(pipeline: Sequence[Document]) -> bool:
    """Return whether documents of other collections are asked for."""
    return any("$lookup" in stage for stage in pipeline)


def beside(collection: str, pipeline: Sequence[Document], matching: Matching) -> list[Document]:
    """Return the documents of the pipeline's `$match`, each with what its `$lookup` stages found by id.

    Raises:
        NotImplementedError: a stage or an expression that this stub does not have.
    """
    found = [dict(document) for document in matching(collection, pipeline[0]["$match"])]
    for stage in pipeline[1:]:
        [(verb, said)] = stage.items()
        for document in found:
            if verb == "$lookup" and said["foreignField"] == "_id":
                _put(document, said["as"], list(matching(said["from"], {"_id": _at(document, said["localField"])})))
            elif verb == "$set":
                for path, expressions in said.items():
                    _put(document, path, {name: _value(document, each) for name, each in expressions.items()})
            else:
                raise NotImplementedError(verb)
    return found


def _value(document: Document, expression: Document) -> object:
    [(verb, said)] = expression.items()
    if verb == "$literal":
        return said
    if verb == "$concat":
        return "".join(_text(document, part) for part in said)
    raise NotImplementedError(verb)


def _text(document: Document, part: str) -> str:
    found = document[part[1:]] if part.startswith("$") else part
    if not isinstance(found, str):
        raise NotImplementedError(f"$concat of {found!r}")
    return found


def _at(document: Document, path: str) -> object:
    value: object = document
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _put(document: Document, path: str, value: object) -> None:
    *way, last = path.split(".")
    for name in way:
        document = document.setdefault(name, {})
    document[last] = value
