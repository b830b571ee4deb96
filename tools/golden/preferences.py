"""Losses of preference optimization and reward modeling, and their gradients, computed with the trainers of trl.

Writes the losses of fixed log-probabilities to plugins/objective-*/golden/losses.json, and one step on the tiny GPT-2 of
plugins/model-gpt2/golden/lm to tools/parity/golden/preferences.json. Everything is float64.
"""
import json
import math
from collections import defaultdict
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock

import torch
import transformers
from torch.nn import functional as F
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification
from trl import DPOTrainer, KTOTrainer, RewardTrainer
from trl.experimental.cpo import CPOTrainer
from trl.experimental.orpo import ORPOTrainer

ROOT = Path(__file__).resolve().parents[2]
TINY = ROOT / "plugins" / "model-gpt2" / "golden" / "lm"
SOURCE = f"trl {version('trl')} on torch {torch.__version__} and transformers {transformers.__version__}, float64"


def trainer(kind, **fields):
    """The loss functions of a trainer without the rest of it."""
    own = SimpleNamespace(
        accelerator=SimpleNamespace(
            device="cpu", gather=lambda x: x, gather_for_metrics=lambda x: x),
        model=torch.nn.Identity(), args=MagicMock(gradient_checkpointing=False, center_rewards_coefficient=None),
        aux_loss_enabled=False, ld_alpha=None, f_divergence_type="reverse_kl", use_weighting=False, _tp_size=1,
        _total_train_tokens=0, _metrics=defaultdict(lambda: defaultdict(list)), precompute_ref_logps=False,
        ref_model=None, loss_weights=[1.0], label_smoothing=0.0, alpha=0.0, is_encoder_decoder=False, pad_token_id=0,
        padding_value=0, calculate_KL=True, desirable_weight=1.0, undesirable_weight=1.0)
    own.model.is_gradient_checkpointing = False
    for name, value in fields.items():
        setattr(own, name, value)
    for name in dir(kind):
        if name.startswith("__") or hasattr(own, name):
            continue
        member = kind.__dict__.get(name)
        if hasattr(member, "__get__") and not isinstance(member, property):
            setattr(own, name, member.__get__(own, kind))
    return own


class Scorer:
    """A model as trl's trainers call it: per-token log-probabilities of labels, from logits or as given."""

    def __init__(self, logits_of):
        self.logits_of = logits_of

    def __call__(self, input_ids=None, labels=None, attention_mask=None, **_):
        targets = labels[:, 1:]
        found = self.logits_of(input_ids, attention_mask)
        if found.dim() == 3:
            logs = F.log_softmax(found[:, :-1], -1)
            found = logs.gather(-1, targets.clamp(min=0).unsqueeze(-1)).squeeze(-1)
        log_probs = found.masked_fill(targets == -100, 0.0)
        zeros = torch.zeros_like(log_probs)
        return SimpleNamespace(log_probs=log_probs, entropy=zeros, mean_logits=zeros, is_top1=zeros.bool())


def mask_of(spans, length):
    return torch.tensor([[int(a <= i < b) for i in range(length)] for a, b in spans])


def stored(tensor):
    return {"shape": list(tensor.shape), "values": tensor.detach().reshape(-1).tolist()}


# Fixed log-probabilities: three chosen and three rejected texts of up to seven tokens.
torch.manual_seed(3)
SPANS = [(2, 7), (1, 4), (3, 5), (2, 4), (1, 6), (3, 7)]
MASK = mask_of(SPANS, 7)
LOGS = -3 * torch.rand(6, 6).float().double()
REFERENCE = -3 * torch.rand(6, 6).float().double()


def summed(logs, averaged=False):
    shifted = MASK[:, 1:]
    total = (logs * shifted).sum(1)
    return total / shifted.sum(1) if averaged else total


def with_reference(name, beta, smoothing):
    def loss(logs):
        if name == "sigmoid" and smoothing:  # label smoothing of this loss is in CPOTrainer; given log-ratios it is DPO's
            own = trainer(CPOTrainer, loss_type="sigmoid", beta=beta, label_smoothing=smoothing)
            return own.cpo_loss(*(summed(logs) - summed(REFERENCE)).chunk(2))[0].mean()
        own = trainer(DPOTrainer, loss_types=[name], beta=beta, label_smoothing=smoothing)
        own.ref_model = Scorer(lambda ids, mask: REFERENCE)
        inputs = {"input_ids": torch.zeros_like(MASK), "attention_mask": torch.ones_like(MASK), "completion_mask": MASK}
        return own._compute_loss(Scorer(lambda ids, mask: logs), inputs, False)
    return loss


def without_reference(name, beta, smoothing, margin):
    def loss(logs):
        chosen, rejected = summed(logs, name in ("simpo", "orpo")).chunk(2)
        if name == "orpo":
            return -trainer(ORPOTrainer, beta=beta).odds_ratio_loss(chosen, rejected)[0].mean()
        own = trainer(CPOTrainer, loss_type="simpo" if name == "simpo" else "sigmoid", beta=beta,
                      label_smoothing=smoothing, simpo_gamma=margin)
        return own.cpo_loss(chosen, rejected)[0].mean()
    return loss


