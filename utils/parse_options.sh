# shellcheck shell=bash
# Options for shell scripts: source this below the script's defaults.
#
#   #!/usr/bin/env bash
#   # What the script does: --help prints these lines.
#   stage=0        # --stage 3 sets it
#   use_lm=true    # a default of true or false takes only true or false
#   . utils/parse_options.sh
#
# "--some-name value" sets $some_name if the script has defined that variable (in lower case, not starting
# with "_"). Options end at "--" or at the first word that is none; what is left stays in "$@".

_po_fail() {
  echo "${0##*/}: error: $*" >&2
  exit 1
}

# The script; $0 may be relative to a folder that it has left for its own.
_po_script=$0
[[ -e $_po_script ]] || _po_script=./${0##*/}

# The comment that opens the script, without its first line (#!), then its variables with defaults and comments.
_po_help() {
  awk '
    NR == 1 && /^#!/ { next }
    !body && /^#/ { sub(/^# ?/, ""); print; next }
    !body { body = 1; print "\nOptions, with their defaults:" }
    /^\. .*parse_options\.sh/ { exit }
    /^[a-z][a-z0-9_]*=/ {
      name = $0; sub(/=.*/, "", name); gsub(/_/, "-", name)
      value = $0; sub(/^[^=]*=/, "", value); comment = ""
      if (match(value, /[ \t]+# /)) { comment = substr(value, RSTART + RLENGTH); value = substr(value, 1, RSTART - 1) }
      printf "  --%-20s %-9s %s\n", name, value, comment
    }' "$_po_script"
}

# Is $1 a variable of the script? One that only came from the caller's environment (http_proxy) is not.
_po_known() {
  [[ $1 =~ ^[a-z][a-z0-9_]*$ && -v $1 ]] || return 1
  [[ $(declare -p "$1" 2>/dev/null) != "declare -"*x* ]] && return 0
  grep -qE "^[[:space:]]*(export[[:space:]]+)?$1=" "$_po_script"
}

# The known option that takes the fewest single-letter changes to become $1.
_po_nearest() {
  local _po_name
  while IFS= read -r _po_name; do
    if _po_known "$_po_name"; then echo "${_po_name//_/-}"; fi
  done < <(compgen -v) | awk -v wanted="$1" '
    function least(a, b) { return a < b ? a : b }
    function distance(a, b,    i, j, d) {
      for (i = 0; i <= length(a); i++) d[i, 0] = i
      for (j = 0; j <= length(b); j++) d[0, j] = j
      for (i = 1; i <= length(a); i++)
        for (j = 1; j <= length(b); j++)
          d[i, j] = least(least(d[i-1, j], d[i, j-1]) + 1,
                          d[i-1, j-1] + (substr(a, i, 1) != substr(b, j, 1)))
      return d[length(a), length(b)]
    }
    { n = distance($0, wanted); if (NR == 1 || n < fewest) { fewest = n; best = $0 } }
    END { if (NR) print best }'
}

_po_unknown() {
  local _po_near
  _po_near=${1#-}
  _po_near=$(_po_nearest "${_po_near#-}")
  _po_fail "unknown option $1${_po_near:+; the nearest is --$_po_near}. See --help."
}

# _po_set OPTION VALUE
_po_set() {
  local _po_name=${1//-/_}
  _po_known "$_po_name" || _po_unknown "--$1"
  if [[ ${!_po_name} == true || ${!_po_name} == false ]] && [[ $2 != true && $2 != false ]]; then
    _po_fail "--$1 takes true or false, not '$2'"
  fi
  if [[ $2 == --* ]] && _po_known "$(_po_variable "${2#--}")"; then
    _po_fail "--$1 needs a value, but the option $2 follows it"
  fi
  printf -v "$_po_name" %s "$2"
}

_po_variable() { echo "${1//-/_}"; }

while (($#)); do
  case $1 in
    --help | -h)
      _po_help
      exit 0
      ;;
    --)
      shift
      break
      ;;
    --*=*) _po_fail "write '${1%%=*} ${1#*=}', with a space, instead of '$1'" ;;
    --*)
      _po_known "$(_po_variable "${1#--}")" || _po_unknown "$1"
      (($# > 1)) || _po_fail "$1 needs a value"
      _po_set "${1#--}" "$2"
      shift 2
      ;;
    -[a-z]*) _po_unknown "$1" ;;
    *) break ;;
  esac
done
