#!/usr/bin/env bash
# Make the Python environment that the recipes and the tests run in, or return at once if it is there.
#
# Usage: utils/setup.sh [--with kaldifeat]
#
#   --with kaldifeat   also build kaldifeat (features on a GPU); needs g++, cmake and make; 4 to 8 minutes
#
# The environment is .venv in the root of the repository: Python 3.10 and exactly the packages named in
# utils/requirements. It takes about 4 GB and a few minutes. It is made anew when those files change.
#
# PYTHON=/path/to/python3.10   the interpreter to make it with; otherwise PATH, pyenv and uv are searched
# UNDERSTUDY_VENV=/path        use this environment of your own: it is checked, never changed (docs/setup.md)
set -euo pipefail

root=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." && pwd)
requirements=$root/utils/requirements
venv=$root/.venv
stamp=$venv/.understudy

# Settings of the caller's own Python that would send packages elsewhere.
unset PYTHONHOME PYTHONPATH PIP_TARGET PIP_PREFIX PIP_USER
# An environment that is active (utils/path.sh) is not what makes itself anew.
PATH=:$PATH:
PATH=${PATH//":$venv/bin:"/:}
PATH=${PATH#:}
PATH=${PATH%:}

say() { echo "setup.sh: $*" >&2; }

fail() {
  say "error: $*"
  exit 1
}

usage() { sed -n '2,/^[^#]/{/^#/{s/^# \{0,1\}//p}}' "${BASH_SOURCE[0]}"; }

# What an environment was made from: it is as good as new while this stays the same. The folder counts,
# because an environment that has been moved does not work.
recipe() {
  {
    echo "$venv"
    cd -- "$root/utils"
    sha256sum setup.sh requirements/{bootstrap,base,k2,dev}.txt
  } | sha256sum
}

ready() { [[ -x $venv/bin/python && -f $stamp && $(<"$stamp") == "$(recipe)" ]]; }

# Only a run tells: pyenv's python3.10 is on the PATH, and fails, while another version is selected.
is_python310() {
  [[ $("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) == 3.10 ]]
}

# Debian's Python comes without ensurepip unless python3.10-venv is installed, and then makes no environment.
makes_environments() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }

# One candidate a line, best first.
candidates() {
  [[ -z ${PYTHON:-} ]] || echo "$PYTHON"
  printf '%s\n' python3.10 python3 python
  local folder
  for folder in "${PYENV_ROOT:-}" "${HOME:-}/.pyenv"; do
    if [[ -n $folder ]]; then
      compgen -G "$folder/versions/3.10*/bin/python3.10" || true
    fi
  done
  if command -v uv >/dev/null; then
    uv python find --no-python-downloads 3.10 2>/dev/null || true
  fi
}

find_python() {
  local candidate bare=
  while IFS= read -r candidate; do
    if ! is_python310 "$candidate"; then
      [[ $candidate != "${PYTHON:-}" ]] || say "PYTHON=$PYTHON is not a Python 3.10: looking further"
    elif makes_environments "$candidate"; then
      command -v -- "$candidate"
      return
    else
      bare=$candidate
    fi
  done < <(candidates)
  [[ -z $bare ]] || fail "$bare cannot make environments: install its venv package (Debian and Ubuntu:
  apt install python3.10-venv), or set PYTHON to another Python 3.10"
  fail "no Python 3.10 was found (k2 has Linux builds on the registry for no newer one). Get it by one of
  apt install python3.10 python3.10-venv     (Ubuntu 22.04)
  pyenv install 3.10
  uv python install 3.10
  conda create -n py310 python=3.10          (then PYTHON=\$(conda run -n py310 which python))
then run this again; PYTHON=/path/to/python3.10 names one in an unusual place.
With another Python and your own torch and k2, see docs/setup.md."
}

pip_install() {
  "$venv/bin/python" -m pip install --quiet --no-deps --disable-pip-version-check "$@" ||
    fail "packages could not be installed (see above). If the network failed, run this again."
}

# Without the stamp nobody trusts the folder, so being killed anywhere in here does no harm.
make_environment() {
  local python
  [[ $(uname -sm) == "Linux x86_64" ]] ||
    fail "k2 on the registry has builds for Linux x86_64 only; see docs/setup.md for other machines"
  python=$(find_python)
  rm -f -- "$stamp"
  rm -rf -- "$venv"
  say "making $venv with $python: about 4 GB, a few minutes"
  "$python" -m venv "$venv"
  pip_install -r "$requirements/bootstrap.txt"
  pip_install -r "$requirements/base.txt" -r "$requirements/dev.txt"
  pip_install --require-hashes -r "$requirements/k2.txt"
  "$venv/bin/python" -m pip check --quiet || fail "the pinned packages do not fit together (see above)"
  "$venv/bin/python" "$root/utils/check_env.py"
  recipe >"$stamp.new"
  mv -- "$stamp.new" "$stamp"
  say "done"
}

# The lock is freed when this process and every pip it started are gone, so a set-up whose parent was killed
# is waited for, not written over.
take_lock() {
  command -v flock >/dev/null || fail "flock was not found: install util-linux"
  exec 9>"$root/.venv.lock"
  if ! flock --nonblock 9; then
    say "waiting for another set-up to end"
    flock 9
  fi
}

main() {
  local with=
  while (($#)); do
    case $1 in
      --help | -h) usage && exit 0 ;;
      --with)
        [[ ${2:-} == kaldifeat ]] || fail "--with knows kaldifeat only, not '${2:-}'"
        with=$2
        shift 2
        ;;
      *) fail "unknown option '$1': see utils/setup.sh --help" ;;
    esac
  done
  if [[ -n ${UNDERSTUDY_VENV:-} ]]; then
    [[ -z $with ]] || fail "--with is for .venv; install $with into $UNDERSTUDY_VENV yourself"
    [[ -x $UNDERSTUDY_VENV/bin/python ]] || fail "UNDERSTUDY_VENV=$UNDERSTUDY_VENV has no bin/python"
    exec "$UNDERSTUDY_VENV/bin/python" "$root/utils/check_env.py"
  fi
  if [[ -z $with ]] && ready; then
    return
  fi
  take_lock
  ready || make_environment
  [[ -z $with ]] || "$root/utils/$with.sh" "$venv"
}

main "$@"