def case(options, loss_of):
    logs = LOGS.clone().requires_grad_(True)
    loss = loss_of(logs)
    loss.backward()
    return {"options": options, "loss": loss.item(), "gradient": stored(logs.grad)}


def pair_cases():
    for name in ("sigmoid", "hinge", "ipo", "robust"):
        for beta in (0.1, 0.7):
            for smoothing in (0.0, 0.2) if name in ("sigmoid", "robust") else (0.0,):
                yield case({"loss": name, "beta": beta, "labelSmoothing": smoothing}, with_reference(name, beta, smoothing))
    for beta, smoothing, margin in ((2.0, 0.0, 0.5), (2.5, 0.1, 1.0)):
        yield case({"loss": "simpo", "beta": beta, "labelSmoothing": smoothing, "margin": margin},
                   without_reference("simpo", beta, smoothing, margin))
    for beta, smoothing in ((0.1, 0.0), (0.5, 0.2)):
        yield case({"loss": "cpo", "beta": beta, "labelSmoothing": smoothing}, without_reference("cpo", beta, smoothing, 0.0))
    for beta in (0.1, 1.0):
        yield case({"loss": "orpo", "beta": beta}, without_reference("orpo", beta, 0.0, 0.0))


# KTO: six completions with labels, and the log-probabilities of mismatched completions.
LABELS = torch.tensor([1, 0, 1, 1, 0, 0], dtype=torch.bool)
KL_SPANS = [(2, 6), (1, 6), (3, 6), (2, 4), (1, 3), (3, 7)]
KL_MASK = mask_of(KL_SPANS, 7)
KL_LOGS = -3 * torch.rand(6, 6).float().double()
KL_REFERENCE = -3 * torch.rand(6, 6).float().double()


def kto(beta, desirable, undesirable, kl_reference):
    def loss(logs):
        own = trainer(KTOTrainer, loss_type="kto", beta=beta, desirable_weight=desirable, undesirable_weight=undesirable)
        calls = {"model": iter([KL_LOGS, logs]), "reference": iter([kl_reference, REFERENCE])}
        own.ref_model = Scorer(lambda ids, mask: next(calls["reference"]))
        ids = torch.zeros_like(MASK)
        inputs = {"input_ids": ids, "attention_mask": ids + 1, "completion_mask": MASK, "KL_input_ids": ids,
                  "KL_attention_mask": ids + 1, "KL_completion_mask": KL_MASK, "label": LABELS}
        return own._compute_loss(Scorer(lambda ids, mask: next(calls["model"])), inputs, False)
    return loss


def kto_cases():
    # The estimated divergence is positive with the first reference, and negative, so 0, with the second.
    for name, reference in (("positive", KL_REFERENCE - 1.0), ("zero", KL_REFERENCE + 1.0)):
        for beta, desirable, undesirable in ((0.1, 1.0, 1.0), (0.6, 1.0, 1.5)):
            options = {"beta": beta, "desirableWeight": desirable, "undesirableWeight": undesirable}
            yield {"divergence": name, "mismatchedReference": stored(reference),
                   **case(options, kto(beta, desirable, undesirable, reference))}


# One step on a tiny GPT-2. Pairs are (prompt, chosen, rejected); KTO reads chosen and rejected texts as labelled completions.
PAIRS = [
    ([5, 9, 12], [7, 31, 2], [40, 2]),
    ([3, 4], [20, 21, 22, 23, 2], [8, 9, 10, 2]),
    ([30, 6, 6, 14], [11, 2], [50, 51, 52, 2]),
]
PROMPTED = [(p, c, True) for p, c, _ in PAIRS] + [(p, r, False) for p, _, r in PAIRS]


def padded(rows, fill=0):
    length = max(map(len, rows))
    return torch.tensor([[*row, *[fill] * (length - len(row))] for row in rows])


def completions(rows):
    ids = padded([p + c for p, c in rows])
    attention = padded([[1] * len(p + c) for p, c in rows])
    mask = padded([[0] * len(p) + [1] * len(c) for p, c in rows])
    return ids, attention, mask


def scorer(model):
    return Scorer(lambda ids, mask: model(ids, attention_mask=mask).logits)


def dpo_step(policy, reference, options):
    own = trainer(DPOTrainer, loss_types=[options["loss"]], beta=options["beta"])
    own.ref_model = scorer(reference)
    ids, attention, mask = completions([(p, c) for p, c, _ in PAIRS] + [(p, r) for p, _, r in PAIRS])
    if "likelihoodWeight" in options:
        own.loss_types, own.loss_weights = [options["loss"], "sft"], [1.0, options["likelihoodWeight"]]
    return own._compute_loss(scorer(policy), {"input_ids": ids, "attention_mask": attention, "completion_mask": mask}, False)


