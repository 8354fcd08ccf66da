#!/usr/bin/env bash
# Create .venv/ with everything the project needs, in the versions of constraints.txt. Uses uv where it is installed,
# otherwise Python 3.12's own venv to get uv.
# usage: scripts/setup.sh    (UV_NO_DEV=1: without the development tools)
set -euo pipefail
cd "$(dirname "$0")/.."

is_python_3_12() { "$1" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 12))' >/dev/null 2>&1; }

if uv --version >/dev/null 2>&1; then
  uv=uv
  is_python_3_12 .venv/bin/python || "$uv" venv --quiet --clear --python 3.12 .venv
else
  uv=.venv/bin/uv
  if ! is_python_3_12 .venv/bin/python; then
    python=""
    for candidate in python3.12 python3 python; do
      if is_python_3_12 "$candidate"; then python=$candidate && break; fi
    done
    if [ -z "$python" ]; then
      echo "error: Isaac Lab 3.0 needs Python 3.12 exactly, and neither uv nor a Python 3.12 was found. Install one of them." >&2
      exit 1
    fi
    "$python" -m venv --clear .venv
  fi
  [ -x "$uv" ] || .venv/bin/python -m pip install --quiet --constraint constraints.txt uv
fi

groups=(--group dev)
[ -z "${UV_NO_DEV:-}" ] || groups=()
"$uv" pip install --quiet --compile-bytecode --python .venv/bin/python --constraints constraints.txt \
  --build-constraints constraints.txt "${groups[@]}" --editable source/whole_body_tracking
echo "Ready: .venv/bin/python $(.venv/bin/python -c 'import platform; print(platform.python_version())')"
