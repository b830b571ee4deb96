"""Golden file of measures of domain shift, by scikit-learn, SciPy and NumPy.

python tools/golden/domain_shift.py packages/study/golden
"""
import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import scipy
import sklearn
from scipy.spatial.distance import jensenshannon, pdist, squareform
from sklearn.linear_model import LogisticRegression

rng = np.random.default_rng(5)
WIDTH = 6


def a_distance(source, target):
    """Two-fold: even rows and odd rows."""
    x = [np.vstack([source[i::2], target[i::2]]) for i in (0, 1)]
    y = [np.r_[np.zeros(len(source[i::2])), np.ones(len(target[i::2]))] for i in (0, 1)]
    wrong = {0: 0, 1: 0}
    for train in (0, 1):
        mean = x[train].mean(axis=0)
        scale = np.sqrt(((x[train] - mean) ** 2).mean())
        model = LogisticRegression(C=1.0, tol=1e-10, max_iter=10000).fit((x[train] - mean) / scale, y[train])
        missed = model.predict((x[1 - train] - mean) / scale) != y[1 - train]
        for domain in (0, 1):
            wrong[domain] += int(missed[y[1 - train] == domain].sum())
    error = (wrong[0] / len(source) + wrong[1] / len(target)) / 2
    return {'error': error, 'distance': 2 * (1 - 2 * error)}


def mmd(source, target):
    z = np.vstack([source, target])
    bandwidth = np.median(pdist(z))
    k = np.exp(-squareform(pdist(z, 'sqeuclidean')) / (2 * bandwidth**2))
    m, n = len(source), len(target)
    a, b, c = k[:m, :m], k[m:, m:], k[:m, m:]
    within = (a.sum() - np.trace(a)) / (m * (m - 1)) + (b.sum() - np.trace(b)) / (n * (n - 1))
    return {'bandwidth': bandwidth, 'mmdSquared': within - 2 * c.mean()}


def case(m, n, shift):
    source = rng.normal(size=(m, WIDTH)) * np.linspace(0.2, 3, WIDTH)
    target = rng.normal(size=(n, WIDTH)) * np.linspace(0.2, 3, WIDTH) + shift
    source, target = source.round(6), target.round(6)
    return {'source': source.tolist(), 'target': target.tolist(), **a_distance(source, target), **mmd(source, target)}


def vocabulary(frequent):
    source = Counter(f'w{i}' for i in rng.zipf(1.5, 400) if i < 200)
    target = Counter(f'w{i + 3}' for i in rng.zipf(1.3, 300) if i < 200)
    words = sorted(source | target)
    divergence = jensenshannon([source[w] for w in words], [target[w] for w in words], base=2) ** 2
    top = [set(sorted(c, key=lambda w: (-c[w], w))[:frequent]) for c in (source, target)]
    return {
        'source': dict(source),
        'target': dict(target),
        'frequent': frequent,
        'jaccard': len(top[0] & top[1]) / len(top[0] | top[1]),
        'jensenShannon': divergence,
        'unseen': sum(target[w] for w in target if w not in source) / sum(target.values()),
    }


golden = {
    'source': f'scikit-learn {sklearn.__version__}, SciPy {scipy.__version__}, NumPy {np.__version__}',
    'vectors': [case(40, 40, 0.8), case(31, 46, 0.3), case(24, 24, 0.0)],
    'vocabularies': [vocabulary(20), vocabulary(1000)],
}
(Path(sys.argv[1]) / 'domain-shift.json').write_text(json.dumps(golden) + '\n')
print([{k: c[k] for k in ('error', 'bandwidth', 'mmdSquared')} for c in golden['vectors']])
