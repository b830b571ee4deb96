"""Parameters after each of six steps of torch.optim, with weight decay on matrices only.

Needs torch. Writes plugins/optimizer-*/golden/torch-*.json.
"""
import json
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[2]
STEPS = 6
NAMES = {"layer.weight": (3, 4), "layer.bias": (4,), "LayerNorm.weight": (4,)}

CASES = {
    "sgd": (
        torch.optim.SGD,
        [
            ({}, {}),
            ({"momentum": 0.9}, {"momentum": 0.9}),
            ({"momentum": 0.8, "nesterov": True}, {"momentum": 0.8, "nesterov": True}),
            ({"momentum": 0.9, "weightDecay": 0.1}, {"momentum": 0.9, "weight_decay": 0.1}),
        ],
    ),
    "adamw": (
        torch.optim.AdamW,
        [
            ({}, {"weight_decay": 0.01}),
            ({"weightDecay": 0.0}, {"weight_decay": 0.0}),
            (
                {"beta1": 0.8, "beta2": 0.95, "epsilon": 1e-6, "weightDecay": 0.1},
                {"betas": (0.8, 0.95), "eps": 1e-6, "weight_decay": 0.1},
            ),
        ],
    ),
}


def flat(tensors):
    return {name: [float(x) for x in tensor.detach().flatten()] for name, tensor in tensors.items()}


def run(optimizer_class, options, arguments):
    generator = torch.Generator().manual_seed(20)
    draw = lambda: {name: torch.randn(shape, generator=generator) for name, shape in NAMES.items()}
    parameters = {name: torch.nn.Parameter(value) for name, value in draw().items()}
    initial = {name: {"shape": list(NAMES[name]), "values": values} for name, values in flat(parameters).items()}
    decay = arguments.pop("weight_decay", 0.0)
    optimizer = optimizer_class(
        [
            {"params": [p for p in parameters.values() if p.dim() > 1], "weight_decay": decay},
            {"params": [p for p in parameters.values() if p.dim() < 2], "weight_decay": 0.0},
        ],
        lr=0.1,
        **arguments,
    )
    rates, gradients, expected = [], [], []
    for step in range(STEPS):
        rate = 0.1 / (step + 1)
        for group in optimizer.param_groups:
            group["lr"] = rate
        gradient = draw()
        for name, parameter in parameters.items():
            parameter.grad = gradient[name].clone()
        optimizer.step()
        rates.append(rate)
        gradients.append(flat(gradient))
        expected.append(flat(parameters))
    return {"options": options, "learningRates": rates, "initial": initial, "gradients": gradients, "expected": expected}


for name, (optimizer_class, cases) in CASES.items():
    folder = ROOT / f"plugins/optimizer-{name}/golden"
    folder.mkdir(parents=True, exist_ok=True)
    golden = {
        "source": f"torch.optim.{optimizer_class.__name__} {torch.__version__}",
        "cases": [run(optimizer_class, options, dict(arguments)) for options, arguments in cases],
    }
    (folder / f"torch-{name}.json").write_text(json.dumps(golden))
