"""Golden file of ensembles, by scikit-learn's VotingClassifier, StackingClassifier and LogisticRegression on given probabilities.

python tools/golden/ensembles.py packages/trainer/golden
"""
import json
import sys
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.naive_bayes import GaussianNB


class Given(ClassifierMixin, BaseEstimator):
    """A fitted classifier whose probabilities are columns of its input."""

    def __init__(self, start=0, classes=2):
        self.start, self.classes = start, classes

    def fit(self, x, y):
        self.classes_ = np.arange(self.classes)
        return self

    def predict_proba(self, x):
        return x[:, self.start : self.start + self.classes]

    def predict(self, x):
        return self.predict_proba(x).argmax(axis=1)


def case(classes, seed):
    rng = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(classes), rng.integers(0, classes, 60 - classes)])
    members = []
    for noise in (1.0, 1.5, 2.5):
        logits = np.eye(classes)[labels] * 1.5 + rng.normal(size=(60, classes)) * noise
        powers = np.exp(logits)
        members.append(powers / powers.sum(axis=1, keepdims=True))
    x, weights = np.hstack(members), [0.5, 0.3, 0.7]
    estimators = [(str(i), Given(i * classes, classes).fit(x, labels)) for i in range(3)]
    soft = VotingClassifier(estimators, voting='soft', weights=weights).fit(x, labels)
    hard = VotingClassifier(estimators, voting='hard', weights=weights).fit(x, labels)
    final = LogisticRegression(C=1.0, tol=1e-10, max_iter=10000)
    stack = StackingClassifier(estimators, final, cv='prefit').fit(x[:40], labels[:40])
    return {
        'labels': labels.tolist(),
        'members': [member.tolist() for member in members],
        'weights': weights,
        'soft': soft.predict_proba(x).tolist(),
        'hard': hard.predict(x).tolist(),
        'fitted': 40,
        'stack': stack.predict_proba(x).tolist(),
    }


def out_of_fold(classes, seed):
    """StackingClassifier with 4 folds of two classifiers: the predictions of each fold's models, and the final estimator."""
    rng = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(classes)] * 4 + [rng.integers(0, classes, 60 - 4 * classes)])
    x = np.eye(classes)[labels] + rng.normal(size=(60, classes))
    folds = list(StratifiedKFold(4, shuffle=True, random_state=seed).split(x, labels))
    estimators = [('logistic', LogisticRegression()), ('bayes', GaussianNB())]
    stack = StackingClassifier(estimators, LogisticRegression(tol=1e-10, max_iter=10000), cv=folds).fit(x, labels)
    held = [
        {
            'classes': labels[held].tolist(),
            'members': [each.fit(x[train], labels[train]).predict_proba(x[held]).tolist() for _, each in estimators],
        }
        for train, held in folds
    ]
    final = stack.final_estimator_
    return {'folds': held, 'coefficients': final.coef_.tolist(), 'intercepts': final.intercept_.tolist()}


folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
golden = {'source': 'scikit-learn', 'two': case(2, 1), 'four': case(4, 2)}
golden['outOfFold'] = [out_of_fold(2, 3), out_of_fold(4, 4)]
(folder / 'ensembles.json').write_text(json.dumps(golden) + '\n')
