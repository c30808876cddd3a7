"""Writes the golden files anew; read the difference before committing it."""

import json

import given
from produce import TARGETS, endpoints, format_of, golden, produce

for target in TARGETS:
    golden(target).write_text("\n".join(produce(target)) + "\n", encoding="utf-8")
    print(golden(target).name)
for wire in dict.fromkeys(map(format_of, TARGETS)):
    path = given.golden_path(wire)
    path.parent.mkdir(exist_ok=True)
    lines = [json.dumps(line, ensure_ascii=False, separators=(",", ":")) for line in given.write(wire)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"answers/{path.name}")
golden("endpoints").write_text("\n".join(endpoints()) + "\n", encoding="utf-8")
