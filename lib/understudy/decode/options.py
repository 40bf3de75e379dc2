"""Options of a search (its engine and beams), and of the steps that search or use the results of a search."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from jsonargparse.typing import PositiveInt

from understudy.corpus.names import check_names
from understudy.device.endpointing import EndpointOptions
from understudy.parallel.options import ClusterOptions
from understudy.score.normalise import Way

Engine = Literal["k2", "numpy"]
"""The search engine: k2, or our own token passing with numpy"""


def default_engine() -> Engine:
    """Return "k2" where it is installed, else "numpy"."""
    return "k2" if find_spec("k2") else "numpy"


@dataclass(frozen=True)
class Beams:
    """Beams of the search (nats, after acoustic scaling)."""

    search: float = 15.0
    """beam of the search"""
    output: float = 6.0
    """beam of the lattice"""
    min_active: int = 30
    """active states per frame, at least"""
    max_active: int = 5000
    """active states per frame, at most"""

    def wider(self) -> Beams:
        """Return beams twice as wide, with twice the most active states."""
        return replace(self, search=2 * self.search, output=2 * self.output, max_active=2 * self.max_active)


@dataclass
class DecodeOptions:
    """Stage 11: decode and score."""

    model: Path
    """folder of the acoustic model"""
    graph: Path
    """folder of the decoding graph (steps/make_graph.py)"""
    dev: Path
    """manifest with features: the scales are tuned on it"""
    test: list[Path]
    """manifests with features: decoded once, with the tuned scales"""
    out: Path
    """folder of hypotheses and scores"""
    system: str
    """name of the system in the results"""
    recipe: str = "s1"
    """name of the recipe in the results"""
    results: Path = Path("exp/results.jsonl")
    """the results file, one line for each system and test set"""
    acoustic_scales: list[float] = field(default_factory=lambda: [0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.7])
    """acoustic scales to try on the development set, rising"""
    prior_scales: list[float] = field(default_factory=lambda: [0.4, 0.6, 0.8])
    """prior scales to try on the development set, rising"""
    word_penalties: list[float] = field(default_factory=lambda: [0.0])
    """costs of a word, nats, to try on the development set, rising: above 0 against insertions"""
    beams: Beams = field(default_factory=Beams)
    """how far the search looks"""
    search: Engine = field(default_factory=default_engine)
    """what searches: k2, the default where it is installed, or numpy, which needs no k2"""
    lattices: bool = False
    """keep word lattices of dev and test sets for steps/rescore.py, and report their oracle WER, without --normalise"""
    normalise: list[Way] = field(default_factory=list)
    """ways to make both texts alike before they are compared: case, hyphens, punctuation, fillers"""
    jobs: PositiveInt = 2
    """processes"""
    cluster: ClusterOptions = field(default_factory=ClusterOptions)
    """where the processes run"""

    def __post_init__(self) -> None:
        """Raise UserError where two sets have one name."""
        check_names(self.test, ("dev",))


@dataclass
class RejectOptions:
    """Rejection: which utterances' words are withheld."""

    below: float | Literal["chosen", "none"] = "chosen"
    """least confidence: a number, chosen on --dev, or none"""
    loss: float = 0.01
    """share of the errors on dev by which their number may grow"""
    share: float = 0.05
    """largest share of dev's utterances that may be rejected: rejecting wrong words costs no errors"""
    utterances: PositiveInt = 500
    """utterances of dev to use, at most, drawn from all of them"""


