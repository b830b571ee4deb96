"""
Golden values of tiny random multilayer perceptrons, written in PyTorch, with scikit-learn's TF-IDF weights: see model_parity.py. Also
writes TF-IDF weights alone. Needs torch, transformers, safetensors and scikit-learn (1.9).
"""
import json
from types import SimpleNamespace

import numpy
import sklearn
import torch
from model_parity import ROOT, Classification, write_case
from sklearn.feature_extraction.text import TfidfTransformer
from torch import nn
from written_model import Config, WrittenForClassification

VOCABULARY = 24


def counts_of(rows):
    return numpy.stack([numpy.bincount(row, minlength=VOCABULARY) for row in rows])


def fitted(rows, sublinear):
    return TfidfTransformer(smooth_idf=True, norm="l2", sublinear_tf=sublinear).fit(counts_of(rows))


class Embeddings(nn.Module):
    def __init__(self, width, bias):
        super().__init__()
        self.word_embeddings = nn.Embedding(VOCABULARY, width)
        if bias:
            self.bias = nn.Parameter(torch.zeros(width))


class Perceptron(nn.Module):
    def __init__(self, config, tfidf):
        super().__init__()
        self.tfidf = tfidf
        self.act = {"relu": torch.relu, "tanh": torch.tanh, "gelu": nn.functional.gelu}[config.hidden_act]
        widths = [config.embedding_size, *config.hidden_sizes] if tfidf is None else config.hidden_sizes
        self.embeddings = Embeddings(widths[0], tfidf is not None)
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(widths, widths[1:]))

    def hidden(self, x):
        for layer in self.layers:
            x = self.act(layer(x))
        return x

    def text(self, ids):
        """Forward pass of one text `ids` without padding."""
        table = self.embeddings.word_embeddings.weight
        if self.tfidf is None:
            return self.hidden(table[ids].mean(0))
        weights = torch.tensor(self.tfidf.transform(counts_of([ids.numpy()])).toarray()[0], dtype=table.dtype)
        return self.hidden(self.act(weights @ table + self.embeddings.bias))

    def forward(self, ids, mask):
        tokens = torch.stack([torch.stack([self.text(token.reshape(1)) for token in row]) for row in ids])
        pooled = torch.stack([self.text(row[keep == 1]) for row, keep in zip(ids, mask)])
        return SimpleNamespace(last_hidden_state=tokens, pooled=pooled)


class MlpForSequenceClassification(WrittenForClassification):
    SOURCE = f"{WrittenForClassification.SOURCE}, scikit-learn {sklearn.__version__}"

    def __init__(self, config):
        super().__init__(config, "mlp", Perceptron(config, config._tfidf), config.hidden_sizes[-1])


TINY = dict(vocab_size=VOCABULARY, hidden_sizes=[12, 16], dropout=0.0, maximum_length=32)
LENGTHS = ((15, 9, 2), (13, 6))  # long enough that tokens repeat
case = dict(cls=MlpForSequenceClassification, task=Classification, lengths=LENGTHS)

write_case("mlp", "mean", config=Config("mlp", **TINY, input="mean", embedding_size=10, hidden_act="gelu", _tfidf=None), **case)

generator = numpy.random.default_rng(7)
rows = [generator.integers(0, VOCABULARY - 4, n) for n in (5, 9, 12, 3, 17, 8, 1)]  # the last tokens occur in none
for name, sublinear in {"tf-idf": False, "sublinear": True}.items():
    tfidf = fitted(rows, sublinear)
    options = dict(input="tf-idf", idf=tfidf.idf_.tolist(), sublinear_tf=sublinear, hidden_act="tanh")
    write_case("mlp", name, config=Config("mlp", **TINY, **options, _tfidf=tfidf), **case)

golden = {"source": f"scikit-learn {sklearn.__version__}", "vocabularySize": VOCABULARY, "rows": [row.tolist() for row in rows]}
golden["idf"] = fitted(rows, False).idf_.tolist()
(ROOT / "plugins/model-mlp/golden/tf-idf/idf.json").write_text(json.dumps(golden) + "\n")
