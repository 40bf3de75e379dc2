"""Description of the experiments on a corpus: a recipe's conf/table.yaml, which the command line can override."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from understudy.step.errors import UserError

BLOCKS = ("A", "B", "C", "stepwise", "rivals", "sequence", "smaller", "encoder", "device")
"""Blocks of the table"""


@dataclass
class Condition:
    """An amount of labelled speech, and the trainings on it."""

    hours: float | None
    """hours of transcribed speech; null: the corpus has less"""
    senones: int
    """leaves of the tree, at most"""
    teacher_epochs: int
    """passes of the teacher over the labelled speech"""
    first_epochs: dict[str, int]
    """passes of a student over the labelled speech before it is distilled, by its size"""
    alone_epochs: dict[str, int]
    """passes of a student that is not distilled, by its size"""
    distil_epochs: int
    """passes of distillation over all unlabelled speech; over a part of it, proportionally more"""
    labelled_passes: float
    """passes over the labelled speech after each sub-epoch of such a pass"""
    realigned_epochs: int = 0
    """further passes of the teacher on its own alignment"""
    encoder_epochs: int = 20
    """passes of a teacher on features of a foreign encoder"""
    max_frames: int | None = None
    """stacked frames in a batch of labelled speech, if larger batches suit this amount; null: the configuration's"""


