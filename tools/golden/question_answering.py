"""Windows, span targets, best spans and scores of extractive question answering.

Windows and targets come from the tokenizers library, with `only_second` truncation and a stride, as `prepare_train_features` of
transformers' run_qa uses it. Best spans follow `postprocess_qa_predictions` of its utils_qa. Scores come from the official evaluation
script of SQuAD 2.0: metrics/squad_v2/compute_score.py of the Hugging Face repository evaluate.

Usage: python tools/golden/question_answering.py COMPUTE_SCORE.py
Needs tokenizers and numpy. Writes plugins/objective-span-extraction/golden/run-qa.json.gz and plugins/metric-{exact-match,squad-f1}/golden.
"""
import gzip
import importlib.util
import json
import random
import sys
from pathlib import Path

import numpy as np
import tokenizers
from tokenizers import Tokenizer

ROOT = Path(__file__).resolve().parents[2]
random.seed(5)
generator = np.random.default_rng(5)
rust = json.loads((ROOT / "plugins/tokenizer-wordpiece/golden/rust-lowercase.json").read_text())
tokenizer = Tokenizer.from_str(json.dumps(rust["tokenizer"]))

NILE = (
    "The Nile is a major north-flowing river in northeastern Africa. It flows into the Mediterranean Sea. "
    "It is about 6,650 kilometres long, and its drainage basin covers eleven countries."
)
ROWS = [
    ("What is the Nile?", NILE, "a major north-flowing river"),
    ("How long is it?", NILE, "about 6,650 kilometres"),
    ("How many countries share its basin?", NILE, "eleven countries"),
    ("Who discovered it?", NILE, None),
    ("Where does it begin?", "The", "The"),
    ("Of what?", "a b c d e f g h i j k l m n o p q r s t u v w x y z", "k"),
]


def as_dict(encoding, context):
    """An encoding with offsets; `context` is true for its tokens of the second text."""
    return {
        "ids": encoding.ids,
        "typeIds": encoding.type_ids,
        "offsets": [list(each) for each in encoding.offsets],
        "context": [each == 1 for each in encoding.sequence_ids] if context else None,
    }


def target(window, start, end):
    """
    Token positions of an answer at [start, end), [0, 0] if it is not whole in the window. run_qa searches for the start up to the end of
    the window; this search ends with the context.
    """
    own = [i for i, each in enumerate(window.sequence_ids) if each == 1]
    if window.offsets[own[0]][0] > start or window.offsets[own[-1]][1] < end:
        return [0, 0]
    first, last = own[0], own[-1]
    while first <= own[-1] and window.offsets[first][0] <= start:
        first += 1
    while window.offsets[last][1] >= end:
        last -= 1
    return [first - 1, last + 1]


def windows_of(question, context, length, stride):
    tokenizer.enable_truncation(max_length=length, stride=stride, strategy="only_second")
    first = tokenizer.encode(question, context)
    return [first, *first.overflowing]


def post_process(windows, logits, context, unanswerable, best, longest, threshold):
    """The steps of `postprocess_qa_predictions` for one example, from the rounded logits of the file."""
    null, found = None, []
    for window, (starts, ends) in zip(windows, logits):
        offsets = [offset if own == 1 else None for offset, own in zip(window.offsets, window.sequence_ids)]
        score = starts[0] + ends[0]
        if null is None or score < null["score"]:
            null = {"offsets": (0, 0), "score": score}
        for s in np.argsort(starts)[-1 : -best - 1 : -1].tolist():
            for e in np.argsort(ends)[-1 : -best - 1 : -1].tolist():
                if offsets[s] is None or offsets[e] is None or e < s or e - s + 1 > longest:
                    continue
                found.append({"offsets": (offsets[s][0], offsets[e][1]), "score": starts[s] + ends[e]})
    if not found:  # utils_qa predicts the text "empty"; this is no answer
        return {"answer": "", "probability": 1.0}
    if unanswerable:
        found.append(null)
    kept = sorted(found, key=lambda each: each["score"], reverse=True)[:best]
    if unanswerable and not any(each["offsets"] == (0, 0) for each in kept):
        kept.append(null)
    for each in kept:
        each["text"] = context[each["offsets"][0] : each["offsets"][1]]
    scores = np.array([each["score"] for each in kept])
    powers = np.exp(scores - scores.max())
    for each, power in zip(kept, powers / powers.sum()):
        each["probability"] = float(power)
    if not unanswerable:
        return {"answer": kept[0]["text"], "probability": kept[0]["probability"]}
    span = next(each for each in kept if each["text"] != "")
    margin = null["score"] - span["score"]
    chosen = null if margin > threshold else span
    return {"answer": chosen["text"], "probability": chosen["probability"], "noAnswerMargin": float(margin)}


