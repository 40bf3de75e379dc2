"""The experiments as jobs: commands of steps, each with the jobs that it needs.

Experiments share jobs: the features and, for each amount of labelled speech (n and 7n), its alignment, tree, teacher
and targets.
"""

from __future__ import annotations

from typing import Any

from understudy.experiments.options import Experiments
from understudy.experiments.plan import Plan, seeded
from understudy.parallel.job_graph import Job

_SETS = ("dev", "labelled", "unlabelled")


def jobs_of(described: Experiments) -> list[Job]:
    """Return all jobs of the wanted blocks, those of the first seed before those of the next."""
    plan = Plan(described)
    _corpus(plan)
    for c in described.conditions:
        _labelled_speech(plan, c)  # n in any case: the language model may need its transcripts
        if c == "7n" or described.at_n:
            _foundation(plan, c)
    for seed in described.seeds:
        _small_students(plan, seed)
        if seed == 1:
            _trained_once(plan)
    return plan.jobs


def _corpus(plan: Plan) -> None:
    """Add the corpus, its features, a language model, and parts of the unlabelled speech."""
    x, data = plan.x, plan.data
    plan.add("corpus", "", "local/prepare.py", out=f"{data}/corpus", **plan.given(x.prepare), seed=x.seed)
    sets = ",".join(f"{data}/corpus/{name}.jsonl.gz" for name in sorted((*_SETS, *x.tests)))
    plan.add("features", "corpus", "steps/make_features.py", out=f"{data}/feats", jobs=x.jobs, cuts=f"[{sets}]",
             **plan.given(x.features))  # fmt: skip
    if x.encoder_is_heard:
        plan.add("encoder-features", "corpus", "steps/make_encoder_features.py", cuts=f"[{sets}]", jobs=x.jobs,
                 **{f"encoder.{name}": value for name, value in plan.given(x.encoder).items()},
                 **{name: value for name, value in plan.given(x.features).items() if name in ("speeds", "perturb")},
                 out=plan.encoded)  # fmt: skip
    cuts, needs = (plan.feats("labelled"), "features")
    if x.lang_knows == "n":
        cuts, needs = plan.labelled("n"), "corpus n/labelled"
    plan.add("lang", needs, "steps/make_lang.py", lexicon=f"{data}/corpus/lexicon.txt", cuts=cuts, order=3,
             **plan.given(x.lang), out=f"{plan.dir}/lang")  # fmt: skip
    for part in x.parts if x.wants("C") else []:
        if part != 1:
            hours = f"{0.999 * x.unlabelled_hours / part:.4f}"
            plan.add(f"part-{part}", "features", "steps/subset.py", cuts=plan.feats("unlabelled"), hours=hours,
                     out=f"{data}/part-{part}")  # fmt: skip


def _labelled_speech(plan: Plan, c: str) -> None:
    same = {"hours": f"{plan.x.condition(c).hours:g}", "by": plan.x.subset_by}  # so the same utterances
    plan.add(f"{c}/labelled", "features", "steps/subset.py", cuts=plan.feats("labelled"), **same,
             out=f"{plan.data}/{c}")  # fmt: skip
    if plan.x.encoder_is_heard and c in plan.x.conditions:
        plan.add(f"{c}/encoder-labelled", "encoder-features", "steps/subset.py",
                 cuts=plan.feats("labelled", plan.encoded), **same, out=f"{plan.data}/{c}-encoder")  # fmt: skip


def _foundation(plan: Plan, c: str) -> None:
    """Add alignment, tree, graph, teachers and soft targets of a condition's labelled speech."""
    x, at, lang = plan.x, f"{plan.dir}/{c}", f"{plan.dir}/lang"
    feats = f"[{plan.labelled(c)},{plan.feats('dev')}]"
    plan.add(f"{c}/mono", f"lang {c}/labelled", "steps/align_mono.py", feats=feats, lang=lang, **plan.given(x.mono),
             threads=1, jobs=1, out=f"{at}/mono")  # fmt: skip
    plan.add(f"{c}/tree", f"{c}/mono", "steps/make_tree.py", ali=f"{at}/mono", feats=feats, lang=lang,
             senones=x.condition(c).senones, **plan.given(x.tree), out=f"{at}/tree")  # fmt: skip
    plan.add(f"{c}/graph", f"{c}/tree", "steps/make_graph.py", lang=lang, tree=f"{at}/tree", **plan.given(x.graph),
             out=f"{at}/graph")  # fmt: skip
    for seed in x.teachers:
        _teacher(plan, c, seed)
    if x.heard == "teachers":
        members = [seeded(f"{c}/{x.taught_by}", seed) for seed in x.teachers]
        models = ",".join(f"{plan.dir}/{one}" for one in members)
        plan.add(f"{c}/teachers", " ".join(members), "steps/combine.py", models=f"[{models}]", out=f"{at}/teachers")
        plan.decode(c, "teachers", f"{c}/teachers", plan.ears)
    plan.targets(c, "targets", x.heard, f"{c}/{x.heard}", plan.ears)


