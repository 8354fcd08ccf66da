#!/usr/bin/env bash
# Train an experiment, or continue it where an earlier session was stopped: the same command line starts and restarts.
# usage: scripts/train_resume.sh EXPERIMENT [arguments of scripts/rsl_rl/train.py, without --checkpoint]
#
# Continues from the newest checkpoint below logs/rsl_rl/EXPERIMENT/. Where there is none, from the W&B run that
# WBT_RESUME_WANDB=ORG/PROJECT/RUN_ID names (into a new run folder), and otherwise from the beginning, in the folder of
# a run that was stopped before its first checkpoint, if there is one.
set -euo pipefail

experiment=${1:-}
case "$experiment" in
  "" | -* | */* | .*)
    echo "usage: scripts/train_resume.sh EXPERIMENT [arguments of train.py]: a name without '/', got '$experiment'" >&2
    exit 2
    ;;
esac
shift
for argument in "$@"; do
  case "$argument" in
    --checkpoint | --checkpoint=* | --wandb_path | --wandb_path=* | --experiment_name | --experiment_name=*)
      echo "error: train_resume.sh chooses ${argument%%=*}. Call scripts/rsl_rl/train.py to choose it yourself." >&2
      exit 2
      ;;
  esac
done

root=$(cd "$(dirname "$0")/.." && pwd)
if compgen -G "logs/rsl_rl/$experiment/*/model_*.pt" >/dev/null; then
  from=(--checkpoint latest)
elif [ -n "${WBT_RESUME_WANDB:-}" ]; then
  from=(--wandb_path "$WBT_RESUME_WANDB")
else
  from=()
  for run in "logs/rsl_rl/$experiment"/????-??-??_??-??-??*/; do
    if [ -d "$run" ]; then
      started=$(basename "$run")
      from=(--run_timestamp "${started:0:19}")
    fi
  done
fi
echo "[INFO] $experiment: ${from[*]:-from the beginning}"
# exec: SIGTERM reaches the training itself, which then saves.
exec "${WBT_PYTHON:-$root/.venv/bin/python}" "$root/scripts/rsl_rl/train.py" \
  --experiment_name "$experiment" "${from[@]}" "$@"