@dataclass
class PackOptions:
    """Packing of a recogniser."""

    model: Path
    """folder of the acoustic model"""
    graph: Path
    """folder of the decoding graph (steps/make_graph.py)"""
    tree: Path
    """the phonetic decision tree: tree.json, or the folder that holds it"""
    decoded: Path
    """folder of steps/decode.py: the scales that it tuned, and its rates if it decoded this model"""
    normaliser: Path
    """normaliser.json of the features that the model was trained on"""
    out: Path
    """folder of the recogniser"""
    test: str = "test"
    """the decoded test set whose error rates are packed too"""
    beams: Beams = field(default_factory=Beams)
    """beams of its search"""
    search: Engine = field(default_factory=default_engine)
    """search engine for choosing the least confidence: k2, the default where it is installed, or numpy"""
    dev: Path | None = None
    """manifest with features: the least confidence with which words are output is chosen on it"""
    nonspeech: Path | None = None
    """manifest with features of sounds without words: how many words are found there, and output, is reported"""
    reject: RejectOptions = field(default_factory=RejectOptions)
    """rejection of words below the least confidence"""
    g2p: bool = True
    """learn grapheme-to-phoneme conversion from the lexicon, for words that users add without phones: it takes a second
    for a thousand words, a minute for 40 000"""


@dataclass
class NbestOptions:
    """N-best lists, after stage 11."""

    decoded: Path
    """folder of one set's decoding, with lattices.safetensors (steps/decode.py --lattices true)"""
    lang: Path
    """folder of stage 2"""
    cuts: Path
    """manifest of the set"""
    out: Path
    """folder of nbest.jsonl and oracle.json"""
    n: PositiveInt = 100
    """word sequences in each utterance's list, at most"""


@dataclass
class RescoreOptions:
    """Rescoring with another language model, after stage 11."""

    decoded: Path
    """folder of steps/decode.py, run with --lattices true"""
    lang: Path
    """folder of stage 2 that the graph was made of: its lm.arpa is the model to be replaced"""
    arpa: Path
    """the other language model, an ARPA file, gzipped or not"""
    dev: Path
    """manifest of the dev lattices"""
    test: list[Path]
    """manifests of the test lattices"""
    out: Path
    """folder of hypotheses and scores"""
    system: str
    """name of the decoded system in the results; the rescored one is <system>-rescored"""
    results: Path = Path("exp/results.jsonl")
    """the results file"""
    weights: list[float] = field(default_factory=lambda: [0.25, 0.5, 0.75, 1.0])
    """weights of the other model to try on dev, besides 0, which changes nothing"""
    nbest: int = 0
    """rescore an n-best list of this length from each lattice; 0: the whole lattice"""
    normalise: list[Way] = field(default_factory=list)
    """ways to make both texts alike before they are compared; take those of the decoding"""


@dataclass
class TranscribeOptions:
    """Transcription of files."""

    recogniser: Path
    """folder of steps/pack.py"""
    audio: list[Path] = field(default_factory=list)
    """files, and folders of files"""
    format: Literal["text", "ctm", "json"] = "text"
    """a line of text for each file; a line for each word; an object for each file on a line of its own"""
    out: Path | None = None
    """file to write, instead of standard output"""
    search: Engine = field(default_factory=default_engine)
    """what searches: k2, the default where it is installed, or numpy, which needs no k2"""
    channel: int | None = None
    """the channel to take from files with several"""
    longest: float = 30.0
    """seconds that are searched at once: longer files are cut in quiet places"""
    grammar: Path | None = None
    """a file of sentences, one a line, with [what may be left out] and (one | or another): only these are recognised"""
    words: Path | None = None
    """a file of words to add, one a line, with their phones if these are known, and weight=2 if one is likelier"""


@dataclass
class ListenOptions:
    """Online recognition."""

    recogniser: Path
    """folder of steps/pack.py"""
    audio: list[Path] = field(default_factory=list)
    """files and folders of files, or - for standard input"""
    format: Literal["text", "json"] = "text"
    """a line for each utterance, with the words so far on a terminal only; or a JSON object for each event"""
    patience: EndpointOptions = field(default_factory=EndpointOptions)
    """how an utterance ends"""
    search: Engine = field(default_factory=default_engine)
    """what searches: k2, the default where it is installed, or numpy, which needs no k2"""
    channel: int | None = None
    """the channel to take from audio with several"""
    grammar: Path | None = None
    """a file of sentences, one a line, with [what may be left out] and (one | or another): only these are recognised"""
    words: Path | None = None
    """a file of words to add, one a line, with their phones if these are known, and weight=2 if one is likelier"""
