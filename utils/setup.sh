#!/usr/bin/env bash
# Make the Python environment that the recipes and the tests run in, or return at once if it is there.
#
# Usage: utils/setup.sh [--lane current|registry] [--k2 FILE.whl|none] [--with kaldifeat|encoders]
#
#   --lane current     Python 3.11 to 3.14, torch 2.13 and all else of today, by hash; with k2 if pip finds one
#   --lane registry    Python 3.10, torch 1.13.1 and k2 1.23.4, the newest in the registry; Linux on x86_64
#   --k2 FILE.whl      the lane current with this k2, and with the Python and the torch that it was built for
#   --k2 none          the lane current without k2
#   --with kaldifeat   also build kaldifeat (features on a GPU) for the lane registry; needs g++, cmake and make;
#                      4 to 8 minutes
#   --with encoders    also install transformers and CTranslate2, which hear with models that others trained
#                      (docs/features.md); 0.3 GB
#
# Without --lane and --k2 it keeps the environment that is there, or takes the best that this machine can have: current
# with k2 if pip finds one, registry if there is a Python 3.10, current without k2; and says which.
#
# The environment is .venv in the root of the repository, with exactly the packages named in utils/requirements: 1.6
# to 7 GB and a few minutes (docs/setup.md). It is made anew when those files or the options change.
#
# PYTHON=/path/to/python          the interpreter to make it with; otherwise PATH, pyenv and uv are searched
# UNDERSTUDY_LANE=current         as --lane, with an environment of its own: .venv-current (or .venv-registry), which
#                                 recipes and tests use while this is set
# UNDERSTUDY_K2=FILE.whl          as --k2, where the lane is current
# UNDERSTUDY_VENV=/path           use this environment of your own: it is checked, never changed (docs/setup.md)
set -euo pipefail

root=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." && pwd)
venv=$root/.venv${UNDERSTUDY_LANE:+-$UNDERSTUDY_LANE}
stamp=$venv/.understudy

