# shellcheck shell=bash
# Stages 1 to 13 for a corpus of recorded speech: sourced by a run.sh that has its options and stage 0. What a corpus
# has of its own stands in run.sh: the sizes, and what it sets otherwise of the variables that come first here.
#
# The teacher learns from labelled speech at three speeds, aligns it anew, learns on, and may be trained for sequences;
# the student learns from labels until these have no more to give, then from the teacher too.
# shellcheck disable=SC2154  # run.sh sets the options, cmd.sh jobs, where they run, threads and what starts a training

: "${conf:=conf}"            # folder of the models' configurations
: "${teacher_conf:=teacher}"  # that of the teacher in it, conf/<teacher_conf>.yaml
: "${test_sets:=test}"       # sets that results are given for
: "${speeds=[0.9, 1.1]}"     # of further copies of the labelled speech
: "${letters:=false}"        # words of the lexicon are pronounced as they are spelled, not as it says
: "${text:=}"                # more sentences for the language model
: "${arpa:=}"                # a given language model
: "${english:=}"             # share of general English in an estimated one
: "${oov:=fail}"             # labelled words without pronunciation
: "${mono_iterations:=35}"   # of the flat start
: "${mono_hours:=2}"         # labelled speech that the flat start learns from
: "${teacher_frames:=2500}"  # stacked frames of a batch when the teacher learns from its own alignment
: "${soft_weight:=0}"        # λ: share of soft targets in labelled speech while a student is distilled; 0: labels alone
: "${distil_conf:=distil}"   # what students do otherwise when they learn from a teacher: conf/<distil_conf>.yaml
: "${generations:=1}"        # of students: from the second on, the one before teaches
: "${select:=false}"         # choose the unlabelled speech that students learn from by its soft targets
: "${new_words:=0.01}"       # probability of words that users add to a device; 0: they have no place (docs/device.md)
: "${beam:=15}"              # of the search
: "${transfer:=}"            # a teacher of another corpus, of the same shape, whose layers the teacher begins with
: "${word_penalties:=[0]}"   # costs of a word, tried on dev
: "${encoder:=}"             # a foreign model that the teacher hears through, a folder or a name; empty: log-mels
: "${encoder_pad:=true}"     # a Whisper hears 30 s at once, as it was trained; false: the cut alone, in less time
[[ -v distilling ]] || distilling=() # options of distillation besides its configuration

ears=feats # folder in $data of what the teacher hears
if [[ -n $encoder ]]; then
  ears=feats-encoder
  teacher_conf="teacher-encoder"
  recipe+=-encoder # a table of its own
fi

if in_stage 1; then
  say "1: log-mel features, labelled speech at three speeds; and sounds without words"
  sounds_without_words
  features
  if [[ -n $encoder ]]; then
    say "1: what the foreign encoder makes of the same speech"
    steps/make_encoder_features.py --encoder.model "$encoder" --encoder.pad "$encoder_pad" \
      --cuts "$(sets_in corpus nonspeech)" ${speeds:+--speeds "$speeds"} --jobs "$jobs" "${cluster[@]}" --out "$data/$ears"
  fi
fi

if in_stage 2; then
  say "2: lexicon, phones, and a trigram"
  pronounced=(--lexicon "$data/corpus/lexicon.txt")
  if $letters; then pronounced=(--lexicon graphemes --words "$data/corpus/lexicon.txt"); fi
  steps/make_lang.py "${pronounced[@]}" --cuts "$data/corpus/labelled.jsonl.gz" \
    ${text:+--text "$text"} ${arpa:+--arpa "$arpa"} ${english:+--english "$english"} --oov "$oov" --order 3 --out "$dir/lang"
fi

if in_stage 3; then
  say "3: align from nothing, grow the tree, label every frame with its senone"
  steps/align_mono.py --feats "$(feats labelled dev)" --lang "$dir/lang" --train-hours "$mono_hours" \
    --iterations "$mono_iterations" --seed "$seed" --threads "$threads" --jobs "$jobs" "${cluster[@]}" --out "$dir/mono"
  steps/make_tree.py --ali "$dir/mono" --feats "$(feats labelled dev)" --lang "$dir/lang" --senones "$senones" \
    --out "$dir/tree"
