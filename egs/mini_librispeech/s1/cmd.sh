# shellcheck shell=bash
# Where the work runs: the only file to touch for another machine.
# shellcheck disable=SC2034  # read by run.sh
jobs=$(nproc)    # processes for corpus, features, alignment, targets and decoding
# Where those of all but the corpus run: here, or as jobs of a queue, e.g. (--cluster.kind slurm --cluster.queue cpu
# --cluster.walltime 04:00:00); docs/cluster.md
# shellcheck disable=SC2034
cluster=()
# shellcheck disable=SC2034
threads=$(nproc) # threads of one training
# What starts a training: nothing, or for 4 cores or GPUs (torchrun --nproc_per_node 4 --rdzv_backend c10d --rdzv_conf
# store_type=file); docs/training.md
# shellcheck disable=SC2034
train=()
