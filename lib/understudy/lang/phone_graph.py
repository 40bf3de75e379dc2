"""The phones of one transcript as a graph: alternatives of each word, optional silence between words."""

from __future__ import annotations


def phone_graph(
    pronunciations: list[list[list[int]]], silence: int
) -> tuple[list[int], list[set[int]], set[int], set[int]]:
    """Make the phone graph of a transcript: alternatives of each word, optional silence between words and at the edges.

    Args:
        pronunciations: phone ids of each pronunciation of each word.
        silence: phone id of silence.

    Returns:
        The phone of each node, the predecessors of each node, the start nodes, and the end nodes.
    """
    phones: list[int] = []
    before: list[set[int]] = []
    frontier: set[int] = set()  # nodes after which the next word may start
    open_start = True  # whether the next node may be the first

    def add(phone: int, preceding: set[int]) -> int:
        phones.append(phone)
        before.append(set(preceding))
        return len(phones) - 1

    starts: set[int] = set()

    def silence_after(nodes: set[int], start: bool) -> set[int]:
        node = add(silence, nodes)
        if start:
            starts.add(node)
        return nodes | {node}

    frontier = silence_after(frontier, open_start)
    for variants in pronunciations:
        ends = set()
        for variant in variants:
            node = add(variant[0], frontier)
            if open_start:
                starts.add(node)
            for phone in variant[1:]:
                node = add(phone, {node})
            ends.add(node)
        open_start = False
        frontier = silence_after(ends, False)
    return phones, before, starts, frontier


def word_of_node(pronunciations: list[list[list[int]]]) -> list[int]:
    """Return the number of the word that each node of `phone_graph` belongs to; -1: silence."""
    words = [-1]
    for number, variants in enumerate(pronunciations):
        words += [number] * sum(map(len, variants)) + [-1]
    return words