def _teacher(plan: Plan, c: str, seed: int) -> None:
    """Add a teacher of a condition's labelled speech; the first of several realigns the speech for all."""
    x, of, at, ears = plan.x, plan.x.condition(c), f"{plan.dir}/{c}", plan.ears
    own: dict[str, Any] = {
        "config": f"conf/{x.teacher_conf}.yaml",
        **plan.given(x.teacher),
        **plan.batches(c),
        "heard": ears,
    }
    tree = f"{c}/tree {c}/encoder-labelled" if ears else f"{c}/tree"
    if x.labels == "ali":
        first = seeded(f"{c}/teacher-first", seed)
        flat_start: dict[str, Any] = {"labels": f"{at}/tree", "epochs": of.teacher_epochs}
        plan.train(c, first, tree, seed=seed, **own, **flat_start)
        if seed == x.teachers[0]:
            plan.add(f"{c}/ali", first, "steps/realign.py", model=f"{plan.dir}/{first}", tree=f"{at}/tree",
                     feats=f"[{plan.labelled(c, ears)},{plan.feats('dev', ears)}]", lang=f"{plan.dir}/lang", jobs=1,
                     out=f"{at}/ali")  # fmt: skip
        plan.model(c, "teacher", f"{first} {c}/ali", "conf/realigned.yaml", seed=seed, **own,
                   init=f"{plan.dir}/{first}", epochs=of.realigned_epochs, **plan.given(x.realigned))  # fmt: skip
    else:
        plan.model(c, "teacher", tree, seed=seed, **own, epochs=of.teacher_epochs)
    if x.taught_by != "teacher":
        _teacher_in_sequence(plan, c, seed)


def _teacher_in_sequence(plan: Plan, c: str, seed: int = 1) -> None:
    """Add the teacher after sequence training."""
    settings = {"config": f"conf/{plan.x.teacher_conf}-mmi.yaml"} if plan.ears else {}
    plan.sequence(c, "teacher", "mmi", seed, heard=plan.ears, **settings)


def _small_students(plan: Plan, seed: int) -> None:
    """Add one seed's small students: from labels alone, distilled, and distilled from a large student (stepwise)."""
    if plan.x.at_n:
        _small_student(plan, "n", seed)
    if plan.x.wants("B"):
        _small_student(plan, "7n", seed)
        if seed == 1:
            _seven_large(plan)
        _step_by_step(plan, "7n", seed)
    if plan.x.wants("stepwise"):
        _step_by_step(plan, "n", seed)


def _trained_once(plan: Plan) -> None:
    """Add everything else, which has the first seed only."""
    x = plan.x
    if x.at_n:
        _oracle(plan, "n")
    if x.seven_rivals:
        _oracle(plan, "7n")
    if x.wants("rivals"):
        _rivals(plan, x.rivals_at)
    if x.wants("encoder"):
        for c in x.conditions:
            _encoder(plan, c)
    for block, add in (("C", _curves), ("sequence", _sequences), ("smaller", _smaller), ("device", _devices)):
        if x.wants(block):
            add(plan)


def _small_student(plan: Plan, c: str, seed: int) -> None:
    """Add the small student from labels alone (the baseline) and its distilled version.

    The baseline gets as many updates as the distilled student, all on labelled speech, or what is best on dev.
    """
    small = plan.x.small
    _alone(plan, c, small, seed)
    plan.distilled(c, small, f"{small}-{plan.all}", f"{c}/targets", seed=seed, targets=plan.soft(c, "targets"))


