#!/usr/bin/env bash
# The Free Spoken Digit Dataset: a folder of short recordings at 8 kHz, as somebody brings their own. 22 minutes.
#
# Two speakers are transcribed, two serve as unlabelled speech. The one who is tested speaks 15 to 20 dB more softly than
# those who are transcribed: nobody levels them, the features do.
#
# e.g.: ./run.sh --corpus-dir /corpora/free-spoken-digit-dataset     a copy that you have
#       ./run.sh                                                     downloads the public release
#
# Two voices do not tell what a digit sounds like in others'. A teacher that begins with what AN4's speakers taught one
# mishears far fewer:
#
#       (cd ../../an4/s1 && ./run.sh --labelled-speakers 1.0 --teacher-epochs 10 --stop-stage 4 --dir exp-all \
#         --data data-all)
#       ./run.sh --transfer ../../an4/s1/exp-all/teacher-first
set -euo pipefail
{ # read as a whole before it runs, so that this file may be edited meanwhile
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"

stage=0
stop_stage=13
corpus_dir=              # folder with recordings/; empty: download
labelled_speakers='[george, jackson]' # that are transcribed
unlabelled_speakers='[nicolas, yweweler]' # whose transcripts are not used
dev_speakers='[lucas]'   # scales are tuned on
test_speakers='[theo]'   # results are given for
senones=64               # most leaves of the phonetic decision tree
teacher_epochs=4         # passes of the teacher over labelled speech at five speeds: after more, it knows two voices
realigned_epochs=3       # more passes on its own alignment
transfer=                # a teacher of another corpus, whose layers this one begins with; empty: none
encoder=                 # a foreign model that the teacher hears through, a folder or a name: docs/features.md
encoder_pad=true         # a Whisper hears 30 s at once, as it was trained; false: the cut alone, five times faster
mmi_epochs=0             # passes of sequence training, of teacher and students; 0: none
student=student          # conf/<student>.yaml
large=                   # conf/<large>.yaml, a student between teacher and small student (stage 9); empty: none
generations=1            # of students: from the second on, the one before teaches (stage 9)
student_epochs=8         # labelled passes of the baseline
distil_epochs=10         # passes over all speech of the distilled student
robust=true              # normalise by a running mean, learn other channels and sounds without words; false: none of it
seed=1
scales='[0.2, 0.3, 0.5, 0.7, 1.0]' # acoustic, tried on dev
prior_scales='[0.2, 0.4, 0.6, 0.8, 1.0]'
data=data
dir=exp
utils/setup.sh
. ./path.sh
. ./cmd.sh
export OMP_NUM_THREADS=1 # processes share the cores; a training sets its own threads
. utils/parse_options.sh
. utils/stages.sh

if in_stage 0; then
  say "0: manifests of the digits, at 16 kHz (1 min)"
  local/prepare.py --out "$data/corpus" --download-dir "$data/download" ${corpus_dir:+--corpus-dir "$corpus_dir"} \
    --labelled "$labelled_speakers" --unlabelled "$unlabelled_speakers" --dev "$dev_speakers" --test "$test_speakers"
  steps/validate_corpus.py --cuts "$(sets_in corpus)" --lexicon "$data/corpus/lexicon.txt" --out "$data/valid"
fi

recipe=free_spoken_digits${transfer:+-transfer} # a table of its own
speeds='[0.8, 0.9, 1.1, 1.2]' # two voices are few: others are made of them
. utils/recipe.sh
exit 0
}
