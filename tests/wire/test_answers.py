"""Every shared case in every format on the way back: the answer and the stream, as committed, and as OpenAI's clients want them."""

from __future__ import annotations

import json
import subprocess
from functools import cache

import pytest

import framing
import given
from judges import chunks as judge
from judges.returned import JUDGES
from produce import CASES, SAID, TARGETS, answers, binary, format_of, produce, streamed_request

WIRES = list(dict.fromkeys(map(format_of, TARGETS)))
SECRETS = ("sk-proj", "10.0.0.7", "amazon.com", "platform.openai")


@cache
def outcomes(target: str) -> dict:
    return given.outcomes(target)


@cache
def goldens(wire: str) -> dict:
    return given.goldens(wire)


def test_every_format_that_is_built_is_a_target():
    formats = subprocess.run([binary(), "formats", "--json"], capture_output=True, text=True, check=True)
    assert set(json.loads(formats.stdout)) == set(WIRES)


@pytest.mark.parametrize("wire", WIRES)
def test_every_format_has_every_answer(wire):
    rows = answers(wire)
    assert set(rows) == set(SAID)
    for name, row in rows.items():
        assert "absent" in row or "answer" in row or "error" in row or "stream" in row, name
        if "absent" in row:
            assert "absent" not in rows[row["instead"]], name
        elif "error" not in row:
            assert "stream" in row or "no_stream" in row, name
            assert "answer" in row or "no_answer" in row or row.get("unfinished"), name


@pytest.mark.parametrize("wire", WIRES)
def test_the_official_sdk_could_have_got_it(wire):
    faults = []
    for name, row in answers(wire).items():
        if "answer" in row:
            faults += [f"{name}: {fault}" for fault in JUDGES[wire](row, None)]
        if "stream" in row:
            faults += [f"{name} (stream): {fault}" for fault in JUDGES[wire](row, framing.stream_bytes(wire, row))]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("target", TARGETS)
def test_every_case_comes_back_as_committed(target):
    lines, found = goldens(format_of(target)), outcomes(target)
    for (case, name), result in found.items():
        kept = {kind: value for kind, value in result.items() if kind != "row"}
        line = given.expected(lines, target, case, result["row"])
        assert line is not None, f"{target}/{case}: `{name}` without an expectation"
        assert kept == line, f"{target}/{case}: {name}"
    sent = {line["name"] for line in map(json.loads, produce(target)) if "error" not in line}
    assert {case for case, _ in found} == sent


@pytest.mark.parametrize("wire", WIRES)
def test_no_expectation_is_left_over(wire):
    lines = {line["name"] for line in given.write(wire)}
    assert lines == set(goldens(wire))


@pytest.mark.parametrize("target", TARGETS)
def test_openais_own_types_take_every_answer(target):
    faults = []
    for (case, name), result in outcomes(target).items():
        answer = result.get("answer")
        if answer is None:
            continue
        body = answer["body"]
        if "error" in body:
            text = json.dumps(answer)
            leaks = [secret for secret in SECRETS if secret in text]
            kept = set(body["error"]) == {"message", "type", "param", "code"} and body["error"]["message"] and not leaks
            faults += [] if kept else [f"{case}/{name}: {text}"]
        else:
            faults += [f"{case}/{name}: {fault}" for fault in judge.whole(body)]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("target", TARGETS)
def test_every_stream_is_one_of_openais(target):
    faults = []
    for (case, name), result in outcomes(target).items():
        stream = result.get("stream")
        if stream is None or stream["status"] != 200:
            continue
        assert "cut" not in stream, f"{case}/{name}: cut in pieces ({stream['cut']}) it comes out otherwise"
        asked = streamed_request(CASES[case]["request"]).get("stream_options", {}).get("include_usage", False)
        faults += [f"{case}/{name}: {fault}" for fault in judge.stream(
            given.chunks(stream), stream["events"], stream["complete"], asked)]
        row = answers(format_of(target))[result["row"]]
        if row.get("unfinished") and stream["complete"]:
            faults.append(f"{case}/{name}: complete, though it was not")
    assert not faults, "\n".join(faults)


def says(choice: dict, usage: dict | None) -> dict:
    """What an answer says, without its wording in any format."""
    message = choice["message"]
    calls = [[call["function"]["name"], json_or_text(call["function"]["arguments"])] for call in message.get("tool_calls") or ()]
    said = {"content": message.get("content"), "reasoning": message.get("reasoning_content"), "refusal": message.get("refusal"),
            "calls": calls, "finish_reason": choice["finish_reason"],
            "usage": usage and {name: usage[name] for name in ("prompt_tokens", "completion_tokens")}}
    return {name: value for name, value in said.items() if value}


def json_or_text(text: str):
    try:
        return json.loads(text)
    except ValueError:
        return text


def what(row: dict) -> dict:
    """What the row's answer has to say: what all formats say, but for what this format has otherwise."""
    said = {**SAID[row["name"]]["says"], **row.get("says", {})}
    said["calls"] = [[name, json_or_text(arguments)] for name, arguments in said.get("calls", [])]
    return {name: value for name, value in said.items() if value}


@pytest.mark.parametrize("target", TARGETS)
def test_every_format_says_the_same(target):
    faults, wire = [], format_of(target)
    for (case, name), result in outcomes(target).items():
        row = answers(wire)[result["row"]]
        if "says" not in SAID[row["name"]]:
            continue
        wanted = what(row)
        if "finish_reason" not in wanted:
            bad = [kind for kind in ("answer", "stream") if kind in result and not (
                result[kind].get("error") or "error" in result[kind].get("body", {}))]
            faults += [f"{case}/{name}: {kind} is no error" for kind in bad]
            continue
        if "answer" in result:
            body = result["answer"]["body"]
            found = says(body["choices"][0], body["usage"])
            faults += [] if found == wanted else [f"{case}/{name}: {found} instead of {wanted}"]
        if "stream" in result:
            together = judge.accumulated(given.chunks(result["stream"]))
            found = says(together, together["usage"])
            if together["usage"] is None:
                found["usage"] = wanted["usage"]  # not asked for
            faults += [] if found == wanted else [f"{case}/{name} (stream): {found} instead of {wanted}"]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("target", TARGETS)
def test_a_stream_adds_up_to_its_answer(target):
    """Besides what both say: thoughts as they go back, citations, probabilities, usage in full."""
    faults = []
    for (case, name), result in outcomes(target).items():
        if not {"answer", "stream"} <= set(result) or "choices" not in result["answer"]["body"]:
            continue
        body = result["answer"]["body"]
        together = judge.accumulated(given.chunks(result["stream"]))
        message, whole = together["message"], body["choices"][0]["message"]
        for member in ("thinking_blocks", "annotations", "citations", "extra_content", "images"):
            if (message.get(member) or None) != (whole.get(member) or None):
                faults.append(f"{case}/{name}: {member} {message.get(member)} instead of {whole.get(member)}")
        for call, other in zip(message.get("tool_calls", ()), whole.get("tool_calls") or ()):
            if {**call, "function": 0} != {**other, "function": 0}:
                faults.append(f"{case}/{name}: {call} instead of {other}")
        if together["logprobs"] != body["choices"][0]["logprobs"]:
            faults.append(f"{case}/{name}: logprobs {together['logprobs']} instead of {body['choices'][0]['logprobs']}")
        if together["usage"] and together["usage"] != body["usage"]:
            faults.append(f"{case}/{name}: usage {together['usage']} instead of {body['usage']}")
    assert not faults, "\n".join(faults)
