"""Terms and losses of regularizers, and their gradients, computed with torch (and scipy for the Jensen-Shannon divergence).

Needs torch and scipy. Writes plugins/regularizer-*/golden/*.json.
"""
import json
from pathlib import Path

import scipy
import scipy.stats
import torch
from scipy.spatial.distance import jensenshannon
from scipy.special import softmax
from torch.nn import functional

ROOT = Path(__file__).resolve().parents[2]
torch.manual_seed(5)


def stored(tensor):
    return {"shape": list(tensor.shape), "values": tensor.detach().reshape(-1).tolist()}


def write(plugin, library, found):
    folder = ROOT / f"plugins/regularizer-{plugin}/golden"
    folder.mkdir(parents=True, exist_ok=True)
    golden = {"source": f"{library.__name__} {library.__version__}", "cases": found}
    (folder / f"{library.__name__}-{plugin}.json").write_text(json.dumps(golden))


def matrices():
    return {
        "a.weight": torch.tensor([[2.0, 0.0, -1.0], [0.5, 0.0, 0.25]]),
        "b.weight": torch.diag(torch.tensor([3.0, 1.0])) @ torch.tensor([[0.6, 0.8], [-0.8, 0.6]]),
        "b.bias": torch.tensor([10.0, -4.0]),
    }


def is_weight(name):
    return not name.endswith("bias")


def penalty(options, term):
    params = {name: value.clone().requires_grad_(True) for name, value in matrices().items()}
    chosen = [value for name, value in params.items() if options.get("all", False) or is_weight(name)]
    value = term(chosen)
    grads = torch.autograd.grad(value, list(params.values()), allow_unused=True)
    return {
        "options": options,
        "parameters": {name: stored(value) for name, value in params.items()},
        "expected": value.item(),
        "gradients": {
            name: (torch.zeros_like(value) if grad is None else grad).reshape(-1).tolist()
            for (name, value), grad in zip(params.items(), grads)
        },
    }


def l1(weights):
    return sum(weight.abs().sum() for weight in weights)


def squares(weights):
    return sum(weight.square().sum() for weight in weights)


def spectral(weights):
    return sum(torch.linalg.matrix_norm(weight, 2) ** 2 for weight in weights if weight.dim() > 1)


write(
    "l1",
    torch,
    [
        penalty({"strength": 0.5}, lambda weights: 0.5 * l1(weights)),
        penalty({"strength": 0.01, "all": True}, lambda weights: 0.01 * l1(weights)),
    ],
)
write(
    "elastic-net",
    torch,
    [
        penalty(
            {"strength": strength, "ratio": ratio},
            lambda weights, s=strength, r=ratio: s * (r * l1(weights) + (1 - r) / 2 * squares(weights)),
        )
        for strength, ratio in [(0.5, 0.5), (0.1, 0.9), (0.2, 0.0), (0.2, 1.0)]
    ],
)
write(
    "spectral-norm",
    torch,
    [penalty({"strength": 0.3, "iterations": 100}, lambda weights: 0.15 * spectral(weights))],
)


def distance(options):
    start = matrices()
    now = {name: value + 0.1 * torch.randn(value.shape) for name, value in start.items()}
    moved = [now[name] - start[name] for name in start if options.get("all", False) or is_weight(name)]
    return {
        "options": options,
        "start": {name: stored(value) for name, value in start.items()},
        "parameters": {name: stored(value) for name, value in now.items()},
        "expected": (options["strength"] / 2 * squares(moved)).item(),
    }


write("l2-sp", torch, [distance({"strength": 2.0}), distance({"strength": 0.5, "all": True})])


# The classifier of the contract: the mean of the word embeddings of a text, through tanh, to logits.
IDS = torch.tensor([[1, 3, 4], [2, 5, 0], [6, 6, 1], [3, 2, 2]])
LABELS = torch.tensor([0, 1, 2, 1])
PARAMETERS = {
    "words.weight": torch.randn(7, 5),
    "classifier.weight": torch.randn(3, 5),
    "classifier.bias": torch.randn(3),
}


def losses_at(params, embedded):
    hidden = torch.tanh(embedded.mean(1))
    logits = functional.linear(hidden, params["classifier.weight"], params["classifier.bias"])
    return functional.cross_entropy(logits, LABELS)


def norms(x):
    return x.flatten(1).norm(dim=1)[:, None, None]


def ascent(params, delta):
    delta = delta.clone().requires_grad_(True)
    (grad,) = torch.autograd.grad(losses_at(params, params["words.weight"][IDS].detach() + delta), delta)
    return grad / norms(grad)


