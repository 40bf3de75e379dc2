#!/usr/bin/env bash
# CMU's AN4: people who spell names and say dates, addresses and numbers. 48 minutes, its own train/test split.
#
# A part of the training speakers is transcribed, the others serve as unlabelled speech; with
# --labelled-speakers 1.0 all are transcribed, and the teacher can be held against Kaldi's results.
#
# e.g.: ./run.sh --corpus-dir /corpora/an4             a copy that you have
#       ./run.sh                                       downloads the public release
#       ./run.sh --labelled-speakers 1.0 --dir exp-all --data data-all     no unlabelled speech, no distillation
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"

stage=0
stop_stage=13
corpus_dir=              # folder with etc/ and wav/; empty: download
labelled_speakers=0.25   # part of the training speakers that is transcribed
dev_speakers=8           # held out of the training speakers
senones=500              # most leaves of the phonetic decision tree
teacher_epochs=12        # passes of the teacher over labelled speech at three speeds; the best on dev is kept
realigned_epochs=6       # more passes on its own alignment
student=student          # conf/<student>.yaml
student_epochs=30        # labelled passes of the baseline; the best on dev is kept
distil_epochs=14         # passes over all speech of the distilled student
seed=1
data=data
dir=exp
utils/setup.sh
. ./path.sh
. ./cmd.sh
export OMP_NUM_THREADS=1 # processes share the cores; a training sets its own threads
. utils/parse_options.sh
. utils/stages.sh

if in_stage 0; then
  say "0: manifests of AN4 (1 min)"
  local/prepare.py --out "$data/corpus" --download-dir "$data/download" ${corpus_dir:+--corpus-dir "$corpus_dir"} \
    --labelled-speakers "$labelled_speakers" --dev-speakers "$dev_speakers" --seed "$seed"
  steps/validate_corpus.py --cuts "$(sets_in corpus)" --out "$data/valid"
fi

if in_stage 1; then
  say "1: log-mel features, labelled speech at three speeds (1 min)"
  steps/make_features.py --out "$data/feats" --jobs "$jobs" --speeds '[0.9, 1.1]' --cuts "$(sets_in corpus)"
fi

if in_stage 2; then
  say "2: lexicon, phones, and a trigram of the training transcripts"
  steps/make_lang.py --lexicon "$data/corpus/lexicon.txt" --cuts "$data/corpus/labelled.jsonl.gz" --order 3 \
    --out "$dir/lang"
fi

if in_stage 3; then
  say "3: align from nothing, grow the tree, label every frame with its senone"
  steps/align_mono.py --feats "$(feats labelled dev)" --lang "$dir/lang" --seed "$seed" --threads "$threads" \
    --out "$dir/mono"
  steps/make_tree.py --ali "$dir/mono" --feats "$(feats labelled dev)" --lang "$dir/lang" --senones "$senones" \
    --out "$dir/tree"
fi

if in_stage 4; then
  say "4: the teacher, on labelled speech; it aligns that anew, and learns on (10 min with all speakers)"
  speech=(--labelled "$data/feats/labelled.jsonl.gz" --dev "$data/feats/dev.jsonl.gz")
  steps/train.py --config conf/teacher.yaml "${speech[@]}" --labels "$dir/tree" --epochs "$teacher_epochs" \
    --seed "$seed" --threads "$threads" --out "$dir/teacher-first"
  steps/realign.py --model "$dir/teacher-first" --tree "$dir/tree" --feats "$(feats labelled dev)" --lang "$dir/lang" \
    --out "$dir/ali"
  steps/train.py --config conf/teacher.yaml "${speech[@]}" --labels "$dir/ali" --init "$dir/teacher-first" \
    --epochs "$realigned_epochs" --train.learning_rate 0.002 --train.max_frames 2500 --seed "$seed" \
    --threads "$threads" --out "$dir/teacher"
fi

# With all speakers labelled there is no unlabelled speech to learn from.
distil=false
[[ -e $data/feats/unlabelled.jsonl.gz ]] && distil=true

if $distil && in_stage 6; then
  say "6: soft targets: the teacher listens to the unlabelled speech"
  steps/make_targets.py --model "$dir/teacher" --feats "$(feats unlabelled)" --k 20 --threads "$threads" \
    --out "$dir/targets"
fi

if in_stage 7; then
  say "7: the small student on labelled speech alone: the baseline"
  steps/train.py --config "conf/$student.yaml" --labelled "$data/feats/labelled.jsonl.gz" \
    --dev "$data/feats/dev.jsonl.gz" --labels "$dir/ali" --epochs "$student_epochs" --seed "$seed" \
    --threads "$threads" --out "$dir/$student-labelled"
fi

if $distil && in_stage 8; then
  say "8: the same student learns on, from the teacher: distilled"
  steps/train.py --config "conf/$student.yaml" --labelled "$data/feats/labelled.jsonl.gz" \
    --dev "$data/feats/dev.jsonl.gz" --labels "$dir/ali" --unlabelled "$(feats unlabelled)" \
    --targets "[$dir/targets/unlabelled]" --init "$dir/$student-labelled" --epochs "$distil_epochs" \
    --sub-epochs 1 --train.learning_rate 0.004 --train.keep last --seed "$seed" --threads "$threads" \
    --out "$dir/$student-distilled"
fi

if in_stage 11; then
  say "11: decode the test speakers"
  steps/make_graph.py --lang "$dir/lang" --tree "$dir/tree" --out "$dir/graph"
  for system in teacher "$student-labelled" "$student-distilled"; do
    [[ -e $dir/$system/model.json ]] || continue # not trained: all labelled, or stages left out
    steps/decode.py --model "$dir/$system" --graph "$dir/graph" --dev "$data/feats/dev.jsonl.gz" \
      --test "$data/feats/test.jsonl.gz" --system "$system" --recipe an4 --results "$dir/results.jsonl" \
      --acoustic-scales '[0.3, 0.4, 0.5, 0.6, 0.7, 0.85, 1.0]' --prior-scales '[0.2, 0.4, 0.6, 0.8, 1.0]' \
      --jobs "$jobs" --out "$dir/$system/decode"
  done
fi

if in_stage 13; then
  say "13: the table"
  report=RESULTS.md # only the default folder speaks for the recipe
  [[ $dir == exp ]] || report=$dir/RESULTS.md
  steps/report.py --results "$dir/results.jsonl" --baseline "$student-labelled" --out "$report"
  cat "$report"
fi
