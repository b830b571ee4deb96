"""Golden values of truncatedSvd in packages/nn: singular values and rank-k approximations by numpy.linalg.svd, float64.

Cases: tall, wide, square, of low rank, with repeated singular values, zero, and large enough that not all of the matrix is decomposed.
Writes packages/nn/golden/numpy-svd.json. Needs numpy.
"""
import json
from pathlib import Path

import numpy

random = numpy.random.default_rng(5)
low = random.normal(size=(9, 2)) @ random.normal(size=(2, 8))
orthogonal = numpy.linalg.qr(random.normal(size=(6, 6)))[0]
CASES = {
    "tall": (random.normal(size=(12, 7)), 3),
    "wide": (random.normal(size=(5, 9)), 5),
    "square, whole": (random.normal(size=(6, 6)), 6),
    "of low rank": (low, 4),
    "with repeated singular values": (orthogonal * [3, 3, 3, 1, 1, 1], 3),
    "zero": (numpy.zeros((4, 3)), 2),
    "large": (random.normal(size=(70, 60)) * 0.97 ** numpy.arange(60), 4),
}
cases = []
for name, (matrix, rank) in CASES.items():
    matrix = matrix.astype(numpy.float32)
    left, values, right = numpy.linalg.svd(matrix.astype(numpy.float64), full_matrices=False)
    product = (left[:, :rank] * values[:rank]) @ right[:rank]
    cases.append(
        {
            "name": name,
            "rows": matrix.shape[0],
            "columns": matrix.shape[1],
            "rank": rank,
            "matrix": [float(x) for x in matrix.flatten()],
            "values": values[:rank].tolist(),
            "product": [round(x, 9) for x in product.flatten()],
        }
    )
path = Path(__file__).resolve().parents[2] / "packages/nn/golden/numpy-svd.json"
path.write_text(json.dumps({"source": f"numpy.linalg.svd {numpy.__version__}, float64", "cases": cases}))
