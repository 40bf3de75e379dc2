#!/usr/bin/env bash
# run.sh at the size whose results RESULTS.md and DEVICE.md have: an hour and three quarters on two cores, in folders of its
# own. Options go on to run.sh.
#
# e.g.: ./run_full.sh --seed 2 --data data-seed-2 --dir exp-seed-2 --report exp-seed-2/RESULTS.md
set -euo pipefail
{ # read as a whole before it runs, so that this file may be edited meanwhile
"$(dirname -- "${BASH_SOURCE[0]}")/run.sh" \
  --labelled-hours 0.25 --unlabelled-hours 3 --dev-hours 0.15 --test-hours 1 --mono-iterations 30 --teacher-epochs 42 \
  --student-epochs 110 --distil-epochs 4 --device-utterances "" --sound-minutes 3 \
  --data data-full --dir exp-full --report RESULTS.md "$@"
exit 0
}
