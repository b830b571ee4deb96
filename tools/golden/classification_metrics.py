"""scikit-learn's scores of random labelings, including rare, unpredicted and absent classes.

Needs scikit-learn and numpy. Writes plugins/metric-{accuracy,f1,token-accuracy,multi-label-f1,mean-absolute-error}/golden/sklearn-*.json,
and the golden file of the plugin in examples/third-party-plugin.
"""
import json
from pathlib import Path

import numpy
import sklearn
from sklearn.metrics import (
    accuracy_score,
    cohen_kappa_score,
    mean_absolute_error,
    precision_recall_fscore_support,
)

ROOT = Path(__file__).resolve().parents[2]
random = numpy.random.default_rng(5)


def labelings():
    yield ["a"], ["a"]
    yield ["a"], ["b"]
    yield ["a", "a", "b", "b"], ["a", "b", "b", "constructor"]
    for classes, size, skill in [(2, 40, 0.7), (5, 60, 0.5), (16, 120, 0.8)]:
        names = numpy.array([f"class {i}" if i else "__proto__" for i in range(classes)])
        weights = 1.0 / numpy.arange(1, classes + 1)
        references = random.choice(names, size, p=weights / weights.sum())
        guesses = random.choice(names[: max(1, classes - 1)], size)
        yield list(numpy.where(random.random(size) < skill, references, guesses)), list(references)


def f1_case(average, predictions, references):
    labels = sorted(set(predictions) | set(references))
    value = precision_recall_fscore_support(references, predictions, average=average, zero_division=0)[2]
    columns = precision_recall_fscore_support(references, predictions, labels=labels, average=None, zero_division=0)
    parts = {
        label: dict(zip(["precision", "recall", "f1", "support"], map(float, row)))
        for label, row in zip(labels, zip(*columns))
        if label != "__proto__"
    }
    return {
        "options": {"average": average},
        "predictions": predictions,
        "references": references,
        "expected": {"value": float(value), "parts": parts},
    }


def write(name, cases, package=None):
    folder = ROOT / (package or f"plugins/metric-{name}") / "golden"
    folder.mkdir(parents=True, exist_ok=True)
    golden = {"source": f"scikit-learn {sklearn.__version__}", "cases": cases}
    (folder / f"sklearn-{name}.json").write_text(json.dumps(golden))


pairs = [([str(p) for p in predictions], [str(r) for r in references]) for predictions, references in labelings()]
write(
    "accuracy",
    [
        {"options": {}, "predictions": p, "references": r, "expected": {"value": float(accuracy_score(r, p))}}
        for p, r in pairs
    ],
)
write("f1", [f1_case(average, p, r) for average in ("macro", "micro", "weighted") for p, r in pairs])


def texts(predictions, references):
    """Converts the labels to token labels of texts with zero to six tokens."""
    lengths = numpy.random.default_rng(len(references)).integers(0, 7, len(references))
    cuts = numpy.cumsum(lengths)
    cuts = [0, *(int(cut) for cut in cuts if cut < len(references)), len(references)]
    return [[labels[a:b] for a, b in zip(cuts, cuts[1:])] for labels in (predictions, references)]


def token_case(predictions, references):
    guessed, true = texts(predictions, references)
    score = accuracy_score([t for text in true for t in text], [t for text in guessed for t in text])
    return {"options": {}, "predictions": guessed, "references": true, "expected": {"value": float(score)}}


write("token-accuracy", [token_case(p, r) for p, r in pairs])
write(
    "kappa",
    [
        {"options": {}, "predictions": p, "references": r, "expected": {"value": float(cohen_kappa_score(r, p))}}
        for p, r in pairs
        if len(set(p) | set(r)) > 1
    ],
    "examples/third-party-plugin",
)

names = [f"topic {i}" for i in range(5)]


def label_sets(size):
    held = random.random((size, 5)) < [0.5, 0.3, 0.2, 0.1, 0]
    guessed = numpy.where(random.random((size, 5)) < 0.8, held, random.random((size, 5)) < 0.3)
    return guessed, held


def multi_label_case(average, guessed, held):
    occurring = [i for i in range(5) if guessed[:, i].any() or held[:, i].any()]
    g, h = guessed[:, occurring], held[:, occurring]
    columns = precision_recall_fscore_support(h, g, average=None, zero_division=0)
    value = precision_recall_fscore_support(h, g, average=average, zero_division=0)[2]
    sets = lambda rows: [[names[i] for i in numpy.flatnonzero(row)] for row in rows]
    return {
        "options": {"average": average},
        "predictions": sets(guessed),
        "references": sets(held),
        "expected": {
            "value": float(value),
            "parts": {
                names[i]: {"f1": float(f), "support": float(s)} for i, f, s in zip(occurring, columns[2], columns[3])
            },
        },
    }


matrices = [label_sets(size) for size in (3, 40, 90)]
write("multi-label-f1", [multi_label_case(a, g, h) for a in ("micro", "macro", "samples") for g, h in matrices])
numbers = [(random.normal(size=n).round(3), random.normal(2, 3, n).round(3)) for n in (1, 7, 50)]
write(
    "mean-absolute-error",
    [
        {
            "options": {},
            "predictions": p.tolist(),
            "references": r.tolist(),
            "expected": {"value": float(mean_absolute_error(r, p))},
        }
        for p, r in numbers
    ],
)
