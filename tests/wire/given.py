"""What came back, in the form of the golden files, and what it says."""

from __future__ import annotations

import copy

from produce import HERE, TARGETS, format_of, jsonl, returned

MODEL = "$model"


def golden_path(wire: str):
    return HERE / "golden/answers" / f"{wire}.jsonl"


def goldens(wire: str) -> dict[str, dict]:
    return {line.pop("name"): line for line in jsonl(golden_path(wire))}


def outcomes(target: str) -> dict[tuple[str, str], dict]:
    """By case and answer: the answer, and the stream with what its chunks have in common said once."""
    results = {}
    for pair, result in returned(target).items():
        outcome = {"answer": named(result["answer"], target)} if "answer" in result else {}
        if "stream" in result:
            outcome["stream"] = short(named(result["stream"], target))
        results[pair] = {"row": result["row"], **outcome}
    return results


def named(result: dict, target: str) -> dict:
    """The model's name where the answer does not say it: targets of one format then share their golden line. Counts of
    nothing are left out of the gateway's own usage."""
    result = copy.deepcopy(result)
    if result.get("usage"):
        result["usage"] = {name: count for name, count in result["usage"].items() if count}
    bodies = [result.get("body", {}), *(event for event in result.get("events", ()) if isinstance(event, dict))]
    for body in bodies:
        if body.get("model") == TARGETS[target]["model"]:
            body["model"] = MODEL
    return result


def short(stream: dict) -> dict:
    """The stream with the members that its chunks share taken out."""
    if "events" not in stream:
        return stream
    events = stream.pop("events")
    chunks = [event for event in events if isinstance(event, dict)]
    common = chunks[-1] if chunks else {}
    head = {name: common[name] for name in ("id", "object", "created", "model", "service_tier", "system_fingerprint") if name in common}
    body = [event if not isinstance(event, dict) else {k: v for k, v in event.items() if k not in head or v != head[k]} for event in events]
    return {**stream, "head": head, "events": body}


def chunks(stream: dict) -> list[dict]:
    """The chunks of a stream in its short form."""
    return [{**stream["head"], **event} for event in stream.get("events", ()) if isinstance(event, dict)]


def expected(lines: dict[str, dict], target: str, case: str, row: str) -> dict | None:
    """The golden line of a case: its own where it deviates, else that of its answer."""
    return lines.get(f"{row} @ {target}/{case}") or lines.get(f"{row} @ {case}") or lines.get(row)


def write(wire: str) -> list[dict]:
    """The golden lines of a format: one for each answer, and one for each case in which it comes out otherwise."""
    lines: dict[str, dict] = {}
    for target in TARGETS:
        if format_of(target) != wire:
            continue
        for (case, _), outcome in outcomes(target).items():
            row = outcome.pop("row")
            if lines.setdefault(row, outcome) != outcome and lines.setdefault(f"{row} @ {case}", outcome) != outcome:
                lines[f"{row} @ {target}/{case}"] = outcome
    return [{"name": name, **line} for name, line in lines.items()]
