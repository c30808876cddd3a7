"""What templates cannot do: blank lines, quotes round names that need none, documentation within 120 columns."""

import re
import sys
import textwrap
from pathlib import Path

WIDTH = 120


def documentation(match: re.Match[str]) -> str:
    """`/** text */`, in one line if it fits. A tag begins a line of its own."""
    indent, text = match.group(1), " ".join(match.group(2).split())
    if len(indent) + len(text) + 7 <= WIDTH:
        return f"{indent}/** {text} */"
    lines = [line for part in re.split(r" (?=@\w+)", text) for line in textwrap.wrap(part, WIDTH - len(indent) - 3)]
    return "\n".join([f"{indent}/**", *(f"{indent} * {line}" for line in lines), f"{indent} */"])


def typescript(text: str) -> str:
    text = re.sub(r"[ \t]+$", "", method_names(text), flags=re.M)
    text = re.sub(r"^( *)/\*\* ((?:(?!\*/).)*?) ?\*/$", documentation, text, flags=re.M | re.S)
    text = re.sub(r"^( +)'([A-Za-z_$][\w$]*)'(\??:)", r"\1\2\3", text, flags=re.M)
    text = re.sub(r"([{\s])'([A-Za-z_$][\w$]*)': (?=[a-zA-Z])", r"\1\2: ", text)
    text = re.sub(r"\b(\w+): \1\b(?=[, ])", r"\1", text)
    text = re.sub(r", +\}", " }", text)
    text = re.sub(r"; \}(?=[>,;)\] ])", " }", text)
    text = re.sub(r"(\{|\*/)\n\n+(?=\s*\S)", r"\1\n", text)
    text = re.sub(r"\n\n+(\s*\})", r"\n\1", text)
    return re.sub(r"\n{3,}", "\n\n", text).rstrip() + "\n"


def markdown(text: str) -> str:
    text = re.sub(r"[ \t]+$", "", method_names(text), flags=re.M)
    text = re.sub(r"\|\n\n+(?=\|)", "|\n", text)  # rows of one table
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def method_names(text: str) -> str:
    """The document has `client.org_configs.create`."""
    return re.sub(r"`client\.[a-z_.]+`", lambda name: re.sub(r"_([a-z])", lambda letter: letter[1].upper(), name[0]), text)


def main(folder: Path) -> None:
    # The runtime part is written by hand, and stays as it is.
    for path in sorted([*folder.glob("src/*.ts"), *folder.glob("*.md")]):
        tidy = typescript if path.suffix == ".ts" else markdown
        path.write_text(tidy(path.read_text()))


main(Path(sys.argv[1]))
