"""`cargo run -p sdk-gen`."""

from __future__ import annotations

import os
import subprocess

from conftest import REPO


def sdk_gen(*arguments: object, check: bool = True) -> subprocess.CompletedProcess[str]:
    command = ["cargo", "run", "--quiet", "--package", "sdk-gen", "--", *map(str, arguments)]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, env={**os.environ, "NO_COLOR": "1"})
    assert not check or done.returncode == 0, done.stderr
    return done
