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
  steps/make_targets.py --model "$dir/$large-distilled" --feats "$(feats unlabelled)" --k 20 --jobs "$jobs" "${cluster[@]}" \
    --out "$dir/targets-$large"
  "${train[@]}" steps/train.py --config "${conf:-conf}/$student.yaml" "${speech[@]}" "${unlabelled[@]}" \
    --targets "[$dir/targets-$large/unlabelled]" --init "$dir/$student-labelled" --out "$dir/$student-stepwise"
}

# device LABELS TEST_SET…: the small student as it would ship, in float32 and in 8 bits. Where these lose more than 1 % of
# its WER on dev, it learns on with 8-bit numbers, and is shipped again.
# shellcheck disable=SC2154
device() {
  local labels=$1 model=$student-distilled heard=unlabelled soft=() loses
  shift
  if [[ -e $dir/$model/model.json ]]; then
    soft=(--unlabelled "$(feats unlabelled)" --targets "[$dir/targets/unlabelled]" --sub-epochs 1)
  else # all speech is labelled
    model=$student-labelled heard=labelled
  fi
  ship "$model" "$model" "$heard" "$dir/device" "$@"
  loses=$(utils/loses.py "$dir/device/networks/dev.json" 1)
  if [[ $loses == yes ]]; then
    "${train[@]}" steps/train.py --config "${conf:-conf}/$student.yaml" --labelled "$data/feats/labelled.jsonl.gz" \
      --dev "$data/feats/dev.jsonl.gz" --labels "$labels" --init "$dir/$model" --epochs 2 "${soft[@]}" \
      --train.rounded true --train.learning_rate 0.001 --seed "$seed" --threads "$threads" --out "$dir/$model-rounded"
    ship "$model-rounded" "$model" "$heard" "$dir/device-rounded" "$@"
  fi
}

# ship MODEL DECODED HEARD OUT TEST_SET…: pack it with the scales of a decoded model, and make its folders
# shellcheck disable=SC2154
ship() {
  steps/pack.py --model "$dir/$1" --decoded "$dir/$2/decode" --test "$5" --graph "$dir/graph" --tree "$dir/tree" \
    --normaliser "$data/feats/normaliser.json" --beams.search "$beam" --out "$4/recogniser"
  steps/ship.py --recogniser "$4/recogniser" --calibrate "$data/feats/$3.jsonl.gz" --dev "$data/feats/dev.jsonl.gz" \
    --test "$(feats "${@:5}")" --system "$1" --recipe "$recipe" --results "$dir/results.jsonl" --out "$4/networks"
}
