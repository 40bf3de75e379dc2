#!/usr/bin/env bash
# Install what hears with models that others trained (steps/make_encoder_features.py, steps/transcribe_whisper.py) into
# the environment.
#
# Usage: utils/encoders.sh [environment]     (default: .venv; called by utils/setup.sh --with encoders)
#
# transformers, CTranslate2 and what they need, in the versions of utils/requirements: 0.3 GB. Nothing else is changed.
set -euo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
venv=$(realpath -- "${1:-$root/.venv}")
stamp=$venv/.understudy

fail() {
  echo "encoders.sh: error: $*" >&2
  exit 1
}

. "$root/utils/lanes.sh"

[[ -f $stamp ]] || fail "there is no environment in $venv: run utils/setup.sh first"
read -r lane _ <"$stamp"
if [[ $lane == registry ]]; then
  pip_install --no-deps -r "$requirements/encoders/registry.txt"
else
  pip_install --no-deps --require-hashes -r "$requirements/encoders/current-lock.txt"
fi
"$venv/bin/python" -c "import ctranslate2, transformers" || fail "the packages do not load (see above)"
echo "encoders.sh: transformers and CTranslate2 are installed in $venv"
