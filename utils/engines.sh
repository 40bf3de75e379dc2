#!/usr/bin/env bash
# Make an environment of its own with a release of sherpa-onnx, or find it there, and print its folder.
#
# Usage: utils/engines.sh [--node] VERSION
#
#   VERSION          .venv-engines-VERSION, whose bin/python has sherpa-onnx and numpy; about 100 MB
#   --node VERSION   .venv-engines-node-VERSION, whose node_modules have it; about 20 MB
#
# Tests and tests/bench/sherpa.py compare students on this engine with Understudy's own run-time; nothing else needs it.
#
# PYTHON=/path/to/python   the interpreter to make it with; default: python3
set -euo pipefail

root=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." && pwd)
unset PYTHONHOME PYTHONPATH PIP_TARGET PIP_PREFIX PIP_USER

fail() {
  echo "engines.sh: error: $*" >&2
  exit 1
}

kind=python
if [[ ${1:-} == --node ]]; then
  kind=node
  shift
fi
[[ $# == 1 && $1 =~ ^[0-9]+(\.[0-9]+)*$ ]] || fail "give a version of sherpa-onnx, such as 2.0.1"
folder=$root/.venv-engines-$1
[[ $kind == python ]] || folder=$root/.venv-engines-node-$1
log=$folder.log

# make COMMAND…: what it says goes to the log.
make() { "$@" >>"$log" 2>&1 || fail "sherpa-onnx $version could not be installed: $(tail -n 1 "$log") ($log)"; }

version=$1
if [[ ! -e $folder/.whole ]]; then
  rm -rf "$folder"
  : >"$log"
  if [[ $kind == python ]]; then
    make "${PYTHON:-python3}" -m venv "$folder"
    make "$folder/bin/python" -m pip install --disable-pip-version-check --retries 1 --only-binary :all: \
      "sherpa-onnx==$version" numpy
    make "$folder/bin/python" -c "import numpy, sherpa_onnx"
  else
    for tool in node npm; do
      command -v "$tool" >/dev/null || fail "there is no $tool on the PATH"
    done
    mkdir -p "$folder"
    make npm install --prefix "$folder" --fetch-retries 1 --no-audit --no-fund "sherpa-onnx@$version"
  fi
  touch "$folder/.whole"
fi
echo "$folder"
