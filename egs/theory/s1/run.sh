#!/usr/bin/env bash
# When does a student beat its teacher? Our sketch of the theory, tried on data whose truth is known. No speech.
#
# A teacher learns from n noisy labels, students of several sizes from the teacher, on N unlabelled inputs; the truth
# lies within a student's class or not. Each prediction of the sketch gets a verdict from the numbers.
#
# e.g.: ./run.sh                                          everything: 2 minutes on one core
#       ./run.sh --seeds 8 --dir exp-8                    a quick look, in a folder of its own
#       ./run.sh --noises '[1.0, 2.0]' --dir exp-noisy    other worlds
set -euo pipefail
{ # read as a whole before it runs, so that this file may be edited meanwhile
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"

stage=0
stop_stage=13
labels='[64, 128, 256, 512, 1024, 2048, 4096]'  # n
noises='[0.25, 0.5, 1.0]'                       # of the labels, where the truth's norm is 1; 0.5 is in the pictures
ratios='[0.25, 0.5, 1, 2, 4, 8, 16, 32, 64]'    # N/n
seeds=32                                        # of each cell; the intervals are over these
seed=1
dir=exp
utils/setup.sh
. ./path.sh
. ./cmd.sh
export OMP_NUM_THREADS=1 # processes share the cores
. utils/parse_options.sh
. utils/stages.sh

if in_stage 0; then
  say "0: worlds, their teachers, and the teachers' students"
  steps/simulate_distillation.py --labels "$labels" --noises "$noises" --ratios "$ratios" --seeds "$seeds" \
    --seed "$seed" --jobs "$jobs" "${cluster[@]}" --out "$dir/simulation"
fi

if in_stage 13; then
  say "13: verdicts and pictures"
  report=RESULTS.md # only the default folder speaks for the recipe
  [[ $dir == exp ]] || report=$dir/RESULTS.md
  steps/report_distillation.py --cells "$dir/simulation/cells.jsonl" --out "$report"
  cat "$report"
fi
exit 0
}
