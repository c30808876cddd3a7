#!/usr/bin/env bash
# Formats what was generated; the working directory holds it.
set -euo pipefail
# In an `__init__.py` ruff takes every import for an export and leaves it.
mv prism/types/__init__.py prism/types/answers.py
ruff check --quiet --isolated --target-version py310 --select F401,I --fix-only .
mv prism/types/answers.py prism/types/__init__.py
ruff format --quiet --isolated --target-version py310 --line-length 120 .
rm -rf .ruff_cache
