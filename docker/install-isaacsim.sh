#!/usr/bin/env bash
# Add Isaac Sim to .venv/, after scripts/setup.sh. You accept NVIDIA's licence by using it.
# usage: ISAACSIM_INDEX_URL=URL docker/install-isaacsim.sh    (URL: NVIDIA's package index, see docs/docker.md)
set -euo pipefail
cd "$(dirname "$0")/.."

if [ -z "${ISAACSIM_INDEX_URL:-}" ]; then
  echo "error: ISAACSIM_INDEX_URL is empty. Set it to the package index that Isaac Sim's installation page names." >&2
  exit 1
fi
[ -x .venv/bin/python ] || { echo "error: no .venv/. Run scripts/setup.sh first." >&2; exit 1; }
uv=uv
"$uv" --version >/dev/null 2>&1 || uv=.venv/bin/uv

"$uv" pip install --python .venv/bin/python \
  --extra-index-url "$ISAACSIM_INDEX_URL" --index-strategy unsafe-best-match --prerelease allow \
  --requirements docker/isaacsim-requirements.txt --overrides docker/isaacsim-overrides.txt
