"""The provider's answers and streams of the fixtures, held against the official SDKs' own types, strictly: nothing that the
types do not know, and the bytes of streams read by the SDK's or botocore's own parser where it has one."""

from __future__ import annotations

import json

import pydantic


def unknown(value, where="") -> list[str]:
    """Members that a lenient model kept without knowing them."""
    if isinstance(value, pydantic.BaseModel):
        faults = [f"{where}.{name}: unknown" for name in (value.model_extra or {})]
        return faults + [fault for name in type(value).model_fields for fault in unknown(getattr(value, name), f"{where}.{name}")]
    if isinstance(value, (list, tuple)):
        return [fault for at, item in enumerate(value) for fault in unknown(item, f"{where}[{at}]")]
    return []


def held(kind, document) -> list[str]:
    try:
        return unknown(pydantic.TypeAdapter(kind).validate_python(document))
    except pydantic.ValidationError as error:
        return [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]


def anthropic(row: dict, body: bytes | None) -> list[str]:
    from anthropic._streaming import SSEDecoder
    from anthropic.types import Message, RawMessageStreamEvent

    if body is None:
        return held(Message, row["answer"])
    events = [json.loads(one.data) for one in SSEDecoder().iter_bytes(iter([body]))]
    faults = [] if events == row["stream"] or "cut" in row else ["the SDK reads other events"]
    return faults + [fault for event in events if event["type"] not in ("ping", "error") for fault in held(RawMessageStreamEvent, event)]


def gemini(row: dict, body: bytes | None) -> list[str]:
    from google.genai.types import GenerateContentResponse

    documents = [row["answer"]] if body is None else [event for event in row["stream"] if "error" not in event]
    return [fault for one in documents for fault in held(GenerateContentResponse, one)]


def cohere(row: dict, body: bytes | None) -> list[str]:
    from cohere.core.unchecked_base_model import construct_type
    from cohere.v2.types import v2chat_stream_response as events
    from cohere.v2.types.v2chat_response import V2ChatResponse

    if body is None:
        return held(V2ChatResponse, row["answer"])
    kinds = {kind.model_fields["type"].default: kind for kind in vars(events).values()
             if isinstance(kind, type) and issubclass(kind, pydantic.BaseModel) and "type" in kind.model_fields}
    return [fault for event in row["stream"] if "type" in event for fault in held(kinds[event["type"]], event)]


def bedrock(row: dict, body: bytes | None) -> list[str]:
    import botocore.session
    from botocore.eventstream import EventStreamBuffer
    from botocore.parsers import create_parser

    model = botocore.session.get_session().get_service_model("bedrock-runtime")
    if body is None:
        shape = model.operation_model("Converse").output_shape
        return members(shape, row["answer"], "answer")
    shape = model.operation_model("ConverseStream").output_shape.members["stream"]
    faults = [fault for event in row["stream"] for fault in members(shape, event, "event")]
    buffer = EventStreamBuffer()
    buffer.add_data(body)
    parser = create_parser("rest-json")
    read = [message.to_response_dict() for message in buffer]
    names = [next(iter(parser._event_stream_parser.parse(one, shape))) for one in read if one["status_code"] == 200]
    wanted = [name for event in row["stream"] for name in event if not name.endswith("Exception")]
    if names != wanted[: len(names)] or ("cut" not in row and names != wanted):
        faults.append(f"botocore reads {names}")
    return faults


def members(shape, value, where) -> list[str]:
    """Members, types, unions and enums of AWS's own model."""
    if getattr(shape, "is_document_type", False):
        return []
    kind = shape.type_name
    if kind == "structure":
        faults = [f"{where}.{name}: unknown" for name in value if name not in shape.members]
        faults += [f"{where}.{name}: missing" for name in shape.required_members if name not in value]
        if shape.is_tagged_union and len(value) != 1:
            faults.append(f"{where}: a union with {len(value)} members")
        return faults + [f for name, item in value.items() if name in shape.members
                         for f in members(shape.members[name], item, f"{where}.{name}")]
    if kind == "list":
        return [fault for at, item in enumerate(value) for fault in members(shape.member, item, f"{where}[{at}]")]
    python = {"string": str, "integer": int, "long": int, "boolean": bool, "blob": str}.get(kind, object)
    faults = [] if isinstance(value, python) else [f"{where}: {value!r} is no {kind}"]
    if kind == "string" and shape.enum and value not in shape.enum:
        faults.append(f"{where}: {value!r} is none of {shape.enum}")
    return faults


def replicate(row: dict, body: bytes | None) -> list[str]:
    """Its types are of pydantic's first version; its decoder gets what Replicate sends, without what the gateway adds."""
    from pydantic.v1 import ValidationError
    from replicate.prediction import Prediction
    from replicate.stream import EventSource

    faults, decoder, read = [], EventSource.Decoder(), []
    for one in [row["answer"]] if body is None else [event["prediction"] for event in row["stream"] if "prediction" in event]:
        faults += [f"{name}: unknown" for name in one if name not in Prediction.__fields__]
        try:
            Prediction.parse_obj(one)
        except ValidationError as error:
            faults.append(str(error))
    if body is not None and "cut" not in row:
        events = [event for event in body.decode().split("\n\n") if event and not event.startswith("event: prism.job\n")]
        for line in "".join(f"{event}\n\n" for event in events).split("\n"):
            if event := decoder.decode(line):
                read.append({event.event.value: event.data})
        if read != [event for event in row["stream"] if "prediction" not in event]:
            faults.append(f"the SDK reads {read}")
    return faults


def openai(row: dict, body: bytes | None, extras: frozenset[str] = frozenset()) -> list[str]:
    from openai.types.chat import ChatCompletion, ChatCompletionChunk

    kind, documents = (ChatCompletion, [row["answer"]]) if body is None else (ChatCompletionChunk, row["stream"])
    faults = [fault for one in documents if "error" not in one for fault in held(kind, one)]
    return [fault for fault in faults if not any(f".{name}: unknown" in fault for name in ("annotations", *extras))]


def azure(row: dict, body: bytes | None) -> list[str]:
    """Azure's own members (WIRE §6), and its first chunk, which names nothing."""
    if body is not None:
        row = {**row, "stream": [event for event in row["stream"] if event.get("object") != ""]}
    return openai(row, body, frozenset({"content_filter_results", "prompt_filter_results"}))


JUDGES = {judge.__name__: judge for judge in (anthropic, gemini, cohere, bedrock, replicate, openai, azure)}
