"""Places in a JSON value, as vendors' documents and our configuration name them: `d.results`, `@odata.nextLink`."""

from __future__ import annotations

from collections.abc import Mapping

from schemas.document import Value


def at(value: Value, path: str) -> Value:
    """What stands at a path of names with dots between them; "" is the value itself, None what is not there.

    A name may hold dots itself: the longest name that is there goes first.
    """
    if not path:
        return value
    if not isinstance(value, Mapping):
        return None
    names = path.split(".")
    for count in range(len(names), 0, -1):
        name = ".".join(names[:count])
        if name in value:
            return at(value[name], ".".join(names[count:]))
    return None


def text_at(value: Value, path: str) -> str:
    """The text or number at a path, as text; "" where there is neither."""
    found = at(value, path)
    return "" if found is None or isinstance(found, bool | list | Mapping) else str(found)
