"""Golden values of the plugin optimizer-alternating: torch's AdamW on two groups of parameters in turns, two steps of `a` and one of `b`.

Writes plugins/optimizer-alternating/golden/torch-alternating.json: initial parameters, gradients of each step, and the parameters after it.
Made with torch 2.15.0. Run it from any directory.
"""
import json
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[2]
STEPS, RATE = 10, 0.05

torch.manual_seed(1)
draw = lambda: torch.randn(1, 3, dtype=torch.float64).float().double()
params = {name: draw().requires_grad_() for name in ("a", "b")}
optimizers = {name: torch.optim.AdamW([p], lr=RATE, betas=(0.8, 0.9), weight_decay=0.1) for name, p in params.items()}
flat = lambda: {name: p.flatten().tolist() for name, p in params.items()}
initial = {name: {"shape": [1, 3], "values": values} for name, values in flat().items()}
gradients, expected = [], []
for step in range(STEPS):
    for p in params.values():
        p.grad = draw()
    gradients.append({name: p.grad.flatten().tolist() for name, p in params.items()})
    optimizers["b" if step % 3 == 2 else "a"].step()
    expected.append(flat())
folder = ROOT / "plugins/optimizer-alternating/golden"
folder.mkdir(exist_ok=True)
case = {"options": {"part": "b", "otherSteps": 2}, "learningRates": [RATE] * STEPS, "initial": initial}
golden = {
    "source": f"torch.optim.AdamW of torch {torch.__version__} in turns, float64",
    "cases": [{**case, "gradients": gradients, "expected": expected}],
}
(folder / "torch-alternating.json").write_text(json.dumps(golden))
