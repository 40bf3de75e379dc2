#!/usr/bin/env bash
# The paper's experiments on mini LibriSpeech: one table. Some 4 hours on 2 cores with one seed of the student, estimated
# from those of its jobs that were run.
#
# Five of the 25 training speakers that are not for tuning are labelled (7n: 56 minutes), a seventh of their sentences in
# the condition n (8 minutes); the other twenty are the unlabelled speech. The language model knows the sentences of 7n
# in both conditions. It resumes; other machines that share the disk take their part if they run it too.
#
# e.g.: ./run_table.sh --corpus-dir /corpora/LibriSpeech    everything that is not done yet, then the table
#       ./run_table.sh --list true      the jobs, and what each needs
#       ./run_table.sh --blocks "A"     a part of the table
#       ./run_table.sh --seeds 1        one seed only
#       ./run_table.sh --help           all that can be changed, whose values stand in conf/table.yaml
set -euo pipefail
{ # read as a whole before it runs, so that this file may be edited meanwhile
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
utils/setup.sh
. ./path.sh
. ./cmd.sh
export OMP_NUM_THREADS=1 # every job has one core
# shellcheck disable=SC2154  # cmd.sh sets jobs
steps/run_table.py --config conf/table.yaml --jobs "$jobs" "$@"
exit 0
}
