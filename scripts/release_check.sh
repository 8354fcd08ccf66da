#!/usr/bin/env bash
# Build wheel and sdist of the last commit, install each into an empty environment, run the unit tests and the scripts against it there.
# usage: scripts/release_check.sh [FOLDER]    (default: dist/; wheel and sdist are left in it)
#
# The tests are those of the commit. WBT_EXPECTED_PREFIX makes one of them fail where the package comes from elsewhere.
set -euo pipefail
cd "$(dirname "$0")/.."

mkdir -p "${1:-dist}"
dist=$(cd "${1:-dist}" && pwd)
uv=uv
"$uv" --version >/dev/null 2>&1 || uv=$PWD/.venv/bin/uv
python=$PWD/.venv/bin/python
[ -x "$python" ] || { echo "error: no .venv/. Run make setup first." >&2; exit 1; }
if [ -n "$(git status --porcelain --untracked-files=no)" ]; then
  echo "warning: uncommitted changes are not checked" >&2
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/commit"
git archive HEAD | tar -x -C "$work/commit"
rm -f "$dist"/whole_body_tracking-*.whl "$dist"/whole_body_tracking-*.tar.gz
"$uv" build --quiet --python "$python" -o "$dist" "$work/commit/source/whole_body_tracking"

unset PYTHONPATH VIRTUAL_ENV
for file in "$dist"/whole_body_tracking-*.whl "$dist"/whole_body_tracking-*.tar.gz; do
  echo "== $(basename "$file")"
  "$uv" venv --quiet --clear --python "$python" "$work/env"
  "$uv" pip install --quiet --python "$work/env/bin/python" --constraints "$work/commit/constraints.txt" \
    --group "$work/commit/pyproject.toml:dev" "$file"
  (cd "$work/commit" && WBT_EXPECTED_PREFIX="$work/env" "$work/env/bin/python" -m pytest -q -n 2 tests/unit \
    tests/integration/test_script_processes.py tests/integration/test_wandb_scripts.py -m "not slow")
done
echo "Wheel and sdist pass: $dist"
