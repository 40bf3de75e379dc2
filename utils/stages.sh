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

# stepwise LABELS OPTION…: teacher, large student, its own soft targets, small student. The options are those of the
# direct distillation, so that the small student gets as many updates.
# shellcheck disable=SC2154
stepwise() {
  local speech=(
    --labelled "$data/feats/labelled.jsonl.gz" --dev "$data/feats/dev.jsonl.gz" --labels "$1"
    --seed "$seed" --threads "$threads"
  )
  local unlabelled=(--unlabelled "$(feats unlabelled)" "${@:2}")
  "${train[@]}" steps/train.py --config "${conf:-conf}/$large.yaml" "${speech[@]}" --epochs "$student_epochs" \
    --out "$dir/$large-labelled"
  "${train[@]}" steps/train.py --config "${conf:-conf}/$large.yaml" "${speech[@]}" "${unlabelled[@]}" \
    --targets "[$dir/targets/unlabelled]" --init "$dir/$large-labelled" --out "$dir/$large-distilled"
  steps/make_targets.py --model "$dir/$large-distilled" --feats "$(feats unlabelled)" --k 20 --threads "$threads" \
    --out "$dir/targets-$large"
  "${train[@]}" steps/train.py --config "${conf:-conf}/$student.yaml" "${speech[@]}" "${unlabelled[@]}" \
    --targets "[$dir/targets-$large/unlabelled]" --init "$dir/$student-labelled" --out "$dir/$student-stepwise"
}
