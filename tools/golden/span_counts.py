"""
Numbers of corrupted tokens and spans of texts in T5's span corruption, as `random_spans_noise_mask` of text-to-text-transfer-transformer
computes them. Needs numpy. Writes plugins/objective-denoising/golden/span-counts.json.
"""
import json
from pathlib import Path

import numpy

GOLDEN = Path(__file__).resolve().parents[2] / "plugins/objective-denoising/golden/span-counts.json"


def counts(length, density, mean):
    noise = min(max(int(numpy.round(length * density)), 1), length - 1)
    return [noise, max(int(numpy.round(noise / mean)), 1)]


cases = [
    {"fraction": density, "mean": mean, "counts": [counts(length, density, mean) for length in range(2, 200)]}
    for density, mean in ((0.15, 3.0), (0.15, 2.0), (0.25, 4.0), (0.5, 3.0))
]
GOLDEN.parent.mkdir(exist_ok=True)
GOLDEN.write_text(json.dumps({"source": f"random_spans_noise_mask of T5 with numpy {numpy.__version__}", "cases": cases}) + "\n")
