#!/usr/bin/env bash
# The paper's experiments on the assistant's speech: one table, made of some forty trainings. On 2 cores some 3.3 hours
# with one seed, 4.4 with three (the sum of what the jobs take when nothing else runs).
#
# n hours are labelled, or seven times as many; a teacher of each listens to the unlabelled speech, and students of
# three sizes learn from it. It resumes; other machines that share the disk take their part if they run it too.
#
# e.g.: ./run_table.sh                  everything that is not done yet, then the table
#       ./run_table.sh --list true      the jobs, and what each needs
#       ./run_table.sh --blocks "A B"   parts of the table
#       ./run_table.sh --seeds 1       one seed only
#       ./run_table.sh --blocks B --unlabelled-hours 9 --seven-alone-epochs '{student: 37}' --data data-9h --dir exp-9h \
#         --table table-9h/TABLE.md    three times the unlabelled speech; the student alone has as many updates again
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
