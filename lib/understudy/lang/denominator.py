"""The denominator graph of lattice-free criteria: all phone sequences, weighted by a language model of alignments."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from understudy.device.topology import ENTRY
from understudy.lang import phone_lm
from understudy.lang.phone_lm import PhoneLm
from understudy.lang.state_graph import StateGraph, expand
from understudy.lang.tree import Tree
from understudy.step import log


def denominator(
    alignments: Iterable[np.ndarray], tree: Tree, order: int = 4, extra_states: int = 500
) -> tuple[PhoneLm, StateGraph]:
    """Estimate the phone language model and expand it to the denominator graph.

    Args:
        alignments: senones (frames,) of each utterance.
        tree: the tree of these senones.
        order: order of the language model.
        extra_states: histories of more than two phones that it keeps, at most.

    Raises:
        UserError: there is no alignment.
    """
    states = tree.states()
    # The aligned phones, including silence: each entry senone begins a phone.
    said = ([phone for phone, of in (states[s] for s in senones.tolist()) if of == ENTRY] for senones in alignments)
    lm = phone_lm.estimate(said, order, extra_states)
    graph = expand(lm, tree)
    sizes = len(lm.log_probs), len(graph.entry), len(graph.sources)
    log.info("denominator: %d histories of phones, %d states, %d arcs", *sizes)
    return lm, graph
