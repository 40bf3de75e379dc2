#!/usr/bin/env bash
# speechocean762: English sentences read by 250 speakers of Mandarin, half of them children. 5.6 hours, its own split.
#
# A part of the training speakers is transcribed, the others serve as unlabelled speech. The language model knows the
# sentences of the whole training part (text is easier to come by than transcribed speech), and general English.
#
# e.g.: ./run.sh --corpus-dir /corpora/speechocean762     a copy that you have
#       ./run.sh                                          downloads the public release (520 MB)
#
# A teacher that begins with what another one learnt of mini LibriSpeech's 1.2 labelled hours makes 56 % errors in place
# of 65 %, its student 63 % in place of 66 %:
#
#       (cd ../../mini_librispeech/s1 && ./run.sh --stop-stage 4)
#       ./run.sh --transfer ../../mini_librispeech/s1/exp/teacher-first --teacher-epochs 6 --dir exp-transfer
set -euo pipefail
{ # read as a whole before it runs, so that this file may be edited meanwhile
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"

stage=0
stop_stage=13
corpus_dir=              # folder with train/, test/, resource/ and WAVE/; empty: download
labelled_speakers=0.5    # part of the training speakers that is transcribed
dev_speakers=12          # held out of the training speakers, of 125
senones=600              # most leaves of the phonetic decision tree
teacher_epochs=10        # passes of the teacher over labelled speech at three speeds
realigned_epochs=4       # more passes on its own alignment
transfer=                # a teacher of another corpus, whose layers this one begins with; empty: none
encoder=                 # a foreign model that the teacher hears through, a folder or a name: docs/features.md
encoder_pad=true         # a Whisper hears 30 s at once, as it was trained; false: the cut alone, five times faster
mmi_epochs=0             # passes of sequence training, of teacher and students; 0: none
student=student          # conf/<student>.yaml
large=                   # conf/<large>.yaml, a student between teacher and small student (stage 9); empty: none
generations=1            # of students: from the second on, the one before teaches (stage 9)
student_epochs=14        # labelled passes of the baseline
distil_epochs=16         # passes over the unlabelled speech of the distilled student
robust=true              # normalise by a running mean, learn other channels and sounds without words; false: none of it
seed=1
scales='[0.1, 0.2, 0.3, 0.4, 0.5]' # acoustic, tried on dev
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
  say "0: manifests of speechocean762 (1 min)"
  local/prepare.py --out "$data/corpus" --download-dir "$data/download" ${corpus_dir:+--corpus-dir "$corpus_dir"} \
    --labelled-speakers "$labelled_speakers" --dev-speakers "$dev_speakers" --seed "$seed"
  steps/validate_corpus.py --cuts "$(sets_in corpus)" --lexicon "$data/corpus/lexicon.txt" --out "$data/valid"
fi

text=$data/corpus/text.txt
english=0.5
recipe=speechocean762${transfer:+-transfer} # a table of its own
beam=12 # half the time of 15 with models that hear this badly; the teacher makes the same errors
distilling=(--labelled-passes 0) # on dev better than with labelled speech in between
. utils/recipe.sh
exit 0
}
