# shellcheck shell=bash
# The experiments of arXiv:2106.06126 on one corpus: sourced by a run_table.sh that has its options, among them
# `cells_of_corpus`, which lists the cells that make $data/feats and $dir/lang, and further options of its steps:
# `mono`, `tree`, `teacher`, `realigned` (of the teacher that learns on its own alignment) and `distilling`.
#
# What is written here is a list of cells (name, what it needs, command), which steps/run_jobs.py works through, and
# a list of rows, of which steps/report_table.py makes the table. Cells share all that they have in common: the
# features, and for each amount of labelled speech (n and 7n) its alignment, tree, teacher and targets.
# shellcheck disable=SC2154  # run_table.sh sets the options, cmd.sh the jobs

read -ra sizes <<<"$sizes"
read -ra seeds <<<"$seeds"
read -ra teachers <<<"$teachers"
read -ra parts <<<"$parts"
read -ra first_epochs <<<"$first_epochs" # of each size
read -ra alone_epochs <<<"$alone_epochs"
taught_by=${taught_by:-teacher} # or teacher-mmi: after sequence training
heard=$taught_by                # what writes the targets
((${#teachers[@]} == 1)) || heard=teachers
known_blocks="A B C stepwise rivals sequence smaller device"
small=${sizes[0]} large=${sizes[-1]}
declare -A begins # CONDITION/SIZE: the student that its distillation goes on from
# shellcheck disable=SC2034  # cells_of_corpus makes features of these
corpus_sets="[$data/corpus/dev.jsonl.gz,$data/corpus/labelled.jsonl.gz,$data/corpus/test.jsonl.gz,$data/corpus/unlabelled.jsonl.gz]"

# part_hours PART: hours of unlabelled speech in the name of a system
part_hours() { awk -v n="$unlabelled_hours" -v p="$1" 'BEGIN { printf "%gh", n / p }'; }

all=$(part_hours 1)
# Students with as many parameters as the small one, made of the large one; and the small one, learning on.
narrowed=("$large-$all-factorised" "$large-$all-projected" "$small-$all-longer" "$small-$all-rounded")

# cell NAME NEEDS COMMAND…
cell() {
  printf '%s\t%s\t' "$1" "$2"
  printf '%q ' "${@:3}"
  echo
}

# model CONDITION NAME SEED NEEDS OPTION…: train it on the condition's labelled speech, decode with the tuned scales
model() {
  local id
  id=$(seeded "$1/$2" "$3")
  train_cell "$1" "$id" "$3" "$4" "${@:5}"
  decode_cell "$1" "$2" "$id"
}

# decode_cell CONDITION NAME ID
decode_cell() {
  cell "$3/decode" "$3 $1/graph" steps/decode.py --model "$dir/$3" --graph "$dir/$1/graph" \
    --dev "$data/feats/dev.jsonl.gz" --test "[$data/feats/test.jsonl.gz]" --system "$2-$1" --recipe "$recipe" \
    --results "$dir/results.jsonl" --acoustic-scales "$scales" --prior-scales "$prior_scales" \
    --beams.search "$beam" --jobs 1 --out "$dir/$3/decode"
}

# train_cell CONDITION ID SEED NEEDS OPTION…: train, and do not decode
train_cell() {
  cell "$2" "$4" steps/train.py --labelled "$data/$1/labelled.jsonl.gz" --dev "$data/feats/dev.jsonl.gz" \
    --labels "$dir/$1/$labels" --seed "$3" --threads 1 --out "$dir/$2" "${@:5}"
}

# of OPTION CONDITION: the option's value, of n, or of 7n, whose options begin with seven_
of() {
  local name=$1
  [[ $2 == n ]] || name=seven_$1
  echo "${!name}"
}

# batches_of CONDITION: sets `batches`, options of a training on its labelled speech; with more of it, they may be larger
batches_of() {
  batches=()
  [[ $1 == n || -z ${seven_frames:-} ]] || batches=(--train.max_frames "$seven_frames")
}

# seeded ID SEED: the folder of a model of that seed, below $dir; the first seed needs no mark
seeded() { if (($2 == 1)); then echo "$1"; else echo "$1.$2"; fi; }

# labelled_speech CONDITION
labelled_speech() {
  cell "$1/labelled" features steps/subset.py --cuts "$data/feats/labelled.jsonl.gz" --hours "$(of hours "$1")" \
    --by "$subset_by" --out "$data/$1"
}

# foundation CONDITION: of its labelled speech alignment, tree, graph, teachers and soft targets
foundation() {
  local c=$1 s id needs="" members="" feats="[$data/$1/labelled.jsonl.gz,$data/feats/dev.jsonl.gz]"
  cell "$c/mono" "lang $c/labelled" steps/align_mono.py --feats "$feats" --lang "$dir/lang" "${mono[@]}" \
    --threads 1 --jobs 1 --out "$dir/$c/mono"
  cell "$c/tree" "$c/mono" steps/make_tree.py --ali "$dir/$c/mono" --feats "$feats" --lang "$dir/lang" \
    --senones "$(of senones "$c")" "${tree[@]}" --out "$dir/$c/tree"
  cell "$c/graph" "$c/tree" steps/make_graph.py --lang "$dir/lang" --tree "$dir/$c/tree" --out "$dir/$c/graph"
  for s in "${teachers[@]}"; do
    one_teacher "$c" "$s" "$feats"
    id=$(seeded "$c/$taught_by" "$s")
    needs+=" $id" members+=",$dir/$id"
  done
  if [[ $heard == teachers ]]; then
    cell "$c/teachers" "${needs# }" steps/combine.py --models "[${members#,}]" --out "$dir/$c/teachers"
    decode_cell "$c" teachers "$c/teachers"
  fi
  targets "$c" targets "$heard" "$c/$heard"
}

# one_teacher CONDITION SEED FEATS: a teacher of its labelled speech; the first of several aligns that anew, for all
one_teacher() {
  local c=$1 first batches
  batches_of "$c"
  if [[ $labels == ali ]]; then
    first=$(seeded "$c/teacher-first" "$2")
    cell "$first" "$c/tree" steps/train.py "${teacher[@]}" "${batches[@]}" --labelled "$data/$c/labelled.jsonl.gz" \
      --dev "$data/feats/dev.jsonl.gz" --labels "$dir/$c/tree" --epochs "$(of teacher_epochs "$c")" --seed "$2" \
      --threads 1 --out "$dir/$first"
    (($2 != teachers[0])) || cell "$c/ali" "$first" steps/realign.py --model "$dir/$first" --tree "$dir/$c/tree" \
      --feats "$3" --lang "$dir/lang" --jobs 1 --out "$dir/$c/ali"
    model "$c" teacher "$2" "$first $c/ali" "${teacher[@]}" "${batches[@]}" --init "$dir/$first" \
      --epochs "$(of realigned_epochs "$c")" --train.learning_rate 0.002 "${realigned[@]}"
  else
    model "$c" teacher "$2" "$c/tree" "${teacher[@]}" "${batches[@]}" --epochs "$(of teacher_epochs "$c")"
  fi
  [[ $taught_by == teacher ]] || sequence "$c" teacher mmi "$2"
}

# targets CONDITION NAME MODEL NEEDS OPTION…
targets() {
  cell "$1/$2" "$4" steps/make_targets.py --model "$dir/$1/$3" --feats "[$data/feats/unlabelled.jsonl.gz]" --k 20 \
    --jobs 1 --out "$dir/$1/$2" "${@:5}"
}

# distilled CONDITION SIZE NAME SEED NEEDS PART OPTION…: from the labelled student on, with one part in PART of the
# unlabelled speech and the settings of distillation; as many updates whatever the part
distilled() {
  goes_on "${@:1:6}" --train.learning_rate "$distil_rate" --train.max_frames "$distil_frames" "${distilling[@]}" \
    "${@:7}"
}

# goes_on CONDITION SIZE NAME SEED NEEDS PART OPTION…: the same, with the student's own settings but for these options
goes_on() {
  local c=$1 size=$2 seed=$4 part=$6 speech=$data/feats/unlabelled.jsonl.gz needs="$5"
  local sub=$((sub_epochs / part)) epochs
  epochs=$(($(of distil_epochs "$c") * part))
  ((sub > 0)) || sub=1
  local passes first
  passes=$(of labelled_passes "$c")
  first=$(seeded "$c/${begins[$c/$size]:-$size-first}" "$seed")
  ((part == 1)) || {
    speech=$data/part-$part/unlabelled.jsonl.gz
    needs+=" part-$part"
  }
  # Sub-epochs that cannot be made longer see less labelled speech each.
  ((part <= sub_epochs)) || passes=$(awk -v p="$passes" -v s="$sub_epochs" -v n="$part" 'BEGIN { print p * s / n }')
  model "$c" "$3" "$seed" "$first $needs" --config "conf/$size.yaml" --unlabelled "[$speech]" \
    --init "$dir/$first" --epochs "$epochs" --sub-epochs "$sub" --labelled-passes "$passes" "${@:7}"
}

# wants BLOCK: whether the option `blocks` names it
wants() { [[ " $blocks " == *" $1 "* ]]; }

# at_n: whether there is anything to want of n hours; only block B is about 7n alone
at_n() { [[ $blocks != B ]]; }

# seven_rivals: whether rivals are wanted at 7n, which takes an oracle there: how much of its gain each recovers
seven_rivals() { wants rivals && [[ $rivals_at == 7n ]]; }

# What there is to want, and what makes sense together.
check_blocks() {
  local block
  for block in $blocks; do
    if [[ " $known_blocks " != *" $block "* ]]; then
      echo "run_table.sh: error: --blocks: no block is called $block; there are $known_blocks" >&2
      return 1
    fi
  done
  if wants B && [[ -z ${seven_hours:-} ]]; then
    echo "run_table.sh: error: --blocks: this corpus has too little speech for block B" >&2
    return 1
  fi
  if seven_rivals && ! wants B; then
    echo "run_table.sh: error: --blocks: the rivals are here about the teacher of B; add it" >&2
    return 1
  fi
  if ! wants C && { wants stepwise || wants smaller || wants device; }; then
    echo "run_table.sh: error: --blocks: stepwise, smaller and device are about the students of C; add it" >&2
    return 1
  fi
}

# All cells, what matters most first: where needs allow, they are begun in this order.
table_cells() {
  local s part
  cells_of_corpus
  if wants C; then
    for part in "${parts[@]}"; do
      ((part == 1)) || cell "part-$part" features steps/subset.py --cuts "$data/feats/unlabelled.jsonl.gz" \
        --hours "$(awk -v n="$unlabelled_hours" -v p="$part" 'BEGIN { printf "%.4f", 0.999 * n / p }')" \
        --out "$data/part-$part"
    done
  fi
  labelled_speech n # which the language model may be made of
  if at_n; then foundation n; fi
  if wants B; then
    labelled_speech 7n
    foundation 7n
  fi
  for s in "${seeds[@]}"; do
    if at_n; then small_student n "$s"; fi
    if wants B; then
      small_student 7n "$s"
      if ((s == 1)); then seven_large; fi
      step_by_step 7n "$s"
    fi
    if wants stepwise; then step_by_step n "$s"; fi
    if ((s == 1)); then
      if at_n; then oracle n; fi
      if seven_rivals; then oracle 7n; fi
      if wants rivals; then rivals "$rivals_at"; fi
      if wants C; then curves; fi
      if wants sequence; then sequences; fi
      if wants smaller; then smaller; fi
      if wants device; then devices; fi
    fi
  done
}

# alone CONDITION SIZE SEED FIRST EPOCHS: the student from labels alone, for so many passes, and the one that distillation
# goes on from, after FIRST passes: the same one, where these are as many
alone() {
  local batches from_labels
  batches_of "$1"
  from_labels=("$3" "$1/$labels" --config "conf/$2.yaml" "${batches[@]}" --epochs)
  begins["$1/$2"]=$2
  (($4 == $5)) || {
    begins["$1/$2"]=$2-first
    train_cell "$1" "$(seeded "$1/$2-first" "$3")" "${from_labels[@]}" "$4"
  }
  model "$1" "$2" "${from_labels[@]}" "$5"
}

# small_student CONDITION SEED: the small student, alone and distilled (blocks A and B)
small_student() {
  local c=$1
  # The baseline gets as many updates as the distilled student, all on labelled speech, or what is best on dev.
  alone "$c" "$small" "$2" "$(of first_epochs "$c")" "$(of alone_epochs "$c")"
  distilled "$c" "$small" "$small-$all" "$2" "$c/targets" 1 --targets "[$dir/$c/targets/unlabelled]"
}

# step_by_step CONDITION SEED: the small student from the own targets of the large one, which has all unlabelled speech
step_by_step() {
  local c=$1 name=$large-$all
  (($2 != 1)) || targets "$c" "targets-$large" "$name" "$c/$name"
  distilled "$c" "$small" "$small-stepwise" "$2" "$c/targets-$large" 1 --targets "[$dir/$c/targets-$large/unlabelled]"
}

# seven_large: at 7n, the large student
seven_large() {
  local batches
  batches_of 7n
  train_cell 7n "7n/$large-first" 1 "7n/$labels" --config "conf/$large.yaml" "${batches[@]}" --epochs "$seven_large_epochs"
  distilled 7n "$large" "$large-$all" 1 7n/targets 1 --targets "[$dir/7n/targets/unlabelled]"
}

# curves: students of every size at n over growing unlabelled speech (block C)
curves() {
  local i size part
  for i in "${!sizes[@]}"; do
    size=${sizes[i]}
    [[ $size == "$small" ]] || alone n "$size" 1 "${first_epochs[i]}" "${alone_epochs[i]}"
    # The most speech first, which matters most.
    for part in $(printf '%s\n' "${parts[@]}" | sort -n); do
      [[ $size == "$small" && $part == 1 ]] || distilled n "$size" "$size-$(part_hours "$part")" 1 n/targets \
        "$part" --targets "[$dir/n/targets/unlabelled]"
    done
  done
}

# rivals CONDITION: with all unlabelled speech, the small student from other supervision of the same teacher
rivals() {
  local c=$1 kind
  for kind in lattice best-path; do
    targets "$c" "targets-$kind" "$heard" "$c/$heard/decode" --supervision "$kind" --graph "$dir/$c/graph" \
      --tuned "$dir/$c/$heard/decode" --beams.search "$beam"
    distilled "$c" "$small" "$small-$kind" 1 "$c/targets-$kind" 1 --targets "[$dir/$c/targets-$kind/unlabelled]"
  done
  # No decoder either: what the teacher believes once it knows which phones may follow which.
  targets "$c" targets-denominator "$heard" "$c/$heard/decode" --supervision denominator \
    --labels "$dir/$c/$labels" --tuned "$dir/$c/$heard/decode"
  distilled "$c" "$small" "$small-denominator" 1 "$c/targets-denominator" 1 \
    --targets "[$dir/$c/targets-denominator/unlabelled]"
  distilled "$c" "$small" "$small-hard" 1 "$c/targets" 1 --targets "[$dir/$c/targets/unlabelled]" --k 1
  # The teacher heard the clean speech, the student hears it in rooms and noise.
  cell augmented features steps/augment.py --cuts "$data/corpus/unlabelled.jsonl.gz" --jobs 1 --out "$data/augmented"
  distilled "$c" "$small" "$small-augmented" 1 "augmented $c/targets" 1 --targets "[$dir/$c/targets/unlabelled]" \
    --unlabelled "[$data/augmented/unlabelled.jsonl.gz]"
}

# oracle CONDITION: the small student from the true labels of the unlabelled speech: what can be reached. It learns from
# labels, so with the settings that suit these, the student's own (masks, dropout, chunks, batches), and not with those
# of distillation; it hears as much speech.
oracle() {
  local c=$1 batches
  batches_of "$c"
  cell "$c/true-labels" "$c/teacher" steps/realign.py --model "$dir/$c/teacher" --tree "$dir/$c/tree" \
    --feats "[$data/feats/unlabelled.jsonl.gz]" --lang "$dir/lang" --jobs 1 --out "$dir/$c/true-labels"
  goes_on "$c" "$small" "$small-oracle" 1 "$c/true-labels" 1 "${batches[@]}" --true-labels "$dir/$c/true-labels"
}

# sequences: at n, sequence training of the teacher and of the small student, with all that it learnt before
sequences() {
  local from
  for from in teacher "$small" "$small-$all"; do
    [[ $from-mmi == "$taught_by" ]] || sequence n "$from" mmi # that of the teacher is there
  done
  sequence n "$small-$all" smbr
}

# sequence CONDITION NAME CRITERION [SEED]
sequence() {
  local id from seed=${4:-1}
  id=$(seeded "$1/$2-$3" "$seed") from=$(seeded "$1/$2" "$seed")
  cell "$id" "$from $1/graph" steps/train_sequence.py --model "$dir/$from" --criterion "$3" --seed "$seed" \
    --labelled "$data/$1/labelled.jsonl.gz" --dev "$data/feats/dev.jsonl.gz" --labels "$dir/$1/$labels" \
    --lang "$dir/lang" --graph "$dir/$1/graph" --epochs "$sequence_epochs" --threads 1 --out "$dir/$id"
  decode_cell "$1" "$2-$3" "$id"
}

# smaller: at n with all unlabelled speech, the large student with so narrow a projection that it is no larger than the
# small one: out of the trained one by singular values, or trained so. And the small one, learning on with 8-bit
# numbers, beside one that learns on as long without.
smaller() {
  local narrow=(--model.projection "$projection") on=(--epochs 2 --train.learning_rate 0.001)
  local soft=(--targets "[$dir/n/targets/unlabelled]")
  cell "n/$large-$all-factors" "n/$large-$all" steps/factorise.py --model "$dir/n/$large-$all" \
    --projection "$projection" --out "$dir/n/$large-$all-factors"
  distilled n "$large" "$large-$all-factorised" 1 "n/$large-$all-factors n/targets" 1 "${soft[@]}" "${narrow[@]}" \
    --init "$dir/n/$large-$all-factors"
  train_cell n "n/$large-first-projected" 1 "n/$labels" --config "conf/$large.yaml" "${narrow[@]}" \
    --epochs "${first_epochs[-1]}"
  distilled n "$large" "$large-$all-projected" 1 "n/$large-first-projected n/targets" 1 "${soft[@]}" "${narrow[@]}" \
    --init "$dir/n/$large-first-projected"
  distilled n "$small" "$small-$all-longer" 1 "n/$small-$all n/targets" 1 "${soft[@]}" "${on[@]}" \
    --init "$dir/n/$small-$all"
  distilled n "$small" "$small-$all-rounded" 1 "n/$small-$all n/targets" 1 "${soft[@]}" "${on[@]}" \
    --init "$dir/n/$small-$all" --train.quantisation_aware true
}

# devices: the students at n, with all unlabelled speech, as they would ship
devices() {
  local size name
  for size in "${sizes[@]}"; do
    ship_cells "$size-$all"
  done
  if wants smaller; then
    for name in "${narrowed[@]}"; do
      ship_cells "$name"
    done
  fi
}

# ship_cells NAME
ship_cells() {
  local id=n/$1
  cell "$id/recogniser" "$id/decode" steps/pack.py --model "$dir/$id" --decoded "$dir/$id/decode" \
    --graph "$dir/n/graph" --tree "$dir/n/tree" --normaliser "$data/feats/normaliser.json" --beams.search "$beam" \
    --out "$dir/$id/recogniser"
  cell "$id/device" "$id/recogniser" steps/ship.py --recogniser "$dir/$id/recogniser" --calibrate \
    "$data/feats/unlabelled.jsonl.gz" --test "[$data/feats/test.jsonl.gz]" --system "$1-n" \
    --recipe "$recipe" --results "$dir/results.jsonl" --out "$dir/$id/device"
}

# row BLOCK SYSTEM [BASELINE [ORACLE]]
row() { printf '%s\t%s\t%s\t%s\n' "$1" "$2" "${3:-}" "${4:-}"; }

table_rows() {
  local size part c kind name title seven_oracle="" heard_rows=(teacher)
  [[ $taught_by == teacher ]] || heard_rows+=("$taught_by")
  [[ $heard == "$taught_by" ]] || heard_rows+=("$heard")
  if seven_rivals; then seven_oracle=$small-oracle-7n; fi
  if at_n; then
    title="A: the small student with its teacher"
    for name in "${heard_rows[@]}"; do
      row "$title" "$name-n" "$small-n"
    done
    row "$title" "$small-n"
    row "$title" "$small-$all-n" "$small-n" "$small-oracle-n"
    row "$title" "$small-oracle-n" "$small-n"
  fi
  if wants B; then
    title="B: the labelled speech is seven-fold"
    for name in "${heard_rows[@]}" "$small"; do
      row "$title" "$name-7n" "$small-7n"
    done
    for name in "$small-$all" "$large-$all" "$small-stepwise"; do
      row "$title" "$name-7n" "$small-7n" "$seven_oracle"
    done
    [[ -z $seven_oracle ]] || row "$title" "$seven_oracle" "$small-7n"
  fi
  if wants C; then
    title="C: students of several sizes with little labelled speech"
    for size in "${sizes[@]}"; do
      row "$title" "$size-n" "$heard-n"
      for part in "${parts[@]}"; do
        row "$title" "$size-$(part_hours "$part")-n" "$heard-n"
      done
    done
  fi
  if wants stepwise; then
    for name in "$small-$all" "$large-$all" "$small-stepwise"; do
      row "Step-wise with little labelled speech" "$name-n" "$small-n" "$small-oracle-n"
    done
  fi
  if wants rivals; then
    c=$rivals_at
    for kind in "$all" denominator lattice best-path hard; do
      row "Supervision: soft targets and their rivals" "$small-$kind-$c" "$small-$c" "$small-oracle-$c"
    done
    for kind in "$all" augmented; do
      row "The student hears the unlabelled speech in rooms and noise" "$small-$kind-$c" "$small-$c"
    done
  fi
  if wants sequence; then
    for c in teacher "$small" "$small-$all"; do
      row "Sequence training: $c" "$c-n" "$c-n"
      row "Sequence training: $c" "$c-mmi-n" "$c-n"
    done
    row "Sequence training: $small-$all" "$small-$all-smbr-n" "$small-$all-n"
  fi
  if wants smaller; then
    for name in "${narrowed[@]}"; do
      row "Smaller still: as many parameters, or 8 bits in training" "$name-n" "$small-$all-n"
    done
  fi
}

# Write both lists, work through the cells, make the table.
run_table() {
  check_blocks
  mkdir -p "$dir"
  table_cells >"$dir/cells.tsv.$$" && mv "$dir/cells.tsv.$$" "$dir/cells.tsv"
  table_rows >"$dir/rows.tsv.$$" && mv "$dir/rows.tsv.$$" "$dir/rows.tsv"
  if $list; then
    cut -f 1,2 "$dir/cells.tsv"
    return
  fi
  local status=0
  steps/run_jobs.py --graph "$dir/cells.tsv" --logs "$dir/log" --jobs "$jobs" || status=$?
  # What is done is shown, even where some of it failed.
  [[ ! -e $dir/results.jsonl ]] || steps/report_table.py --results "$dir/results.jsonl" --rows "$dir/rows.tsv" \
    --out "$table" || status=$?
  if grep -qs '"precision"' "$dir/results.jsonl"; then
    steps/report_device.py --results "$dir/results.jsonl" --out "$(dirname "$table")/table/DEVICE.md" || status=$?
  fi
  return $status
}
