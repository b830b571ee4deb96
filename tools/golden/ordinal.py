"""Logits, losses, gradients and predicted ranks of CORAL, computed with coral-pytorch in float64.

Needs torch and coral-pytorch. Writes plugins/objective-ordinal-classification/golden/coral.json.
"""
import json
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch
from coral_pytorch.dataset import levels_from_labelbatch, proba_to_label
from coral_pytorch.layers import CoralLayer
from coral_pytorch.losses import coral_loss

ROOT = Path(__file__).resolve().parents[2]
torch.manual_seed(4)
HIDDEN = 8


def listed(tensor):
    return tensor.detach().flatten().tolist()


def case(classes, scale):
    layer = CoralLayer(HIDDEN, classes).double()
    start = listed(layer.coral_bias)
    with torch.no_grad():
        layer.coral_weights.weight.copy_((torch.randn(1, HIDDEN) * scale).float())
        layer.coral_bias.copy_(torch.randn(classes - 1).sort(descending=True).values.float())
    x = torch.randn(6, HIDDEN).double().requires_grad_(True)
    x.data.copy_(x.data.float())
    labels = torch.arange(6) % classes
    logits = layer(x)
    losses = coral_loss(logits, levels_from_labelbatch(labels, classes, dtype=torch.float64), reduction=None)
    losses.sum().backward()
    return {
        "classes": classes,
        "initialThresholds": start,
        "pooled": listed(x),
        "weight": listed(layer.coral_weights.weight),
        "thresholds": listed(layer.coral_bias),
        "labels": labels.tolist(),
        "logits": listed(logits),
        "losses": listed(losses),
        "predicted": proba_to_label(torch.sigmoid(logits)).tolist(),
        "gradients": {"pooled": listed(x.grad), "weight": listed(layer.coral_weights.weight.grad), "thresholds": listed(layer.coral_bias.grad)},
    }


try:
    source = f"coral-pytorch {version('coral-pytorch')} on torch {torch.__version__}, float64"
except PackageNotFoundError:
    source = f"coral-pytorch on torch {torch.__version__}, float64"
golden = {"source": source, "hidden": HIDDEN, "cases": [case(*each) for each in ((2, 1.0), (5, 1.0), (5, 30.0))]}
path = ROOT / "plugins/objective-ordinal-classification/golden/coral.json"
path.parent.mkdir(exist_ok=True)
path.write_text(json.dumps(golden) + "\n")
