#!/usr/bin/env bash
# CMU's AN4: people who spell names and say dates, addresses and numbers. 48 minutes, its own train/test split.
#
# A part of the training speakers is transcribed, the others serve as unlabelled speech; with
# --labelled-speakers 1.0 all are transcribed, and the teacher can be held against Kaldi's results.
#
# e.g.: ./run.sh --corpus-dir /corpora/an4             a copy that you have
#       ./run.sh                                       downloads the public release
#       ./run.sh --labelled-speakers 1.0 --teacher-epochs 12 --realigned-epochs 6 --student-epochs 10 \
#         --mmi-epochs 4 --dir exp-all --data data-all     no unlabelled speech, no distillation
#
# Half an hour of speech is little for telling letters apart. A teacher that begins with what 5 hours of mini
# LibriSpeech taught another one makes a quarter fewer errors (6.3 % WER, and 4.5 % after sequence training):
#
#       (cd ../../mini_librispeech/s1 && ./run.sh --labelled-speakers 1.0 --senones 1200 --teacher-epochs 4 \
#         --stop-stage 4 --dir exp-all --data data-all)
#       ./run.sh --labelled-speakers 1.0 --transfer ../../mini_librispeech/s1/exp-all/teacher-first \
#         --teacher-epochs 9 --realigned-epochs 4 --student-epochs 12 --mmi-epochs 2 --dir exp-transfer \
#         --data data-transfer
set -euo pipefail
{ # read as a whole before it runs, so that this file may be edited meanwhile
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"

stage=0
stop_stage=13
corpus_dir=              # folder with etc/ and wav/; empty: download
labelled_speakers=0.25   # part of the training speakers that is transcribed
dev_speakers=8           # held out of the training speakers
letters=false            # true: words are pronounced as they are spelled, not as the lexicon says
senones=500              # most leaves of the phonetic decision tree
teacher_epochs=24        # passes of the teacher over labelled speech at three speeds; half as many if all is labelled
realigned_epochs=12      # more passes on its own alignment, likewise
transfer=                # a teacher of another corpus, whose layers this one begins with; empty: none
encoder=                 # a foreign model that the teacher hears through, a folder or a name: docs/features.md
encoder_pad=true         # a Whisper hears 30 s at once, as it was trained; false: the cut alone, five times faster
mmi_epochs=0             # passes of sequence training, of teacher and students; 0: none
student=student          # conf/<student>.yaml
large=                   # conf/<large>.yaml, a student between teacher and small student (stage 9); empty: none
generations=1            # of students: from the second on, the one before teaches (stage 9)
student_epochs=40        # labelled passes of the baseline, likewise
distil_epochs=14         # passes over all speech of the distilled student
robust=true              # normalise by a running mean, learn other channels and sounds without words; false: none of it
seed=1
scales='[0.3, 0.4, 0.5, 0.6, 0.7, 0.85, 1.0]' # acoustic, tried on dev
prior_scales='[0.2, 0.4, 0.6, 0.8, 1.0]'
word_penalties='[0, 0.5, 1, 2, 3, 4]' # costs of a word: letters are short, and easily inserted
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
  steps/validate_corpus.py --cuts "$(sets_in corpus)" --lexicon "$data/corpus/lexicon.txt" --out "$data/valid"
fi

recipe=an4 # each condition has a table of its own
[[ $labelled_speakers != 1* ]] || recipe+=-all
recipe+=${transfer:+-transfer}
if $letters; then recipe+=-letters; fi
. utils/recipe.sh
exit 0
}
