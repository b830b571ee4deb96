"""Small word vectors read and written by gensim, and training steps implemented in numpy from the papers' formulas.

Needs numpy and gensim 4.4. Writes packages/embeddings/golden/

  gensim.txt, gensim.bin, gensim-glove.txt   the same vectors in the three formats
  gensim.json       their values, and similarities, neighbours and analogies from gensim's KeyedVectors
  word2vec.json     steps of negative sampling: the samples, the tables before and after, the losses
  glove.json        co-occurrence counts of a small corpus, and steps of AdaGrad on pairs
  xoshiro.json      numbers of xoshiro128** from the state 1, 2, 3, 4
"""
import json
from collections import defaultdict
from pathlib import Path

import numpy as np
from gensim.models import KeyedVectors

GOLDEN = Path(__file__).resolve().parents[2] / "packages/embeddings/golden"
WORDS = "king queen man woman prince straße 東京 naïve 🙂 don't paris france rome italy apple pear the of and a".split()


def write(name, content):
    (GOLDEN / name).write_text(json.dumps(content) + "\n")


def numbers(array):
    return [float(x) for x in np.asarray(array).ravel()]


def key_vectors(random):
    vectors = KeyedVectors(6)
    values = random.normal(size=(len(WORDS), 6)).astype(np.float32)
    vectors.add_vectors(WORDS, values)
    vectors.save_word2vec_format(GOLDEN / "gensim.txt")
    vectors.save_word2vec_format(GOLDEN / "gensim.bin", binary=True)
    vectors.save_word2vec_format(GOLDEN / "gensim-glove.txt", write_header=False)
    triples = [("man", "king", "woman"), ("france", "paris", "italy"), ("apple", "東京", "the")]
    write("gensim.json", {
        "words": WORDS,
        "size": 6,
        "values": numbers(values),
        "similarities": [[a, b, float(vectors.similarity(a, b))] for a, b in zip(WORDS, reversed(WORDS))],
        "nearest": {word: vectors.most_similar(word, topn=5) for word in WORDS[:6]},
        "analogies": [[*t, vectors.most_similar(positive=[t[1], t[2]], negative=[t[0]], topn=5)] for t in triples],
    })  # fmt: skip


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def word2vec(random, words=12, size=5, steps=60):
    """Mikolov et al., 2013, equation 4; the gradients of all rows are computed before any row is updated."""
    tables = {name: random.normal(scale=0.4, size=(words, size)).astype(np.float32) for name in ("input", "output")}
    before = {name: numbers(table) for name, table in tables.items()}
    tables = {name: table.astype(np.float64) for name, table in tables.items()}
    samples, losses = [], []
    for step in range(steps):
        inputs = random.integers(words, size=1 if step % 2 == 0 else random.integers(2, 6))
        targets = random.permutation(words)[: random.integers(2, 7)]
        rate = float(np.float32(0.3 * (1 - step / steps)))
        hidden = tables["input"][inputs].mean(axis=0)
        signs = np.where(np.arange(len(targets)) == 0, 1.0, -1.0)
        scores = signs * (tables["output"][targets] @ hidden)
        losses.append(float(-np.log(sigmoid(scores)).sum()))
        by_score = -signs * sigmoid(-scores)
        gradients = {name: np.zeros_like(table) for name, table in tables.items()}
        np.add.at(gradients["output"], targets, by_score[:, None] * hidden)
        np.add.at(gradients["input"], inputs, by_score @ tables["output"][targets] / len(inputs))
        for name in tables:
            tables[name] -= rate * gradients[name]
        samples.append({"inputs": inputs.tolist(), "targets": targets.tolist(), "learningRate": rate})
    after = {name: numbers(table) for name, table in tables.items()}
    write("word2vec.json", {"size": size, "before": before, "samples": samples, "losses": losses, "after": after})


def glove(random, size=4, steps=150):
    """Pennington et al., 2014, equations 8 and 9; AdaGrad with the step size inside the squares."""
    corpus = [[str(w) for w in random.integers(9, size=random.integers(1, 14))] for _ in range(40)]
    window, rate, maximum, exponent = 3, 0.05, 5.0, 0.75
    counts = defaultdict(float)
    for text in corpus:
        for i, a in enumerate(text):
            for j, b in enumerate(text):
                if 0 < abs(i - j) <= window:
                    counts[int(a), int(b)] += 1 / abs(i - j)
    shapes = {"first": (9, size), "second": (9, size), "firstBias": (9,), "secondBias": (9,)}
    state = {name: random.normal(scale=0.3, size=shape).astype(np.float32) for name, shape in shapes.items()}
    before = {name: numbers(value) for name, value in state.items()}
    state = {name: value.astype(np.float64) for name, value in state.items()}
    squares = {name: np.ones(shape) for name, shape in shapes.items()}
    pairs = sorted(counts)
    samples, losses = [], []
    for _ in range(steps):
        i, j = pairs[random.integers(len(pairs))]
        x = float(np.float32(counts[i, j]))
        weight = min(1.0, (x / maximum) ** exponent)
        difference = state["first"][i] @ state["second"][j] + state["firstBias"][i] + state["secondBias"][j] - np.log(x)
        losses.append(float(0.5 * weight * difference**2))
        slope = weight * difference
        gradients = [("first", i, slope * state["second"][j]), ("second", j, slope * state["first"][i]),
                     ("firstBias", i, slope), ("secondBias", j, slope)]  # fmt: skip
        for name, row, gradient in gradients:
            state[name][row] -= rate * gradient / np.sqrt(squares[name][row])
            squares[name][row] += (rate * gradient) ** 2
        samples.append([i, j, x])
    after = {name: numbers(value) for name, value in state.items()}
    options = {"learningRate": rate, "maximumWeight": maximum, "exponent": exponent}
    write("glove.json", {
        "corpus": corpus, "window": window, "counts": [[i, j, counts[i, j]] for i, j in pairs],
        "size": size, "options": options, "before": before, "samples": samples, "losses": losses, "after": after,
    })  # fmt: skip


def xoshiro(count=20):
    """Blackman and Vigna, 2021, figure of xoshiro128**."""
    mask = 2**32 - 1
    turn = lambda x, k: ((x << k) | (x >> (32 - k))) & mask  # noqa: E731
    s, drawn = [1, 2, 3, 4], []
    for _ in range(count):
        drawn.append(turn(s[1] * 5 & mask, 7) * 9 & mask)
        t = s[1] << 9 & mask
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = turn(s[3], 11)
    write("xoshiro.json", {"state": [1, 2, 3, 4], "numbers": drawn})


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    key_vectors(np.random.default_rng(1))
    word2vec(np.random.default_rng(2))
    glove(np.random.default_rng(3))
    xoshiro()
