"""Writes the golden files anew; read the difference before committing it."""

from produce import TARGETS, golden, produce

for target in TARGETS:
    path = golden(target)
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(produce(target)) + "\n", encoding="utf-8")
    print(path.name)
