#!/usr/bin/env bash
# The paper's experiments on speechocean762: one table. Block B takes 2 hours on 2 cores, all blocks some 5.
#
# All 113 training speakers that are not for tuning are labelled (7n: 2.45 h), a seventh of their sentences in the
# condition n. Of the corpus's 125 test speakers 88, chosen by chance, are the unlabelled speech, 1.9 h; the 37 that are
# left are tested on. A seventh is too little here: the teacher of n makes 87.5 % errors on dev, and nobody can learn
# from it. So block B alone is made unless more is asked for. It resumes; other machines that share the disk take their
# part if they run it too.
#
# e.g.: ./run_table.sh --corpus-dir /corpora/speechocean762    everything that is not done yet, then the table
#       ./run_table.sh --list true      the cells, and what each needs
#       ./run_table.sh --blocks "A B"   parts of the table
#       ./run_table.sh --seeds 1        one seed only
# shellcheck disable=SC2034  # utils/table.sh reads the options by name
set -euo pipefail
{ # read as a whole before it runs, so that this file may be edited meanwhile
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"

corpus_dir=                  # folder with train/, test/, resource/ and WAVE/; empty: download
labelled_speakers=1.0        # part of the training speakers that is transcribed at 7n
dev_speakers=12              # held out of the training speakers, of 125
unlabelled_test_speakers=0.7 # part of the test speakers that are unlabelled speech, and not tested on
hours=0.35                   # n: transcribed speech
seven_hours=2.45             # 7n
unlabelled_hours=1.9         # speech without transcripts, of other speakers
parts="8 4 2 1"              # the learning curves see an eighth of it, a fourth, …
sizes="student medium large" # conf/<size>.yaml, small to large
seeds="1 2 3"                # of the small student
teachers=1                   # seeds of the teachers, several of which make an ensemble; all else is trained once
blocks="B"                   # of A B C stepwise rivals sequence smaller device; A too, unless it is B alone
rivals_at=n                  # or 7n: the labelled speech of the teacher whose rivals are tried
senones=250                  # most leaves of the tree at n
seven_senones=600            # and at 7n
teacher_epochs=26            # passes of the teacher over labelled speech at three speeds, at n
seven_teacher_epochs=8       # and at 7n
realigned_epochs=10          # more passes on its own alignment, at n
seven_realigned_epochs=4     # and at 7n
first_epochs="24 22 20"      # labelled passes of a student of each size before it is distilled, at n
seven_first_epochs=6         # and at 7n
alone_epochs="36 45 32"      # of one that is not: as many updates as the other gets in all, at n
seven_alone_epochs=11        # and at 7n
seven_large_epochs=6         # labelled passes of the large student of step-wise distillation, at 7n
distil_epochs=6              # passes over all unlabelled speech, at n; more over a part of it
seven_distil_epochs=6        # and at 7n
seven_frames=1500            # stacked frames of a batch of labelled speech at 7n: faster than small ones
sub_epochs=4                 # parts of such a pass, each followed by labelled speech
labelled_passes=0.5          # over it, at n
seven_labelled_passes=0.125  # and at 7n
distil_rate=0.004            # learning rate
distil_frames=1500           # stacked frames of a batch
sequence_epochs=3            # passes of sequence training
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

recipe=speechocean762
labels=ali # of the teacher
subset_by=utterance
# A narrower teacher than run.sh's: two are trained, each on one core.
teacher=(--config conf/teacher.yaml --model.cells 128 --train.max_frames 900)
realigned=()
mono=()
distilling=()
tree=()
scales='[0.1, 0.15, 0.2, 0.3, 0.4]'
prior_scales='[0.1, 0.2, 0.4, 0.6, 0.8]'

cells_of_corpus() {
  cell corpus "" local/prepare.py --out "$data/corpus" --download-dir "$data/download" \
    ${corpus_dir:+--corpus-dir "$corpus_dir"} --labelled-speakers "$labelled_speakers" \
    --dev-speakers "$dev_speakers" --unlabelled-test-speakers "$unlabelled_test_speakers" --seed "$seed"
  cell features corpus steps/make_features.py --out "$data/feats" --jobs "$jobs" --speeds '[0.9, 1.1]' --cuts "$corpus_sets"
  # The language model is the same in all cells: it knows general English and the sentences of the labelled speakers, not
  # of the unlabelled ones, or a decoder would look up there what they said.
  cell lang features steps/make_lang.py --lexicon "$data/corpus/lexicon.txt" \
    --cuts "$data/feats/labelled.jsonl.gz" --order 3 --english 0.5 --out "$dir/lang"
}

. utils/table.sh
run_table
exit 0
}
