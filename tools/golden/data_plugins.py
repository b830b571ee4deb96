"""Class weights of scikit-learn, class counts of imbalanced-learn's RandomOverSampler, and permutations of transformers' length grouping.

Needs scikit-learn, imbalanced-learn, numpy, torch and transformers. Writes golden files of plugins/balancer-class-weights,
plugins/balancer-random-oversampling and plugins/sampler-length.
"""

import json
from collections import Counter
from pathlib import Path

import imblearn
import numpy
import sklearn
import torch
import transformers
from imblearn.over_sampling import RandomOverSampler
from sklearn.utils.class_weight import compute_class_weight
from transformers import trainer_pt_utils

ROOT = Path(__file__).resolve().parents[2]
COUNTS = [
    {"a": 5, "b": 5},
    {"a": 90, "b": 10},
    {"a": 1, "b": 1000},
    {"a": 90, "b": 9, "c": 1},
    {"a": 7, "b": 7, "c": 20},
    {"a": 3, "b": 5, "c": 7, "d": 11, "e": 13},
]


def write(plugin: str, name: str, content: dict) -> None:
    path = ROOT / "plugins" / plugin / "golden" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content) + "\n")


def labels_of(counts: dict) -> list[str]:
    return [name for name, count in counts.items() for _ in range(count)]


def class_weights() -> None:
    cases = []
    for counts in COUNTS:
        names = numpy.array(sorted(counts))
        weights = compute_class_weight("balanced", classes=names, y=labels_of(counts))
        cases.append({"options": {}, "counts": counts, "weights": dict(zip(names.tolist(), weights.tolist()))})
    write("balancer-class-weights", "scikit-learn", {"source": f"scikit-learn {sklearn.__version__}", "cases": cases})


def oversampling() -> None:
    cases = []
    for counts in COUNTS:
        labels = labels_of(counts)
        strategies = [("not-majority", "not majority"), ("minority", "minority"), ("not-minority", "not minority")]
        wanted = [({"classes": ours}, theirs) for ours, theirs in strategies]
        if len(counts) == 2:
            wanted += [({"ratio": ratio}, ratio) for ratio in (0.3, 0.5, 0.77, 1.0)]
        for options, strategy in wanted:
            sampler = RandomOverSampler(sampling_strategy=strategy, random_state=0)
            try:
                _, after = sampler.fit_resample(numpy.zeros((len(labels), 1)), labels)
            except ValueError:  # a ratio below that of the data
                continue
            cases.append({"options": options, "counts": counts, "expected": dict(Counter(after))})
    source = f"imbalanced-learn {imblearn.__version__}"
    write("balancer-random-oversampling", "imbalanced-learn", {"source": source, "cases": cases})


def length_grouping() -> None:
    generator = numpy.random.default_rng(3)
    cases = []
    for count, batch_size in [(1, 4), (10, 4), (64, 4), (100, 8), (501, 2), (1000, 3)]:
        lengths = generator.permutation(numpy.arange(1, 3 * count + 1))[:count].tolist()
        order = generator.permutation(count).tolist()
        torch.randperm = lambda _, generator=None: torch.tensor(order)
        expected = trainer_pt_utils.get_length_grouped_indices(lengths, batch_size)
        cases.append({"lengths": lengths, "order": order, "batchSize": batch_size, "expected": [int(i) for i in expected]})
    write("sampler-length", "transformers", {"source": f"transformers {transformers.__version__}", "cases": cases})


if __name__ == "__main__":
    class_weights()
    oversampling()
    length_grouping()
