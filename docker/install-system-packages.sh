#!/usr/bin/env bash
# Install the packages of one or more lists (one name a line, # starts a comment) with apt. Needs root.
# usage: docker/install-system-packages.sh LIST...
set -euo pipefail

[ $# -gt 0 ] || { echo "usage: docker/install-system-packages.sh LIST..." >&2; exit 2; }
mapfile -t packages < <(sed -e 's/#.*//' -e 's/[[:space:]]*$//' -e '/^$/d' "$@")
[ ${#packages[@]} -gt 0 ] || { echo "error: no package named in $*" >&2; exit 1; }

export DEBIAN_FRONTEND=noninteractive
apt-get update
apt-get install --yes --no-install-recommends "${packages[@]}"
rm -rf /var/lib/apt/lists/*
