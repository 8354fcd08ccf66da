#!/usr/bin/env bash
# Build the kit-less image with buildah, without a Docker daemon, and try in it what docs/docker.md promises, on the CPU.
# usage: scripts/image_check.sh [--base IMAGE | --make-base PYTHON_PREFIX | --no-build] [--keep]
#
# --base       the image to start from; default: PYTHON_IMAGE of docker/.env
# --make-base  make the base here instead: Debian by debootstrap, with the Python 3.12 of that folder as /usr/local
# --no-build   try the image that an earlier call has kept
# --keep       leave the image whole-body-tracking:image-check, and the base if one was made
#
# Needs root, buildah (and debootstrap), 30 GB of disk and a quarter of an hour. IMAGE_CHECK_OPTIONS holds further
# options of `buildah build` and `buildah run`. A machine with certificates of its own needs
# "--volume /etc/ssl/certs:/etc/ssl/certs:ro", and BASE_VARIABLES="SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
# PIP_CERT=/etc/ssl/certs/ca-certificates.crt" for a base made here; a base of another origin needs them in it.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() { sed -n 's/^# usage: /usage: /p' "$0" >&2; exit 2; }
base="" prefix="" keep="" built=""
while [ $# -gt 0 ]; do
  case "$1" in
    --base) [ $# -ge 2 ] || usage; base=$2 && shift 2 ;;
    --make-base) [ $# -ge 2 ] || usage; prefix=$2 && shift 2 ;;
    --keep) keep=yes && shift ;;
    --no-build) built=yes && shift ;;
    *) usage ;;
  esac
done
[ "${base:+1}${prefix:+1}${built:+1}" = "" ] || [ "${base:+1}${prefix:+1}${built:+1}" = 1 ] || usage
for tool in buildah ${prefix:+debootstrap}; do
  command -v "$tool" >/dev/null || { echo "error: $tool is missing. Debian and Ubuntu have a package of that name." >&2; exit 1; }
done
if [ -n "$prefix" ] && ! "$prefix/bin/python3.12" --version >/dev/null 2>&1; then
  echo "error: no $prefix/bin/python3.12 that runs. --make-base wants the prefix of a Python 3.12, such as /usr/local." >&2
  exit 1
fi

image=localhost/whole-body-tracking:image-check stand_in=localhost/whole-body-tracking-base:image-check
default_base=$(sed -n 's/^PYTHON_IMAGE=//p' docker/.env)
user=4321:4321 # neither root nor the image's own user: compose.yaml runs it under the host's ids
read -r -a options <<<"${IMAGE_CHECK_OPTIONS:-}"
work=$(mktemp -d)
container="" failed=0

