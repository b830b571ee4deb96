"""Golden files of clustering: scikit-learn's metrics and k-means, and DEC's loss with its gradients in PyTorch.

Writes plugins/metric-{adjusted-rand,normalized-mutual-information}/golden/sklearn-*.json and
plugins/objective-deep-clustering/golden/{k-means,dec}.json. Needs numpy, scikit-learn 1.9 and torch 2.15.
"""
import json
from pathlib import Path

import numpy as np
import sklearn
import torch
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"
random = np.random.default_rng(0)


def write(path, value):
    (PLUGINS / path).parent.mkdir(parents=True, exist_ok=True)
    (PLUGINS / path).write_text(json.dumps(value) + "\n")


def labels(n, k):
    return [str(x) for x in random.integers(0, k, n)]


related = [c if random.random() < 0.7 else str(random.integers(0, 4)) for c in labels(60, 4)]
classes = ["abcd"[int(c)] if random.random() < 0.8 else "d" for c in related]
pairs = [
    (labels(40, 3), labels(40, 5)),
    (related, classes),
    (["1", "1", "0", "0", "2"], ["a", "a", "b", "b", "c"]),
    (["0", "0", "0", "0"], ["a", "a", "b", "b"]),
    (["0", "1", "2", "3"], ["a", "a", "a", "a"]),
    (["0", "1", "0", "1"], ["a", "a", "b", "b"]),
    (["__proto__", "constructor", "__proto__"], ["x", "__proto__", "x"]),
]
for name, score in (("adjusted-rand", adjusted_rand_score), ("normalized-mutual-information", normalized_mutual_info_score)):
    write(f"metric-{name}/golden/sklearn-{name}.json", {
        "source": f"scikit-learn {sklearn.__version__}",
        "cases": [{"options": {}, "predictions": p, "references": r, "expected": {"value": float(score(r, p))}}
                  for p, r in pairs],
    })

blobs = np.concatenate([random.normal(m, 0.7, (20, 3)) for m in (-2, 0, 2)])
cases = []
for points, centres in ((blobs, blobs[:3]), (blobs, random.normal(0, 1, (5, 3))),
                        (blobs, np.concatenate([blobs[:2], [[50.0, 50.0, 50.0]]]))):
    fitted = KMeans(len(centres), init=centres, n_init=1, max_iter=300, tol=0).fit(points)
    cases.append({"points": points.tolist(), "start": centres.tolist(), "centres": fitted.cluster_centers_.tolist(),
                  "labels": fitted.labels_.tolist(), "inertia": float(fitted.inertia_)})
write("objective-deep-clustering/golden/k-means.json", {"source": f"scikit-learn {sklearn.__version__}", "cases": cases})

torch.manual_seed(0)
vectors = torch.randn(6, 8, requires_grad=True)
centres = torch.randn(3, 8, requires_grad=True)
frequencies = torch.tensor([11.0, 4.0, 7.5])
q = 1 / (1 + torch.cdist(vectors, centres) ** 2)  # Student's t kernel, one degree of freedom
q = q / q.sum(1, keepdim=True)
p = q.detach() ** 2 / frequencies
p = p / p.sum(1, keepdim=True)
losses = torch.nn.functional.kl_div(q.log(), p, reduction="none").sum(1)
losses.mean().backward()
write("objective-deep-clustering/golden/dec.json", {
    "source": f"torch {torch.__version__}", "vectors": vectors.tolist(), "centres": centres.tolist(),
    "frequencies": frequencies.tolist(), "scores": q.tolist(), "losses": losses.tolist(),
    "gradientOfVectors": vectors.grad.tolist(), "gradientOfCentres": centres.grad.tolist(),
})
