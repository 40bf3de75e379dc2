"""Options of training, with cross-entropy and with sequence criteria, in one process and in several."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from jsonargparse.typing import PositiveInt

from understudy.data.channel import ChannelOptions
from understudy.data.spec_augment import SpecAugment
from understudy.data.vocal_tract import VocalTractOptions
from understudy.decode.options import Beams
from understudy.models.options import ModelOptions
from understudy.step import UserError, ranks
from understudy.train.schedule import Pass, passes


@dataclass
class HookOptions:
    """Compression of gradients."""

    threshold: float = 2.0
    """elements beyond this many root mean squares of their parameter's gradient are sent (threshold)"""
    matrix_rank: int = 2
    """rank of the matrices that approximate gradients (powersgd)"""
    exact_updates: int = 100
    """first updates, with whole gradients (powersgd), at least 2"""

    def __post_init__(self) -> None:
        """Raise UserError for values that make no sense."""
        if self.threshold <= 0 or self.matrix_rank < 1 or self.exact_updates < 2:
            raise UserError("train.parallel.hook: threshold above 0, matrix_rank from 1, exact_updates from 2")


@dataclass
class BmufOptions:
    """Block-wise model update filtering."""

    block: int = 16
    """updates of each rank between synchronisations"""
    momentum: float | None = None
    """η: block momentum; null: 1 − 1/ranks, as in the paper"""
    rate: float = 1.0
    """ζ: block learning rate"""
    nesterov: bool = True
    """ranks begin a block where the block momentum leads, not at the filtered model"""

    def __post_init__(self) -> None:
        """Raise UserError for values that make no sense."""
        if self.block < 1 or not 0 <= (self.momentum or 0) < 1:
            raise UserError("train.parallel.bmuf: block is at least 1, momentum at least 0 and less than 1")


@dataclass
class ParallelOptions:
    """Communication between the ranks of torchrun; a single rank sends nothing."""

    method: Literal["exact", "fp16", "powersgd", "threshold", "bmuf"] = "exact"
    """what is sent: at every update gradients, whole, in half precision, as matrices of low rank, or what exceeds a
    threshold; or weights, at the end of a block (bmuf)"""
    hook: HookOptions = field(default_factory=HookOptions)
    """compression of gradients"""
    bmuf: BmufOptions = field(default_factory=BmufOptions)
    """block-wise model update filtering"""