def adversarial(options, loss_of):
    params = {name: value.clone().requires_grad_(True) for name, value in PARAMETERS.items()}
    value = loss_of(params, params["words.weight"][IDS])
    value.backward()
    return {
        "options": options,
        "parameters": {name: stored(value) for name, value in params.items()},
        "batch": {"ids": IDS.tolist(), "labels": LABELS.tolist()},
        "expected": value.item(),
        "gradients": {name: value.grad.reshape(-1).tolist() for name, value in params.items()},
    }


def fgm(epsilon):
    def loss(params, embedded):
        moved = epsilon * ascent(params, torch.zeros_like(embedded))
        return losses_at(params, embedded) + losses_at(params, embedded + moved)

    return adversarial({"epsilon": epsilon}, loss)


def step(params, moved, epsilon, rate):
    further = moved + rate * ascent(params, moved)
    return further * torch.clamp(epsilon / norms(further), max=1)


def pgd(epsilon, rate, steps):
    def loss(params, embedded):
        moved = torch.zeros_like(embedded)
        for _ in range(steps):
            moved = step(params, moved, epsilon, rate)
        return losses_at(params, embedded) + losses_at(params, embedded + moved)

    return adversarial({"epsilon": epsilon, "rate": rate, "steps": steps}, loss)


def freelb(epsilon, rate, steps):
    def loss(params, embedded):
        moved, total = torch.zeros_like(embedded), 0
        for _ in range(steps):
            total = total + losses_at(params, embedded + moved) / steps
            moved = step(params, moved, epsilon, rate)
        return total

    return adversarial({"epsilon": epsilon, "rate": rate, "start": 0, "steps": steps}, loss)


write("fgm", torch, [fgm(0.5), fgm(2.0)])
write("pgd", torch, [pgd(1.0, 0.3, 3), pgd(0.5, 0.4, 4), pgd(2.0, 0.5, 1)])
write("freelb", torch, [freelb(1.0, 0.3, 3), freelb(0.5, 0.4, 4), freelb(1.0, 0.5, 1)])


def r_drop(strength):
    first, second = torch.randn(4, 3), torch.randn(4, 3)
    p, q = functional.log_softmax(first, -1), functional.log_softmax(second, -1)
    both = functional.kl_div(p, q, log_target=True, reduction="batchmean") + functional.kl_div(
        q, p, log_target=True, reduction="batchmean"
    )
    return {
        "strength": strength,
        "shape": [4, 3],
        "first": first.reshape(-1).tolist(),
        "second": second.reshape(-1).tolist(),
        "expected": 1 + strength * both.item() / 2,
    }


write("r-drop", torch, [r_drop(0.0), r_drop(1.0), r_drop(5.0)])


def cutoff(strength):
    first, second = torch.randn(3, 4), torch.randn(3, 4)
    p, q = softmax(first.numpy(), -1), softmax(second.numpy(), -1)
    return {
        "strength": strength,
        "shape": [3, 4],
        "first": first.reshape(-1).tolist(),
        "second": second.reshape(-1).tolist(),
        "expected": strength * float((jensenshannon(p, q, axis=1) ** 2).mean()),
    }


write("cutoff", scipy, [cutoff(0.5), cutoff(3.0)])


def ewc(strength, samples):
    """Per-example squared gradients at the initial weights, and the penalty at other weights."""
    start = {name: value.clone() for name, value in PARAMETERS.items()}
    ids, labels = torch.randint(0, 7, (samples, 3)), torch.randint(0, 3, (samples,))

    def loss_of(params, text, label):
        hidden = torch.tanh(params["words.weight"][text].mean(0))
        logits = functional.linear(hidden, params["classifier.weight"], params["classifier.bias"])
        return functional.cross_entropy(logits, label)

    each = torch.func.vmap(torch.func.grad(loss_of), (None, 0, 0))(start, ids, labels)
    whole = torch.func.grad(lambda p: torch.func.vmap(loss_of, (None, 0, 0))(p, ids, labels).mean())(start)
    fisher = {name: grads.square().mean(0) for name, grads in each.items()}
    params = {name: (value + 0.3 * torch.randn(value.shape)).requires_grad_(True) for name, value in start.items()}
    value = strength / 2 * sum((fisher[name] * (params[name] - start[name]).square()).sum() for name in params)
    value.backward()
    return {
        "options": {"strength": strength},
        "batch": {"ids": ids.tolist(), "labels": labels.tolist()},
        "start": {name: stored(value) for name, value in start.items()},
        "fisher": {name: value.reshape(-1).tolist() for name, value in fisher.items()},
        "ofMeanGradient": {name: value.square().reshape(-1).tolist() for name, value in whole.items()},
        "parameters": {name: stored(value) for name, value in params.items()},
        "expected": value.item(),
        "gradients": {name: value.grad.reshape(-1).tolist() for name, value in params.items()},
    }


