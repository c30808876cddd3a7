"""Run by test_toy.py in a process of its own, with the SDK that was made from the toy document."""

from __future__ import annotations

import asyncio
import io
import json
import sys
import tempfile
from pathlib import Path
from typing import List, Union

import prism
from prism import types
from prism.types import params
from scripted import Scripted, answer, error, stream

assert prism.__version__ == "9.9.9"


def page(request, peer):
    """Five records, two at a time."""
    cursor = int(request.path.rpartition("cursor=")[2]) if "cursor=" in request.path else 0
    records = [{"org_id": f"o{at}", "from": "here", "copy": at} for at in range(cursor, min(cursor + 2, 5))]
    more = str(cursor + 2) if cursor + 2 < 5 else None
    return answer(200, {"data": records, "next_cursor": more}, {"x-prism-request-id": f"req_{cursor}"})(request, peer)


def pages() -> None:
    with Scripted(page) as server:
        client = prism.Prism(base_url="http://127.0.0.1:9", control_plane_url=server.url)
        first: prism.SyncPage[types.OrgConfigRecord] = client.org_configs.list(limit=2)
        assert [record.org_id for record in first.data] == ["o0", "o1"] and first.has_next_page()
        assert (first.data[0].from_, first.data[0].copy_, first.prism.request_id) == ("here", 0, "req_0")
        assert first.data[0].to_dict() == {"org_id": "o0", "from": "here", "copy": 0}
        assert [record.org_id for record in first] == ["o0", "o1", "o2", "o3", "o4"]
        assert [request.path for request in server.requests[-2:]] == [
            "/v1/orgs?limit=2&cursor=2",
            "/v1/orgs?limit=2&cursor=4",
        ]
        last = first.get_next_page().get_next_page()
        assert not last.has_next_page()
        try:
            last.get_next_page()
            raise AssertionError
        except prism.PrismError as error:
            assert "no next page" in str(error)
        assert client.org_configs.with_raw_response.list().parse().data[0].org_id == "o0"

        async def run() -> None:
            async with prism.AsyncPrism(control_plane_url=server.url) as client:
                assert [record.org_id async for record in client.org_configs.list(limit=2)] == [
                    "o0",
                    "o1",
                    "o2",
                    "o3",
                    "o4",
                ]
                first = await client.org_configs.list(limit=2)
                assert (await first.get_next_page()).data[0].org_id == "o2"
                assert (await client.org_configs.with_raw_response.list()).parse().data[0].org_id == "o0"

        asyncio.run(run())


def control_plane() -> None:
    with Scripted(answer(201, {"org_id": "a"}), answer(204, b"", {"content-length": 0})) as server:
        client = prism.Prism(base_url="http://127.0.0.1:9", control_plane_url=server.url + "/v1")
        config: params.OrgConfig = {"providers": {"openai": {"api_key": "k", "models": ["gpt-4o"]}}, "note": None}
        assert client.org_configs.create(org_id="a/b ü?", config=config).org_id == "a"
        client.org_configs.delete(org_id="..")
    create, delete = server.requests
    assert (create.method, create.path, create.json) == ("POST", "/v1/orgs/a%2Fb%20%C3%BC%3F/config", config)
    assert (delete.method, delete.path, delete.body) == ("DELETE", "/v1/orgs/%2E%2E/config", b"")


def uploads() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "on-disk.txt"
        path.write_bytes(b"DISK")
        files: List[prism.FileTypes] = [b"BYTES", io.BytesIO(b"OPEN"), path, ("named.wav", b"NAMED", "audio/wav")]
        with Scripted(error(503), answer(200, {"id": "f"})) as server:
            for file in files:
                del server.requests[:]
                made = prism.Prism(base_url=server.url).files.create(file=file, purpose="test", keep=True)
                assert made.id == "f" and len(server.requests) == 2
                first, second = (request.body.partition(b"\r\n")[2] for request in server.requests)
                cut = first.index(b"\r\n--")
                assert first[:cut] == second[:cut], "the second attempt sent something else"
                body = server.requests[1].body
                assert (
                    b'name="purpose"\r\n\r\ntest' in body and b'name="keep"\r\n\r\ntrue' in body and b"mask" not in body
                )
                assert any(word in body for word in (b"BYTES", b"OPEN", b"DISK", b"NAMED"))
        assert b'filename="named.wav"' in body and b"audio/wav" in body

        async def run() -> None:
            async with prism.AsyncPrism(base_url=server.url) as client:
                assert (await client.files.create(file=io.BytesIO(b"ASYNC"), purpose="test")).id == "f"

        with Scripted(error(503), answer(200, {"id": "f"})) as server:
            asyncio.run(run())
            assert all(b"ASYNC" in request.body for request in server.requests) and len(server.requests) == 2


def binary() -> None:
    sound = bytes(range(256))
    with (
        Scripted(answer(200, sound, {"content-type": "audio/mpeg"})) as server,
        tempfile.TemporaryDirectory() as folder,
    ):
        client = prism.Prism(base_url=server.url)
        answered: prism.BinaryResponse = client.audio.speech.create(input="hello")
        assert answered.content == answered.read() == sound and server.requests[0].headers["accept"] == "*/*"
        for name in ("whole", "streamed"):
            path = Path(folder) / name
            if name == "whole":
                answered.write_to_file(path)
            else:
                with client.audio.speech.with_streaming_response.create(input="hello") as streamed:
                    streamed.stream_to_file(path)
            assert path.read_bytes() == sound

        async def run() -> None:
            async with prism.AsyncPrism(base_url=server.url) as client:
                assert (await client.audio.speech.create(input="hello")).content == sound
                async with client.audio.speech.with_streaming_response.create(input="hello") as streamed:
                    await streamed.stream_to_file(Path(folder) / "async")

        asyncio.run(run())
        assert (Path(folder) / "async").read_bytes() == sound


def unions() -> None:
    """Events of several types, one unknown; the stream has no last event."""
    events = [{"type": "start", "id": "1"}, {"type": "end", "count": 2}, {"type": "later", "x": 1}]
    with Scripted(stream([f"data: {json.dumps(event)}\n\n" for event in events])) as server:
        seen = list(prism.Prism(base_url=server.url).events.create(stream=True))
    assert isinstance(seen[0], types.StartEvent) and isinstance(seen[1], types.EndEvent) and seen[1].count == 2
    unknown: Union[object, types.Event] = seen[2]
    assert getattr(unknown, "type", None) == "later" and getattr(unknown, "x", None) == 1


if __name__ == "__main__":
    for step in (pages, control_plane, uploads, binary, unions):
        step()
        print(step.__name__, file=sys.stderr)