clean_up() {
  [ -z "$container" ] || buildah rm "$container" >/dev/null
  [ -z "$prefix" ] || [ -n "$keep" ] || buildah rmi --force "$stand_in" >/dev/null 2>&1 || true
  [ -n "$keep" ] || buildah rmi --force "$image" >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap clean_up EXIT

make_base() {
  local suite=${default_base##*-} made variable
  debootstrap --variant=minbase \
    --include=ca-certificates,libbz2-1.0,libffi8,liblzma5,libncursesw6,libreadline8,libsqlite3-0,libssl3,zlib1g \
    "$suite" "$work/base"
  cp -a "$prefix/." "$work/base/usr/local/"
  chroot "$work/base" ldconfig
  made=$(buildah from scratch)
  buildah add --quiet "$made" "$work/base" /
  for variable in PATH=/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin ${BASE_VARIABLES:-}; do
    buildah config --env "$variable" "$made"
  done
  buildah commit --quiet --rm "$made" "$stand_in"
  rm -rf "$work/base"
}

build() {
  buildah build --isolation chroot --format docker "${options[@]}" --tag "$image" --file docker/Dockerfile.kitless \
    --build-arg PYTHON_IMAGE="${base:-$default_base}" --build-arg WBT_COMMIT="$commit" .
}

in_image() {
  buildah run --isolation chroot "${options[@]}" --user "$user" --env WANDB_MODE=offline \
    --volume "$work/logs:/workspace/logs" "$container" -- "$@"
}

train=(--task Tracking-Flat-G1-v0 --device cpu --num_envs 16)
has() { compgen -G "$work/logs/$1" >/dev/null || { echo "missing: logs/$1"; return 1; }; }

no_development_tools() { in_image test ! -e .venv/bin/pytest; }
pinned_versions() {
  in_image .venv/bin/uv pip freeze --exclude-editable | grep -v '^pip==' >"$work/installed"
  ! grep --line-regexp --fixed-strings --invert-match --file constraints.txt "$work/installed"
}
knows_its_commit() {
  local code="from whole_body_tracking.code_version import code_commit; print(code_commit())"
  [ "$(in_image python -c "$code")" = "$commit" ]
}
trains_on_mujoco() {
  in_image scripts/train_resume.sh walk "${train[@]}" --max_iterations 2 physics=mujoco_cpu
  has 'rsl_rl/walk/*/model_1.pt' && has 'rsl_rl/walk/*/exported/policy.onnx'
}
files_belong_to_the_user() { [ -z "$(find "$work/logs" -mindepth 1 ! -uid "${user%:*}")" ]; }
continues_in_its_folder() {
  in_image scripts/train_resume.sh walk "${train[@]}" --max_iterations 4 physics=mujoco_cpu
  has 'rsl_rl/walk/*/model_3.pt' && [ "$(find "$work/logs/rsl_rl/walk" -mindepth 1 -maxdepth 1 | wc -l)" -eq 1 ]
}
evaluates() {
  in_image python scripts/rsl_rl/evaluate.py --task Tracking-Flat-G1-v0 --device cpu --experiment_name walk \
    --checkpoint latest --num_envs 4 physics=mujoco_cpu
  has 'rsl_rl/walk/*/evaluation/report.json'
}
trains_on_ovphysx_with_wandb_offline() {
  in_image scripts/train_resume.sh physx "${train[@]}" --max_iterations 1 --logger wandb --log_project_name check physics=ovphysx
  has 'rsl_rl/physx/*/model_0.pt' && has 'wandb/offline-run-*'
}
saves_on_sigterm() {
  local status=0
  # Once it trains: a signal before that ends the start-up.
  # shellcheck disable=SC2016 # expanded in the container
  in_image bash -c 'scripts/train_resume.sh "$@" & training=$!
    until compgen -G "logs/rsl_rl/$1/*/progress.csv" >/dev/null; do kill -0 "$training" || exit 1; sleep 1; done
    kill -TERM "$training"; wait "$training"' \
    bash stopped "${train[@]}" --max_iterations 100000 physics=mujoco_cpu || status=$?
  [ "$status" -eq 143 ] || { echo "ended with status $status, expected 143"; return 1; }
  has 'rsl_rl/stopped/*/model_*.pt'
}

check() {
  local started=$SECONDS result=PASS
  "$1" >"$work/log" 2>&1 || result=FAIL
  printf '%s  %-38s %5d s\n' "$result" "${1//_/ }" $((SECONDS - started))
  [ "$result" = PASS ] || { failed=$((failed + 1)) && sed 's/^/      /' "$work/log" | tail -n 15; }
}

commit=$(git describe --always --dirty --abbrev=40 '--exclude=*')
mkdir "$work/logs" && chown "$user" "$work/logs"
if [ -n "$prefix" ]; then
  check make_base
  base=$stand_in
fi
[ "$failed" -gt 0 ] || [ -n "$built" ] || check build
if [ "$failed" -eq 0 ]; then
  printf '      %-38s %s\n' "size of the image" "$(buildah images --format '{{.Size}}' "$image")"
  container=$(buildah from "$image")
  [ -z "$built" ] || commit=$(in_image printenv WBT_COMMIT)
  for step in no_development_tools pinned_versions knows_its_commit trains_on_mujoco files_belong_to_the_user \
    continues_in_its_folder evaluates trains_on_ovphysx_with_wandb_offline saves_on_sigterm; do
    check "$step"
  done
fi
[ "$failed" -eq 0 ] || { echo "$failed checks failed."; exit 1; }
echo "Nothing failed."
