#!/usr/bin/env bash
# Create .venv/ with everything the project needs. Uses uv where it is installed, otherwise Python 3.12's own venv to get uv.
# usage: scripts/setup.sh
set -euo pipefail
cd "$(dirname "$0")/.."

sync() { UV_PROJECT_ENVIRONMENT=.venv "$@" sync --quiet --inexact --compile-bytecode; }

if uv --version >/dev/null 2>&1; then
  sync uv
else
  python=""
  for candidate in python3.12 python3 python; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 12))' >/dev/null 2>&1; then python=$candidate && break; fi
  done
  if [ -z "$python" ]; then
    echo "error: Isaac Lab 3.0 needs Python 3.12 exactly, and neither uv nor a Python 3.12 was found. Install one of them." >&2
    exit 1
  fi
  [ -x .venv/bin/uv ] || { "$python" -m venv .venv && .venv/bin/python -m pip install --quiet uv; }
  sync .venv/bin/uv
fi
echo "Ready: .venv/bin/python $(.venv/bin/python -c 'import platform; print(platform.python_version())')"
