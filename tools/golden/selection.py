"""Golden file of active-learning scores, by modAL 0.4.2, and of k-centre greedy selection, by scikit-learn's distances.

pip install modAL-python==0.4.2; python tools/golden/selection.py packages/study/golden
"""
import json
import sys
from pathlib import Path

import numpy as np
from modAL.disagreement import consensus_entropy, vote_entropy
from modAL.uncertainty import classifier_entropy, classifier_margin, classifier_uncertainty
from sklearn.metrics import pairwise_distances

rng = np.random.default_rng(7)


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


members = [softmax(rng.normal(size=(12, 4)) * 2) for _ in range(3)]


class Fixed:
    """A classifier, or a committee, with given probabilities."""

    classes_ = np.arange(4)

    def predict_proba(self, _):
        return members[0]

    def vote_proba(self, _):
        return np.stack(members, axis=1)

    def vote(self, _):
        return np.stack([member.argmax(axis=1) for member in members], axis=1)

    def __len__(self):
        return len(members)


fixed, nothing = Fixed(), np.zeros((12, 1))
# the mean of the committee's probabilities is what modAL's Committee.predict_proba returns
committee = Fixed()
committee.predict_proba = lambda _: np.mean(np.stack(members, axis=1), axis=1)

vectors = rng.normal(size=(15, 3))
start = [3, 8]
chosen = list(start)
distances = pairwise_distances(vectors)
for _ in range(5):
    chosen.append(int(distances[:, chosen].min(axis=1).argmax()))

golden = {
    'source': 'modAL 0.4.2, scikit-learn pairwise_distances',
    'members': [member.tolist() for member in members],
    'uncertainty': classifier_uncertainty(fixed, nothing).tolist(),
    'margin': classifier_margin(fixed, nothing).tolist(),
    'entropy': classifier_entropy(fixed, nothing).tolist(),
    'voteEntropy': vote_entropy(committee, nothing).tolist(),
    'consensusEntropy': consensus_entropy(committee, nothing).tolist(),
    'vectors': vectors.tolist(),
    'start': start,
    'centres': chosen[len(start):],
}
folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
(folder / 'selection.json').write_text(json.dumps(golden) + '\n')
