"""Scores of generated texts: BLEU and chrF of examples/translation, ROUGE F1 of examples/package-summaries, on the test split.

    zcat examples/translation/test.jsonl.gz | jq -r .text | npx attune generate runs/translation --beams 4 > runs/translation.jsonl
    python tools/golden/generated_texts.py translation runs/translation.jsonl

The baseline of translation is the source text, that of summaries its first sentence. Without a file only the baselines are scored.
Needs sacrebleu (2.6.0, default options) and rouge-score (0.1.2, without stemming).
"""
import gzip
import json
import re
import sys
from pathlib import Path

import sacrebleu
from rouge_score.rouge_scorer import RougeScorer

ROOT = Path(__file__).resolve().parents[2]
name, *files = sys.argv[1:]
with gzip.open(ROOT / f"examples/{name}/test.jsonl.gz", "rt", encoding="utf-8") as lines:
    rows = [json.loads(line) for line in lines]
targets = [row["target"] for row in rows]


def bleu(texts):
    return f"BLEU {sacrebleu.corpus_bleu(texts, [targets]).score:.1f}, chrF {sacrebleu.corpus_chrf(texts, [targets]).score:.1f}"


def rouge(texts):
    kinds = ["rouge1", "rouge2", "rougeL"]
    scorer = RougeScorer(kinds)
    scores = [scorer.score(target, text) for target, text in zip(targets, texts, strict=True)]
    return ", ".join(f"{kind} {sum(score[kind].fmeasure for score in scores) / len(scores):.3f}" for kind in kinds)


baselines = {
    "translation": ("source text", bleu, lambda text: text),
    "package-summaries": ("first sentence", rouge, lambda text: re.split(r"(?<=[.!?]) (?=[A-Z])", text)[0]),
}
baseline, score, made = baselines[name]
print(f"{baseline}: {score([made(row['text']) for row in rows])}")
for file in files:
    generated = [json.loads(line) for line in Path(file).read_text(encoding="utf-8").splitlines()]
    assert [each["prompt"] for each in generated] == [row["text"] for row in rows], "expected the test texts as prompts"
    print(f"{file}: {score([each['text'].strip() for each in generated])}")
