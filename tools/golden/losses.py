"""Losses of rows and their gradients, computed with PyTorch, torchvision, MONAI, scikit-learn and SciPy.

Needs torch, torchvision, monai, scikit-learn and scipy. Writes plugins/loss-*/golden/*.json.
"""
import json
from importlib.metadata import version
from pathlib import Path

import torch
from monai.losses import DiceLoss, FocalLoss
from scipy.spatial.distance import jensenshannon
from sklearn.metrics import hinge_loss
from torch.distributions import Categorical, kl_divergence
from torch.nn import functional as F
from torchvision.ops import sigmoid_focal_loss

ROOT = Path(__file__).resolve().parents[2]
TORCH = f"torch {torch.__version__}"
SCALES = (1.0, 10.0, 1e4)


def stored(tensor):
    return {"shape": list(tensor.shape), "values": tensor.reshape(-1).tolist()}


def case(options, outputs, targets, losses_of, both=False):
    """Losses and gradients in float64, of inputs that are float32 numbers."""
    outputs = outputs.float().double().requires_grad_(True)
    if targets.is_floating_point():
        targets = targets.float().double().requires_grad_(both)
    losses = losses_of(outputs, targets)
    losses.sum().backward()
    found = {
        "options": options,
        "outputs": stored(outputs.detach()),
        "targets": stored(targets.detach()),
        "expected": losses.tolist(),
        "gradient": stored(outputs.grad),
    }
    return {**found, "targetGradient": stored(targets.grad)} if both else found


def write(name, source, cases):
    torch.manual_seed(1)
    path = ROOT / "plugins" / f"loss-{name}" / "golden" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"source": source, "cases": list(cases())}) + "\n")


LABELS = torch.tensor([0, 4, 2, 2, 1, 3])


def indicators(*shape):
    return (torch.rand(*shape) > 0.5).double()


def distributions(rows, classes):
    t = F.softmax(2 * torch.randn(rows, classes), dim=1)
    t[0] = 0
    t[0, 1] = 1  # a distribution with zeros
    return t


def cross_entropy():
    weights = [0.5, 2.0, 0.0, 1.0, 3.0]
    for options in ({}, {"labelSmoothing": 0.1}, {"labelSmoothing": 0.5, "classWeights": weights},
                    {"classWeights": weights}, {"ignoreIndex": 2}, {"ignoreIndex": -100}):
        for scale in SCALES:
            labels = LABELS.clone()
            if options.get("ignoreIndex") == -100:
                labels[3] = -100
            yield case(options, torch.randn(6, 5) * scale, labels, lambda o, t, p=options: F.cross_entropy(
                o, t, reduction="none", label_smoothing=p.get("labelSmoothing", 0.0),
                weight=torch.tensor(p["classWeights"]).double() if "classWeights" in p else None,
                ignore_index=p.get("ignoreIndex", -1)))


def binary_cross_entropy():
    for options in ({}, {"positiveWeights": [1.0, 0.0, 4.0]}):
        for scale in SCALES:
            weight = torch.tensor(options["positiveWeights"]).double() if options else None
            for targets in (indicators(5, 3), torch.rand(5, 3)):
                yield case(options, torch.randn(5, 3) * scale, targets, lambda o, t, w=weight:
                           F.binary_cross_entropy_with_logits(o, t, pos_weight=w, reduction="none").mean(1))


def softmax_focal(o, t, gamma, weight):
    """MONAI computes in float32, so that it checks this function in float64."""
    label = F.one_hot(t, 5).double()
    own = (label * F.log_softmax(o, 1)).sum(1)
    weights = torch.ones(5).double() if weight is None else torch.tensor(weight).double()
    losses = -weights[t] * (1 - own.exp()) ** gamma * own
    theirs = FocalLoss(gamma=gamma, weight=weight, use_softmax=True, reduction="none")(o.detach(), label).sum(1)
    assert torch.allclose(losses.detach(), theirs.double(), rtol=1e-5, atol=1e-5)
    return losses


def focal():
    weights = [0.5, 2.0, 0.0, 1.0, 3.0]
    for gamma, weight in ((2.0, None), (0.0, None), (0.5, weights), (5.0, None)):
        for scale in (1.0, 5.0):
            options = {"focusing": gamma, **({} if weight is None else {"classWeights": weight})}
            yield case(options, torch.randn(6, 5) * scale, LABELS,
                       lambda o, t, g=gamma, w=weight: softmax_focal(o, t, g, w))
    for gamma, alpha in ((2.0, 0.25), (0.0, None), (0.5, 0.7), (2.0, None)):
        for scale in (1.0, 5.0):
            options = {"activation": "sigmoid", "focusing": gamma, **({} if alpha is None else {"alpha": alpha})}
            yield case(options, torch.randn(5, 3) * scale, indicators(5, 3),
                       lambda o, t, g=gamma, a=alpha: sigmoid_focal_loss(o, t, -1 if a is None else a, g).mean(1))