@dataclass
class TrainOptions:
    """How a model is trained."""

    learning_rate: float = 2e-3
    """peak of the schedule (AdamW)"""
    warm_up: float = 0.05
    """share of the updates in which the rate rises"""
    final_rate: float = 0.01
    """the rate at the end of its cosine decay, as a share of the peak"""
    weight_decay: float = 1e-2
    """weight decay of AdamW"""
    clip: float = 1.0
    """largest norm of the gradient"""
    max_frames: int = 2500
    """stacked frames in a batch, of all ranks together (bmuf: of each rank)"""
    accumulate: int = 1
    """batches in an update"""
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    """precision of the network's matrix products (torch.autocast); float16 needs a GPU. Weights and losses stay in
    float32"""
    parallel: ParallelOptions = field(default_factory=ParallelOptions)
    """communication between ranks"""
    chunk: int = 0
    """frames of the chunks for truncated back-propagation; 0: whole utterances"""
    context: int = 15
    """frames on either side of a chunk that the network reads without a loss, at most as far as it looks there (our
    choice: 0.45 s). 0: chunks have no context"""
    full_utterance_share: float = 0.3
    """share of the passes, at the end, that use whole utterances whatever the chunk"""
    whole_frames: int = 0
    """stacked frames in a batch in these passes; 0: max_frames. Batches of a few long utterances are slow"""
    ema_decay: float = 0.99
    """decay of the running average of the weights, which is the model that is kept"""
    soft_weight: float = 0.0
    """λ: weight of soft targets in labelled utterances that have them; the others count by their labels alone"""
    temperature: float = 1.0
    """temperature of soft targets"""
    residual: Literal["drop", "spread"] = "drop"
    """the teacher's mass outside its top k: dropped (the top k are renormalised), or spread evenly over the rest"""
    quantisation_aware: bool = False
    """train with weights and inputs of layers rounded to 8 bits, for a device that computes so"""
    augment: SpecAugment = field(default_factory=SpecAugment)
    """SpecAugment"""
    channel: ChannelOptions = field(default_factory=ChannelOptions)
    """augmentation by other microphones, lines and talkers"""
    vocal_tract: VocalTractOptions = field(default_factory=VocalTractOptions)
    """augmentation by other vocal-tract lengths"""
    validate_every: int = 1
    """labelled passes between evaluations on the dev set; passes of any kind where none is labelled"""
    checkpoint_seconds: float = 60.0
    """seconds between checkpoints"""
    keep: Literal["best", "last"] = "best"
    """which averaged weights: those of the best dev loss, or the last ones. Dev labels are one-hot, so that their loss
    favours the most confident weights, not those that recognise best: for distillation, keep the last"""
    patience: int = 0
    """stop after this many evaluations without a better dev loss; 0: never"""

    def __post_init__(self) -> None:
        """Raise UserError for values that make no sense."""
        may_be_0 = ("chunk", "context", "whole_frames", "patience", "weight_decay", "checkpoint_seconds")
        for names, told, fits in (
            (("max_frames", "accumulate", "validate_every"), "at least 1", lambda value: value >= 1),
            (may_be_0, "at least 0", lambda value: value >= 0),
            (("learning_rate", "clip", "temperature"), "more than 0", lambda value: value > 0),
            (
                ("warm_up", "final_rate", "full_utterance_share", "ema_decay", "soft_weight"),
                "from 0 to 1",
                lambda value: 0 <= value <= 1,
            ),
        ):
            for name in names:
                if not fits(value := getattr(self, name)):
                    raise UserError(f"--train.{name} {value}: it is {told}")


@dataclass
class SequenceOptions:
    """Criterion of sequence training."""

    acoustic_scale: float = 0.5
    """κ: weight of the pseudo log-likelihoods; the weight of graphs is 1"""
    prior_scale: float = 0.6
    """α: weight of log priors in the pseudo log-likelihoods"""
    cross_entropy: float = 0.1
    """weight of the cross-entropy on labels that is added against overfitting"""
    beams: Beams = field(default_factory=lambda: Beams(search=13.0, output=8.0))
    """beams of the lattices (smbr)"""


def depends(options: ParallelOptions) -> dict[str, Any]:
    """Return what else a model depends on: the number of ranks, unless it changes nothing but the order of sums."""
    return {} if options.method == "exact" else {"ranks": ranks.world_size()}