# Settings of the caller's own Python that would send packages elsewhere.
unset PYTHONHOME PYTHONPATH PIP_TARGET PIP_PREFIX PIP_USER
# An environment that is active (utils/path.sh) is not what makes itself anew, or another lane's.
PATH=:$PATH:
for folder in "$root"/.venv*; do
  PATH=${PATH//":$folder/bin:"/:}
done
PATH=${PATH#:}
PATH=${PATH%:}

say() { echo "setup.sh: $*" >&2; }

fail() {
  say "error: $*"
  exit 1
}

usage() { sed -n '2,/^[^#]/{/^#/{s/^# \{0,1\}//p}}' "${BASH_SOURCE[0]}"; }

. "$root/utils/find_python.sh"
. "$root/utils/lanes.sh"

checksum() { if command -v sha256sum >/dev/null; then sha256sum "$@"; else shasum -a 256 "$@"; fi; }

# recipe LANE: what its environment was made from: it is as good as new while this stays the same. The folder counts,
# because an environment that has been moved does not work.
recipe() {
  {
    echo "$venv"
    cd -- "$root/utils"
    local files=(requirements/{bootstrap,base,k2,dev}.txt)
    [[ $1 == registry ]] || files=(requirements/current/*.txt)
    checksum setup.sh find_python.sh lanes.sh "${files[@]}"
  } | checksum | cut -d ' ' -f 1
}

# k2_name: what the option --k2 asks for, as the stamp has it.
k2_name() {
  case $k2 in
    "" | none) echo "$k2" ;;
    *) checksum <"$k2" | cut -d ' ' -f 1 ;;
  esac
}

# ready: the environment is whole, of today's recipe, and what the options ask for.
ready() {
  [[ -x $venv/bin/python && -f $stamp ]] || return 1
  local made_lane made_k2 made_from
  read -r made_lane made_k2 made_from <"$stamp"
  [[ -z $lane || $lane == "$made_lane" ]] &&
    [[ -z $k2 || $made_k2 == "$(k2_name)" ]] &&
    [[ $made_from == "$(recipe "$made_lane")" ]]
}

# trust LANE K2: from now on the environment is ready.
trust() {
  echo "$1 $2 $(recipe "$1")" >"$stamp.new"
  mv -- "$stamp.new" "$stamp"
  say "done"
}

has_registry() { [[ $(uname -sm) == "Linux x86_64" ]]; }

registry_lane() {
  has_registry || fail "k2 in the registry has builds for Linux x86_64 only, and this is $(uname -sm): take --lane current"
  local python
  python=$(find_python 3.10 || fetch_python 3.10) || fail "no Python 3.10 was found$(python_here). Get it by one of
  apt install python3.10 python3.10-venv     (Ubuntu 22.04)
  pyenv install 3.10
  uv python install 3.10
  conda create -n py310 python=3.10          (then PYTHON=\$(conda run -n py310 which python))
then run this again; PYTHON=/path/to/python3.10 names one in an unusual place. --lane current takes a newer Python."
  make_registry "$python"
  trust registry pinned
}

# wheel_lane: current, with the k2 in the file that --k2 names.
wheel_lane() {
  local pythons=("${current_pythons[@]}") python torch
  [[ ! $k2 =~ -cp3([0-9]+)-cp3 ]] || pythons=("3.${BASH_REMATCH[1]}")
  python=$(find_python "${pythons[@]}" || fetch_python "${pythons[0]}") ||
    fail "$k2 is for Python ${pythons[*]}, and none was found: install it, or name it with PYTHON=/path/to/python"
  torch=$(wheel_torch "$python" "$k2") || fail "$k2 must be a wheel of k2, and has no k2/torch_version.py"
  new_enough "$torch" || fail "the k2 in $k2 was built for torch $torch: the lane current takes $oldest_torch or newer"
  say "lane current with the k2 of $k2, built for torch $torch"
  begin_current "$python"
  make_current "$torch" "$k2"
  trust current "$(k2_name)"
}

# current_lane PYTHON: with the k2 that pip finds, unless --k2 says none.
current_lane() {
  local found=
  begin_current "$1"
  if [[ $k2 != none ]] && found=$(offered_k2); then
    found_lane "$found"
  else
    bare_lane
  fi
}

found_lane() {
  say "lane current with k2 $1, which pip finds; --k2 none leaves it out"
  make_current "${1##*torch}" "k2==$1"
  trust current "$1"
}

bare_lane() {
  say "lane current without k2${k2:+ (--k2 none)}; --k2 FILE.whl brings one (docs/setup.md)"
  make_current "$(pinned_torch)"
  trust current none
}

no_python() {
  fail "no Python from 3.1$1 to 3.14 was found$(python_here): install one with its venv package (apt install python3
  python3-venv; pyenv install 3.11; uv python install 3.11), or name it with PYTHON=/path/to/python"
}

# best_lane: nothing was asked for, unless PYTHON, which decides where it fits one lane.
best_lane() {
  local given new='' old='' found
  given=$(version_of "${PYTHON:-false}")
  [[ $given == 3.10 ]] || new=$(find_python "${current_pythons[@]}") || new=
  if has_registry && [[ $given != 3.1[1-4] ]]; then
    old=$(find_python 3.10) || old=
  fi
  [[ -n $new$old ]] || new=$(fetch_python 3.11) || no_python 0
  if [[ -n $new ]]; then
    begin_current "$new"
    if found=$(offered_k2); then
      found_lane "$found"
      return
    elif [[ -z $old ]]; then
      bare_lane
      return
    fi
  fi
  say "lane registry: its k2 is the one that can be had here; --lane current, --k2 FILE.whl and --k2 none choose"
  registry_lane
}

make_environment() {
  if [[ -n ${PYTHON:-} && -z $(version_of "$PYTHON") ]]; then
    say "PYTHON=$PYTHON is no Python: looking further"
  fi
  has_registry || say "this is $(uname -sm), where no lane was tried yet: tell what happens"
  local python
  case $lane:$k2 in
    registry:*) registry_lane ;;
    current:*.whl) wheel_lane ;;
    current:*)
      python=$(find_python "${current_pythons[@]}" || fetch_python 3.11) || no_python 1
      current_lane "$python"
      ;;
    *) best_lane ;;
  esac
}

# The lock is freed when this process and every pip it started are gone, so a set-up whose parent was killed
# is waited for, not written over.
take_lock() {
  if ! command -v flock >/dev/null; then
    [[ $(uname -s) != Linux ]] || fail "flock was not found: install util-linux"
    say "there is no flock here: run one set-up at a time"
    return
  fi
  exec 9>"$venv.lock"
  if ! flock --nonblock 9; then
    say "waiting for another set-up to end"
    flock 9
  fi
}

# settle: lane and k2 from the options and the environment, which must fit together.
settle() {
  [[ -z ${UNDERSTUDY_LANE:-} || $UNDERSTUDY_LANE == current || $UNDERSTUDY_LANE == registry ]] ||
    fail "UNDERSTUDY_LANE must be current or registry, got '$UNDERSTUDY_LANE'"
  [[ -z $lane || -z ${UNDERSTUDY_LANE:-} || $lane == "$UNDERSTUDY_LANE" ]] ||
    fail "--lane $lane and UNDERSTUDY_LANE=$UNDERSTUDY_LANE differ: give one of them"
  lane=${lane:-${UNDERSTUDY_LANE:-}}
  [[ $lane != registry || -z $k2 ]] || fail "--k2 is for the lane current: the lane registry has its own"
  [[ $lane == registry ]] || k2=${k2:-${UNDERSTUDY_K2:-}}
  case $k2 in
    "") ;;
    none | *.whl) lane=current ;;
    *) fail "--k2 must be none or a file that ends in .whl, got '$k2'" ;;
  esac
  [[ -z $k2 || $k2 == none || -f $k2 ]] || fail "there is no file $k2 (--k2)"
  [[ $with != kaldifeat || $lane != current ]] ||
    fail "--with $with is for the lane registry: it was not tried with torch of today"
}

main() {
  lane='' k2='' with=''
  while (($#)); do
    case $1 in
      --help | -h) usage && exit 0 ;;
      --lane)
        [[ ${2:-} == current || ${2:-} == registry ]] || fail "--lane must be current or registry, got '${2:-}'"
        lane=$2
        shift 2
        ;;
      --k2)
        [[ -n ${2:-} ]] || fail "--k2 must be none or a file that ends in .whl, got nothing"
        k2=$2
        shift 2
        ;;
      --with)
        [[ ${2:-} == kaldifeat || ${2:-} == encoders ]] || fail "--with must be kaldifeat or encoders, got '${2:-}'"
        with=$2
        [[ $with != kaldifeat ]] || lane=${lane:-registry}
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
  settle
  if [[ -z $with ]] && ready; then
    return
  fi
  take_lock
  ready || make_environment
  [[ -z $with ]] || "$root/utils/$with.sh" "$venv"
}

main "$@"
