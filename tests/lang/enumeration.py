"""All that a small graph accepts, and all that it should accept."""

import itertools
import math

from tests.lang import toy

FRAMES = 4
HALF = math.log(2)


def unigrams_and_bigrams():
    uni, backoff, bi = {}, {}, {}
    for line in toy.ARPA.splitlines():
        fields = line.split("\t")
        if len(fields) < 2:
            continue
        words = fields[1].split()
        if len(words) == 2:
            bi[tuple(words)] = -float(fields[0]) * math.log(10)
        else:
            uni[words[0]] = -float(fields[0]) * math.log(10)
            backoff[words[0]] = -float(fields[2]) * math.log(10) if len(fields) > 2 else 0.0
    return uni, backoff, bi


def grammar_cost(words):
    """Best path through G: a back-off arc may be taken although the bigram exists."""
    uni, backoff, bi = unigrams_and_bigrams()
    total = 0.0
    for left, right in itertools.pairwise(["<s>", *words, "</s>"]):
        total += min(bi.get((left, right), math.inf), backoff[left] + uni[right])
    return total


def phone_strings(words, lexicon):
    """(phones, cost) with each choice of pronunciation and silence."""
    for prons in itertools.product(*(lexicon.pronunciations[w] for w in words)):
        for pauses in itertools.product((False, True), repeat=len(words) + 1):
            phones = [lexicon.silence] if pauses[0] else []
            for pron, pause in zip(prons, pauses[1:], strict=True):
                phones += [*pron, *([lexicon.silence] if pause else [])]
            yield phones, HALF * len(pauses)


def frame_labels(phones, tree):
    """Label sequences of at most FRAMES frames."""
    if len(phones) > FRAMES:
        return
    padded = [0, *phones, 0]
    for extra in itertools.product(range(FRAMES), repeat=len(phones)):
        if len(phones) + sum(extra) > FRAMES:
            continue
        labels = []
        for i, more in enumerate(extra):
            entry, loop = (tree.senone(*padded[i : i + 3], pdf) + 1 for pdf in (0, 1))
            labels += [entry] + [loop] * more
        yield tuple(labels)


def enumerated(lexicon, tree, transcripts, with_grammar):
    """Best cost of each (labels, words) of at most FRAMES frames, of transcripts alone."""
    best = {}
    for words in transcripts:
        for phones, cost in phone_strings(words, lexicon):
            for labels in frame_labels(phones, tree):
                key = labels, words
                total = cost + HALF * len(labels) + (grammar_cost(words) if with_grammar else 0.0)
                best[key] = min(total, best.get(key, math.inf))
    return best


def through_graph(graph, of, frames=FRAMES):
    """Best cost of each (labels, words) of at most so many frames that the graph accepts."""
    out = {}
    for s, d, label, word, score in rows(graph):
        out.setdefault(s, []).append((d, label, -score, tuple(of([word]))))
    best, active = {}, {(0, (), ()): 0.0}
    for _ in range(frames + 1):
        following = {}
        for (state, labels, words), cost in active.items():
            for d, label, weight, word in out.get(state, ()):
                if label == -1:
                    table, key = best, (labels, words + word)
                else:
                    table, key = following, (d, (*labels, label), words + word)
                table[key] = min(cost + weight, table.get(key, math.inf))
        active = following
    return best


def rows(graph):
    return list(zip(*(column.tolist() for column in columns(graph)), strict=True))


def columns(graph):
    return graph.sources, graph.targets, graph.labels, graph.outputs, graph.scores