def cases():
    for question, context, answer in ROWS:
        tokenizer.no_truncation()
        alone, whole = tokenizer.encode(question), tokenizer.encode(question, context)
        start = -1 if answer is None else context.index(answer)
        for length, stride in ((64, 16), (24, 8), (20, 0)):
            windows = windows_of(question, context, length, stride)
            logits = [[generator.normal(0, 3, len(w.ids)).round(5) for _ in range(2)] for w in windows]
            predictions = []
            for unanswerable, best, longest, threshold in (
                (False, 20, 30, 0.0), (False, 5, 3, 0.0), (True, 20, 30, 0.0), (True, 20, 30, -4.0), (True, 8, 4, 3.0),
            ):
                found = post_process(windows, logits, context, unanswerable, best, longest, threshold)
                settings = {"unanswerable": unanswerable, "candidates": best, "maximumAnswerLength": longest, "threshold": threshold}
                predictions.append({"settings": settings, "expected": found})
            yield {
                "question": question,
                "context": context,
                "answer": answer,
                "alone": as_dict(alone, False),
                "whole": as_dict(whole, False),
                "length": length,
                "stride": stride,
                "windows": [as_dict(w, True) for w in windows],
                "targets": [[0, 0] if answer is None else target(w, start, start + len(answer)) for w in windows],
                "logits": [[each.tolist() for each in pair] for pair in logits],
                "predictions": predictions,
            }


def scores(path):
    """Predictions, references and the official scores, as fractions."""
    spec = importlib.util.spec_from_file_location("official", path)
    official = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(official)
    pairs = [
        ("The Nile.", ["Nile", "the river Nile"]), ("the river nile", ["Nile"]), ("", []), ("Paris", []), ("", ["Paris"]),
        ("6,650 kilometres", ["about 6650  kilometres", "6,650 km"]), ("an apple a day", ["Apple day!", "day"]), ("the", ["a", "an"]),
        ("x x y", ["x y y", "y"]), ("naïve café", ["Naïve café", "naive cafe"]), ("l'été", ["été"]), ("à la carte", ["la carte"]),
        ("_a_ b", ["b"]), ("東京 タワー", ["東京タワー", "東京"]), ("…the…", ["…"]), ("A. B.", ["B", "a b"]), ("?", []), ("u.s.", ["US"]),
    ]
    dataset = [{"paragraphs": [{"qas": [{"id": i, "answers": {"text": gold}} for i, (_, gold) in enumerate(pairs)]}]}]
    predictions = {i: predicted for i, (predicted, _) in enumerate(pairs)}
    exact, f1 = official.get_raw_scores(dataset, predictions)
    known = official.make_qid_to_has_ans(dataset)
    has = [i for i, (_, gold) in enumerate(pairs) if any(official.normalize_answer(text) for text in gold)]
    assert set(has) <= {i for i, answered in known.items() if answered}
    source = "compute_score.py of squad_v2, the official evaluation script"
    for name, raw in (("exact-match", exact), ("squad-f1", f1)):
        folder = ROOT / f"plugins/metric-{name}/golden"
        folder.mkdir(exist_ok=True)
        rest = [i for i in raw if i not in has]
        part = lambda ids: {name: sum(raw[i] for i in ids) / len(ids), "support": len(ids)}
        expected = {"value": sum(raw.values()) / len(raw), "parts": {"answerable": part(has), "unanswerable": part(rest)}}
        case = {"options": {}, "predictions": [p for p, _ in pairs], "references": [g for _, g in pairs], "expected": expected}
        text = json.dumps({"source": source, "cases": [case]}, ensure_ascii=False)
        (folder / f"squad-{name}.json").write_text(text + "\n")


scores(sys.argv[1])
golden = {"source": f"tokenizers {tokenizers.__version__} and the steps of transformers' run_qa", "cases": list(cases())}
path = ROOT / "plugins/objective-span-extraction/golden/run-qa.json.gz"
path.parent.mkdir(exist_ok=True)
path.write_bytes(gzip.compress((json.dumps(golden) + "\n").encode(), mtime=0))
