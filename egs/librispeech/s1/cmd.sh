# shellcheck shell=bash
# Where the work runs: the only file to touch for another machine.
# shellcheck disable=SC2034  # read by run.sh
jobs=$(nproc)    # processes for corpus, features and decoding
# shellcheck disable=SC2034
threads=$(nproc) # threads of one training
