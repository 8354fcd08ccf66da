#!/usr/bin/env bash
# Create the user wbt with the host's ids, so that what a container writes belongs to who started it. Needs root.
# usage: docker/create-user.sh UID GID FOLDER...    (each FOLDER is created and given to the user)
set -euo pipefail

[ $# -ge 2 ] || { echo "usage: docker/create-user.sh UID GID FOLDER..." >&2; exit 2; }
uid=$1 gid=$2
shift 2
if [ "$uid" -eq 0 ]; then
  echo "error: HOST_UID is 0, but the image's user must not be root. Set HOST_UID and HOST_GID in docker/.env." >&2
  exit 1
fi
# The image may already give these numbers to somebody, such as Ubuntu's own user 1000.
groupadd --non-unique --gid "$gid" wbt
useradd --non-unique --uid "$uid" --gid "$gid" --create-home --shell /bin/bash wbt
mkdir -p "$@"
chown "$uid:$gid" "$@"
