#!/usr/bin/env bash
# Tidies the generated files: `post.sh [output folder]`. Python is there, since the generator came with it.
set -euo pipefail
python3 "$(dirname "${BASH_SOURCE[0]}")/tidy.py" "${1:-.}"
