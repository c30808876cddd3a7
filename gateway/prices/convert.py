"""Makes catalogue.tsv out of the price table that the `litellm` package ships. Run by hand, from anywhere:

    python gateway/prices/convert.py          # downloads the version named below from PyPI
    python gateway/prices/convert.py WHEEL    # or takes it from a file

A line is `PROVIDER/MODEL<tab>RATE=PRICE …`, sorted by its bytes; prices are US dollars per million (tokens, or queries)
as exact decimals. A rate is `WHAT[>TOKENS][@TIER]`: `input>200000@batch` is what input costs in a batch when the prompt
is longer than 200,000 tokens.
"""

import json
import re
import subprocess
import sys
import tempfile
import zipfile
from datetime import date
from decimal import Decimal, getcontext
from pathlib import Path

VERSION = "1.109.1"
TABLE = "litellm/model_prices_and_context_window_backup.json"
LICENCE = f"litellm-{VERSION}.dist-info/licenses/LICENSE"
HERE = Path(__file__).parent

# their provider -> (our type of provider, the prefix of their model names)
PROVIDERS = {
    "openai": ("openai", "openai/"),
    "text-completion-openai": ("openai", ""),
    "anthropic": ("anthropic", "anthropic/"),
    "gemini": ("gemini", "gemini/"),
    "bedrock": ("bedrock", "bedrock/"),
    "bedrock_converse": ("bedrock", "bedrock/"),
    "azure": ("azure", "azure/"),
    "azure_text": ("azure", "azure/"),
    "azure_ai": ("azure", "azure_ai/"),
    "cohere": ("cohere", "cohere/"),
    "cohere_chat": ("cohere", "cohere/"),
    "groq": ("groq", "groq/"),
    "mistral": ("mistral", "mistral/"),
    "together_ai": ("together", "together_ai/"),
    "fireworks_ai": ("fireworks", "fireworks_ai/"),
    "fireworks_ai-embedding-models": ("fireworks", "fireworks_ai/"),
    "deepinfra": ("deepinfra", "deepinfra/"),
    "perplexity": ("perplexity", "perplexity/"),
    "cerebras": ("cerebras", "cerebras/"),
    "xai": ("xai", "xai/"),
    "openrouter": ("openrouter", "openrouter/"),
    "anyscale": ("anyscale", "anyscale/"),
    "replicate": ("replicate", "replicate/"),
}
# whose answers say how many searches of the web are on the bill
SEARCHES = {"anthropic"}
MODES = {"chat", "completion", "responses", "embedding", "rerank", "image_generation"}

# their field, without its suffixes -> what it is the price of
WHATS = {
    "input_cost_per_token": "input",
    "output_cost_per_token": "output",
    "cache_read_input_token_cost": "cached",
    "input_cost_per_token_cache_hit": "cached",
    "cache_read_input_audio_token_cost": "cached_audio",
    "cache_creation_input_token_cost": "write",
    "cache_creation_input_token_cost_above_1hr": "write_1h",
    "output_cost_per_reasoning_token": "reasoning",
    "input_cost_per_audio_token": "audio_input",
    "output_cost_per_audio_token": "audio_output",
    "input_cost_per_image_token": "image_input",
    "output_cost_per_image_token": "image_output",
    "input_cost_per_query": "query",
}
TIERS = {"batches": "batch", "flex": "flex", "priority": "priority"}
SUFFIXES = re.compile(r"(?P<what>.+?)(?:_above_(?P<above>\d+)k_tokens)?(?:_(?P<tier>batches|flex|priority))?")
# where a part has no rate of its own it is priced as what it is part of
PARTS = {"reasoning": "output", "audio_input": "input", "audio_output": "output", "image_input": "input",
         "image_output": "output", "cached_audio": "cached"}
ORDER = list(dict.fromkeys(WHATS.values()))
# sizes of models, months of commitment, resolutions: nothing that a provider calls a model
NO_MODEL = re.compile(r"commitment|^\d|^together-ai-|^fireworks-ai-|^bedrock/(invoke|\*)|\s")

# models that charge for each request or search, too: their tokens alone would understate what they cost
FEES = re.compile(r"perplexity/sonar|search-(preview|api)|deep-research")

Rate = tuple[int, int, str]  # place in ORDER, threshold, tier


