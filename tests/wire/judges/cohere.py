"""Reads JSON lines of request bodies and validates each with the types of Cohere's own SDK (`cohere`).

The SDK builds its models without validation, so every message, tool and option is validated here by its own type.
"""

import inspect
import json
import sys
import typing

from pydantic import TypeAdapter, ValidationError

sys.path = [path for path in sys.path if not path.endswith("judges")]
from cohere.types import ChatMessages, ResponseFormatV2, Thinking, ToolV2  # noqa: E402
from cohere.v2.raw_client import RawV2Client  # noqa: E402

CHAT = set(inspect.signature(RawV2Client.chat).parameters) | {"stream"}
EMBED = set(inspect.signature(RawV2Client.embed).parameters)
RERANK = inspect.signature(RawV2Client.rerank).parameters
SHAPES = {
    "messages": TypeAdapter(ChatMessages),
    "tools": TypeAdapter(typing.Sequence[ToolV2]),
    "thinking": TypeAdapter(Thinking),
    "response_format": TypeAdapter(ResponseFormatV2),
}


def extras(value: object, path: str = "") -> typing.Iterator[str]:
    """Members that the SDK's models do not know; they allow them silently."""
    if isinstance(value, list):
        for at, item in enumerate(value):
            yield from extras(item, f"{path}[{at}]")
    elif hasattr(value, "model_fields_set"):
        for name in getattr(value, "model_extra", None) or {}:
            yield f"{path}.{name}"
        for name in type(value).model_fields:
            yield from extras(getattr(value, name), f"{path}.{name}")


def known(body: dict) -> typing.Collection[str]:
    """The parameters of the method that sends such a body."""
    if "messages" in body:
        return CHAT
    return RERANK if "query" in body else EMBED


def main() -> int:
    judged = failed = 0
    for line in sys.stdin:
        body = json.loads(line)
        judged += 1
        try:
            unknown = [name for name in body if name not in known(body)]
            if "documents" in body and "messages" not in body:
                for name in RERANK.keys() & body.keys():
                    TypeAdapter(RERANK[name].annotation).validate_python(body[name], strict=True)
            for name, adapter in SHAPES.items():
                if name in body:
                    unknown += extras(adapter.validate_python(body[name]), name)
            if unknown:
                raise ValueError(f"unknown members {unknown}")
        except (ValidationError, ValueError) as error:
            failed += 1
            print(f"{line.strip()[:300]}\n  {error}", file=sys.stderr)
    print(f"{judged} judged, {failed} refused")
    return 1 if failed or not judged else 0


if __name__ == "__main__":
    sys.exit(main())
