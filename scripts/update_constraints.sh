#!/usr/bin/env bash
# Write constraints.txt anew: the newest versions that fit everything the project asks for, its tools and extras included.
# usage: scripts/update_constraints.sh [PACKAGE...]    (with names: only these may change)
#
# Names and versions only: where packages are downloaded from is decided by the machine. Afterwards: make setup test.
set -euo pipefail
cd "$(dirname "$0")/.."

uv=uv
"$uv" --version >/dev/null 2>&1 || uv=.venv/bin/uv
upgrade=(--upgrade)
[ $# -eq 0 ] || upgrade=("${@/#/--upgrade-package=}")

partial=$(mktemp ./.constraints.XXXXXX)
trap 'rm -f "$partial"' EXIT
[ ! -f constraints.txt ] || cp constraints.txt "$partial"
# The set-up itself needs uv where there is none.
"$uv" pip compile --quiet --no-header --no-annotate --python-version 3.12 "${upgrade[@]}" \
  --all-extras --group pyproject.toml:dev --output-file "$partial" - source/whole_body_tracking/pyproject.toml \
  >/dev/null <<<uv
if other=$(grep --line-number --invert-match --extended-regexp '^[a-z0-9-]+==[0-9][0-9a-zA-Z.!]*$' "$partial"); then
  echo "error: constraints.txt is left as it was, because these lines are not NAME==VERSION:" "$other" >&2
  exit 1
fi
chmod 644 "$partial"
mv "$partial" constraints.txt
echo "constraints.txt: $(wc -l <constraints.txt) versions"
