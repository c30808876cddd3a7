"""Reads JSON lines of {path, model, body} and judges each with Replicate's own client (`replicate`) and its models' schemas.

The client writes the body itself; what a model takes as `input` is in the model's own schema, of which `INPUTS` holds the
members and their bounds as its page at replicate.com shows them.
"""

import json
import sys

import jsonschema_rs

sys.path = [path for path in sys.path if not path.endswith("judges")]
from replicate.identifier import ModelVersionIdentifier  # noqa: E402
from replicate.prediction import _create_prediction_body  # noqa: E402

TEXT, WHOLE, YES_OR_NO = {"type": "string"}, {"type": "integer"}, {"type": "boolean"}
URL = {"type": "string", "pattern": "^(https?://|data:)"}
URLS = {"type": "array", "items": URL}


def number(least: float, most: float) -> dict:
    return {"type": "number", "minimum": least, "maximum": most}


MESSAGE = {"type": "object", "required": ["role", "content"], "additionalProperties": False,
           "properties": {"role": {"enum": ["system", "user", "assistant"]}, "content": {"type": "string", "minLength": 1}}}
INPUTS = {
    "meta/meta-llama-3-70b-instruct": {
        "prompt": TEXT, "system_prompt": TEXT, "max_tokens": {**WHOLE, "minimum": 1}, "min_tokens": WHOLE, "temperature": number(0, 5),
        "top_p": number(0, 1), "top_k": WHOLE, "presence_penalty": number(-2, 2), "frequency_penalty": number(-2, 2),
        "stop_sequences": TEXT, "prompt_template": TEXT, "length_penalty": number(0, 5), "seed": WHOLE, "image": URL},
    "anthropic/claude-4-sonnet": {
        "prompt": TEXT, "system_prompt": TEXT, "max_tokens": {**WHOLE, "minimum": 1024, "maximum": 64000}, "image": URL,
        "max_image_resolution": number(0.001, 2), "extended_thinking": YES_OR_NO, "thinking_budget_tokens": WHOLE},
    "openai/gpt-5": {
        "prompt": TEXT, "system_prompt": TEXT, "messages": {"type": "array", "items": MESSAGE}, "image_input": URLS,
        "max_completion_tokens": WHOLE, "verbosity": {"enum": ["low", "medium", "high"]},
        "reasoning_effort": {"enum": ["minimal", "low", "medium", "high"]}},
}


def judge(path: str, model: str, body: dict) -> None:
    about = ModelVersionIdentifier.parse(model)
    if path != f"/v1/models/{about.owner}/{about.name}/predictions":
        raise ValueError(f"an official model is not at {path}")
    own = _create_prediction_body(version=None, input=body["input"], **{name: body[name] for name in body if name != "input"})
    if own != body:
        raise ValueError(f"the client would send {own}")
    schema = {"type": "object", "additionalProperties": False, "properties": INPUTS[model],
              "anyOf": [{"required": ["prompt"]}, {"required": ["messages"]}]}
    jsonschema_rs.validate(schema, body["input"])


def main() -> int:
    judged = failed = 0
    for line in sys.stdin:
        judged += 1
        try:
            judge(**json.loads(line))
        except (jsonschema_rs.ValidationError, ValueError, TypeError) as error:
            failed += 1
            print(f"{line.strip()[:300]}\n  {str(error)[:600]}", file=sys.stderr)
    print(f"{judged} judged, {failed} refused")
    return 1 if failed or not judged else 0


if __name__ == "__main__":
    sys.exit(main())
