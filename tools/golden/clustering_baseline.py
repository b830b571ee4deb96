"""Baselines of examples/clustering: k-means on TF-IDF features, and on the vectors of the texts.

Needs scikit-learn. Prints the normalized mutual information and the adjusted Rand index of 16 clusters of the test split of
examples/debian-sections with its sections: mean, minimum and maximum of ten seeds. Argument: a file of `attune predict` with the vectors.
"""
import gzip
import json
import sys
from pathlib import Path

import numpy as np
from sklearn.cluster import KMeans
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
from sklearn.preprocessing import normalize

FILE = Path(__file__).resolve().parents[2] / "examples/debian-sections/test.jsonl.gz"

with gzip.open(FILE, "rt", encoding="utf-8") as lines:
    rows = [json.loads(line) for line in lines]
labels = [row["label"] for row in rows]


def show(name, features):
    runs = [KMeans(16, n_init=4, random_state=seed).fit_predict(features) for seed in range(10)]
    for metric in (normalized_mutual_info_score, adjusted_rand_score):
        scores = [metric(labels, run) for run in runs]
        print(f"{name} {metric.__name__} {np.mean(scores):.3f} ({min(scores):.3f} to {max(scores):.3f})")


show("TF-IDF", TfidfVectorizer(sublinear_tf=True, stop_words="english", min_df=3).fit_transform(row["text"] for row in rows))
for file in sys.argv[1:]:
    show(file, normalize([json.loads(line)["embedding"] for line in open(file)]))
