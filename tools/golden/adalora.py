"""Golden values for plugins/adapter-adalora: peft's rank allocation with given gradients, on two linear layers.

Writes plugins/adapter-adalora/golden/allocation.json: for each case the options, the start, the gradient of each step, and the singular
values after each step of SGD, after the last one all factors, in float64. The gradient of the orthogonal regularization comes from autograd of peft's formula. The other golden
values of this adapter are written by peft_layers.py. Needs torch and peft.
"""
import json

import peft
import torch
from model_parity import ROOT, array
from peft import AdaLoraConfig, get_peft_model
from torch import nn

LAYERS, SIZE, RANK = ["0", "1"], 8, 4
RATE, STEPS = 0.1, 12
CASES = [
    {"targetRank": 2, "warmup": 0.25, "final": 0.25, "every": 2, "orthogonality": 0.5},
    {"targetRank": 1, "warmup": 0, "final": 0, "every": 1, "orthogonality": 0},
    {"targetRank": 3, "warmup": 0.5, "final": 0.25, "every": 5, "orthogonality": 0.1},
]


class Tiny(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.ModuleDict({i: nn.ModuleDict({"query": nn.Linear(SIZE, SIZE)}) for i in LAYERS})


def factors(model):
    return {
        f"{n.split('layer.')[1][0]}.{n.split('lora_')[1][0]}": p for n, p in model.named_parameters() if "lora_" in n
    }


def regularization(own, weight):
    deviations = [(p @ p.T if n.endswith("A") else p.T @ p) for n, p in own.items() if n[-1] in "AB"]
    return weight * sum(torch.norm(m - torch.eye(*m.shape, dtype=m.dtype), p="fro") for m in deviations) / len(deviations)


def write(case):
    torch.manual_seed(5)
    config = AdaLoraConfig(
        init_r=RANK,
        target_r=case["targetRank"],
        tinit=round(case["warmup"] * STEPS),
        tfinal=round(case["final"] * STEPS),
        deltaT=case["every"],
        total_step=STEPS,
        target_modules=["query"],
        orth_reg_weight=case["orthogonality"],
    )
    model = get_peft_model(Tiny(), config).double()
    own = factors(model)
    with torch.no_grad():
        for p in own.values():
            p.copy_((0.3 * torch.randn_like(p)).float().double())
    start = {n: array(p) for n, p in own.items()}
    steps, kept = [], []
    for step in range(1, STEPS + 1):
        given = {n: (torch.randn_like(p) * (1 + LAYERS.index(n[0]))).float().double() for n, p in own.items()}
        loss = sum((given[n] * p).sum() for n, p in own.items()) + regularization(own, case["orthogonality"])
        model.zero_grad()
        loss.backward()
        with torch.no_grad():
            for p in own.values():
                p.sub_(RATE * p.grad)
        model.base_model.update_and_allocate(step)
        seen = {n: p for n, p in own.items() if n.endswith("E") or step == STEPS}
        steps.append({"gradients": {n: array(g) for n, g in given.items()}, "factors": {n: array(p) for n, p in seen.items()}})
        kept.append(int(sum((p != 0).sum() for n, p in own.items() if n.endswith("E"))))
    print(case, kept)
    return {"options": {"initialRank": RANK, **case}, "start": start, "steps": steps}


if __name__ == "__main__":
    golden = {"source": f"peft {peft.__version__}", "learningRate": RATE, "cases": [write(case) for case in CASES]}
    folder = ROOT / "plugins/adapter-adalora/golden"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "allocation.json").write_text(json.dumps(golden, allow_nan=False))
