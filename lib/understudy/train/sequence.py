"""Sequence-discriminative criteria: lattice-free MMI, and sMBR over lattices."""

from __future__ import annotations

from functools import cache, partial

from torch import Tensor

from understudy.align.forward_backward import GraphBatch, log_partition
from understudy.data.batches import Batch
from understudy.decode.search import Scales, backend, occupancies
from understudy.device.decoding_graph import DecodingGraph
from understudy.device.vocabulary import ContextTree
from understudy.lang.acceptor import Transcript
from understudy.lang.lexicon import Lexicon
from understudy.lang.phone_lm import PhoneLm
from understudy.lang.state_graph import StateGraph, expand
from understudy.step import log
from understudy.train.criteria import Hard
from understudy.train.options import SequenceOptions


class Numerators:
    """Numerator graphs of transcripts by cut id, made when first asked for."""

    def __init__(
        self, transcripts: dict[str, str], lexicon: Lexicon, lm: PhoneLm, tree: ContextTree, cache_mb: float = 500
    ) -> None:
        """Set up; no graph is made yet.

        Args:
            cache_mb: MiB of graphs kept in memory; further graphs are made each time.
        """
        self.transcripts, self.lexicon, self.lm, self.tree = transcripts, lexicon, lm, tree
        self._made: dict[str, StateGraph] = {}
        self._left = cache_mb * 2**20

    def __getitem__(self, cut_id: str) -> StateGraph:
        if cut_id in self._made:
            return self._made[cut_id]
        words = self.transcripts[cut_id].split()
        pronunciations = [[list(p) for p in self.lexicon.pronunciations[w]] for w in words]
        graph = expand(Transcript(pronunciations, self.lexicon.silence, self.lm), self.tree)
        # Passes are shuffled, so that any graph is as likely to be asked for again: the first ones are kept.
        if self._left > graph.nbytes:
            self._made[cut_id] = graph
            self._left -= graph.nbytes
        return graph


class Mmi:
    """Lattice-free MMI: −log p(transcript | speech) under a phone language model, plus weighted cross-entropy.

    Source: Povey et al. 2016. Our choices: training starts from a cross-entropy model, so scores are
    κ·(log-posterior − α·log prior) as in decoding; and the sums are over whole utterances.
    """

    def __init__(
        self, denominator: StateGraph, numerators: Numerators, log_priors: Tensor, options: SequenceOptions
    ) -> None:
        self.numerators, self.options, self.log_priors = numerators, options, log_priors
        self.unfit: set[str] = set()
        self._denominator = cache(partial(GraphBatch.merged, denominator))

    def __call__(self, logits: Tensor, batch: Batch) -> Tensor:
        """See `Criterion`. Utterances shorter than their transcripts count with their cross-entropy alone."""
        # Logits serve as log-posteriors: they differ by one number per frame, which cancels between the two sums.
        scores = _scales(self.options).scores(logits, self.log_priors.to(logits.device))
        gain = self.gains(scores, batch)
        fits = gain.isfinite()
        if not fits.all():
            self._report([cut for cut, fit in zip(batch.ids, fits.tolist()) if not fit])
        loss = -gain[fits].sum() / int(batch.lengths.sum())
        return loss.to(logits.dtype) + self.options.cross_entropy * Hard()(logits, batch)

    def gains(self, scores: Tensor, batch: Batch) -> Tensor:
        """Return (batch,) log posterior of each transcript, nats; −inf where it does not fit into the frames.

        Args:
            scores: (batch, frames, senones), padded.
        """
        numerators = GraphBatch.of([self.numerators[cut] for cut in batch.ids], scores.device)
        denominators = self._denominator(scores.device, scores.dtype).shared(len(batch.ids))
        return log_partition(scores, batch.lengths, numerators) - log_partition(scores, batch.lengths, denominators)

    def _report(self, cuts: list[str]) -> None:
        if new := sorted(set(cuts) - self.unfit):
            self.unfit.update(new)
            log.warning("%s: fewer frames than phones, no sequence criterion", " ".join(new))


class Smbr:
    """State-level minimum Bayes risk (sMBR): −expected share of frames with the right senone, over lattices.

    Source: Kingsbury, "Lattice-based optimization of sequence classification criteria for neural-network acoustic
    modeling", ICASSP 2009. Lattices are made anew with the current model, and silence counts too (our choices).
    """

    def __init__(self, graph: DecodingGraph, log_priors: Tensor, options: SequenceOptions) -> None:
        """Set up. Raises UserError where no search engine is installed."""
        backend()
        self.graph, self.log_priors, self.options = graph, log_priors, options
        self.empty = 0

    def __call__(self, logits: Tensor, batch: Batch) -> Tensor:
        """See `Criterion`. Utterances without a lattice count with their cross-entropy alone."""
        log_posteriors = logits.log_softmax(2)
        scores = _scales(self.options).scores(log_posteriors, self.log_priors.to(logits.device))
        loss = -self.right(scores, batch).sum() / int(batch.lengths.sum())
        return loss.to(logits.dtype) + self.options.cross_entropy * Hard()(logits, batch)

    def right(self, scores: Tensor, batch: Batch) -> Tensor:
        """Return (batch,) expected number of frames with the right senone.

        Args:
            scores: (batch, frames, senones), padded.
        """
        lengths = batch.lengths.tolist()
        found = occupancies(self.graph, [one[:n] for one, n in zip(scores, lengths)], self.options.beams)
        if empty := len(lengths) - len(found.utterances.unique()):
            self.empty += empty
            log.warning("%d utterances have an empty lattice, and no sequence criterion (%d so far)", empty, self.empty)
        begins = (batch.lengths.cumsum(0) - batch.lengths).to(found.utterances.device)
        labels = batch.known_labels.to(found.utterances.device)[begins[found.utterances] + found.frames]
        return found.shares.new_zeros(len(lengths)).index_add(
            0, found.utterances, found.shares * (found.senones == labels)
        )


def _scales(options: SequenceOptions) -> Scales:
    return Scales(options.acoustic_scale, options.prior_scale)