def _alone(plan: Plan, c: str, size: str, seed: int = 1) -> None:
    """Add a student from labels alone, and the one that distillation starts from: the same if their epochs agree."""
    of, needs = plan.x.condition(c), f"{c}/{plan.x.labels}"
    own = {**plan.student(size), **plan.batches(c)}
    plan.begins[c, size] = size
    if of.first_epochs[size] != of.alone_epochs[size]:
        plan.begins[c, size] = f"{size}-first"
        plan.train(c, seeded(f"{c}/{size}-first", seed), needs, seed=seed, **own, epochs=of.first_epochs[size])
    plan.model(c, size, needs, seed=seed, **own, epochs=of.alone_epochs[size])


def _step_by_step(plan: Plan, c: str, seed: int) -> None:
    """Add the small student distilled from the large one, which was distilled on all unlabelled speech."""
    small, large = plan.x.small, plan.x.large
    name = f"targets-{large}"
    if seed == 1:
        plan.targets(c, name, f"{large}-{plan.all}", f"{c}/{large}-{plan.all}")
    plan.distilled(c, small, f"{small}-stepwise", f"{c}/{name}", seed=seed, targets=plan.soft(c, name))


def _seven_large(plan: Plan) -> None:
    """Add the large student at 7n."""
    large = plan.x.large
    plan.train("7n", f"7n/{large}-first", f"7n/{plan.x.labels}", **plan.student(large), **plan.batches("7n"),
               epochs=plan.x.seven.first_epochs[large])  # fmt: skip
    plan.distilled("7n", large, f"{large}-{plan.all}", "7n/targets", targets=plan.soft("7n", "targets"))


def _curves(plan: Plan) -> None:
    """Add students of every size at n on parts of the unlabelled speech, the largest, which matters most, first."""
    x = plan.x
    for size in x.sizes:
        if size != x.small:
            _alone(plan, "n", size)
        for part in sorted(x.parts):
            if (size, part) != (x.small, 1):
                plan.distilled("n", size, f"{size}-{x.part_hours(part)}", "n/targets", part=part,
                               targets=plan.soft("n", "targets"))  # fmt: skip


def _rivals(plan: Plan, c: str) -> None:
    """Add small students on all unlabelled speech with other supervision by the same teacher."""
    small, heard, at = plan.x.small, plan.x.heard, f"{plan.dir}/{c}"
    of_decoder = {"graph": f"{at}/graph", "tuned": f"{at}/{heard}/decode", **plan.beam()}
    # Without a decoder: the teacher's posteriors given a phone language model.
    of_phones = {"labels": f"{at}/{plan.x.labels}", "tuned": f"{at}/{heard}/decode"}
    for kind, more in (("lattice", of_decoder), ("best-path", of_decoder), ("denominator", of_phones)):
        name = f"targets-{kind}"
        plan.targets(c, name, heard, f"{c}/{heard}/decode", plan.ears, supervision=kind, **more)
        plan.distilled(c, small, f"{small}-{kind}", f"{c}/{name}", targets=plan.soft(c, name))
    plan.distilled(c, small, f"{small}-hard", f"{c}/targets", targets=plan.soft(c, "targets"), k=1)
    # The teacher's targets are of the clean speech; the student's features are of that speech in rooms and noise.
    plan.add("augmented", "features", "steps/augment.py", cuts=f"{plan.data}/corpus/unlabelled.jsonl.gz", jobs=1,
             out=f"{plan.data}/augmented")  # fmt: skip
    plan.distilled(c, small, f"{small}-augmented", f"augmented {c}/targets", targets=plan.soft(c, "targets"),
                   unlabelled=f"[{plan.data}/augmented/unlabelled.jsonl.gz]")  # fmt: skip


def _encoder(plan: Plan, c: str) -> None:
    """Add a teacher on features of a foreign encoder, and its students, which are on log-mels."""
    x, ears, teacher = plan.x, plan.encoded, f"{c}/teacher-encoder"
    plan.train(c, teacher, f"{c}/encoder-labelled {c}/{x.labels}", config="conf/teacher-encoder.yaml", heard=ears,
               epochs=x.condition(c).encoder_epochs)  # fmt: skip
    plan.decode(c, "teacher-encoder", teacher, ears)
    plan.targets(c, "targets-encoder", "teacher-encoder", teacher, heard=ears)
    for size in x.taught_by_encoder:
        if c == "n" and (c, size) not in plan.begins:
            _alone(plan, c, size)
        plan.distilled(c, size, f"{size}-encoder", f"{c}/targets-encoder", targets=plan.soft(c, "targets-encoder"))


