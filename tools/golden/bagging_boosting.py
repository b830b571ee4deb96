"""Golden files of bagging and boosting, by scikit-learn's BaggingClassifier and AdaBoostClassifier on synthetic points.

python tools/golden/bagging_boosting.py packages/trainer/golden packages/study/golden
"""
import json
import sys
from pathlib import Path

import numpy as np
import sklearn
from sklearn.ensemble import AdaBoostClassifier, BaggingClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier


def points(classes, rows, spread, seed):
    rng = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(classes), rng.integers(0, classes, rows - classes)])
    centres = rng.normal(size=(classes, 3))
    return centres[labels] + rng.normal(size=(rows, 3)) * spread, labels


def bagging(classes, members, seed):
    """Rows that each member saw, its probabilities of all rows, and the out-of-bag mean; null for a row that all members saw."""
    x, labels = points(classes, 40, 1.0, seed)
    bag = BaggingClassifier(GaussianNB(), members, oob_score=True, random_state=seed).fit(x, labels)
    found = bag.oob_decision_function_
    return {
        'labels': labels.tolist(),
        'seen': [sorted(set(each.tolist())) for each in bag.estimators_samples_],
        'members': [each.predict_proba(x).tolist() for each in bag.estimators_],
        'outOfBag': [None if np.isnan(row).any() else row.tolist() for row in found],
        'accuracy': bag.oob_score_,
    }


class Noting(DecisionTreeClassifier):
    """A tree that notes the sample weights that it is fitted with."""

    noted = []

    def fit(self, x, y, sample_weight=None, **given):
        Noting.noted.append(np.array(sample_weight).tolist())
        return super().fit(x, y, sample_weight=sample_weight, **given)


def boosting(classes, members, depth, spread, seed):
    """For each member its predictions, the sample weights before it, its error and its weight; and the votes of all."""
    x, labels = points(classes, 50, spread, seed)
    Noting.noted = []
    model = AdaBoostClassifier(Noting(max_depth=depth, random_state=0), n_estimators=members, random_state=0).fit(x, labels)
    count = len(model.estimators_)
    return {
        'labels': labels.tolist(),
        'classes': classes,
        'predictions': [each.predict(x).tolist() for each in model.estimators_],
        'sampleWeights': Noting.noted[: count + 1],
        'errors': model.estimator_errors_[:count].tolist(),
        'weights': model.estimator_weights_[:count].tolist(),
        'decision': model.decision_function(x).tolist(),
        'predicted': model.predict(x).tolist(),
    }


source = f'scikit-learn {sklearn.__version__}'
bags = [bagging(2, 8, 1), bagging(4, 12, 2), bagging(3, 3, 3)]
boosts = [boosting(2, 6, 1, 1.5, 4), boosting(4, 8, 2, 1.0, 5), boosting(3, 5, None, 1.0, 6)]
for folder, name, cases in zip(sys.argv[1:], ('bagging', 'boosting'), (bags, boosts)):
    Path(folder).mkdir(parents=True, exist_ok=True)
    (Path(folder) / f'{name}.json').write_text(json.dumps({'source': source, 'cases': cases}) + '\n')
