"""
Entities by the aggregation strategies of transformers' TokenClassificationPipeline, from scores of tokens. Needs transformers (5.24) and
numpy. Writes plugins/objective-token-classification/golden/entities.json.
"""
import json
from pathlib import Path
from types import SimpleNamespace

import numpy
import transformers
from transformers.pipelines.token_classification import AggregationStrategy, TokenClassificationPipeline

GOLDEN = Path(__file__).resolve().parents[2] / "plugins/objective-token-classification/golden/entities.json"
LABELS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
rng = numpy.random.default_rng(1)

pipeline = object.__new__(TokenClassificationPipeline)
pipeline.model = SimpleNamespace(config=SimpleNamespace(id2label=dict(enumerate(LABELS))))
pipeline.tokenizer = SimpleNamespace(convert_tokens_to_string=lambda tokens: " ".join(tokens))


def case():
    words = ["abcdef"[: rng.integers(1, 7)] for _ in range(rng.integers(1, 8))]
    logits, entities, offsets, start = [], [], [], 0
    for word in words:
        ends = sorted({len(word), *rng.integers(1, len(word) + 1, 2).tolist()})
        for i, (a, b) in enumerate(zip([0, *ends], ends)):
            row = numpy.round(2 * rng.normal(size=len(LABELS)), 3)
            scores = numpy.exp(row) / numpy.exp(row).sum()
            span = [start + a, start + b]
            offsets.append(span)
            logits.append(row.tolist())
            entities.append(
                {"word": word[a:b], "scores": scores, "start": span[0], "end": span[1], "index": len(logits), "is_subword": i > 0}
            )
        start += len(word) + 1
    found = {}
    for strategy in ("simple", "first", "average", "max"):
        groups = pipeline.aggregate([dict(each) for each in entities], AggregationStrategy(strategy))
        found[strategy] = [
            {"label": g["entity_group"], "start": g["start"], "end": g["end"], "score": float(g["score"])}
            for g in groups
            if g["entity_group"] != "O"
        ]
    return {"words": words, "offsets": offsets, "logits": logits, "expected": found}


found = {"source": f"transformers {transformers.__version__}", "labels": LABELS, "cases": [case() for _ in range(25)]}
GOLDEN.parent.mkdir(exist_ok=True)
GOLDEN.write_text(json.dumps(found) + "\n")