def free_step(policy, options):
    batch = {}
    for at, name in ((1, "chosen"), (2, "rejected")):
        ids, attention, mask = completions([(pair[0], pair[at]) for pair in PAIRS])
        batch |= {f"{name}_input_ids": ids, f"{name}_attention_mask": attention, f"{name}_labels": ids.masked_fill(mask == 0, -100)}
    if options["loss"] == "orpo":
        return trainer(ORPOTrainer, beta=options["beta"]).get_batch_loss_metrics(policy, batch)[0]
    own = trainer(CPOTrainer, loss_type="simpo" if options["loss"] == "simpo" else "sigmoid", beta=options["beta"],
                  simpo_gamma=options.get("margin", 0.0), cpo_alpha=0.0 if options["loss"] == "simpo" else 1.0)
    return own.get_batch_loss_metrics(policy, batch)[0]


def kto_step(policy, reference, options):
    own = trainer(KTOTrainer, loss_type="kto", beta=options["beta"])
    own.ref_model = scorer(reference)
    ids, attention, mask = completions([(p, c) for p, c, _ in PROMPTED])
    others = [c for _, c, _ in PROMPTED]
    kl_ids, kl_attention, kl_mask = completions([(p, other) for (p, _, _), other in zip(PROMPTED, [others[-1], *others[:-1]])])
    return own._compute_loss(scorer(policy), {
        "input_ids": ids, "attention_mask": attention, "completion_mask": mask, "KL_input_ids": kl_ids,
        "KL_attention_mask": kl_attention, "KL_completion_mask": kl_mask,
        "label": torch.tensor([label for *_, label in PROMPTED])}, False)


def reward_step(policy, options):
    own = trainer(RewardTrainer)
    own.args.center_rewards_coefficient = options.get("centering")
    ids, attention, _ = completions([(p, c) for p, c, _ in PAIRS] + [(p, r) for p, _, r in PAIRS])
    inputs = {"input_ids": ids, "attention_mask": attention}
    if options.get("margin"):
        inputs["margin"] = torch.tensor([0.5, 0.0, 1.5]).double()

    def model(margin=None, **given):
        return policy(**given)
    return own.compute_loss(model, inputs)


def probe(gradient):
    """The norm of a gradient, and its projection on a fixed direction."""
    flat = gradient.reshape(-1)
    return [flat.norm().item(), (flat * torch.sin(torch.arange(len(flat)).double())).sum().item()]


def step(objective, options):
    policy = AutoModelForCausalLM.from_pretrained(TINY, dtype=torch.float64)
    # A reference unlike the model: with an equal one, all log-ratios were 0.
    reference = AutoModelForCausalLM.from_pretrained(TINY, dtype=torch.float64)
    with torch.no_grad():
        for weight in reference.parameters():
            weight.mul_(0.8)
    if objective == "reward-modeling":
        policy = AutoModelForSequenceClassification.from_pretrained(TINY, num_labels=1, dtype=torch.float64)
        with torch.no_grad():
            size = policy.score.weight.numel()
            policy.score.weight.copy_(torch.sin(torch.arange(size).double()).reshape(1, size) / 4)
    loss = {"preferences": lambda: free_step(policy, options) if options["loss"] in ("simpo", "cpo", "orpo")
            else dpo_step(policy, reference, options),
            "kto": lambda: kto_step(policy, reference, options),
            "reward-modeling": lambda: reward_step(policy, options)}[objective]()
    loss.backward()
    gradients = {name: probe(weight.grad) for name, weight in policy.named_parameters() if weight.grad is not None}
    return {"objective": objective, "options": options, "loss": loss.item(), "gradients": gradients}


STEPS = [
    *(("preferences", {"loss": name, "beta": 0.3}) for name in ("sigmoid", "hinge", "ipo", "cpo", "orpo")),
    ("preferences", {"loss": "sigmoid", "beta": 0.3, "likelihoodWeight": 0.5}),
    ("preferences", {"loss": "simpo", "beta": 2.0, "margin": 0.5}),
    ("kto", {"beta": 0.3}),
    ("reward-modeling", {}),
    ("reward-modeling", {"margin": "margin", "centering": 0.1}),
]


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"source": SOURCE, **content}) + "\n")
    print(path.relative_to(ROOT), path.stat().st_size, "bytes")


write(ROOT / "plugins/objective-preferences/golden/losses.json", {
    "logProbs": stored(LOGS), "reference": stored(REFERENCE), "mask": stored(MASK[:, 1:]), "cases": list(pair_cases())})
write(ROOT / "plugins/objective-kto/golden/losses.json", {
    "logProbs": stored(LOGS), "reference": stored(REFERENCE), "mask": stored(MASK[:, 1:]), "labels": LABELS.int().tolist(),
    "mismatched": stored(KL_LOGS), "mismatchedMask": stored(KL_MASK[:, 1:]), "cases": list(kto_cases())})
steps = [step(*each) for each in STEPS]
assert all(math.isfinite(each["loss"]) for each in steps)
write(ROOT / "tools/parity/golden/preferences.json", {"pairs": PAIRS, "steps": steps})
