"""Answers as bytes: how each provider writes its events."""

from __future__ import annotations

import base64
import json
import struct
import zlib


def whole(row: dict) -> dict:
    """A whole answer or an error, as `prism translate` takes it."""
    document = row.get("answer", row.get("error"))
    text = document if isinstance(document, str) else json.dumps(document, ensure_ascii=False)
    return {"status": row.get("status", 200), "headers": row.get("headers", {}), "body": coded(text.encode())}


def stream(wire: str, row: dict) -> dict:
    return {"body": coded(stream_bytes(wire, row))}


def stream_bytes(wire: str, row: dict) -> bytes:
    """The events; of an `unfinished` stream without the terminator, and without the last bytes when it is `cut`."""
    body = b"".join(FRAMES[wire](event) for event in row["stream"])
    if not row.get("unfinished"):
        body += END.get(wire, b"")
    return body[: len(body) - row.get("cut", 0)]


def coded(body: bytes) -> str:
    return base64.b64encode(body).decode()


def text(document: dict) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def named(event: dict) -> bytes:
    kind = event.get("type")
    return ((f"event: {kind}\n" if kind else "") + f"data: {text(event)}\n\n").encode()


def unnamed(event: dict) -> bytes:
    return f"data: {text(event)}\n\n".encode()


def with_crlf(event: dict) -> bytes:
    return f"data: {text(event)}\r\n\r\n".encode()


def of_prediction(event: dict) -> bytes:
    """Replicate's data is text; what the gateway adds is the prediction as it was created and as it ended."""
    (name, data), = event.items()
    if name == "prediction":
        return f"event: prism.job\ndata: {text(data)}\n\n".encode()
    return (f"event: {name}\nid: 1690212292:0\n" + "".join(f"data: {line}\n" for line in data.split("\n")) + "\n").encode()


def binary(event: dict) -> bytes:
    """A frame of AWS's event stream: a union of one event or exception."""
    (name, payload), = event.items()
    kind = "exception" if name.endswith("Exception") else "event"
    return frame(name, payload, kind)


def frame(name: str, payload: dict, kind: str = "event") -> bytes:
    headers = b"".join(header(*pair) for pair in (
        (":message-type", kind), (f":{kind}-type", name), (":content-type", "application/json")))
    body = json.dumps(payload).encode()
    prelude = struct.pack(">II", 16 + len(headers) + len(body), len(headers))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + body
    return message + struct.pack(">I", zlib.crc32(message))


def header(name: str, value: str) -> bytes:
    return bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()


FRAMES = {"openai": unnamed, "azure": unnamed, "anthropic": named, "cohere": named, "gemini": with_crlf, "bedrock": binary,
          "replicate": of_prediction}
END = {"openai": b"data: [DONE]\n\n", "azure": b"data: [DONE]\n\n", "cohere": b"data: [DONE]\n\n"}
