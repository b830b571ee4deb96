"""Number of held-out examples per class with scikit-learn's train_test_split, for classes of many sizes.

Needs scikit-learn and numpy. Writes plugins/protocol-holdout/golden/scikit-learn.json. Cases that scikit-learn rejects (fewer held-out
or remaining examples than classes) are skipped.
"""

import json
from pathlib import Path

import numpy
import sklearn
from sklearn.model_selection import train_test_split

ROOT = Path(__file__).resolve().parents[2]
SIZES = [
    [50, 50],
    [90, 10],
    [61, 30, 9],
    [7, 5],
    [2, 2, 2, 2],
    [10, 10, 10],
    [13, 14, 15, 16, 17],
    [997, 3],
    [1234, 567, 89, 10],
    [100, 33],
    [25, 75, 125, 175],
    [5349 // 7 + i * 37 for i in range(7)],
    [2, 3, 5, 7, 11, 13, 17, 19, 23, 29],
]
SHARES = [0.1, 0.2, 0.25, 1 / 3, 0.5, 0.07, 0.9]


def main() -> None:
    generator = numpy.random.default_rng(20)
    cases = []
    for sizes in SIZES:
        labels = generator.permutation(numpy.repeat(numpy.arange(len(sizes)), sizes))
        for share in SHARES:
            try:
                train, held = train_test_split(labels, test_size=share, stratify=labels, random_state=0)
            except ValueError:
                continue
            cases.append(
                {
                    "sizes": sizes,
                    "validation": share,
                    "train": numpy.bincount(train, minlength=len(sizes)).tolist(),
                    "held": numpy.bincount(held, minlength=len(sizes)).tolist(),
                }
            )
    plain = [
        {"count": count, "validation": share, "held": len(train_test_split(range(count), test_size=share)[1])}
        for count in (2, 3, 10, 11, 99, 100, 101, 5349)
        for share in SHARES
        if numpy.ceil(share * count) < count
    ]
    golden = {"source": f"scikit-learn {sklearn.__version__}, train_test_split", "cases": cases, "plain": plain}
    (ROOT / "plugins/protocol-holdout/golden/scikit-learn.json").write_text(json.dumps(golden) + "\n")


main()
