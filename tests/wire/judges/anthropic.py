"""Reads JSON lines of request bodies and validates each with the types of Anthropic's own SDK (`anthropic`)."""

import json
import sys

from anthropic.types.message_create_params import MessageCreateParamsNonStreaming, MessageCreateParamsStreaming
from pydantic import TypeAdapter, ValidationError

WHOLE = TypeAdapter(MessageCreateParamsNonStreaming)
STREAM = TypeAdapter(MessageCreateParamsStreaming)
KNOWN = set(MessageCreateParamsNonStreaming.__annotations__)
for base in getattr(MessageCreateParamsNonStreaming, "__orig_bases__", ()):
    KNOWN |= set(getattr(base, "__annotations__", {}))

# Gone from the types with 2026-10-21; 2023-06-01 still takes them, and nothing else gets them.
KNOWN |= {"temperature", "top_p", "top_k"}


def main() -> int:
    judged = failed = 0
    for line in sys.stdin:
        body = json.loads(line)
        judged += 1
        try:
            # Iterables are validated lazily: walking the result makes pydantic look at every item.
            adapter = STREAM if body.get("stream") else WHOLE
            adapter.dump_json(adapter.validate_python(body), warnings="error")
            unknown = set(body) - KNOWN
            if unknown:
                raise ValueError(f"unknown members {sorted(unknown)}")
        except (ValidationError, ValueError) as error:
            failed += 1
            print(f"{line.strip()[:300]}\n  {error}", file=sys.stderr)
    print(f"{judged} judged, {failed} refused")
    return 1 if failed or not judged else 0


if __name__ == "__main__":
    sys.exit(main())