def generalized(o, t, q):
    """Zhang and Sabuncu, 2018, equation 6; at q = 1 PyTorch's absolute error of one-hot targets, halved."""
    p = F.softmax(o, 1).gather(1, t[:, None])[:, 0]
    losses = (1 - p**q) / q
    if q == 1:
        theirs = F.l1_loss(F.softmax(o, 1), F.one_hot(t, o.shape[1]).double(), reduction="none").sum(1) / 2
        assert torch.allclose(losses, theirs, atol=1e-12)
    return losses


def generalized_cross_entropy():
    for q in (0.7, 1.0, 0.1):
        for scale in (1.0, 10.0):
            yield case({"q": q}, torch.randn(6, 5) * scale, LABELS, lambda o, t, q=q: generalized(o, t, q))


def self_adjusting(p, t, alpha):
    """Li et al., 2020, equation 11, with the sums over the classes of a row."""
    q = (1 - p) ** alpha * p
    return 1 - (2 * (q * t).sum(1) + 1) / (q.sum(1) + t.sum(1) + 1)


def dice():
    for smooth, squared in ((1.0, False), (0.1, True), (1e-3, False)):
        kept = {"smooth_nr": smooth, "smooth_dr": smooth, "squared_pred": squared, "reduction": "none"}
        options = {"smooth": smooth, "squared": squared}
        soft, sigmoid = DiceLoss(**kept), DiceLoss(sigmoid=True, **kept)
        for scale in (1.0, 10.0):
            # MONAI sums over the positions of each channel: here the classes of a row are the positions of one channel.
            yield case({"activation": "sigmoid", **options}, torch.randn(5, 3) * scale, indicators(5, 3),
                       lambda o, t, f=sigmoid: f(o[:, None], t[:, None]).reshape(-1))
            yield case(options, torch.randn(6, 5) * scale, LABELS, lambda o, t, f=soft:
                       f(F.softmax(o, 1)[:, None], F.one_hot(t, 5).double()[:, None]).reshape(-1))
    for alpha in (0.5, 1.0):
        options = {"activation": "sigmoid", "downWeighting": alpha}
        yield case(options, torch.randn(5, 3), indicators(5, 3),
                   lambda o, t, a=alpha: self_adjusting(torch.sigmoid(o), t, a))
        yield case({"downWeighting": alpha}, torch.randn(6, 5), LABELS,
                   lambda o, t, a=alpha: self_adjusting(F.softmax(o, 1), F.one_hot(t, 5).double(), a))


def crammer_singer(o, t, margin):
    label = F.one_hot(t, o.shape[1]).bool()
    losses = (margin + o.masked_fill(label, -torch.inf).max(1).values - o[label]).clamp(min=0)
    if margin == 1:
        scores = o.detach().numpy()
        theirs = [hinge_loss(t[i : i + 1].numpy(), scores[i : i + 1], labels=range(o.shape[1])) for i in range(len(t))]
        assert torch.allclose(losses.detach(), torch.tensor(theirs).double(), atol=1e-9)
    return losses


def binary_hinge(o, t, margin):
    losses = (margin - (2 * t - 1) * o).clamp(min=0).mean(1)
    if margin == 1:
        theirs = hinge_loss(2 * t.reshape(-1).numpy() - 1, o.detach().reshape(-1).numpy())
        assert abs(losses.mean().item() - theirs) < 1e-9
    return losses


def hinge():
    for margin in (1.0, 0.25):
        for scale in SCALES:
            yield case({"margin": margin}, torch.randn(6, 5) * scale, LABELS,
                       lambda o, t, m=margin: crammer_singer(o, t, m))
            yield case({"variant": "weston-watkins", "margin": margin}, torch.randn(6, 5) * scale, LABELS,
                       lambda o, t, m=margin: F.multi_margin_loss(o, t, margin=m, reduction="none"))
            yield case({"variant": "binary", "margin": margin}, torch.randn(5, 3) * scale, indicators(5, 3),
                       lambda o, t, m=margin: binary_hinge(o, t, m))


