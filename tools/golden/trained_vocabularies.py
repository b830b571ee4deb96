"""Vocabularies trained by the Rust tokenizers library, one EM step of Unigram training, and TF-IDF word weights of scikit-learn.

Needs tokenizers, torch and scikit-learn. Reads examples/debian-sections/train.jsonl.gz; writes
packages/text/golden/trained-vocabularies.json.gz.
"""
import gzip
import itertools
import json
import math
from pathlib import Path

import sklearn
import tokenizers
import torch
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

ROOT = Path(__file__).resolve().parents[2]
with gzip.open(ROOT / "examples/debian-sections/train.jsonl.gz", "rt", encoding="utf-8") as lines:
    texts = [json.loads(line)["text"] for line in lines][:300]


def bpe():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=1500, min_frequency=2, special_tokens=["<|endoftext|>"], initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    return {"tokens": sorted(model["vocab"], key=model["vocab"].get), "merges": model["merges"]}


def unigram():
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    trainer = trainers.UnigramTrainer(vocab_size=1000, special_tokens=["<unk>"], unk_token="<unk>", show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    return [entry for entry in json.loads(tokenizer.to_str())["model"]["vocab"] if entry[0] != "<unk>"]


def ways(word, pieces):
    """All segmentations of a word into subwords."""
    if word == "":
        yield []
    for end in range(1, len(word) + 1):
        if word[:end] in pieces:
            for rest in ways(word[end:], pieces):
                yield [word[:end], *rest]


def step():
    words = {"banana": 3, "bandana": 2, "ab": 5, "nab": 1}
    pieces = {"a": -1.5, "b": -2.0, "n": -2.2, "d": -4.0, "an": -1.9, "ban": -2.5, "ana": -3.0, "nan": -9.0}
    expected, likelihood = dict.fromkeys(pieces, 0.0), 0.0
    for word, count in words.items():
        weighed = [(way, math.exp(sum(pieces[piece] for piece in way))) for way in ways(word, pieces)]
        total = sum(weight for _, weight in weighed)
        likelihood += count * math.log(total)
        for way, weight in weighed:
            for piece in way:
                expected[piece] += count * weight / total
    counts = [max(0.5, value) for value in expected.values()]
    digamma = lambda x: torch.special.digamma(torch.tensor(x, dtype=torch.float64)).item()
    scores = [digamma(count) - digamma(sum(counts)) for count in counts]
    return {"words": words, "pieces": list(pieces.items()), "expected": list(expected.values()), "scores": scores, "logLikelihood": likelihood}


def weighed():
    documents = [text.lower().split() for text in texts[:120]]
    vectorizer = CountVectorizer(analyzer=lambda document: document)
    counts = vectorizer.fit_transform(documents)
    tfidf = TfidfTransformer(norm=None, smooth_idf=True).fit_transform(counts)
    names = vectorizer.get_feature_names_out()
    best = lambda sums: sorted(zip((-sums).tolist(), names))
    by_count = best(counts.sum(axis=0).A1 if hasattr(counts.sum(axis=0), "A1") else counts.sum(axis=0))
    by_weight = [(-weight, name) for weight, name in best(tfidf.sum(axis=0).A1 if hasattr(tfidf.sum(axis=0), "A1") else tfidf.sum(axis=0))]
    # Equal weights may be in either order: only entries that differ clearly from their neighbours are compared.
    gaps = [w - v > 1e-9 for (w, _), (v, _) in itertools.pairwise(by_weight[:151])]
    clear = [name for i, (_, name) in enumerate(by_weight[:150]) if gaps[i] and (i == 0 or gaps[i - 1])]
    return {"documents": documents, "count": [name for _, name in by_count[:100]], "tfIdf": [name for _, name in by_weight[:150]], "clear": clear}


content = {
    "source": f"tokenizers {tokenizers.__version__} (Rust), scikit-learn {sklearn.__version__}",
    "texts": texts, "bpe": bpe(), "unigram": unigram(), "step": step(), "weighed": weighed(),
}  # fmt: skip
text = json.dumps(content, ensure_ascii=True, separators=(",", ":"))
(ROOT / "packages/text/golden/trained-vocabularies.json.gz").write_bytes(gzip.compress(text.encode("ascii"), 9, mtime=0))
