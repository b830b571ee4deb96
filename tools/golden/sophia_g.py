"""Golden steps of Sophia-G on softmax regression, with the labels that the authors' algorithm samples given.

The update is that of SophiaG in the authors' code (github.com/Liuhong99/Sophia, sophia.py): the Hessian's diagonal is a moving average of
ĝ ⊙ ĝ, and the step divides by `rho * bs * hess + 1e-15`. Here it is estimated at every step. Gradients are by autograd in float64.
Writes plugins/optimizer-sophia/golden/sophia-g.json. torch 2.x; needs no other package.
"""
import json
import pathlib

import torch
import torch.nn.functional as F

ROOT = pathlib.Path(__file__).resolve().parents[2]
STEPS, ROWS, FEATURES, CLASSES = 10, 6, 4, 3


@torch.no_grad()
def update(w, exp_avg, hessian, gradients, *, rows, lr, rho, betas, weight_decay):
    """The authors' update of a parameter and its moving averages; `gradients` are those of the loss and of the loss on sampled labels."""
    grad, own = gradients
    hessian.mul_(betas[1]).addcmul_(own, own, value=1 - betas[1])
    exp_avg.mul_(betas[0]).add_(grad, alpha=1 - betas[0])
    w.mul_(1 - lr * weight_decay)
    ratio = (exp_avg.abs() / (rho * rows * hessian + 1e-15)).clamp(None, 1)
    w.addcmul_(exp_avg.sign(), ratio, value=-lr)


def case(rho, betas, weight_decay, lr):
    x, y = torch.randn(ROWS, FEATURES), torch.randint(CLASSES, (ROWS,))
    w = (0.5 * torch.randn(CLASSES, FEATURES)).requires_grad_()
    initial = w.detach().clone()
    exp_avg, hessian = torch.zeros_like(w), torch.zeros_like(w)
    samples, expected = [], []
    for _ in range(STEPS):
        logits = x @ w.T
        sampled = torch.distributions.Categorical(logits=logits.detach()).sample()
        (own,) = torch.autograd.grad(F.cross_entropy(logits, sampled), w)
        (grad,) = torch.autograd.grad(F.cross_entropy(x @ w.T, y), w)
        update(w, exp_avg, hessian, (grad, own), rows=ROWS, lr=lr, rho=rho, betas=betas, weight_decay=weight_decay)
        samples.append(sampled.tolist())
        expected.append({"weight": w.detach().flatten().tolist()})
    options = {"beta1": betas[0], "beta2": betas[1], "gamma": rho, "epsilon": 1e-15, "weightDecay": weight_decay}
    return {
        "options": {"estimator": "gauss-newton-bartlett", **options},
        "learningRates": [lr] * STEPS,
        "initial": {"weight": {"shape": [CLASSES, FEATURES], "values": initial.flatten().tolist()}},
        "problem": {"kind": "softmax", "features": x.tolist(), "targets": y.tolist(), "l2": 0},
        "samples": samples,
        "expected": expected,
    }


if __name__ == "__main__":
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    golden = {
        "source": f"torch {torch.__version__}, the update of SophiaG in github.com/Liuhong99/Sophia",
        "cases": [case(0.05, (0.965, 0.99), 0.1, 0.01), case(2.0, (0.8, 0.7), 0.0, 0.1)],
    }
    (ROOT / "plugins/optimizer-sophia/golden/sophia-g.json").write_text(json.dumps(golden))
