#!/usr/bin/env bash
# LibriSpeech, the reference scale: n = 100 hours labelled, 860 without transcripts, and Libri-Light if it is given.
#
# The method's reference sizes: a teacher of 5 x 768 cells both ways, students from 4 x 256 up, 3 000 senones. With
# --labelled-hours 700 it is the seven-fold condition; with --labelled-hours 960 there is no unlabelled speech but
# Libri-Light's. Trainings use a GPU if there is one.
#
# What it takes by rates that were measured at a small scale or assumed (docs/capacity.md): 16 cores, one GPU of the class
# of a V100 that learns from 300 000 frames/s with a small student, from a tenth of that with the teacher, and that only
# listens three times as fast; an hour of speech is 120 000 frames. "Least" is by these rates alone. "Most" is where the
# GPU waits for speech as long as it works, and a pass of sequence training takes five passes of frames, not two. Each
# model is trained once: tuning takes as often that.
#
#   stage                     least     most      disk      from
#    0 manifests              15 min    15 min    0.3 GB    one look at each of 290 000 files, and each sample read once
#    1 features               12 min    20 min    35 GB     10 CPU s and 30 MB an hour of speech; labelled speech thrice
#    2, 3 lang, align, tree   40 min    40 min    0.4 GB    9 CPU s an hour of 100 hours at three speeds; tree on one core
#    4 teacher                5.3 h     11 h      0.4 GB    12 + 4 passes over 300 hours
#    5 its sequence training  40 min    3.3 h     0.3 GB    1 pass over 300 hours
#    6 soft targets           20 min    40 min    2.5 GB    2.9 MB an hour of speech; Libri-Light's 60 000 hours: 0.17 TB
#    7 baseline               30 min    1 h       -         15 passes over 300 hours
#    8 distilled student      25 min    50 min    -         3 passes over 860 hours and over 300 hours
#   10 sequence training      8 min     40 min    -         of two students, 1 pass over 300 hours each
#   11 decoding               1.2 h     3.3 h     -         6 systems, of each 10.5 hours once, and dev's 10.7 with 20 pairs
#                                                           of scales, at 51 to 142 CPU s an hour; a larger graph: more
#
# It has not been run at this size: every stage is tried on a tiny corpus of the same layout (tests/egs).
#
# e.g.: ./run.sh --corpus-dir /corpora/LibriSpeech --lm-dir /corpora/LibriSpeech-lm
#       ./run.sh --labelled-hours 700 --data data-700 --dir exp-700 --large large
#       ./run.sh --libri-light /corpora/librilight --data data-ll --dir exp-ll
set -euo pipefail
{ # read as a whole before it runs, so that this file may be edited meanwhile
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"

stage=0
stop_stage=13
corpus_dir=              # folder with train-clean-100/ and so on; empty: download (61 GB)
lm_dir=                  # folder with librispeech-lexicon.txt and 3-gram.pruned.3e-7.arpa.gz; empty: download
libri_light=             # folder with Libri-Light's small/, medium/ or large/; empty: none
labelled_hours=100       # transcribed speech, by whole speakers
mono_iterations=35       # of the flat start
senones=3000             # most leaves of the phonetic decision tree
teacher_epochs=12        # passes of the teacher over labelled speech at three speeds
realigned_epochs=4       # more passes on its own alignment
encoder=                 # a foreign model that the teacher hears through, a folder or a name: docs/features.md
encoder_pad=true         # a Whisper hears 30 s at once, as it was trained; false: the cut alone, five times faster
mmi_epochs=1             # passes of sequence training, of teacher and students; 0: none
student=student          # conf/<student>.yaml
large=                   # conf/<large>.yaml, a student between teacher and small student (stage 9); empty: none
generations=1            # of students: from the second on, the one before teaches (stage 9)
student_epochs=15        # labelled passes of the baseline
distil_epochs=3          # passes over all speech of the distilled student
select=false             # true: leave out unlabelled speech that the teacher is unsure of, and copies (docs/targets.md)
soft_weight=0            # λ: share of the teacher's soft targets in labelled speech while it is distilled; 0: labels alone
robust=true              # normalise by a running mean, learn other channels and sounds without words; false: none of it
seed=1
scales='[0.2, 0.3, 0.4, 0.5]' # acoustic, tried on dev
prior_scales='[0.2, 0.4, 0.6, 0.8, 1.0]'
conf=conf                # folder of the models' configurations
sound_minutes=3          # of each sound in which nobody says a word, heard in stage 12
new_words=0              # probability of words that users add to a device: no place for them in a graph of this size
data=data
dir=exp
utils/setup.sh
. ./path.sh
. ./cmd.sh
export OMP_NUM_THREADS=1 # processes share the cores; a training sets its own threads
. utils/parse_options.sh
. utils/stages.sh

if in_stage 0; then
  say "0: manifests of LibriSpeech"
  local/prepare.py --out "$data/corpus" --download-dir "$data/download" ${corpus_dir:+--corpus-dir "$corpus_dir"} \
    ${lm_dir:+--lm-dir "$lm_dir"} ${libri_light:+--libri-light "$libri_light"} --labelled-hours "$labelled_hours" \
    --seed "$seed"
  steps/validate_corpus.py --cuts "$(sets_in corpus)" --lexicon "$data/corpus/lexicon.txt" --out "$data/valid"
fi

recipe=librispeech
test_sets="test-clean test-other"
arpa=$data/corpus/lm.arpa.gz
oov=g2p
mono_hours=10
teacher_frames=15000
beam=13
. utils/recipe.sh
exit 0
}
