"""Holds what Prism sends to Bedrock, and the frames of its tests, against AWS's own code: botocore.

Reads JSON lines, as the gateway's tests write them:

    PRISM_PRODUCED=/tmp/produced.jsonl cargo test -p prism-gateway bedrock
    python tests/wire/judges/bedrock.py /tmp/produced.jsonl

`{operation, model, body}` is validated against the operation's input shape: members, types, required members, bounds,
unions, and (what botocore leaves to the service) enums, patterns and lengths. Blobs are decoded from base64 first. The
body that botocore itself serialises for these parameters has to be the same JSON.
`{operation: InvokeModel, model, path, body}` has to go to the path that botocore posts to.
`{operation, frames, events}` is read by botocore's event stream parser, which has to find these events.
"""

import base64
import binascii
import json
import re
import sys

import botocore.session
from botocore.eventstream import EventStreamBuffer
from botocore.serialize import create_serializer
from botocore.validate import ParamValidator

MODEL = botocore.session.get_session().get_service_model("bedrock-runtime")
KINDS = {"structure": dict, "list": list, "map": dict, "string": str, "boolean": bool}


def parameters(shape, value, path, faults):
    """`value` as boto3 would be called with, with the faults that botocore does not look for."""
    if getattr(shape, "is_document_type", False):
        return value
    kind = shape.type_name
    if not isinstance(value, KINDS.get(kind, object)):
        faults.append(f"{path}: {value!r} is no {kind}")
        return value
    if kind == "structure":
        unknown = [name for name in value if name not in shape.members]
        faults.extend(f"{path}.{name}: unknown member of {shape.name}" for name in unknown)
        if shape.is_tagged_union and len(value) != 1:
            faults.append(f"{path}: a union with {len(value)} members")
        known = ((name, item) for name, item in value.items() if name in shape.members)
        return {name: parameters(shape.members[name], item, f"{path}.{name}", faults) for name, item in known}
    if kind == "list":
        bounds(shape, len(value), path, faults)
        return [parameters(shape.member, item, f"{path}[{at}]", faults) for at, item in enumerate(value)]
    if kind == "map":
        bounds(shape, len(value), path, faults)
        for key in value:
            text(shape.key, key, f"{path} key", faults)
        return {key: parameters(shape.value, item, f"{path}.{key}", faults) for key, item in value.items()}
    if kind == "string":
        text(shape, value, path, faults)
    if kind == "blob":
        try:
            return base64.b64decode(value, validate=True)
        except (binascii.Error, TypeError) as error:
            faults.append(f"{path}: {error}")
    return value


def bounds(shape, length, path, faults):
    low, high = shape.metadata.get("min", 0), shape.metadata.get("max", length)
    if not low <= length <= high:
        faults.append(f"{path}: {length} is not from {low} to {high}")


def text(shape, value, path, faults):
    bounds(shape, len(value), path, faults)
    if shape.enum and value not in shape.enum:
        faults.append(f"{path}: {value!r} is none of {shape.enum}")
    pattern = shape.metadata.get("pattern")
    if pattern and not re.fullmatch(pattern, value):
        faults.append(f"{path}: {value!r} does not match {pattern}")


def roles(messages):
    """What the service demands besides its model: a user begins, roles alternate, nothing is blank."""
    for at, message in enumerate(messages):
        wanted = "user" if at % 2 == 0 else "assistant"
        if message["role"] != wanted:
            yield f"messages[{at}]: not {wanted}"
        if not message["content"]:
            yield f"messages[{at}]: empty"
        yield from (f"messages[{at}]: blank text" for block in message["content"] if not block.get("text", "x").strip())


def request(line):
    operation, faults = MODEL.operation_model(line["operation"]), []
    given = {"modelId": line["model"], **line["body"]}
    asked = parameters(operation.input_shape, given, "", faults)
    report = ParamValidator().validate(asked, operation.input_shape)
    if report.has_errors():
        faults.append(report.generate_report())
    if not faults:
        serializer = create_serializer(MODEL.metadata["protocol"])
        own = json.loads(serializer.serialize_to_request(asked, operation)["body"])
        if own != line["body"]:
            faults.append(f"botocore sends {json.dumps(own)}")
    return faults + list(roles(line["body"]["messages"]))


def invocation(line):
    """`InvokeModel`: the body is the model's own, the path has to be botocore's."""
    operation = MODEL.operation_model("InvokeModel")
    asked = {"modelId": line["model"], "body": json.dumps(line["body"]).encode(), "contentType": "application/json"}
    faults = []
    parameters(operation.input_shape, {"modelId": line["model"]}, "", faults)
    report = ParamValidator().validate(asked, operation.input_shape)
    if report.has_errors():
        return [*faults, report.generate_report()]
    path = create_serializer(MODEL.metadata["protocol"]).serialize_to_request(asked, operation)["url_path"]
    return faults + ([f"botocore posts to {path}, not {line['path']}"] if path != line["path"] else [])


def stream(line):
    shape = MODEL.operation_model(line["operation"]).output_shape.members["stream"]
    buffer, found, faults = EventStreamBuffer(), [], []
    data = base64.b64decode(line["frames"])
    for at in range(0, len(data), 7):
        buffer.add_data(data[at : at + 7])
        found.extend((event.headers[":event-type"], json.loads(event.payload)) for event in buffer)
    if found != [tuple(event) for event in line["events"]]:
        faults.append(f"botocore reads {found}")
    for kind, payload in found:
        payload.pop("p", None)
        parameters(shape.members[kind], payload, kind, faults)
    return faults


def main(path):
    counts, failed = {}, 0
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(map(json.loads, lines), 1):
            judge = stream if "frames" in line else invocation if line["operation"] == "InvokeModel" else request
            faults = judge(line)
            counts[line["operation"]] = counts.get(line["operation"], 0) + 1
            failed += bool(faults)
            for fault in faults:
                print(f"line {number}: {fault}\n    {json.dumps(line)[:600]}")
    print(", ".join(f"{count} of {operation}" for operation, count in sorted(counts.items())), f"judged; {failed} wrong")
    return 1 if failed or not counts else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
