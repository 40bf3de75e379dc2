#!/usr/bin/env bash
# Make the environment if need be, then lint and test everything. Exit status 0: all is well.
#
# Usage: tests/run.sh [--lane current|registry] [--tier unit|integration|recipes] [arguments for pytest]
#
# --lane: in this lane's own environment, .venv-current or .venv-registry (docs/setup.md); otherwise in .venv
# --tier: only tests within one process, only those that start others, or only recipes in small
set -euo pipefail

cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.."
case ${1:-} in -h | --help) exec sed -n '2,7s/^# \?//p' tests/run.sh ;; esac
tier=()
while [[ ${1:-} == --lane || ${1:-} == --tier ]]; do
  case $1 in
    --lane) export UNDERSTUDY_LANE=${2:-} ;;
    --tier) tier=(-m "${2:-}") ;;
  esac
  shift 2
done
if [[ -n ${tier[*]} && ! ${tier[1]} =~ ^(unit|integration|recipes)$ ]]; then
  echo "tests/run.sh: error: --tier must be unit, integration or recipes, got '${tier[1]}'" >&2
  exit 2
fi
utils/setup.sh
. utils/path.sh

# Every shell script that is, or would be, in the repository.
scripts() {
  if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
    git ls-files -z --cached --others --exclude-standard -- '*.sh' .ci/run
  else
    find . \( -name '.venv*' -o -name exp -o -name data \) -prune -o \( -name '*.sh' -o -path ./.ci/run \) -type f -print0
  fi
}

status=0
echo "ruff check" && ruff check . || status=1
echo "ruff format --check" && ruff format --check . || status=1
if command -v shellcheck >/dev/null; then
  echo "shellcheck" && scripts | xargs -0 -r shellcheck --external-sources --source-path=SCRIPTDIR || status=1
fi
# Types are checked while the pages are built: each takes a core for a minute or two.
types=
if command -v mypy >/dev/null; then
  types=$(mktemp)
  mypy >"$types" 2>&1 &
else
  echo "mypy: skipped, as this environment has none; the lane current does"
fi
if command -v sphinx-build >/dev/null; then
  echo "sphinx-build" && sphinx-build -q -W --keep-going docs docs/_build || status=1
else
  echo "sphinx-build: skipped, as this environment has none; the lane current does"
fi
if [[ -n $types ]]; then
  wait $! || status=1
  echo "mypy" && cat "$types" && rm "$types"
fi
((status == 0)) || echo "tests/run.sh: error: lint found faults (above); the tests follow" >&2

# Last, so that the output closes with pytest's own summary. On all cores: a file's tests stay together, as they share
# what they made, and files begin in the order of their names, since the longest (egs) are not those of most tests.
python -m pytest tests -q -n auto --dist loadfile --no-loadscope-reorder "${tier[@]}" "$@" || status=1
exit "$status"
