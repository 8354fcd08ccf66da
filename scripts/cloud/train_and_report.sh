#!/usr/bin/env bash
# On a machine with Docker and an NVIDIA GPU: train an experiment in the container or continue it, evaluate, pack.
# usage: scripts/cloud/train_and_report.sh EXPERIMENT --task TASK [--registry_name NAME | --motion_file FILE] [...]
# (the arguments of train.py)
#
# Calling it again after a shutdown continues. Runs are in logs/ of this checkout, the result is EXPERIMENT.tar.gz.
# SIGTERM and Ctrl-C reach the training in the container, which saves; a second call does not start a second training.
set -euo pipefail
cd "$(dirname "$0")/../.."

experiment=${1:-}
[ -n "$experiment" ] || { sed -n 's/^# usage: /usage: /p' "$0" >&2; exit 2; }
shift

# An override that the policy must be played with too: not those of rewards, randomization and training.
print_if_played() {
  local presets
  case "$1" in
    presets=*)
      presets=$(tr ',' '\n' <<<"${1#*=}" | grep --extended-regexp --invert-match '^(reward_|rand_)' | paste -sd, -) || true
      [ -z "$presets" ] || echo "presets=$presets"
      ;;
    physics=* | env.observations.* | env.actions.* | env.decimation=* | env.sim.dt=*) echo "$1" ;;
    env.commands.motion.preview_steps=* | agent.actor.* | agent.critic.* | agent.obs_groups*) echo "$1" ;;
  esac
}

# What the evaluation needs to know: the task, how the policy is played, the motions up to the next flag or key=value.
task="" evaluation=() motions=() reading=""
for argument in "$@"; do
  case "$argument" in
    --task) reading=task && continue ;;
    --task=*) task=${argument#*=} ;;
    --device | --agent) reading=flag && evaluation+=("$argument") && continue ;;
    --device=* | --agent=*) evaluation+=("$argument") ;;
    --registry_name | --motion_file) reading=motions && motions+=("$argument") && continue ;;
    --registry_name=* | --motion_file=*) motions+=("$argument") ;;
    -*) ;;
    *=*) mapfile -t -O "${#evaluation[@]}" evaluation < <(print_if_played "$argument") ;;
    *)
      [ "$reading" != task ] || task=$argument
      [ "$reading" != flag ] || evaluation+=("$argument")
      [ "$reading" != motions ] || { motions+=("$argument") && continue; }
      ;;
  esac
  reading=""
done
[ -n "$task" ] || { echo "error: --task is missing." >&2; exit 2; }

# The container does not run as root. Where this script does, runs belong to who called sudo, or to user 1000.
if [ "$(id -u)" -eq 0 ]; then
  HOST_UID=${SUDO_UID:-1000} HOST_GID=${SUDO_GID:-1000}
else
  HOST_UID=$(id -u) HOST_GID=$(id -g)
fi
# A folder of the host, made by its owner: Docker would make it root's.
mkdir -p logs
[ "$(id -u)" -ne 0 ] || chown -R "$HOST_UID:$HOST_GID" logs
WBT_LOGS=$PWD/logs
WBT_COMMIT=$(git describe --always --dirty --abbrev=40 '--exclude=*' 2>/dev/null || true)
export HOST_UID HOST_GID WBT_LOGS WBT_COMMIT
compose=(docker compose --file docker/compose.yaml)

# One name for an experiment's container: what still runs is found, and a signal can be passed on.
container=wbt-$(tr --complement 'A-Za-z0-9_.\n' '-' <<<"$experiment")
if [ -n "$(docker ps --quiet --filter "name=^$container\$")" ]; then
  echo "error: $experiment is training already. Watch it: docker logs --follow $container. End it, with a checkpoint:" \
    "docker stop --time 120 $container" >&2
  exit 1
fi
docker rm "$container" >/dev/null 2>&1 || true # left by a machine that was switched off

"${compose[@]}" build train-resume
stopped=""
# `docker compose run` keeps SIGTERM to itself.
trap 'stopped=yes; docker stop --time 120 "$container" >/dev/null 2>&1 || kill "$training" || true' TERM INT HUP
"${compose[@]}" run --rm -T --name "$container" train-resume "$experiment" "$@" &
training=$!
status=0
wait "$training" || status=$?
[ -z "$stopped" ] || { wait "$training" || true; exit 143; }
trap - TERM INT HUP
[ "$status" -eq 0 ] || exit "$status"

"${compose[@]}" run --rm -T --entrypoint python train scripts/rsl_rl/evaluate.py --task "$task" \
  --experiment_name "$experiment" --checkpoint latest "${motions[@]}" "${evaluation[@]}" || status=$?
[ "$status" -eq 0 ] || echo "warning: the evaluation ended with status $status; packing without a new report." >&2
scripts/cloud/collect_run.sh "$experiment" "$experiment.tar.gz"
exit "$status"
