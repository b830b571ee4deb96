"""Distances of two samples and their gradients, computed with torch.

The maximum mean discrepancy is the biased estimate of Gretton et al. (2012, equation 5), written with loops over the pairs; its kernels are
the mean of those in the reference code of Deep Adaptation Networks. The CORAL loss is that of Sun and Saenko (2016, equation 1) with torch.cov.
Needs torch. Writes plugins/objective-domain-alignment/golden/torch-domains.json.
"""
import json
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[2]
torch.manual_seed(3)
BANDWIDTHS = [0.25, 0.5, 1.0, 2.0, 4.0]


def stored(tensor):
    return {"shape": list(tensor.shape), "values": tensor.detach().reshape(-1).tolist()}


def discrepancy(source, target, bandwidths):
    rows = torch.cat([source, target])
    squares = torch.cdist(rows, rows).detach() ** 2
    typical = squares.sum() / (len(rows) * (len(rows) - 1))

    def kernel(x, y):
        return sum(torch.exp(-((x - y) ** 2).sum() / (typical * b)) for b in bandwidths) / len(bandwidths)

    def mean(xs, ys):
        return sum(kernel(x, y) for x in xs for y in ys) / (len(xs) * len(ys))

    return mean(source, source) - 2 * mean(source, target) + mean(target, target)


def coral(source, target, _):
    width = source.shape[1]
    return ((torch.cov(source.T) - torch.cov(target.T)) ** 2).sum() / (4 * width**2)


def cases():
    for distance, measure in (("mmd", discrepancy), ("coral", coral)):
        for bandwidths in ([1.0], BANDWIDTHS) if distance == "mmd" else (BANDWIDTHS,):
            rows = torch.cat([torch.randn(4, 3), torch.randn(3, 3) * 1.5 + 1])
            is_source = torch.tensor([1, 1, 0, 1, 0, 0, 1])
            order = torch.empty(7, dtype=torch.long)
            order[is_source == 1] = torch.arange(4)
            order[is_source == 0] = torch.arange(4, 7)
            given = rows[order].clone().requires_grad_(True)
            value = measure(given[is_source == 1], given[is_source == 0], bandwidths)
            (gradient,) = torch.autograd.grad(value, given)
            yield {
                "options": {"distance": distance, "bandwidths": bandwidths},
                "vectors": stored(given),
                "isSource": stored(is_source),
                "expected": value.item(),
                "gradient": stored(gradient),
            }


folder = ROOT / "plugins/objective-domain-alignment/golden"
folder.mkdir(parents=True, exist_ok=True)
golden = {"source": f"torch {torch.__version__}", "cases": list(cases())}
(folder / "torch-domains.json").write_text(json.dumps(golden))
