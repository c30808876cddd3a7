"""The first corpus: the fixtures of tests/wire, each behind the byte that names its format (see fuzz_targets/common)."""

import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
WIRE = HERE / "../../tests/wire"
sys.path.insert(0, str(WIRE))
import framing  # noqa: E402

FORMATS = ["openai", "anthropic", "cohere", "azure", "gemini", "bedrock", "replicate"]


def write(target: str, name: str, data: bytes) -> None:
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


for number, wire in enumerate(FORMATS):
    path = WIRE / "answers" / f"{wire}.jsonl"
    for line in path.read_text().strip().split("\n") if path.exists() else []:
        row = json.loads(line)
        if "answer" in row or "error" in row:
            document = row.get("answer", row.get("error"))
            text = document if isinstance(document, str) else json.dumps(document)
            write("answers", f"{wire}-{row['name']}", bytes([number]) + text.encode())
        if "stream" in row:
            body = framing.stream_bytes(wire, row)
            write("streams", f"{wire}-{row['name']}", bytes([number, 7]) + body)
            write("sse", f"{wire}-{row['name']}", bytes([7]) + body)
for line in (WIRE / "cases.jsonl").read_text().strip().split("\n"):
    case = json.loads(line)
    for number, wire in enumerate(FORMATS):
        write("requests", f"{wire}-{case['name']}", bytes([number]) + json.dumps(case["request"]).encode())
