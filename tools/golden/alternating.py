"""Golden values of the plugin optimizer-alternating: torch's AdamW on two groups of parameters in turns, two steps of `a` and one of `b`.

Writes plugins/optimizer-alternating/golden/torch-alternating.json: initial parameters, gradients of each step, and the parameters after it.
Made with torch 2.15.0. Run it from any directory.
"""
import json
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[2]
STEPS, RATE = 9, 0.05

torch.manual_seed(1)
params = {name: torch.randn(3, dtype=torch.float64).float().double().requires_grad_() for name in ("a", "b")}
optimizers = {name: torch.optim.AdamW([p], lr=RATE, betas=(0.8, 0.9), weight_decay=0.1) for name, p in params.items()}
initial = {name: p.tolist() for name, p in params.items()}
gradients, expected = [], []
for step in range(STEPS):
    for p in params.values():
        p.grad = torch.randn(3, dtype=torch.float64).float().double()
    gradients.append({name: p.grad.tolist() for name, p in params.items()})
    optimizers["b" if step % 3 == 2 else "a"].step()
    expected.append({name: p.tolist() for name, p in params.items()})
folder = ROOT / "plugins/optimizer-alternating/golden"
folder.mkdir(exist_ok=True)
golden = {"source": f"torch.optim.AdamW of torch {torch.__version__} in turns, float64", "learningRate": RATE}
(folder / "torch-alternating.json").write_text(
    json.dumps({**golden, "initial": initial, "gradients": gradients, "expected": expected})
)
