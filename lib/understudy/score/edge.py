"""A check whether the best scales on dev lie at the edge of the grid, so that values beyond it should be tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from understudy.score import utterances
from understudy.score.outcome import Outcome
from understudy.score.paired import difference

Grid = Mapping[tuple[float, ...], Sequence[Outcome]]
"""The outcomes on dev with each choice of scales, the same utterances in the same order"""


def edges(names: Sequence[str], best: tuple[float, ...], grid: Grid) -> list[tuple[bool, str]]:
    """Return, for each scale whose best value is at the grid's edge, whether this matters, and a sentence.

    It matters if the next value, with all other scales the same, makes significantly more errors (over speakers, see
    `difference`); where the two are nearly tied, a search beyond the edge promises nothing.

    Args:
        names: names of the scales, in the order of the choices.
        best: the choice with the fewest errors.
        grid: all choices.
    """
    found = []
    for place, (name, chosen) in enumerate(zip(names, best, strict=True)):
        tried = sorted({choice[place] for choice in grid})
        if len(tried) < 2 or chosen not in (tried[0], tried[-1]):
            continue
        beside = tried[1] if chosen == tried[0] else tried[-2]
        other = (*best[:place], beside, *best[place + 1 :])
        found.append(_sentence(name, chosen, beside, grid[best], grid[other]))
    return found


def _sentence(
    name: str, chosen: float, beside: float, best: Sequence[Outcome], other: Sequence[Outcome]
) -> tuple[bool, str]:
    last = f"the best {name}, {chosen:g}, is the last that was tried"
    words, speakers = [len(one.reference) for one in best], [one.speaker for one in best]
    try:
        more = difference(words, [_errors(one) for one in best], [_errors(one) for one in other], speakers)
    except ValueError:  # too little data for an interval
        return True, f"{last}: try beyond it"
    if more.wer == more.low == more.high == 0:
        return False, f"{last}, but {beside:g} does as well: a search beyond it promises little"
    apart = f"with {beside:g} the WER is {more.wer:.2f} % higher [{more.low:.2f}, {more.high:.2f}]"
    if more.low > 0:
        return True, f"{last}, and {apart}: try beyond it"
    return False, f"{last}, but {apart}, which chance explains: a search beyond it promises little"


def _errors(one: Outcome) -> int:
    return utterances.score(one.id, one.speaker, one.reference, one.words).errors
