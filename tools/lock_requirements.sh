#!/bin/bash
# Writes requirements/dev.txt: the newest releases of what dev.in names that
# work together, for every Python from 3.10 on.
set -euo pipefail
cd "$(dirname "$0")/../requirements"
python -m pip install --quiet uv
pinned="$(uv pip compile --quiet --universal --python-version 3.10 --no-emit-index-url \
  --no-annotate --no-header dev.in)"
printf '%s\n' '# Written by `make lock` from dev.in: do not edit.' "$pinned" >dev.txt