def _oracle(plan: Plan, c: str) -> None:
    """Add the oracle: the small student from the true labels of the unlabelled speech.

    It is trained on labels, so with the student's own settings, which suit labels (masks, dropout, chunks, batches),
    not with those of distillation; the amount of speech is the same.
    """
    at = f"{plan.dir}/{c}"
    plan.add(f"{c}/true-labels", f"{c}/teacher", "steps/realign.py", model=f"{at}/teacher", tree=f"{at}/tree",
             feats=f"[{plan.feats('unlabelled', plan.ears)}]", lang=f"{plan.dir}/lang", jobs=1,
             out=f"{at}/true-labels")  # fmt: skip
    plan.goes_on(c, plan.x.small, f"{plan.x.small}-oracle", f"{c}/true-labels", **plan.batches(c),
                 true_labels=f"{at}/true-labels")  # fmt: skip


def _sequences(plan: Plan) -> None:
    """Add sequence training at n of the teacher and of the small student, before and after distillation."""
    distilled = f"{plan.x.small}-{plan.all}"
    if plan.x.taught_by == "teacher":  # else it has been added with the teacher
        _teacher_in_sequence(plan, "n")
    for name in (plan.x.small, distilled):
        plan.sequence("n", name, "mmi")
    plan.sequence("n", distilled, "smbr")


def _smaller(plan: Plan) -> None:
    """Add students at n, on all unlabelled speech, that are no larger than the small one.

    One pair is the large student with a narrow projection, either factorised by singular values after training, or
    trained so from the start. The other is the small student trained on with 8-bit rounding, and without it as long.
    """
    x, soft = plan.x, plan.soft("n", "targets")
    small, large = f"{x.small}-{plan.all}", f"{x.large}-{plan.all}"
    narrow: dict[str, Any] = {"model.projection": x.projection}
    plan.add(f"n/{large}-factors", f"n/{large}", "steps/factorise.py", model=f"{plan.dir}/n/{large}",
             projection=x.projection, out=f"{plan.dir}/n/{large}-factors")  # fmt: skip
    projected = f"n/{x.large}-first-projected"
    plan.train("n", projected, f"n/{x.labels}", **plan.student(x.large), **narrow,
               epochs=x.n.first_epochs[x.large])  # fmt: skip
    for begin, kind in ((f"n/{large}-factors", "factorised"), (projected, "projected")):
        plan.distilled("n", x.large, f"{large}-{kind}", f"{begin} n/targets", targets=soft, **narrow,
                       init=f"{plan.dir}/{begin}")  # fmt: skip
    rounded: dict[str, Any] = {"train.quantisation_aware": "true"}
    for kind, more in (("longer", {}), ("rounded", rounded)):
        plan.distilled("n", x.small, f"{small}-{kind}", f"n/{small} n/targets", "conf/longer.yaml", targets=soft,
                       init=f"{plan.dir}/n/{small}", **more)  # fmt: skip


def _devices(plan: Plan) -> None:
    """Add recognisers and device bundles of the students at n with all unlabelled speech."""
    x = plan.x
    for name in [f"{size}-{plan.all}" for size in x.sizes] + (x.narrowed if x.wants("smaller") else []):
        id, at = f"n/{name}", f"{plan.dir}/n/{name}"
        plan.add(f"{id}/recogniser", f"{id}/decode", "steps/pack.py", model=at, decoded=f"{at}/decode",
                 graph=f"{plan.dir}/n/graph", tree=f"{plan.dir}/n/tree",
                 normaliser=f"{plan.data}/feats/normaliser.json", **plan.beam(), out=f"{at}/recogniser")  # fmt: skip
        plan.add(f"{id}/device", f"{id}/recogniser", "steps/ship.py", recogniser=f"{at}/recogniser",
                 calibrate=plan.feats("unlabelled"), test=f"[{plan.feats('test')}]", system=f"{name}-n",
                 recipe=x.recipe, results=f"{plan.dir}/results.jsonl", out=f"{at}/device")  # fmt: skip