write("ewc", torch, [ewc(1.0, 6), ewc(50.0, 9)])


def each_loss(params, embedded):
    hidden = torch.tanh(embedded.mean(1))
    logits = functional.linear(hidden, params["classifier.weight"], params["classifier.bias"])
    return functional.cross_entropy(logits, LABELS, reduction="sum")


def gradient_penalty(options):
    def loss(params, embedded):
        (grad,) = torch.autograd.grad(each_loss(params, embedded), embedded, create_graph=True)
        apart = grad.flatten(1).norm(dim=1) - options.get("target", 0)
        if options.get("sides", "one") == "one":
            apart = apart.clamp(min=0)
        return losses_at(params, embedded) + options["strength"] * apart.square().mean()

    return adversarial(options, loss)


write(
    "gradient-penalty",
    torch,
    [
        gradient_penalty({"strength": 0.5}),
        gradient_penalty({"strength": 2.0, "target": 0.4, "sides": "two"}),
        gradient_penalty({"strength": 2.0, "target": 0.4, "sides": "one"}),
    ],
)


def mixup(ratio):
    """Texts of unequal lengths, padded with the id 0; cross-entropy of the mixed labels."""
    lengths = torch.tensor([3, 2, 3, 1])
    mask = (torch.arange(3)[None] < lengths[:, None]).float()
    params = {name: value.clone().requires_grad_(True) for name, value in PARAMETERS.items()}
    embedded = params["words.weight"][IDS * mask.long()] * mask[..., None]
    mixed = ratio * embedded + (1 - ratio) * embedded.roll(-1, 0)
    either = torch.maximum(mask, mask.roll(-1, 0))[..., None]
    hidden = torch.tanh((mixed * either).sum(1) / either.sum(1))
    logits = functional.linear(hidden, params["classifier.weight"], params["classifier.bias"])
    labels = functional.one_hot(LABELS, 3).float()
    value = functional.cross_entropy(logits, ratio * labels + (1 - ratio) * labels.roll(-1, 0))
    value.backward()
    return {
        "ratio": ratio,
        "ids": (IDS * mask.long()).tolist(),
        "mask": mask.int().tolist(),
        "labels": LABELS.tolist(),
        "parameters": {name: stored(value) for name, value in params.items()},
        "expected": value.item(),
        "gradients": {name: value.grad.reshape(-1).tolist() for name, value in params.items()},
    }


write("mixup", torch, [mixup(0.3), mixup(0.85)])
quantiles = [index / 20 for index in range(1, 20)]
write(
    "mixup",
    scipy,
    [
        {"alpha": alpha, "probabilities": quantiles, "quantiles": scipy.stats.beta.ppf(quantiles, alpha, alpha).tolist()}
        for alpha in [0.25, 0.4, 1.0, 3.0]
    ],
)


def group_fairness(options, groups):
    logits = torch.randn(8, 3).requires_grad_(True)
    labels = torch.tensor([0, 1, 2, 0, 1, 2, 0, 1])
    scores = logits.softmax(-1)

    def gaps(chosen):
        rows = {name: [i for i in chosen if groups[i] == name] for name in options["groups"]}
        means = [scores[rows[name]].mean(0) for name in options["groups"] if rows[name]]
        pairs = [(means[i] - means[j]).abs() for i in range(len(means)) for j in range(i)]
        beyond = [(gap - options.get("target", 0)).clamp(min=0).square().mean() for gap in pairs]
        return sum(beyond) / len(beyond) if beyond else torch.zeros(())

    if options.get("criterion") == "equalized-odds":
        value = sum(gaps([i for i in range(8) if labels[i] == label]) for label in range(3)) / 3
    else:
        value = gaps(range(8))
    value = options["strength"] * value
    value.backward()
    return {
        "options": options,
        "groups": groups,
        "labels": labels.tolist(),
        "logits": stored(logits),
        "expected": value.item(),
        "gradients": logits.grad.reshape(-1).tolist(),
    }


TWO = ["a", "b", "a", "b", "a", "b", "b", "a"]
THREE = ["a", "b", "c", "b", "a", "other", "b", "a"]
write(
    "group-fairness",
    torch,
    [
        group_fairness({"by": "g", "groups": ["a", "b"], "strength": 2.0}, TWO),
        group_fairness({"by": "g", "groups": ["a", "b"], "strength": 2.0, "target": 0.1}, TWO),
        group_fairness({"by": "g", "groups": ["a", "b", "c", "d"], "strength": 5.0}, THREE),
        group_fairness({"by": "g", "groups": ["a", "b"], "strength": 3.0, "criterion": "equalized-odds"}, TWO),
        group_fairness({"by": "g", "groups": ["a", "b", "c"], "strength": 3.0, "criterion": "equalized-odds"}, THREE),
    ],
)
