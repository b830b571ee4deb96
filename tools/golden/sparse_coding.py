"""Golden values of sparse codes and of a dictionary update: scikit-learn's `sparse_encode` and `_update_dict`.

Writes plugins/adapter-sparse-coding/golden/scikit-learn.json. Inputs have norm 1, as in the adapter. The norms of reconstructed features
are by numpy from their definition: the reconstruction of all inputs by the most used atoms. Needs scikit-learn and numpy.
"""
import json
import pathlib

import numpy
import sklearn
from sklearn.decomposition import sparse_encode
from sklearn.decomposition._dict_learning import _update_dict

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROWS, FEATURES, ATOMS, PENALTY, USED = 24, 6, 8, 0.1, 4
random = numpy.random.default_rng(0)


def unit(x):
    return x / numpy.linalg.norm(x, axis=1, keepdims=True)


x, dictionary = unit(random.normal(size=(ROWS, FEATURES))), unit(random.normal(size=(ATOMS, FEATURES)))
codes = sparse_encode(x, dictionary, algorithm="lasso_cd", alpha=PENALTY, max_iter=100_000)
A, B = codes.T @ codes, x.T @ codes
assert (A.diagonal() > 1e-6).all(), "scikit-learn resamples atoms that are not used"
updated = dictionary.copy()
_update_dict(updated, x, codes.copy(), A.copy(), B.copy(), random_state=0)
used = numpy.argsort(-A.diagonal(), kind="stable")[:USED]
norms = numpy.linalg.norm(codes[:, used] @ updated[used], axis=0)
golden = {
    "source": f"scikit-learn {sklearn.__version__}",
    "penalty": PENALTY,
    "usedFraction": USED / ATOMS,
    **{name: value.tolist() for name, value in
       {"x": x, "dictionary": dictionary, "codes": codes, "updated": updated, "norms": norms}.items()},
}
(ROOT / "plugins/adapter-sparse-coding/golden/scikit-learn.json").write_text(json.dumps(golden))
