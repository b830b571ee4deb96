"""Golden file of the report on the tasks of a multi-task model.

Rank correlations by scipy.stats.spearmanr, the overall score Δm of Vandenhende et al., Multi-Task Learning for Dense Prediction Tasks: A
Survey, 2021, written with numpy, and the scores of constant predictions by scikit-learn's DummyClassifier and DummyRegressor.
Needs numpy, scipy, scikit-learn. python tools/golden/task_report.py packages/trainer/golden
"""
import json
import sys
from pathlib import Path

import numpy as np
import scipy
import sklearn
from scipy.stats import spearmanr
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.metrics import accuracy_score, mean_absolute_error, normalized_mutual_info_score

rng = np.random.default_rng(11)
DIRECTIONS = ["maximize", "minimize", "maximize"]


def correlations():
    """Changes of three scores over seven evaluations; lower values of the second one are better; the third has ties."""
    scores = np.stack([rng.random(7), 3 * rng.random(7), rng.integers(0, 4, 7) / 4])
    signs = np.array([1 if each == "maximize" else -1 for each in DIRECTIONS])[:, None]
    changes = np.diff(signs * scores, axis=1)
    return {"scores": scores.tolist(), "changes": 6, "expected": spearmanr(changes, axis=1).statistic.tolist()}


def overall():
    multi, single = rng.random(3) + 0.2, rng.random(3) + 0.2
    lower = np.array([each == "minimize" for each in DIRECTIONS])
    differences = (-1.0) ** lower * (multi - single) / single
    return {
        "multi": multi.tolist(),
        "single": single.tolist(),
        "differences": differences.tolist(),
        "deltaM": float(differences.mean()),
        "mean": float(multi.mean()),
    }


def constants():
    labels = [rng.choice(["a", "b", "c"], 20, p=[0.5, 0.3, 0.2]).tolist() for _ in range(2)]
    numbers = [rng.normal(3, 2, 20).tolist() for _ in range(2)]
    x = np.zeros((20, 1))
    classifier = DummyClassifier(strategy="most_frequent").fit(x, labels[0])
    regressor = DummyRegressor(strategy="mean").fit(x, numbers[0])
    return {
        "labels": labels,
        "accuracy": accuracy_score(labels[1], classifier.predict(x)),
        "numbers": numbers,
        "error": mean_absolute_error(numbers[1], regressor.predict(x)),
    }


def dependence():
    a = rng.choice(["a", "b", "c"], 30).tolist()
    b = [x if rng.random() < 0.7 else "d" for x in a]
    return {"labels": [a, b], "expected": float(normalized_mutual_info_score(a, b))}


golden = {
    "source": f"numpy {np.__version__}, scipy {scipy.__version__}, scikit-learn {sklearn.__version__}",
    "directions": DIRECTIONS,
    "correlations": correlations(),
    "overall": overall(),
    "constants": constants(),
    "dependence": dependence(),
}
(Path(sys.argv[1]) / "task-report.json").write_text(json.dumps(golden))
print(golden["correlations"]["expected"], golden["overall"]["deltaM"])
