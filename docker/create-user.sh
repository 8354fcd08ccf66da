#!/usr/bin/env bash
# Create the user wbt and the folders that a container writes to. Needs root.
# usage: docker/create-user.sh UID GID FOLDER...
#
# The folders are open to everybody: a container runs under the ids of who started it, whatever the image was built
# with, and it is alone in there.
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
chmod 0777 "$@"
