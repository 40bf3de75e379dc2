# shellcheck shell=bash
# Sourced by utils/setup.sh: the interpreter to make an environment with.

# version_of PYTHON: "3.11", or nothing. Only a run tells: pyenv's python3.11 is on the PATH, and fails, while another
# version is selected.
version_of() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || true; }

# Debian's Python comes without ensurepip unless its venv package is installed, and then makes no environment.
makes_environments() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }

# candidates VERSION: one a line, best first.
candidates() {
  [[ -z ${PYTHON:-} ]] || echo "$PYTHON"
  printf '%s\n' "python$1" python3 python
  local folder
  for folder in "${PYENV_ROOT:-}" "${HOME:-}/.pyenv"; do
    if [[ -n $folder ]]; then
      compgen -G "$folder/versions/$1.*/bin/python$1" || true
    fi
  done
  if command -v uv >/dev/null; then
    uv python find --system --no-python-downloads "$1" 2>/dev/null || true
  fi
}

# find_python VERSION...: the first Python of the first of these versions that can make environments; that of PYTHON
# comes before the others.
find_python() {
  local version candidate bare=
  version=$(version_of "${PYTHON:-false}")
  [[ " $* " != *" $version "* ]] || set -- "$version" "$@"
  for version in "$@"; do
    while IFS= read -r candidate; do
      if [[ $(version_of "$candidate") != "$version" ]]; then
        continue
      elif makes_environments "$candidate"; then
        command -v -- "$candidate"
        return
      fi
      bare=$candidate
    done < <(candidates "$version")
    [[ -z $bare ]] || say "$bare cannot make environments: install its venv package (Debian and Ubuntu:
  apt install python$version-venv), or set PYTHON to another Python $version"
    bare=
  done
  return 1
}

# fetch_python VERSION: one that uv brings, where there is uv.
fetch_python() {
  command -v uv >/dev/null || return 1
  say "uv fetches Python $1, as none that fits was found"
  uv python install "$1" >&2 && find_python "$1"
}

# What stands on the PATH, for a message: "python3 is 3.9".
python_here() {
  local version
  version=$(version_of python3)
  echo "${version:+; python3 is $version}"
}
