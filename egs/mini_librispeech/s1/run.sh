#!/usr/bin/env bash
# Mini LibriSpeech: English read aloud for audio books. 5 hours of 28 speakers, tested on 2 hours of others: the set called
# test is dev-clean-2, or whatever --corpus-dir has under that name (results say what it was: docs/results.md).
#
# A part of the training speakers is transcribed, the others serve as unlabelled speech. Pronunciations and the language
# model are LibriSpeech's: its lexicon and its small trigram. Labelled words without pronunciation are guessed. Where the
# two cannot be fetched, or with --lm estimated, pronunciations are those of CMU's dictionary, and the language model
# knows the sentences of all training speakers (text is easier to come by than transcribed speech) and general English,
# in their words and the most common ones: a word in 47 of the test set is then unknown, and costs more errors than its
# own.
#
# e.g.: ./run.sh                                       downloads the public release (460 MB)
#       ./run.sh --corpus-dir /corpora/LibriSpeech --lm-dir /corpora/LibriSpeech-lm     copies that you have
set -euo pipefail
{ # read as a whole before it runs, so that this file may be edited meanwhile
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"

stage=0
stop_stage=13
corpus_dir=              # folder with train-clean-5/ and dev-clean-2/; empty: download
also_test=               # more to test on: folders of LibriSpeech's parts, e.g. "/corpora/LibriSpeech/test-clean"
also_unlabelled=         # more to hear without transcripts: further such folders, e.g. "/corpora/LibriSpeech/dev-clean"
lm=librispeech           # language model and lexicon: librispeech, or estimated (see above)
lm_dir=                  # folder with librispeech-lexicon.txt and 3-gram.pruned.3e-7.arpa.gz; empty: download
lexicon=                 # with --lm estimated, a lexicon in place of CMU's dictionary
labelled_speakers=0.25   # part of the training speakers that is transcribed
dev_speakers=3           # held out of the training speakers, of 28
common_words=40000       # with --lm estimated, words of general English that are known besides the training speakers'
letters=false            # true: words are pronounced as they are spelled, not as the lexicon says
senones=700              # most leaves of the phonetic decision tree
teacher_conf=teacher     # conf/<it>.yaml: teacher, of LSTMs, or teacher-tdnnf
teacher_epochs=14        # passes of the teacher over labelled speech at three speeds
realigned_epochs=6       # more passes on its own alignment
transfer=                # a teacher of another corpus, whose layers this one begins with; empty: none
encoder=                 # a foreign model that the teacher hears through, a folder or a name: docs/features.md
encoder_pad=true         # a Whisper hears 30 s at once, as it was trained; false: the cut alone, five times faster
mmi_epochs=0             # passes of sequence training, of teacher and students; 0: none
student=student          # conf/<student>.yaml: student, or student-5h where all speakers are labelled
large=                   # conf/<large>.yaml, a student between teacher and small student (stage 9); empty: none
distil_conf=distil       # conf/<it>.yaml, what students do otherwise when they learn from a teacher: distil, or distil-5h
generations=1            # of students: from the second on, the one before teaches (stage 9)
student_epochs=14        # labelled passes of the baseline
distil_epochs=4          # passes over all speech of the distilled student
select=false             # true: leave out unlabelled speech that the teacher is unsure of, and copies (docs/targets.md)
soft_weight=0            # λ: share of the teacher's soft targets in labelled speech while it is distilled; 0: labels alone
robust=true              # normalise by a running mean, learn other channels and sounds without words; false: none of it
precision=               # of the products in training: float32, or bfloat16 where the processor or GPU has it (docs/training.md)
seed=1
scales='[0.2, 0.3, 0.4, 0.5]' # acoustic, tried on dev
prior_scales='[0.2, 0.4, 0.6, 0.8, 1.0]'
word_penalties='[0, 0.5, 1, 1.5]' # costs of a word, nats
new_words=0              # probability of words that users add to a device: no place for them in a graph of this size
data=data
dir=exp
utils/setup.sh
. ./path.sh
. ./cmd.sh
export OMP_NUM_THREADS=1 # processes share the cores; a training sets its own threads
. utils/parse_options.sh
. utils/stages.sh

read -ra also <<<"$also_test"
read -ra more <<<"$also_unlabelled"

if in_stage 0; then
  say "0: manifests of mini LibriSpeech (1 min)"
  local/prepare.py --out "$data/corpus" --download-dir "$data/download" ${corpus_dir:+--corpus-dir "$corpus_dir"} \
    --lm "$lm" ${lm_dir:+--lm-dir "$lm_dir"} ${lexicon:+--lexicon "$lexicon"} --common-words "$common_words" \
    --labelled-speakers "$labelled_speakers" --dev-speakers "$dev_speakers" \
    --also-test "[$(IFS=, && echo "${also[*]}")]" --also-unlabelled "[$(IFS=, && echo "${more[*]}")]" \
    --seed "$seed"
  steps/validate_corpus.py --cuts "$(sets_in corpus)" --lexicon "$data/corpus/lexicon.txt" --out "$data/valid"
fi

if [[ -e $data/corpus/lm.arpa.gz ]]; then
  arpa=$data/corpus/lm.arpa.gz
else
  text=$data/corpus/text.txt
  english=0.6
fi
oov=g2p
test_sets="test ${also[*]##*/}"
recipe=mini_librispeech${transfer:+-transfer} # a table of its own
if $letters; then recipe+=-letters; fi
. utils/recipe.sh
exit 0
}