fi

if in_stage 4; then
  say "4: the teacher, on labelled speech; it aligns that anew, and learns on"
  features_in=$ears learn "$teacher_conf" --labels "$dir/tree" ${transfer:+--transfer "$transfer"} \
    --epochs "$teacher_epochs" --out "$dir/teacher-first"
  steps/realign.py --model "$dir/teacher-first" --tree "$dir/tree" --lang "$dir/lang" \
    --feats "$(features_in=$ears feats labelled dev)" --jobs "$jobs" "${cluster[@]}" --out "$dir/ali"
  features_in=$ears learn "$teacher_conf" --labels "$dir/ali" --init "$dir/teacher-first" --epochs "$realigned_epochs" \
    --config "$conf/realigned.yaml" --train.max_frames "$teacher_frames" --out "$dir/teacher"
fi

# sequence CONF MODEL OUT: lattice-free MMI on labelled speech; conf/<CONF>-mmi.yaml says how, where there is one. Its
# sums are many small operations, in which threads of one process wait for one another: as many ranks do not.
sequence() {
  local besides=() ranks=("${train[@]}")
  if ((${#train[@]} == 0 && threads > 1)); then
    ranks=(torchrun --nproc_per_node "$threads" --rdzv_backend c10d --rdzv_conf store_type=file)
  fi
  if [[ -e $conf/$1-mmi.yaml ]]; then besides=(--config "$conf/$1-mmi.yaml"); fi
  if ! $robust; then besides+=(--train.channel.share 0); fi
  "${ranks[@]}" steps/train_sequence.py --model "$2" --labelled "$data/$features_in/labelled.jsonl.gz" \
    --dev "$data/$features_in/dev.jsonl.gz" --labels "$dir/ali" --lang "$dir/lang" --epochs "$mmi_epochs" \
    --seed "$seed" --threads "$threads" ${precision:+--train.precision "$precision"} "${besides[@]}" --out "$3"
}

teacher=teacher
if ((mmi_epochs > 0)); then
  teacher="teacher-mmi"
  if in_stage 5; then
    say "5: the teacher again, with lattice-free MMI: the transcript against all else that could have been said"
    features_in=$ears sequence "$teacher_conf" "$dir/teacher" "$dir/teacher-mmi"
  fi
fi

# With all speakers labelled there is no unlabelled speech to learn from.
distil=false
[[ -e $data/feats/unlabelled.jsonl.gz ]] && distil=true

if [[ $soft_weight != 0 ]]; then
  teachers_hear+=(labelled)
  distilling+=(--train.soft_weight "$soft_weight")
fi

if $distil && in_stage 6; then
  say "6: soft targets: the teacher listens to the unlabelled speech"
  steps/make_targets.py --model "$dir/$teacher" --k 20 --jobs "$jobs" "${cluster[@]}" \
    --feats "$(features_in=$ears feats "${teachers_hear[@]}")" --out "$dir/targets"
fi

if $distil && $select && in_stage 6; then
  say "6: what the teacher finds unlike the rest of it, and copies, are left out"
  steps/select_speech.py --cuts "$data/feats/unlabelled.jsonl.gz" --targets "[$dir/targets/unlabelled]" \
    --labels "$dir/ali" --out "$dir/selected"
fi

if in_stage 7; then
  say "7: the small student on labelled speech alone: the baseline"
  learn "$student" --labels "$dir/ali" --epochs "$student_epochs" --out "$dir/$student-labelled"
fi

distillation=(--epochs "$distil_epochs" --sub-epochs 1 --config "$conf/$distil_conf.yaml" "${distilling[@]}")

if $distil && in_stage 8; then
  say "8: the same student learns on, from the teacher: distilled"
  learn "$student" --labels "$dir/ali" --unlabelled "$(chosen)" --targets "$(taught_by "$dir/targets")" \
    --init "$dir/$student-labelled" "${distillation[@]}" --out "$dir/$student-distilled"
fi

if $distil && [[ -n $large ]] && in_stage 9; then
  say "9: step-wise: a large student learns from the teacher, the small one from the large one"
  stepwise "$dir/ali" "${distillation[@]}"
fi

# What a generation has learnt teaches the next, which begins anew from the labels, and hears other channels: the large
# student where there is one, else the small one.
teaches=${large:-$student}
if $distil && ((generations > 1)) && in_stage 9; then
  say "9: further generations: what has learnt from the teacher teaches in its turn"
  before=$teaches-distilled
  for ((generation = 2; generation <= generations; generation++)); do
    steps/make_targets.py --model "$dir/$before" --k 20 --jobs "$jobs" "${cluster[@]}" \
      --feats "$(feats "${teachers_hear[@]}")" --out "$dir/targets-generation-$generation"
    for size in "$student" ${large:+"$large"}; do
      learn "$size" --labels "$dir/ali" --unlabelled "$(chosen)" --init "$dir/$size-labelled" \
        --targets "$(taught_by "$dir/targets-generation-$generation")" "${distillation[@]}" \
        --seed $((seed + generation - 1)) --out "$dir/$size-generation-$generation"
    done
    before=$teaches-generation-$generation
  done
fi

if ((mmi_epochs > 0)) && in_stage 10; then
  say "10: the students again, with lattice-free MMI on labelled speech"
  sequence "$student" "$dir/$student-labelled" "$dir/$student-labelled-mmi"
  if $distil; then sequence "$student" "$dir/$student-distilled" "$dir/$student-distilled-mmi"; fi
fi

if in_stage 11; then
  say "11: decode the test speakers, with scales tuned on dev"
  steps/make_graph.py --lang "$dir/lang" --tree "$dir/tree" --new-words "$new_words" --out "$dir/graph"
  read -ra test_names <<<"$test_sets"
  systems=("$teacher" "$student-labelled")
  if $distil; then systems+=("$student-distilled"); fi
  if ((mmi_epochs > 0)); then
    systems=(teacher "${systems[@]}" "$student-labelled-mmi")
    if $distil; then systems+=("$student-distilled-mmi"); fi
  fi
  if $distil && [[ -n $large ]]; then systems+=("$large-labelled" "$large-distilled" "$student-stepwise"); fi
  for ((generation = 2; generation <= generations; generation++)); do
    if $distil; then systems+=("$student-generation-$generation" ${large:+"$large-generation-$generation"}); fi
  done
  for system in "${systems[@]}"; do
    [[ -e $dir/$system/model.json ]] || {
      echo "${0##*/}: $dir/$system: there is no model, so it is not in the table; stages 4 to 10 train it" >&2
      continue
    }
    hears=feats
    [[ $system != teacher* ]] || hears=$ears
    steps/decode.py --model "$dir/$system" --graph "$dir/graph" --dev "$data/$hears/dev.jsonl.gz" \
      --test "$(features_in=$hears feats "${test_names[@]}")" --system "$system" --recipe "$recipe" \
      --results "$dir/results.jsonl" \
      --acoustic-scales "$scales" --prior-scales "$prior_scales" --word-penalties "$word_penalties" --beams.search "$beam" \
      --jobs "$jobs" "${cluster[@]}" --out "$dir/$system/decode"
  done
fi

if in_stage 12; then
  say "12: the small student on a device: float32 and 8 bits, heard as it would be"
  read -ra test_names <<<"$test_sets"
  device "$dir/ali" "${test_names[@]}"
fi

if in_stage 13; then
  say "13: the table, and a page with curves, an utterance and mistakes"
  report=RESULTS.md # only the default folder speaks for the recipe
  [[ $dir == exp ]] || report=$dir/RESULTS.md
  steps/report.py --results "$dir/results.jsonl" --baseline "$student-labelled" --out "$report"
  cat "$report"
  if grep -q '"precision"' "$dir/results.jsonl"; then
    steps/report_device.py --results "$dir/results.jsonl" --out "$(dirname "$report")/DEVICE.md"
  fi
  steps/report_page.py --exp "$dir" --data "$data" --baseline "$student-labelled"
fi