@dataclass
class TrainingOptions:
    """Training with labels and soft targets, stages 4, 7 and 8."""

    labelled: Path
    """cut manifest with features, or a stream (steps/make_shar.py)"""
    dev: Path
    """manifest for validation"""
    labels: Path
    """folder of senone labels (steps/make_tree.py or steps/realign.py)"""
    out: Path
    """folder of the model"""
    unlabelled: list[Path] | None = None
    """manifests to learn from with soft targets, or a stream that contains its targets"""
    targets: list[Path] | None = None
    """folders of soft targets of these manifests (and of the labelled one where train.soft_weight is above 0)"""
    true_labels: Path | None = None
    """instead of targets, senone labels of the unlabelled manifest: from another recogniser's transcripts
    (steps/pseudo_label.py), or from the true ones (steps/realign.py), the oracle, for comparison"""
    nonspeech: Path | None = None
    """manifest with features of sounds without words (steps/make_nonspeech.py), learnt as silence"""
    nonspeech_share: float = 0.1
    """share of the frames of every batch that are such sounds"""
    init: Path | None = None
    """model folder to start from"""
    transfer: Path | None = None
    """model folder of another corpus or tree whose layers are taken over; the output layer is new"""
    epochs: int = 20
    """passes over all speech"""
    sub_epochs: PositiveInt = 4
    """parts of the unlabelled speech, each followed by labelled speech"""
    labelled_passes: float = 1.0
    """passes over the labelled speech after each sub-epoch; 0.5: a half of it, the other half after the next"""
    labelled_tail: int = 0
    """labelled passes at the end"""
    k: int | None = None
    """use only so many of the targets' senones (1: the teacher's best one, a hard label)"""
    pool: PositiveInt = 8
    """shards of a stream that are in memory at a time, their cuts shuffled together"""
    model: ModelOptions = field(default_factory=ModelOptions)
    """architecture"""
    train: TrainOptions = field(default_factory=TrainOptions)
    """training"""
    seed: int = 1
    threads: PositiveInt = 2
    """each computes on its part of a batch, with one core (on a GPU, and at each of several ranks: one)"""

    def __post_init__(self) -> None:
        """Raise UserError for options that do not go together."""
        self._check()
        self.plan()

    def plan(self) -> list[Pass]:
        """Return the passes, see `schedule.passes`. Raises UserError for numbers that make no sense."""
        sub_epochs = self.sub_epochs if self.unlabelled else 0
        return passes(self.epochs, sub_epochs, self.labelled_tail, self.labelled_passes)

    def _check(self) -> None:
        """Raise UserError where the speech and its targets or labels do not go together."""
        if not 0 < self.nonspeech_share < 1:
            raise UserError(f"--nonspeech-share {self.nonspeech_share:g}: it is above 0 and below 1")
        if self.init and self.transfer:
            raise UserError("--init and --transfer: a model starts from one other; give one of them")
        if self.unlabelled and (streams := [path for path in self.unlabelled if path.is_dir()]):
            if len(self.unlabelled) > 1 or self.targets or self.true_labels:
                raise UserError(f"--unlabelled {streams[0]}: a stream has its targets with it, and stands alone")
            return
        taught = [bool(self.targets), bool(self.true_labels)]
        if bool(self.unlabelled) != any(taught) or all(taught):
            raise UserError("--unlabelled goes with --targets, or with --true-labels for the oracle")
        if self.true_labels and self.unlabelled and len(self.unlabelled) > 1:
            raise UserError(f"--true-labels {self.true_labels}: they are of one manifest, not of {self.unlabelled}")


@dataclass
class SequenceTrainingOptions:
    """Sequence training, stages 5 and 10."""

    model: Path
    """folder of a model trained with cross-entropy or from soft targets"""
    labelled: Path
    """cut manifest with features and transcripts"""
    dev: Path
    """cut manifest with features and transcripts, for validation"""
    labels: Path
    """folder of senone labels, of the tree that the model was trained on"""
    lang: Path
    """folder of stage 2"""
    out: Path
    """folder of the model"""
    criterion: Literal["mmi", "smbr"] = "mmi"
    """lattice-free MMI, or state-level minimum Bayes risk over lattices of --graph"""
    graph: Path | None = None
    """folder of the decoding graph (smbr)"""
    epochs: int = 4
    """passes over labelled speech"""
    lm_order: PositiveInt = 4
    """order of the phone language model (mmi)"""
    lm_extra_states: int = 500
    """histories of the phone language model that are longer than two phones (mmi)"""
    sequence: SequenceOptions = field(default_factory=SequenceOptions)
    """the criterion"""
    train: TrainOptions = field(default_factory=lambda: TrainOptions(learning_rate=5e-4))
    """training; always whole utterances"""
    seed: int = 1
    threads: PositiveInt = 2
    """each computes on its part of a batch, with one core (on a GPU, and at each of several ranks: one)"""

    def __post_init__(self) -> None:
        """Raise UserError for options that a sequence criterion cannot use, and for those that are missing."""
        if self.train.chunk:
            raise UserError("--train.chunk: sequence criteria need whole utterances; leave it 0")
        if self.train.soft_weight:
            raise UserError("--train.soft_weight: sequence criteria take no soft targets; leave it 0")
        if self.criterion == "smbr" and self.graph is None:
            raise UserError("--criterion smbr searches lattices: give --graph, the folder of steps/make_graph.py")
