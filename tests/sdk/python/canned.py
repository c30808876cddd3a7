"""A server that answers every chat with the same bytes: what is measured beside it is the client."""

from __future__ import annotations

import asyncio
import json

HEADERS = "content-type: {}\r\nx-prism-provider: canned\r\nx-request-id: req_1\r\n"
ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "canned",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hello", "refusal": None},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}


def event(index: int) -> bytes:
    chunk = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "canned",
        "choices": [{"index": 0, "delta": {"content": f" word{index}"}, "logprobs": None, "finish_reason": None}],
    }
    return f"data: {json.dumps(chunk)}\n\n".encode()


def framed(piece: bytes) -> bytes:
    return f"{len(piece):x}\r\n".encode() + piece + b"\r\n"


STREAM = [framed(event(index)) for index in range(10_000)]
STREAM = [b"".join(STREAM[at : at + 20]) for at in range(0, 10_000, 20)] + [framed(b"data: [DONE]\n\n") + b"0\r\n\r\n"]
BODY = json.dumps(ANSWER).encode()


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            fields = dict(line.lower().split(": ", 1) for line in head.decode().split("\r\n")[1:] if ": " in line)
            request = json.loads(await reader.readexactly(int(fields.get("content-length", 0))) or "{}")
            if request.get("stream"):
                kind = HEADERS.format("text/event-stream") + "transfer-encoding: chunked\r\n\r\n"
                writer.write(b"HTTP/1.1 200 OK\r\n" + kind.encode())
                for piece in STREAM:
                    writer.write(piece)
                    await writer.drain()
            else:
                kind = HEADERS.format("application/json") + f"content-length: {len(BODY)}\r\n\r\n"
                writer.write(b"HTTP/1.1 200 OK\r\n" + kind.encode() + BODY)
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main() -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
