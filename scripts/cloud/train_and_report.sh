#!/usr/bin/env bash
# On a machine with Docker and an NVIDIA GPU: train an experiment in the container or continue it, evaluate, pack.
# usage: scripts/cloud/train_and_report.sh EXPERIMENT --task TASK [--registry_name NAME | --motion_file FILE] [...]
# (the arguments of train.py)
#
# Calling it again after a shutdown continues. Runs are in logs/ of this checkout, the result is EXPERIMENT.tar.gz.
set -euo pipefail
cd "$(dirname "$0")/../.."

experiment=${1:-}
[ -n "$experiment" ] || { sed -n 's/^# usage: /usage: /p' "$0" >&2; exit 2; }
shift
# What the evaluation needs to know: the task, and the motions up to the next flag or key=value.
task="" motions=() reading=""
for argument in "$@"; do
  case "$argument" in
    --task) reading=task && continue ;;
    --task=*) task=${argument#*=} ;;
    --registry_name | --motion_file) reading=motions && motions+=("$argument") && continue ;;
    --registry_name=* | --motion_file=*) motions+=("$argument") ;;
    -* | *=*) ;;
    *)
      [ "$reading" != task ] || task=$argument
      [ "$reading" != motions ] || { motions+=("$argument") && continue; }
      ;;
  esac
  reading=""
done
[ -n "$task" ] || { echo "error: --task is missing." >&2; exit 2; }

# A folder of the host, made by its owner: Docker would make it root's.
mkdir -p logs
HOST_UID=$(id -u) HOST_GID=$(id -g) WBT_LOGS=$PWD/logs
export HOST_UID HOST_GID WBT_LOGS
compose=(docker compose --file docker/compose.yaml)

"${compose[@]}" build train-resume
"${compose[@]}" run --rm -T train-resume "$experiment" "$@"
"${compose[@]}" run --rm -T --entrypoint python train scripts/rsl_rl/evaluate.py \
  --task "$task" --experiment_name "$experiment" --checkpoint latest "${motions[@]}"
scripts/cloud/collect_run.sh "$experiment" "$experiment.tar.gz"
