"""Runs every fault so many rounds and prints what the stream held."""

from __future__ import annotations

import argparse
import json
import sys
import time
import traceback

from .faults import FAULTS, Counted, Round, Skip

HEADINGS = ("fault", "round", "requests/s", "admitted", "events", "missing", "double", "verdict")


def main() -> int:
    arguments = argparse.ArgumentParser(prog="tests/usage/run", description=__doc__)
    arguments.add_argument("--short", action="store_true", help="one short round of each")
    arguments.add_argument("--rounds", type=int, help="rounds of each, ten by default")
    arguments.add_argument("--json", action="store_true", help="the table as JSON")
    arguments.add_argument("--only", default="", metavar="WORD", help="faults whose name has this word")
    options = arguments.parse_args()
    rounds = options.rounds or (1 if options.short else 10)
    seconds = 4.0 if options.short else 15.0
    rows = []
    if not options.json:
        show(HEADINGS)
    for fault in FAULTS:
        if options.only not in fault.name:
            continue
        for number in range(1, rounds + 1):
            rows.append(row(fault, number, seconds))
            if not options.json:
                show([str(rows[-1][heading]) for heading in HEADINGS], rows[-1]["figure"])
    if options.json:
        print(json.dumps(rows, indent=2))
    return 0 if rows and all(row["verdict"] != "FAIL" for row in rows) else 1


def row(fault, number: int, seconds: float) -> dict:
    began = time.monotonic()
    try:
        counted: Counted = fault.run(Round(seconds))
    except Skip as why:
        return dict.fromkeys(HEADINGS, "-") | {"fault": fault.name, "round": number, "verdict": "skip", "figure": str(why)}
    except Exception as problem:
        traceback.print_exc()
        figure = f"{type(problem).__name__}: {str(problem)[:200]}"
        return dict.fromkeys(HEADINGS, "-") | {"fault": fault.name, "round": number, "verdict": "FAIL", "figure": figure}
    held = counted.missing == 0 and counted.double == 0 and counted.events > 0
    statuses = ", ".join(f"{many} {status}" for status, many in counted.statuses.most_common())
    figure = "; ".join(part for part in (counted.figure, statuses, f"{counted.tally.unanswered} unanswered",
                                         f"{time.monotonic() - began:.0f} s") if part)
    return {"fault": fault.name, "round": number, "requests/s": round(counted.tally.rate), "admitted": len(counted.tally.admitted),
            "events": counted.events, "missing": counted.missing, "double": counted.double,
            "verdict": "pass" if held else "FAIL", "figure": figure}


def show(cells, figure: str = "") -> None:
    widths = (32, 6, 11, 9, 8, 8, 7, 8)
    print("".join(str(cell).ljust(width) for cell, width in zip(cells, widths)) + figure, flush=True)


sys.exit(main())
