#!/usr/bin/env bash
# Pack what a finished experiment is for: the newest run's policy, its last checkpoint, its curves, settings and report.
# usage: scripts/cloud/collect_run.sh EXPERIMENT OUTPUT.tar.gz
set -euo pipefail

[ $# -eq 2 ] || { echo "usage: scripts/cloud/collect_run.sh EXPERIMENT OUTPUT.tar.gz" >&2; exit 2; }
runs=logs/rsl_rl/$1 output=$2

# Runs are named by their time; within a run the highest number is the last checkpoint.
checkpoint=$(find "$runs" -mindepth 2 -maxdepth 2 -name 'model_*.pt' 2>/dev/null |
  sort -t/ -k4,4 -k5,5V | tail -n 1)
if [ -z "$checkpoint" ]; then
  known=$(find logs/rsl_rl -mindepth 1 -maxdepth 1 -printf '%f ' 2>/dev/null || true)
  echo "error: no checkpoint below $PWD/$runs. Known experiments: ${known:-none}" >&2
  exit 1
fi
run=$(dirname "$checkpoint")

mkdir -p "$(dirname "$output")"
parts=("$(basename "$checkpoint")")
for part in exported evaluation params progress.csv run.json provenance.json; do
  [ ! -e "$run/$part" ] || parts+=("$part")
done
tar --create --gzip --file "$output.partial" --directory "$run" \
  --transform "s,^,$1/," "${parts[@]}"
mv "$output.partial" "$output"
echo "$output: $run (${parts[*]})"
