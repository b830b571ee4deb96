"""
Spans and scores of tag sequences by seqeval, also of inconsistent ones. Needs seqeval (1.2) and scikit-learn. Writes
packages/data/golden/seqeval-spans.json and plugins/metric-entity-f1/golden/seqeval-entity-f1.json.
"""
import json
import random
import warnings
from importlib.metadata import version
from pathlib import Path

from seqeval.metrics import classification_report, f1_score
from seqeval.metrics.sequence_labeling import get_entities

ROOT = Path(__file__).resolve().parents[2]
SOURCE = f"seqeval {version('seqeval')}"
warnings.simplefilter("ignore")
rng = random.Random(1)
BIO = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
BIOES = BIO + ["E-PER", "S-PER", "E-LOC", "S-LOC"]


def sequence(tags):
    return [rng.choice(tags) for _ in range(rng.randint(1, 8))]


spans = []
for _ in range(120):
    tags = sequence(rng.choice([BIO, BIOES]))
    spans.append({"tags": tags, "spans": [[label, start, end + 1] for label, start, end in get_entities(tags)]})
path = ROOT / "packages/data/golden/seqeval-spans.json"
path.write_text(json.dumps({"source": SOURCE, "cases": spans}) + "\n")


def changed(tags):
    return [rng.choice(BIO) if rng.random() < 0.3 else tag for tag in tags]


def case(average, references, predictions):
    report = classification_report(references, predictions, output_dict=True, zero_division=0)
    parts = {
        label: {"precision": each["precision"], "recall": each["recall"], "f1": each["f1-score"], "support": int(each["support"])}
        for label, each in report.items()
        if not label.endswith(" avg")
    }
    value = f1_score(references, predictions, average=average, zero_division=0)
    return {
        "options": {"average": average},
        "predictions": predictions,
        "references": references,
        "expected": {"value": float(value), "parts": parts},
    }


cases = []
for average in ("micro", "macro", "weighted"):
    for _ in range(3):
        references = [sequence(BIO) for _ in range(12)]
        cases.append(case(average, references, [changed(tags) for tags in references]))
path = ROOT / "plugins/metric-entity-f1/golden/seqeval-entity-f1.json"
path.parent.mkdir(parents=True, exist_ok=True)
path.write_text(json.dumps({"source": SOURCE, "cases": cases}) + "\n")
