"""What the experiments on a corpus are: a recipe's conf/table.yaml, which the command line changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from understudy.step.errors import UserError

BLOCKS = ("A", "B", "C", "stepwise", "rivals", "sequence", "smaller", "encoder", "device")
"""Parts of the table"""


@dataclass
class Condition:
    """An amount of labelled speech, and what is learnt from it."""

    hours: float | None
    """transcribed speech; null: the corpus has not as much"""
    senones: int
    """most leaves of the tree"""
    teacher_epochs: int
    """passes of the teacher over it"""
    first_epochs: dict[str, int]
    """passes of a student before it is distilled, by its size"""
    alone_epochs: dict[str, int]
    """passes of one that is not distilled"""
    distil_epochs: int
    """passes over all unlabelled speech; more over a part of it"""
    labelled_passes: float
    """over the labelled speech, behind each part of such a pass"""
    realigned_epochs: int = 0
    """more passes of the teacher on its own alignment"""
    encoder_epochs: int = 20
    """passes of a teacher that hears through a foreign encoder"""
    max_frames: int | None = None
    """stacked frames of a batch of labelled speech, where more of it lets them be larger"""


@dataclass(kw_only=True)
class Experiments:
    """The experiments on one corpus."""

    recipe: str
    """its name, in results"""
    n: Condition
    """little labelled speech"""
    seven: Condition
    """seven times as much: 7n"""
    unlabelled_hours: float
    """speech without transcripts"""
    subset_by: str
    """what n and 7n are drawn by: utterance, or speaker"""
    labels: Literal["tree", "ali"]
    """what networks learn: the flat start's alignment (tree), or that of a first teacher (ali)"""
    scales: str
    """acoustic scales that are tried on dev"""
    prior_scales: str
    """likewise"""
    tests: list[str] = field(default_factory=lambda: ["test"])
    """sets that results are given for; the table is of the first"""
    prepare: dict[str, Any] = field(default_factory=dict)
    """options of the recipe's local/prepare.py. In this one and those that follow, {seven_hours}, {unlabelled_hours},
    {data} and {jobs} stand for what is said here; null: the option is not given"""
    features: dict[str, Any] = field(default_factory=dict)
    """options of steps/make_features.py"""
    lang: dict[str, Any] = field(default_factory=dict)
    """options of steps/make_lang.py"""
    lang_knows: Literal["labelled", "n"] = "labelled"
    """the sentences that the language model is made of: all labelled ones, or those of n alone"""
    mono: dict[str, Any] = field(default_factory=dict)
    """options of steps/align_mono.py"""
    tree: dict[str, Any] = field(default_factory=dict)
    """options of steps/make_tree.py"""
    graph: dict[str, Any] = field(default_factory=dict)
    """options of steps/make_graph.py"""
    decode: dict[str, Any] = field(default_factory=dict)
    """further options of steps/decode.py"""
    encoder: dict[str, Any] = field(default_factory=dict)
    """of the block of that name, or of a teacher that hears so, the --encoder options of
    steps/make_encoder_features.py: model, layer, pad, …"""
    teacher_hears: Literal["features", "encoder"] = "features"
    """what the teacher hears: the log-mels of the students, or what the encoder of --encoder.model makes of speech"""
    teacher_conf: str = "teacher"
    """conf/<it>.yaml: the teacher"""
    teacher: dict[str, Any] = field(default_factory=dict)
    """options of the teacher's training besides that"""
    realigned: dict[str, Any] = field(default_factory=dict)
    """further ones of the teacher that learns on its own alignment"""
    student: dict[str, Any] = field(default_factory=dict)
    """options of the trainings of all students, distilled or not, besides conf/<size>.yaml"""
    distilling: str = "distil"
    """conf/<it>.yaml: what students do otherwise when they learn from a teacher"""
    soft_weight: float = 0.0
    """share of the teacher's soft targets in labelled speech while a student is distilled; 0: labels alone"""
    taught_by: Literal["teacher", "teacher-mmi"] = "teacher"
    """what writes the targets: the teacher, or that after sequence training"""
    parts: list[int] = field(default_factory=lambda: [8, 4, 2, 1])
    """the learning curves see an eighth of the unlabelled speech, a fourth, …"""
    sizes: list[str] = field(default_factory=lambda: ["student", "medium", "large"])
    """students, small to large: conf/<size>.yaml"""
    seeds: list[int] = field(default_factory=lambda: [1, 2, 3])
    """of the small student"""
    teachers: list[int] = field(default_factory=lambda: [1])
    """seeds of the teachers, several of which make an ensemble; all else is trained once"""
    blocks: list[str] = field(default_factory=lambda: [block for block in BLOCKS if block != "encoder"])
    """of the table: A B C stepwise rivals sequence smaller encoder device; A too, unless it is B alone"""
    rivals_at: Literal["n", "7n"] = "n"
    """the labelled speech of the teacher whose rivals are tried"""
    sub_epochs: int = 4
    """parts of a pass over the unlabelled speech, each followed by labelled speech"""
    sequence_epochs: int = 2
    """passes of sequence training"""
    projection: int = 42
    """of the large student that is as small as the small one"""
    beam: float = 12
    """of the search, nats"""
    seed: int = 1
    """of the corpus, or of its split"""
    data: Path = Path("data-table")
    """folder of the corpus and the features"""
    dir: Path = Path("exp-table")
    """folder of all that is made of them"""
    jobs: int = 1
    """at a time, each on one core"""

    def __post_init__(self) -> None:
        """Raise UserError for blocks that are none, or make no sense without another."""
        for block in self.blocks:
            if block not in BLOCKS:
                raise UserError(f"--blocks: no block is called {block}; there are {' '.join(BLOCKS)}.")
        if self.wants("B") and self.seven.hours is None:
            raise UserError("--blocks: this corpus has too little speech for block B. Leave it out.")
        if self.seven_rivals and not self.wants("B"):
            raise UserError("--blocks: the rivals are here about the teacher of B; add it.")
        if not self.wants("C") and any(map(self.wants, ("stepwise", "smaller", "device"))):
            raise UserError("--blocks: stepwise, smaller and device are about the students of C; add it.")
        self._check_encoder()
        self._check_epochs()

    def _check_encoder(self) -> None:
        """Raise UserError for a foreign encoder that is wanted and not named, or wanted twice."""
        if self.wants("encoder") and self.teacher_hears == "encoder":
            raise UserError(
                "--blocks: the block encoder compares a teacher of the recipe's own with one that hears through an "
                "encoder; with --teacher-hears encoder there is only the latter. Leave one of the two out."
            )
        if self.encoder_is_heard and not self.encoder.get("model"):
            wanted = "--blocks: the block encoder" if self.wants("encoder") else "--teacher-hears: the teacher"
            raise UserError(f"{wanted} needs a model to hear with. Give --encoder.model.")

    def _check_epochs(self) -> None:
        """Raise UserError where it is not said how long a student learns that is wanted."""
        n, seven = (self.sizes if self.wants("C") else self.sizes[:1]), [self.small, self.large]
        wanted = {"n.first_epochs": n, "n.alone_epochs": n} if self.at_n else {}
        if self.wants("B"):
            wanted |= {"seven.first_epochs": seven, "seven.alone_epochs": seven[:1]}
        for name, sizes in wanted.items():
            condition, epochs = name.split(".")
            told = getattr(getattr(self, condition), epochs)
            if missing := [size for size in sizes if size not in told]:
                found = ", ".join(told) or "none"
                raise UserError(f"--{name}: must have the passes of {missing[0]}, and has those of {found}. Add them.")

    def wants(self, block: str) -> bool:
        """Whether it is a part of the table."""
        return block in self.blocks

    @property
    def encoder_is_heard(self) -> bool:
        """Whether features of a foreign encoder are wanted."""
        return self.wants("encoder") or self.teacher_hears == "encoder"

    @property
    def at_n(self) -> bool:
        """Whether there is anything to want of n hours; only block B is about 7n alone."""
        return self.blocks != ["B"]

    @property
    def conditions(self) -> tuple[str, ...]:
        """Amounts of labelled speech."""
        return ("n", "7n") if self.wants("B") else ("n",)

    @property
    def taught_by_encoder(self) -> list[str]:
        """Students of the teacher that hears through a foreign encoder, small to large."""
        return list(dict.fromkeys([self.small, self.large]))

    @property
    def seven_rivals(self) -> bool:
        """Whether rivals are wanted at 7n, which takes an oracle there: how much of its gain each recovers."""
        return self.wants("rivals") and self.rivals_at == "7n"

    @property
    def heard(self) -> str:
        """The name of what writes the targets."""
        return self.taught_by if len(self.teachers) == 1 else "teachers"

    @property
    def small(self) -> str:
        """The smallest student."""
        return self.sizes[0]

    @property
    def large(self) -> str:
        """The largest."""
        return self.sizes[-1]

    @property
    def narrowed(self) -> list[str]:
        """Students with as many parameters as the small one, made of the large one; and the small one, learning on."""
        return [f"{self.large}-{self.part_hours(1)}-{kind}" for kind in ("factorised", "projected")] + [
            f"{self.small}-{self.part_hours(1)}-{kind}" for kind in ("longer", "rounded")
        ]

    def part_hours(self, part: int) -> str:
        """Hours of unlabelled speech as systems are called by them, of one part in so many."""
        return f"{self.unlabelled_hours / part:g}h"

    def condition(self, name: str) -> Condition:
        """Of n or 7n."""
        return self.n if name == "n" else self.seven
