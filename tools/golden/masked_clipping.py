"""Golden values for packages/trainer: gradient clipping by global norm where only a part of the weights trains.

Three steps of momentum SGD on a linear regression. Rows of the weight and of the bias are parameters of their own in PyTorch, and those that
do not train have requires_grad=False, so that clip_grad_norm_ does not count them. Writes packages/trainer/golden/torch-masked-clipping.json.
Needs torch.
"""
import json
from pathlib import Path

import torch

FILE = Path(__file__).resolve().parents[2] / "packages/trainer/golden/torch-masked-clipping.json"
ROWS, COLUMNS, BATCH, STEPS = 3, 4, 5, 3
MASKS = {"weight": [1, 0, 1], "bias": [0, 1, 0]}
MAXIMUM, RATE, MOMENTUM = 0.5, 0.1, 0.9


def flat(tensor):
    return [float(x) for x in tensor.detach().flatten()]


torch.manual_seed(3)
weight, bias = torch.randn(ROWS, COLUMNS), torch.randn(ROWS)
inputs, targets = torch.randn(STEPS, BATCH, COLUMNS), torch.randn(STEPS, BATCH, ROWS)
start = {"weight": flat(weight), "bias": flat(bias)}
rows = {
    name: [torch.nn.Parameter(row.clone(), requires_grad=bool(on)) for row, on in zip(whole, MASKS[name])]
    for name, whole in (("weight", weight), ("bias", bias))
}
trained = [row for each in rows.values() for row in each if row.requires_grad]
optimizer = torch.optim.SGD(trained, lr=RATE, momentum=MOMENTUM)
norms = []
for x, y in zip(inputs, targets):
    whole = {name: torch.stack(list(each)) for name, each in rows.items()}
    loss = ((x @ whole["weight"].T + whole["bias"] - y) ** 2).sum(1).mean()
    optimizer.zero_grad()
    loss.backward()
    norms.append(float(torch.nn.utils.clip_grad_norm_(trained, MAXIMUM)))
    optimizer.step()
golden = {
    "source": f"torch.nn.utils.clip_grad_norm_ {torch.__version__}",
    "maximum": MAXIMUM,
    "learningRate": RATE,
    "momentum": MOMENTUM,
    "shape": [ROWS, COLUMNS],
    "batch": BATCH,
    "masks": MASKS,
    "inputs": [flat(x) for x in inputs],
    "targets": [flat(y) for y in targets],
    "start": start,
    "norms": norms,
    "end": {name: flat(torch.stack(list(each))) for name, each in rows.items()},
}
FILE.parent.mkdir(exist_ok=True)
FILE.write_text(json.dumps(golden) + "\n")
