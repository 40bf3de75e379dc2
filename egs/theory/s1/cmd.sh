# shellcheck shell=bash
# Where the work runs: the only file to touch for another machine.
# shellcheck disable=SC2034  # read by run.sh
jobs=$(nproc) # processes of the simulation
# Where they run: here, or as jobs of a queue, e.g. (--cluster.kind slurm --cluster.queue cpu); docs/cluster.md
# shellcheck disable=SC2034
cluster=()
