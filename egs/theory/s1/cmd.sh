# shellcheck shell=bash
# Where the work runs: the only file to touch for another machine.
# shellcheck disable=SC2034  # read by run.sh
jobs=$(nproc) # processes of the simulation
