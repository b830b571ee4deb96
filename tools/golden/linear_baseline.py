"""Linear baseline on examples/debian-sections: TF-IDF features and a linear support vector machine.

Needs scikit-learn. Prints accuracy and macro F1 on the test split, the latter over the classes that occur there (like metric-f1)
and over all classes of the training split (one of them, education, does not occur in the test split).
"""
import gzip
import json
from pathlib import Path

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import accuracy_score, f1_score
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

FOLDER = Path(__file__).resolve().parents[2] / "examples/debian-sections"


def read(split):
    with gzip.open(FOLDER / f"{split}.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [row["text"] for row in rows], [row["label"] for row in rows]


(texts, labels), (test_texts, test_labels) = read("train"), read("test")
model = make_pipeline(TfidfVectorizer(sublinear_tf=True), LinearSVC(C=0.5)).fit(texts, labels)
predicted = model.predict(test_texts)
f1 = lambda classes: f1_score(test_labels, predicted, average="macro", labels=sorted(classes), zero_division=0)
print(f"accuracy {accuracy_score(test_labels, predicted):.4f}")
print(f"macro F1 {f1({*test_labels, *predicted}):.4f} over the classes of the test split, {f1(set(labels)):.4f} over all")
