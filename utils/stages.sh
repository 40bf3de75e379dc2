# shellcheck shell=bash
# Sourced by run.sh after its options: what the stages of every recipe share.

# in_stage 4: whether --stage and --stop-stage include it
# shellcheck disable=SC2154  # set by run.sh
in_stage() { ((stage <= $1 && $1 <= stop_stage)); }

say() { echo "== stage $*" >&2; }

features_in=feats # folder in $data of the features that a model hears

# feats a b: [data/feats/a.jsonl.gz,data/feats/b.jsonl.gz], as steps take lists
# shellcheck disable=SC2154
feats() {
  local names=("${@/#/$data/$features_in/}")
  local IFS=,
  echo "[${names[*]/%/.jsonl.gz}]"
}

# sets_in corpus nonspeech: [data/corpus/dev.jsonl.gz,…,data/nonspeech/nonspeech.jsonl.gz], all that are there
# shellcheck disable=SC2154
sets_in() {
  local folder path manifests=()
  for folder; do
    for path in "$data/$folder"/*.jsonl.gz; do
      [[ ! -e $path ]] || manifests+=("$path")
    done
  done
  local IFS=,
  echo "[${manifests[*]}]"
}

# sounds_without_words: a set of them, for all trainings, beside the corpus
# shellcheck disable=SC2154
sounds_without_words() {
  $robust || return 0
  local speech=("$data/corpus/labelled.jsonl.gz")
  [[ ! -e $data/corpus/unlabelled.jsonl.gz ]] || speech+=("$data/corpus/unlabelled.jsonl.gz")
  local IFS=,
  steps/make_nonspeech.py --speech "[${speech[*]}]" --seed "$seed" --out "$data/nonspeech"
}

# features: of all sets, those of labelled speech at the $speeds too
# shellcheck disable=SC2154
features() {
  steps/make_features.py --cuts "$(sets_in corpus nonspeech)" ${speeds:+--speeds "$speeds"} --online-mean "$robust" \
    --jobs "$jobs" "${cluster[@]}" --out "$data/feats"
}

# learn CONF OPTION…: a training, on the labelled speech at least, its configuration $conf/CONF.yaml. Unless --robust is
# false, its speech is heard on other channels, and sounds without words are among it.
# shellcheck disable=SC2154
learn() {
  local besides=(--train.channel.share 0)
  if $robust; then besides=(--nonspeech "$data/$features_in/nonspeech.jsonl.gz"); fi
  "${train[@]}" steps/train.py --config "${conf:-conf}/$1.yaml" --labelled "$data/$features_in/labelled.jsonl.gz" \
    --dev "$data/$features_in/dev.jsonl.gz" "${besides[@]}" --seed "$seed" --threads "$threads" \
    ${precision:+--train.precision "$precision"} "${@:2}"
}

teachers_hear=(unlabelled) # the sets that they write soft targets for

# taught_by FOLDER: [FOLDER/unlabelled,…], the soft targets in it
# shellcheck disable=SC2154
taught_by() {
  local folders=("${teachers_hear[@]/#/$1/}")
  local IFS=,
  echo "[${folders[*]}]"
}

# chosen: [data/feats/unlabelled.jsonl.gz], or with --select what of it students learn from
# shellcheck disable=SC2154
chosen() {
  if ${select:-false}; then echo "[$dir/selected/unlabelled.jsonl.gz]"; else feats unlabelled; fi
}

# stepwise LABELS OPTION…: teacher, large student, its own soft targets, small student. The options are those of the
# direct distillation, so that the small student gets as many updates.
# shellcheck disable=SC2154
stepwise() {
  local aligned=(--labels "$1")
  local unlabelled=(--unlabelled "$(chosen)" "${@:2}")
  learn "$large" "${aligned[@]}" --epochs "$student_epochs" --out "$dir/$large-labelled"
  learn "$large" "${aligned[@]}" "${unlabelled[@]}" --targets "$(taught_by "$dir/targets")" \
    --init "$dir/$large-labelled" --out "$dir/$large-distilled"
  steps/make_targets.py --model "$dir/$large-distilled" --feats "$(feats "${teachers_hear[@]}")" --k 20 --jobs "$jobs" \
    "${cluster[@]}" --out "$dir/targets-$large"
  learn "$student" "${aligned[@]}" "${unlabelled[@]}" --targets "$(taught_by "$dir/targets-$large")" \
    --init "$dir/$student-labelled" --out "$dir/$student-stepwise"
}

# device LABELS TEST_SET…: the small student as it would ship, in float32 and in 8 bits. Where these lose more than 1 % of
# its WER on dev, it learns on with 8-bit numbers, and is shipped again.
# shellcheck disable=SC2154
device() {
  local labels=$1 model=$student-distilled heard=unlabelled soft=() loses
  shift
  if [[ -e $dir/$model/model.json ]]; then
    soft=(--unlabelled "$(chosen)" --targets "[$dir/targets/unlabelled]" --sub-epochs 1)
  else # all speech is labelled
    model=$student-labelled heard=labelled
  fi
  ship "$model" "$model" "$heard" "$dir/device" "$@"
  loses=$(utils/loses.py "$dir/device/networks/dev.json" 1)
  if [[ $loses == yes ]]; then
    learn "$student" --labels "$labels" --init "$dir/$model" "${soft[@]}" --config "${conf:-conf}/longer.yaml" \
      --train.quantisation_aware true --out "$dir/$model-rounded"
    ship "$model-rounded" "$model" "$heard" "$dir/device-rounded" "$@"
  fi
}

: "${device_utterances:=}" # of the test sets, that stage 12 hears in each condition; empty: all, and 150 in conditions
: "${sound_minutes:=3}"    # of each sound in which nobody says a word, likewise

# ship MODEL DECODED HEARD OUT TEST_SET…: pack it with the scales of a decoded model and the least confidence that dev says,
# make its folders, and tell what it stands on the first test set, and on the WAV files of the folder $nonspeech where a
# recipe has some
# shellcheck disable=SC2154
ship() {
  local sounds=() mapped=() told=()
  # A large graph, to which no words are added, may be mapped; of its words there are too many for a column each.
  [[ ! -e $dir/graph/compact ]] || mapped=(--compact true) told=(--words ids)
  [[ ! -e $data/feats/nonspeech.jsonl.gz ]] || sounds=(--nonspeech "$data/feats/nonspeech.jsonl.gz")
  steps/pack.py --model "$dir/$1" --decoded "$dir/$2/decode" --test "$5" --graph "$dir/graph" --tree "$dir/tree" \
    --normaliser "$data/feats/normaliser.json" --beams.search "$beam" \
    --dev "$data/feats/dev.jsonl.gz" "${sounds[@]}" --out "$4/recogniser"
  steps/ship.py --recogniser "$4/recogniser" --calibrate "$data/feats/$3.jsonl.gz" --dev "$data/feats/dev.jsonl.gz" \
    --test "$(feats "${@:5}")" "${mapped[@]}" ${device_utterances:+--utterances "$device_utterances"} --system "$1" \
    --recipe "$recipe" --results "$dir/results.jsonl" --out "$4/networks"
  steps/ship_sherpa.py --networks "$4/networks" "${told[@]}" --out "$4/sherpa-onnx"
  steps/robustness.py --device "$4/networks/float32" --test "$data/feats/$5.jsonl.gz" --system "$1-float32" \
    ${device_utterances:+--utterances "$device_utterances"} ${nonspeech:+--nonspeech-audio "$nonspeech"} \
    --minutes "$sound_minutes" \
    --recipe "$recipe" --results "$dir/results.jsonl" --out "$4/robustness"
}
