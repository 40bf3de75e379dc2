# shellcheck shell=bash
# Sourced by run.sh after its options: what the stages of every recipe share.

# in_stage 4: whether --stage and --stop-stage include it
# shellcheck disable=SC2154  # set by run.sh
in_stage() { ((stage <= $1 && $1 <= stop_stage)); }

say() { echo "== stage $*" >&2; }

# feats a b: [data/feats/a.jsonl.gz,data/feats/b.jsonl.gz], as steps take lists
# shellcheck disable=SC2154
feats() {
  local names=("${@/#/$data/feats/}")
  local IFS=,
  echo "[${names[*]/%/.jsonl.gz}]"
}

# sets_in corpus: [data/corpus/dev.jsonl.gz,data/corpus/labelled.jsonl.gz,…], all that are there
# shellcheck disable=SC2154
sets_in() {
  local manifests=("$data/$1"/*.jsonl.gz)
  local IFS=,
  echo "[${manifests[*]}]"
}
