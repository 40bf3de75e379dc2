#!/usr/bin/env bash
# The paper's experiments on mini LibriSpeech: one table. Some 4 hours on 2 cores with one seed of the student, estimated
# from those of its cells that were run.
#
# Five of the 25 training speakers that are not for tuning are labelled (7n: 56 minutes), a seventh of their sentences in
# the condition n (8 minutes); the other twenty are the unlabelled speech. The language model knows the sentences of 7n
# in both conditions. It resumes; other machines that share the disk take their part if they run it too.
#
# e.g.: ./run_table.sh --corpus-dir /corpora/LibriSpeech    everything that is not done yet, then the table
#       ./run_table.sh --list true      the cells, and what each needs
#       ./run_table.sh --blocks "A"     a part of the table
#       ./run_table.sh --seeds 1        one seed only
# shellcheck disable=SC2034  # utils/table.sh reads the options by name
set -euo pipefail
{ # read as a whole before it runs, so that this file may be edited meanwhile
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"

corpus_dir=                  # folder with train-clean-5/ and dev-clean-2/; empty: download
lexicon=                     # LibriSpeech's lexicon; empty: CMU's dictionary
labelled_speakers=0.2        # part of the training speakers that is transcribed
dev_speakers=3               # held out of the training speakers, of 28
common_words=40000           # of general English, which the recogniser knows besides the training speakers' words
hours=0.134                  # n: transcribed speech
seven_hours=0.94             # 7n
unlabelled_hours=3.8         # speech without transcripts, of other speakers
parts="8 4 2 1"              # the learning curves see an eighth of it, a fourth, …
sizes="student medium large" # conf/<size>.yaml, small to large
seeds="1 2 3"                # of the small student
teachers="1 2"               # seeds of the teachers, several of which make an ensemble; all else is trained once
blocks="A B C rivals"        # of A B C stepwise rivals sequence smaller device; A too, unless it is B alone
rivals_at=7n                 # or n: the labelled speech of the teacher whose rivals are tried
senones=150                  # most leaves of the tree at n
seven_senones=400            # and at 7n
teacher_epochs=30            # passes of the teacher over labelled speech at three speeds, at n
seven_teacher_epochs=14      # and at 7n
realigned_epochs=12          # more passes on its own alignment, at n
seven_realigned_epochs=6     # and at 7n
first_epochs="40 36 32"      # labelled passes of a student of each size before it is distilled, at n
seven_first_epochs=8         # and at 7n
alone_epochs="40 36 32"      # of one that is not, at n: dev is worse after 20, and after 60
seven_alone_epochs=18        # and at 7n
seven_large_epochs=8         # labelled passes of the large student of step-wise distillation, at 7n
distil_epochs=3              # passes over all unlabelled speech at three speeds, at n; more over a part of it
seven_distil_epochs=4        # and at 7n
sub_epochs=4                 # parts of such a pass, each followed by labelled speech
labelled_passes=0            # over it, at n: none, or the student learns five speakers by heart
seven_labelled_passes=0      # and at 7n
distil_rate=0.004            # learning rate
distil_frames=1500           # stacked frames of a batch
sequence_epochs=2            # passes of sequence training
projection=42                # of the large student that is as small as the small one
beam=12                      # of the search, nats
seed=1                       # of the split
list=false                   # only list the cells
data="data-table"
dir=exp-table
table=TABLE.md # where the table goes
utils/setup.sh
. ./path.sh
. ./cmd.sh
export OMP_NUM_THREADS=1 # every cell has one core
. utils/parse_options.sh

recipe=mini_librispeech
labels=ali # of the teacher
subset_by=utterance
teacher=(--config conf/teacher.yaml)
realigned=(--train.full_utterance_share 0) # it has heard whole utterances before, which are long here: a quarter of the speed
mono=()
distilling=(--config conf/distil.yaml)
taught_by="teacher-mmi"
tree=()
scales='[0.3, 0.4, 0.5, 0.6, 0.8]'
prior_scales='[0.2, 0.4, 0.6, 0.8]'

cells_of_corpus() {
  cell corpus "" local/prepare.py --out "$data/corpus" --download-dir "$data/download" \
    ${corpus_dir:+--corpus-dir "$corpus_dir"} ${lexicon:+--lexicon "$lexicon"} --labelled-speakers "$labelled_speakers" \
    --dev-speakers "$dev_speakers" --common-words "$common_words" --seed "$seed"
  cell features corpus steps/make_features.py --out "$data/feats" --jobs "$jobs" --speeds '[0.9, 1.1]' \
    --perturb '[labelled, unlabelled]' --cuts "$corpus_sets"
  # The language model knows general English and the labelled sentences, not the unlabelled ones, or a decoder would look
  # up there what was said.
  cell lang features steps/make_lang.py --lexicon "$data/corpus/lexicon.txt" --cuts "$data/feats/labelled.jsonl.gz" \
    --extra-cuts "[$data/feats/dev.jsonl.gz]" --oov g2p --order 3 --english 0.8 --out "$dir/lang"
}

. utils/table.sh
run_table
exit 0
}