def name(key: str, provider: str) -> str | None:
    """`PROVIDER/MODEL` for one of their entries, if it is a model of a provider that we know."""
    if provider.startswith("vertex_ai"):
        kind, prefix = "vertexai", "vertex_ai/"
    elif provider in PROVIDERS:
        kind, prefix = PROVIDERS[provider]
    else:
        return None
    return None if NO_MODEL.search(key) else f"{kind}/{key.removeprefix(prefix)}"


def rates(entry: dict) -> dict[Rate, Decimal]:
    """Its prices per million. Zero says in their table that nobody knows as often as that it is free: left out."""
    found: dict[Rate, Decimal] = {}

    def take(field: str, price: object, above: int = 0) -> None:
        parts = SUFFIXES.fullmatch(field)
        if not parts or parts["what"] not in WHATS or not isinstance(price, (int, Decimal)) or price <= 0:
            return
        above = above or int(parts["above"] or 0) * 1000
        rate = ORDER.index(WHATS[parts["what"]]), above, TIERS.get(parts["tier"], "")
        found.setdefault(rate, Decimal(price) * 1_000_000)

    for field, price in entry.items():
        take(field, price)
    searches = set((entry.get("search_context_cost_per_query") or {}).values())
    if entry.get("litellm_provider") in SEARCHES and len(searches) == 1:
        take("input_cost_per_query", searches.pop())
    for step in entry.get("tiered_pricing") or []:
        for field, price in step.items():
            if "range" in step:
                take(field, price, int(step["range"][0]))
    # what says nothing new is left out, so that a missing tier of it is not missed
    for part, whole in PARTS.items():
        own = {rate: price for rate, price in found.items() if ORDER[rate[0]] == part}
        if all(found.get((ORDER.index(whole), *rate[1:])) == price for rate, price in own.items()):
            for rate in own:
                del found[rate]
    return found


def line(rates: dict[Rate, Decimal]) -> str:
    def written(rate: Rate) -> str:
        what, above, tier = rate
        return ORDER[what] + (f">{above}" if above else "") + (f"@{tier}" if tier else "")

    in_order = sorted(rates, key=lambda rate: (rate[2], rate[1], rate[0]))
    return " ".join(f"{written(rate)}={rates[rate].normalize():f}" for rate in in_order)


def convert(table: dict) -> dict[str, str]:
    rows: dict[str, str] = {}
    # entries that carry the provider's name come last: they say more precisely whose they are
    for key, entry in sorted(table.items(), key=lambda item: "/" in item[0]):
        full = name(key, entry.get("litellm_provider", ""))
        if full is None or entry.get("mode") not in MODES or FEES.search(key):
            continue
        if found := rates(entry):
            rows[full] = line(found)
    return rows


def main() -> None:
    getcontext().prec = 60
    with tempfile.TemporaryDirectory() as folder:
        wheel = Path(sys.argv[1]) if len(sys.argv) > 1 else download(folder)
        with zipfile.ZipFile(wheel) as files:
            table = json.loads(files.read(TABLE), parse_float=Decimal)
            licence = files.read(LICENCE).decode()
    rows = convert(table)
    lines = [f"# litellm {VERSION}", *(f"{full}\t{rows[full]}" for full in sorted(rows, key=str.encode))]
    (HERE / "catalogue.tsv").write_text("\n".join(lines) + "\n")
    print(len(rows), "models")
    notice(licence)


def download(folder: str) -> Path:
    pip = [sys.executable, "-m", "pip", "download", f"litellm=={VERSION}", "--no-deps", "--only-binary", ":all:"]
    subprocess.run([*pip, "--dest", folder], check=True, stdout=subprocess.DEVNULL)
    return next(Path(folder).glob("*.whl"))


def notice(licence: str) -> None:
    (HERE / "NOTICE").write_text(
        f"catalogue.tsv is made by convert.py from `{TABLE}`\n"
        f"of the Python package litellm, version {VERSION} (https://pypi.org/project/litellm/{VERSION}/),\n"
        f"on {date.today()}, changed in form: prices per million, for the providers and rates that Prism knows.\n"
        f"Copyright (c) 2023 Berri AI. Its licence:\n\n{licence}"
    )


if __name__ == "__main__":
    main()