@dataclass(kw_only=True)
class Experiments:
    """The experiments on one corpus."""

    recipe: str
    """name of the recipe in the results"""
    n: Condition
    """condition n: little labelled speech"""
    seven: Condition
    """condition 7n: seven times as much"""
    unlabelled_hours: float
    """hours of speech without transcripts"""
    subset_by: str
    """unit by which n and 7n are drawn: utterance, or speaker"""
    labels: Literal["tree", "ali"]
    """alignment that networks are trained on: that of the flat start (tree), or that of a first teacher (ali)"""
    scales: str
    """acoustic scales that are tried on dev"""
    prior_scales: str
    """prior scales that are tried on dev"""
    tests: list[str] = field(default_factory=lambda: ["test"])
    """test sets to decode; the table shows the first"""
    prepare: dict[str, Any] = field(default_factory=dict)
    """options of the recipe's local/prepare.py. In these options and those of the steps that follow, {seven_hours},
    {unlabelled_hours}, {data} and {jobs} stand for the values of this description; null: the option is not given"""
    features: dict[str, Any] = field(default_factory=dict)
    """options of steps/make_features.py"""
    lang: dict[str, Any] = field(default_factory=dict)
    """options of steps/make_lang.py"""
    lang_knows: Literal["labelled", "n"] = "labelled"
    """transcripts that the language model is estimated on: all labelled ones, or those of n alone"""
    mono: dict[str, Any] = field(default_factory=dict)
    """options of steps/align_mono.py"""
    tree: dict[str, Any] = field(default_factory=dict)
    """options of steps/make_tree.py"""
    graph: dict[str, Any] = field(default_factory=dict)
    """options of steps/make_graph.py"""
    decode: dict[str, Any] = field(default_factory=dict)
    """further options of steps/decode.py"""
    encoder: dict[str, Any] = field(default_factory=dict)
    """the --encoder options of steps/make_encoder_features.py (model, layer, pad, …), for the block encoder or with
    teacher_hears encoder"""
    teacher_hears: Literal["features", "encoder"] = "features"
    """the teacher's input: the students' log-mels, or features of the encoder of --encoder.model"""
    teacher_conf: str = "teacher"
    """name of the teacher's configuration, conf/<name>.yaml"""
    teacher: dict[str, Any] = field(default_factory=dict)
    """options of the teacher's training besides that configuration"""
    realigned: dict[str, Any] = field(default_factory=dict)
    """further options of the teacher's training on its own alignment"""
    student: dict[str, Any] = field(default_factory=dict)
    """options of the trainings of all students, distilled or not, besides conf/<size>.yaml"""
    distilling: str = "distil"
    """name of the configuration, conf/<name>.yaml, with settings for distillation"""
    soft_weight: float = 0.0
    """weight of soft targets on labelled speech in distillation; 0: labels alone"""
    taught_by: Literal["teacher", "teacher-mmi"] = "teacher"
    """model that writes the targets: the teacher before or after sequence training"""
    parts: list[int] = field(default_factory=lambda: [8, 4, 2, 1])
    """points of the learning curves: an eighth of the unlabelled speech, a fourth, …"""
    sizes: list[str] = field(default_factory=lambda: ["student", "medium", "large"])
    """students, small to large: conf/<size>.yaml"""
    seeds: list[int] = field(default_factory=lambda: [1, 2, 3])
    """seeds of the small student"""
    teachers: list[int] = field(default_factory=lambda: [1])
    """seeds of the teachers, several of which make an ensemble; all else is trained once"""
    blocks: list[str] = field(default_factory=lambda: [block for block in BLOCKS if block != "encoder"])
    """blocks of the table: A B C stepwise rivals sequence smaller encoder device; A is always there, but for B alone"""
    rivals_at: Literal["n", "7n"] = "n"
    """condition of the teacher in the block rivals"""
    sub_epochs: int = 4
    """parts of a pass over the unlabelled speech, each followed by labelled speech"""
    sequence_epochs: int = 2
    """passes of sequence training"""
    projection: int = 42
    """projection that makes the large student as small as the small one"""
    beam: float = 12
    """beam of the search, nats"""
    seed: int = 1
    """seed of the corpus, or of its split"""
    data: Path = Path("data-table")
    """folder of the corpus and the features"""
    dir: Path = Path("exp-table")
    """folder of models, targets and results"""
    jobs: int = 1
    """jobs at a time, each on one core"""

    def __post_init__(self) -> None:
        """Raise UserError for unknown blocks, and for blocks that make no sense without another."""
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
        """Raise UserError where a foreign encoder is needed and not named, or asked for in two ways."""
        if self.wants("encoder") and self.teacher_hears == "encoder":
            raise UserError(
                "--blocks: the block encoder compares a teacher of the recipe's own with one that hears through an "
                "encoder; with --teacher-hears encoder there is only the latter. Leave one of the two out."
            )
        if self.encoder_is_heard and not self.encoder.get("model"):
            wanted = "--blocks: the block encoder" if self.wants("encoder") else "--teacher-hears: the teacher"
            raise UserError(f"{wanted} needs a model to hear with. Give --encoder.model.")

    def _check_epochs(self) -> None:
        """Raise UserError where the number of passes of a wanted student is missing."""
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
        """Whether a block is a part of the table."""
        return block in self.blocks

    @property
    def encoder_is_heard(self) -> bool:
        """Whether features of a foreign encoder are needed."""
        return self.wants("encoder") or self.teacher_hears == "encoder"

    @property
    def at_n(self) -> bool:
        """Whether condition n is needed: always, except for block B alone, which is at 7n."""
        return self.blocks != ["B"]

    @property
    def conditions(self) -> tuple[str, ...]:
        """Conditions that are wanted."""
        return ("n", "7n") if self.wants("B") else ("n",)

    @property
    def taught_by_encoder(self) -> list[str]:
        """Sizes of the students of the teacher on a foreign encoder's features, small to large."""
        return list(dict.fromkeys([self.small, self.large]))

    @property
    def seven_rivals(self) -> bool:
        """Whether the block rivals is wanted at 7n, which needs an oracle there, whose gain each partly recovers."""
        return self.wants("rivals") and self.rivals_at == "7n"

    @property
    def heard(self) -> str:
        """Name of the model that writes the targets."""
        return self.taught_by if len(self.teachers) == 1 else "teachers"

    @property
    def small(self) -> str:
        """Size of the smallest student."""
        return self.sizes[0]

    @property
    def large(self) -> str:
        """Size of the largest student."""
        return self.sizes[-1]

    @property
    def narrowed(self) -> list[str]:
        """Names of the students of the block smaller: of the large one with few parameters, and of the small one."""
        return [f"{self.large}-{self.part_hours(1)}-{kind}" for kind in ("factorised", "projected")] + [
            f"{self.small}-{self.part_hours(1)}-{kind}" for kind in ("longer", "rounded")
        ]

    def part_hours(self, part: int) -> str:
        """Return the hours of one part in so many of the unlabelled speech, as in names of systems."""
        return f"{self.unlabelled_hours / part:g}h"

    def condition(self, name: str) -> Condition:
        """Return the condition n or 7n by its name."""
        return self.n if name == "n" else self.seven
