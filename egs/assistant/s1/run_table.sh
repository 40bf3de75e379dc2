#!/usr/bin/env bash
# The paper's experiments on the assistant's speech: one table, made of some forty trainings. On 2 cores some 3.3 hours
# with one seed, 4.4 with three (the sum of what the cells take when nothing else runs).
#
# n hours are labelled, or seven times as many; a teacher of each listens to the unlabelled speech, and students of
# three sizes learn from it. It resumes; other machines that share the disk take their part if they run it too.
#
# e.g.: ./run_table.sh                  everything that is not done yet, then the table
#       ./run_table.sh --list true      the cells, and what each needs
#       ./run_table.sh --blocks "A B"   parts of the table
#       ./run_table.sh --seeds 1       one seed only
#       ./run_table.sh --blocks B --unlabelled-hours 9 --seven-alone-epochs 37 --data data-9h --dir exp-9h \
#         --table table-9h/TABLE.md    three times the unlabelled speech; the student alone has as many updates again
# shellcheck disable=SC2034  # utils/table.sh reads the options by name
set -euo pipefail
{ # read as a whole before it runs, so that this file may be edited meanwhile
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"

hours=0.25                   # n: transcribed speech
seven_hours=1.75             # 7n
unlabelled_hours=3           # speech without transcripts
parts="8 4 2 1"              # the learning curves see an eighth of it, a fourth, …
dev_hours=0.3                # for the scales of the search
test_hours=1                 # of voices never heard in training
sizes="student medium large" # conf/<size>.yaml, small to large
seeds="1 2 3"                # of the small student
teachers=1                   # seeds of the teachers, several of which make an ensemble; all else is trained once
blocks="A B C rivals sequence smaller device" # of the table; A too, unless it is B alone
rivals_at=n                  # or 7n: the labelled speech of the teacher whose rivals are tried
senones=200                  # most leaves of the tree at n
seven_senones=500            # and at 7n
teacher_epochs=110           # passes of the teacher over labelled speech at n
seven_teacher_epochs=30      # and at 7n
first_epochs="100 90 80"     # labelled passes of a student of each size before it is distilled, at n
seven_first_epochs=18        # and at 7n
alone_epochs="124 138 128"   # of one that is not, at n: dev is worse after more (148 would be as many updates)
seven_alone_epochs=27        # and at 7n
seven_large_epochs=20        # labelled passes of the large student of step-wise distillation, at 7n
distil_epochs=6              # passes over all unlabelled speech, at n; more over a part of it
seven_distil_epochs=6        # and at 7n
sub_epochs=4                 # parts of such a pass, each followed by labelled speech
labelled_passes=1            # over it, at n
seven_labelled_passes=0.333  # and at 7n
distil_rate=0.004            # learning rate
distil_frames=1500           # stacked frames of a batch
sequence_epochs=4            # passes of sequence training
projection=42                # of the large student that is as small as the small one
beam=12                      # of the search, nats
seed=1                       # of the corpus
list=false                   # only list the cells
data="data-table"
dir=exp-table
table=TABLE.md # where the table goes
utils/setup.sh
. ./path.sh
. ./cmd.sh
export OMP_NUM_THREADS=1 # every cell has one core
. utils/parse_options.sh

recipe=assistant
labels=tree      # the network needs no second alignment here
subset_by=utterance
teacher=(--config conf/teacher.yaml)
mono=(--iterations 30 --gaussians 600)
distilling=()
tree=(--min-count 40 --min-gain 40)
scales='[0.2, 0.25, 0.3, 0.4, 0.5]'
prior_scales='[0.2, 0.4, 0.6, 0.8, 1.0]'

cells_of_corpus() {
  cell corpus "" local/prepare.py --out "$data/corpus" --labelled-hours "$seven_hours" \
    --unlabelled-hours "$unlabelled_hours" --dev-hours "$dev_hours" --test-hours "$test_hours" --seed "$seed" \
    --jobs "$jobs"
  cell features corpus steps/make_features.py --out "$data/feats" --jobs "$jobs" --cuts "$corpus_sets"
  # The language model is the same in all cells: it knows the text, and the transcripts of n.
  cell lang "corpus n/labelled" steps/make_lang.py --lexicon "$data/corpus/lexicon.txt" \
    --cuts "$data/n/labelled.jsonl.gz" --text "$data/corpus/text.txt" --order 3 --out "$dir/lang"
}

. utils/table.sh
run_table
exit 0
}
