"""PCGrad and GradNorm on small networks, written from the papers' algorithms with torch.autograd.

PCGrad: Yu et al., Gradient Surgery for Multi-Task Learning, 2020, algorithm 1, with a given order of the tasks. GradNorm: Chen et al., 2018,
algorithm 1, with equations 1 and 2; both losses are minimized by gradient descent with one learning rate.
Needs torch. Writes packages/nn/golden/torch-projections.json and plugins/objective-multi-task/golden/torch-multi-task.json.
"""
import json
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[2]
torch.manual_seed(10)
torch.set_default_dtype(torch.float64)
HIDDEN = 2


def stored(tensor):
    return {"shape": list(tensor.shape), "values": [round(x, 9) for x in tensor.detach().double().reshape(-1).tolist()]}


def network(tasks):
    params = {"shared.dense.weight": torch.randn(HIDDEN, HIDDEN), "shared.dense.bias": torch.randn(HIDDEN) * 0.3}
    for task in tasks:
        params[f"task.{task}.classifier.weight"] = torch.randn(2, HIDDEN)
        params[f"task.{task}.classifier.bias"] = torch.zeros(2)
    return {name: each.requires_grad_(True) for name, each in params.items()}


def batch_of(tasks, rows):
    return {task: (torch.randn(rows[i], HIDDEN), torch.randint(0, 2, (rows[i],))) for i, task in enumerate(tasks)}


def loss_of(params, task, batch):
    x, labels = batch[task]
    pooled = torch.tanh(x @ params["shared.dense.weight"].T + params["shared.dense.bias"])
    logits = pooled @ params[f"task.{task}.classifier.weight"].T + params[f"task.{task}.classifier.bias"]
    return torch.nn.functional.cross_entropy(logits, labels)


def project(grads, order):
    """Algorithm 1: projected gradients of the tasks, given the order in which each visits the others."""
    projected = []
    for i, own in enumerate(grads):
        g = own.clone()
        for j in sorted((j for j in range(len(grads)) if j != i), key=lambda j: order[i][j]):
            inner = g @ grads[j]
            if inner < 0:
                g = g - inner / (grads[j] @ grads[j]) * grads[j]
        projected.append(g)
    return projected


def stored_batch(batch):
    return {task: {"x": stored(x), "labels": stored(labels)} for task, (x, labels) in batch.items()}


def pcgrad(tasks, rows):
    params, batch = network(tasks), batch_of(tasks, rows)
    shared = [name for name in params if name.startswith("shared.")]
    losses = [loss_of(params, task, batch) for task in tasks]
    flat = []
    for loss in losses:
        grads = torch.autograd.grad(loss, [params[name] for name in shared], retain_graph=True)
        flat.append(torch.cat([g.reshape(-1) for g in grads]))
    conflicts = sum(bool(flat[i] @ flat[j] < 0) for i in range(len(tasks)) for j in range(i))
    total = sum(project(flat, [list(range(len(tasks)))] * len(tasks)))
    own = torch.autograd.grad(sum(losses), list(params.values()))
    expected = dict(zip(params, own))
    at = 0
    for name in shared:
        size = params[name].numel()
        expected[name] = total[at : at + size].reshape(params[name].shape)
        at += size
    return {
        "params": {name: stored(each) for name, each in params.items()},
        "batch": stored_batch(batch),
        "conflicts": conflicts,
        "loss": sum(losses).item(),
        "gradients": {name: stored(each) for name, each in expected.items()},
    }


def projections():
    for count in (2, 3, 4):
        grads = torch.randn(count, 3)
        order = torch.rand(count, count)
        yield {
            "gradients": stored(grads),
            "order": stored(order),
            "expected": stored(sum(project(list(grads), order.tolist()))),
        }


def gradnorm(tasks, rows, alpha, rate, steps):
    params, batch = network(tasks), batch_of(tasks, rows)
    start = {name: stored(each) for name, each in params.items()}
    weights = torch.ones(len(tasks), requires_grad=True)
    initial, trace = None, []
    for _ in range(steps):
        losses = torch.stack([loss_of(params, task, batch) for task in tasks])
        initial = losses.detach() if initial is None else initial
        last = [params["shared.dense.weight"], params["shared.dense.bias"]]
        norms = []
        for weight, loss in zip(weights, losses):
            grads = torch.autograd.grad(weight * loss, last, retain_graph=True, create_graph=True)
            norms.append(torch.cat([g.reshape(-1) for g in grads]).norm())
        norms = torch.stack(norms)
        ratios = losses.detach() / initial
        target = (norms.mean() * (ratios / ratios.mean()) ** alpha).detach()
        (weight_grad,) = torch.autograd.grad((norms - target).abs().sum(), weights, retain_graph=True)
        grads = torch.autograd.grad((weights.detach() * losses).sum(), list(params.values()))
        trace.append({"weights": weights.tolist(), "losses": losses.tolist()})
        params = {n: (p - rate * g).detach().requires_grad_(True) for (n, p), g in zip(params.items(), grads)}
        moved = (weights - rate * weight_grad).detach()
        weights = (moved * len(tasks) / moved.sum()).requires_grad_(True)
    return {
        "alpha": alpha,
        "rate": rate,
        "params": start,
        "batch": stored_batch(batch),
        "initial": initial.tolist(),
        "trace": trace,
        "weights": weights.tolist(),
    }


source = f"torch {torch.__version__}"
projected = {"source": source, "projections": list(projections())}
golden = {
    "source": source,
    "pcgrad": [pcgrad(["a", "b"], [3, 4]), pcgrad(["a", "b", "c"], [4, 2, 3])],
    "gradnorm": [gradnorm(["a", "b"], [3, 4], 1.5, 0.2, 6), gradnorm(["a", "b", "c"], [4, 2, 3], 0.5, 0.1, 6)],
}
assert all(case["conflicts"] > 0 for case in golden["pcgrad"]), [c["conflicts"] for c in golden["pcgrad"]]
folder = ROOT / "plugins/objective-multi-task/golden"
folder.mkdir(parents=True, exist_ok=True)
(ROOT / "packages/nn/golden/torch-projections.json").write_text(json.dumps(projected))
(folder / "torch-multi-task.json").write_text(json.dumps(golden))
print([c["conflicts"] for c in golden["pcgrad"]], [c["weights"] for c in golden["gradnorm"]])