def regression(losses_of, options=({},)):
    def cases():
        for given in options:
            for scale in SCALES:
                same = torch.randn(4)
                outputs, targets = torch.cat([torch.randn(5) * scale, same]), torch.cat([torch.randn(5), same])
                yield case(given, outputs, targets, lambda o, t, p=given: losses_of(o, t, p))
                yield case({"targets": "vectors", **given}, torch.randn(4, 3) * scale, torch.randn(4, 3),
                           lambda o, t, p=given: losses_of(o, t, p).mean(1))

    return cases


def kl():
    for scale in SCALES:
        yield case({}, torch.randn(5, 4) * scale, distributions(5, 4),
                   lambda o, t: F.kl_div(F.log_softmax(o, 1), t, reduction="none").sum(1))
        yield case({"direction": "reverse"}, torch.randn(5, 4) * scale, F.softmax(torch.randn(5, 4), 1),
                   lambda o, t: kl_divergence(Categorical(logits=o), Categorical(probs=t)))


def js_divergence(o, t):
    p = F.softmax(o, 1)
    m = ((p + t) / 2).clamp(min=1e-300).log()
    losses = (F.kl_div(m, t, reduction="none").sum(1) + F.kl_div(m, p, reduction="none").sum(1)) / 2
    distance = torch.tensor(jensenshannon(p.detach().numpy(), t.numpy(), axis=1))
    assert torch.allclose(losses.detach(), distance**2, atol=1e-7)
    return losses


def jensen_shannon():
    for scale in (1.0, 10.0):
        yield case({}, torch.randn(5, 4) * scale, distributions(5, 4), js_divergence)


def cosine():
    for scale in SCALES:
        yield case({}, torch.randn(5, 7) * scale, torch.randn(5, 7), lambda o, t: F.cosine_embedding_loss(
            o, t, torch.ones(5), reduction="none"), both=True)


def triplets(a, p, distance, margin, negatives):
    def apart(x, y):
        return 1 - F.cosine_similarity(x, y) if distance == "cosine" else F.pairwise_distance(x, y, eps=0)

    rows = []
    for i in range(len(a)):
        others = [j for j in range(len(a)) if j != i]
        n = p[others]
        each = F.triplet_margin_with_distance_loss(
            a[i].expand_as(n), p[i].expand_as(n), n, distance_function=apart, margin=margin, reduction="none")
        rows.append(each.mean() if negatives == "all" else each.max())
    return torch.stack(rows)


def triplet():
    for distance in ("euclidean", "cosine"):
        for negatives in ("all", "hardest"):
            for margin in (1.0, 0.3):
                texts = torch.randn(6, 5)
                yield case({"distance": distance, "negatives": negatives, "margin": margin}, texts,
                           texts + torch.randn(6, 5), lambda o, t, d=distance, m=margin, n=negatives:
                           triplets(o, t, d, m, n), both=True)


def info_nce():
    for temperature, symmetric in ((0.05, False), (0.05, True), (1.0, True)):
        texts = torch.randn(6, 5)

        def losses_of(o, t, temperature=temperature, symmetric=symmetric):
            logits = F.normalize(o) @ F.normalize(t).T / temperature
            each = [F.cross_entropy(x, torch.arange(6), reduction="none") for x in (logits, logits.T)]
            return (each[0] + each[1]) / 2 if symmetric else each[0]

        yield case({"temperature": temperature, "symmetric": symmetric}, texts, texts + torch.randn(6, 5), losses_of,
                   both=True)


write("cross-entropy", TORCH, cross_entropy)
write("binary-cross-entropy", TORCH, binary_cross_entropy)
write("focal", f"{TORCH}, monai {version('monai')} and torchvision {version('torchvision')}", focal)
write("generalized-cross-entropy", TORCH, generalized_cross_entropy)
write("dice", f"monai {version('monai')}", dice)
write("hinge", f"{TORCH} and scikit-learn {version('scikit-learn')}", hinge)
write("mse", TORCH, regression(lambda o, t, _: F.mse_loss(o, t, reduction="none")))
write("mae", TORCH, regression(lambda o, t, _: F.l1_loss(o, t, reduction="none")))
write("huber", TORCH, regression(lambda o, t, p: F.huber_loss(o, t, reduction="none", **p),
                                 ({}, {"delta": 0.25}, {"delta": 100.0})))
write("kl-divergence", TORCH, kl)
write("jensen-shannon", f"{TORCH} and scipy {version('scipy')}", jensen_shannon)
write("cosine", TORCH, cosine)
write("triplet", TORCH, triplet)
write("info-nce", TORCH, info_nce)
