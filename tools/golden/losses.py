"""Losses of rows and their gradients, computed with torch.nn.functional.

Needs torch. Writes plugins/loss-*/golden/*.json.
"""
import json
from pathlib import Path

import torch
from torch.nn import functional

ROOT = Path(__file__).resolve().parents[2]


def stored(tensor):
    return {"shape": list(tensor.shape), "values": tensor.reshape(-1).tolist()}


def case(options, outputs, targets, losses_of):
    outputs = outputs.clone().requires_grad_(True)
    losses = losses_of(outputs, targets)
    losses.sum().backward()
    return {
        "options": options,
        "outputs": stored(outputs.detach()),
        "targets": stored(targets),
        "expected": losses.tolist(),
        "gradient": stored(outputs.grad),
    }


def write(name, source, cases):
    path = ROOT / "plugins" / f"loss-{name}" / "golden" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"source": source, "cases": cases}) + "\n")


def cross_entropy():
    torch.manual_seed(1)
    cases = []
    for smoothing, scale in [(0.0, 1.0), (0.1, 1.0), (0.5, 10.0), (0.0, 50.0)]:
        logits = torch.randn(6, 5) * scale
        labels = torch.tensor([0, 4, 2, 2, 1, 3])
        options = {"labelSmoothing": smoothing} if smoothing else {}
        cases.append(
            case(
                options,
                logits,
                labels,
                lambda o, t, s=smoothing: functional.cross_entropy(o, t, reduction="none", label_smoothing=s),
            )
        )
    write("cross-entropy", f"torch {torch.__version__}", cases)


cross_entropy()
