"""Sizes and class counts of the folds of scikit-learn's KFold, StratifiedKFold and GroupKFold.

Needs scikit-learn and numpy. Writes plugins/protocol-k-fold/golden/scikit-learn.json. Cases that scikit-learn rejects are skipped.
"""

import json
import warnings
from pathlib import Path

import numpy
import sklearn
from sklearn.model_selection import GroupKFold, KFold, StratifiedKFold

ROOT = Path(__file__).resolve().parents[2]
SIZES = [[50, 50], [90, 10], [61, 30, 9], [7, 5], [10, 10, 10], [13, 14, 15, 16, 17], [97, 3], [34, 67, 89, 10], [100, 33], [2, 3, 5, 7, 11, 13]]
FOLDS = [2, 3, 5, 7, 10]


def main() -> None:
    warnings.simplefilter("ignore")
    generator = numpy.random.default_rng(21)
    plain = [
        {"count": count, "folds": folds, "sizes": [len(held) for _, held in KFold(folds).split(range(count))]}
        for count in (10, 11, 23, 100, 101)
        for folds in FOLDS
    ]
    stratified, grouped = [], []
    for sizes in SIZES:
        labels = generator.permutation(numpy.repeat(numpy.arange(len(sizes)), sizes))
        for folds in FOLDS:
            try:
                parts = list(StratifiedKFold(folds, shuffle=True, random_state=0).split(labels, labels))
            except ValueError:
                continue
            counts = [numpy.bincount(labels[held], minlength=len(sizes)).tolist() for _, held in parts]
            stratified.append({"labels": labels.tolist(), "folds": folds, "counts": counts})
        for folds in (2, 3):
            if folds <= len(sizes):
                held = [len(part) for _, part in GroupKFold(folds).split(labels, groups=labels)]
                grouped.append({"labels": labels.tolist(), "folds": folds, "sizes": held})
    golden = {"source": f"scikit-learn {sklearn.__version__}", "plain": plain, "stratified": stratified, "grouped": grouped}
    (ROOT / "plugins/protocol-k-fold/golden/scikit-learn.json").write_text(json.dumps(golden) + "\n")


main()
