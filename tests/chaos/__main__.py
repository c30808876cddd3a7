"""Runs the faults one after the other and prints what came of them."""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
import traceback

from . import isolation, load, outages, restarts
from .fault import FAULTS, Finding, Scale

MODULES = (outages, isolation, load, restarts)  # importing them has listed their faults


def main() -> int:
    arguments = argparse.ArgumentParser(prog="tests/chaos/run", description=__doc__)
    arguments.add_argument("--short", action="store_true", help="fewer requests and streams")
    arguments.add_argument("--json", action="store_true", help="the table as JSON")
    arguments.add_argument("--only", default="", metavar="WORD", help="faults whose name has this word")
    options = arguments.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # a thousand streams are three thousand sockets
    scale = Scale.short() if options.short else Scale.full()
    findings = []
    for fault in FAULTS:
        if options.only in fault.name:
            began = time.monotonic()
            try:
                figure, passed = fault.run(scale)
            except Exception as problem:
                traceback.print_exc()
                figure, passed = f"{type(problem).__name__}: {str(problem)[:120]}", False
            findings.append(Finding(fault.name, fault.promise, figure, passed, round(time.monotonic() - began, 1)))
            if not options.json:
                show(findings[-1])
    if options.json:
        print(json.dumps([vars(finding) for finding in findings], indent=2))
    return 0 if findings and all(finding.passed for finding in findings) else 1


def show(finding: Finding) -> None:
    verdict = "pass" if finding.passed else "FAIL"
    print(f"{verdict}  {finding.fault:<32} {finding.promise}\n{'':<6}{'':<32} {finding.figure} ({finding.seconds} s)", flush=True)


if __name__ == "__main__":  # and not in the processes that it starts
    sys.exit(main())
