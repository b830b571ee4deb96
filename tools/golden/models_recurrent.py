"""
Golden values of tiny random recurrent networks, computed with torch.nn on packed sequences; attention, copying and heads are written in
PyTorch: see model_parity.py. Needs torch, transformers and safetensors.
"""
from types import SimpleNamespace

import torch
from model_parity import LABELS, CausalModelling, Classification, SequenceToSequence, write_case
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from written_model import Config, WrittenForClassification

CELLS = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


def module(config, bidirectional):
    cell = CELLS[config.cell]
    return cell(config.embedding_size, config.hidden_size, config.layers, batch_first=True, bidirectional=bidirectional)


def packed(rnn, x, mask, begin=None):
    """Hidden states, zero at padding, and the last hidden states of the top layer, both directions concatenated."""
    rows = pack_padded_sequence(x, mask.sum(1), batch_first=True, enforce_sorted=False)
    states, last = rnn(rows, begin)
    hidden = last[0] if isinstance(last, tuple) else last
    ends = torch.cat([hidden[-2], hidden[-1]], 1) if rnn.bidirectional else hidden[-1]
    return pad_packed_sequence(states, batch_first=True, total_length=x.shape[1])[0], ends


class Written(nn.Module):
    SOURCE = f"torch.nn of torch {torch.__version__}, packed sequences, float64"
    save_pretrained = WrittenForClassification.save_pretrained

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocab_size, config.embedding_size)


class OneStack(Written):
    def __init__(self, config):
        super().__init__(config)
        self.rnn = module(config, config.bidirectional)

    @property
    def base_model(self):
        return self.body

    def body(self, input_ids, attention_mask, **_keep):
        states, ends = packed(self.rnn, self.embedding(input_ids), attention_mask)
        return SimpleNamespace(last_hidden_state=states, ends=ends)


class LstmForSequenceClassification(OneStack):
    def __init__(self, config):
        super().__init__(config)
        self.classifier = nn.Linear(config.hidden_size * (2 if config.bidirectional else 1), len(LABELS))

    def forward(self, input_ids, attention_mask, labels):
        logits = self.classifier(self.body(input_ids, attention_mask).ends)
        return SimpleNamespace(logits=logits, loss=nn.functional.cross_entropy(logits, labels))


class LstmForCausalLM(OneStack):
    def __init__(self, config):
        super().__init__(config)
        if not config.tie_word_embeddings:
            self.output = nn.Linear(config.hidden_size, config.vocab_size, bias=False)

    def forward(self, input_ids, attention_mask, labels):
        table = self.embedding.weight if self.config.tie_word_embeddings else self.output.weight
        logits = self.body(input_ids, attention_mask).last_hidden_state @ table.T
        loss = nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())
        return SimpleNamespace(logits=logits, loss=loss)


class Attention(nn.Module):
    def __init__(self, config, width):
        super().__init__()
        hidden, self.kind = config.hidden_size, config.attention
        if self.kind != "dot":
            self.key = nn.Linear(width, hidden, bias=False)
        if self.kind == "additive":
            self.query = nn.Linear(hidden, hidden)
            self.score = nn.Linear(hidden, 1, bias=False)
        self.combine = nn.Linear(width + hidden, hidden, bias=False)

    def one(self, query, states):
        """Attention weights of one query over the hidden states `[keys, width]` of one text without padding."""
        if self.kind == "additive":
            scores = self.score(torch.tanh(self.key(states) + self.query(query))).squeeze(1)
        else:
            scores = (states if self.kind == "dot" else self.key(states)) @ query
        return torch.softmax(scores, 0)


class LstmForConditionalGeneration(Written):
    def __init__(self, config):
        super().__init__(config)
        hidden, width = config.hidden_size, config.hidden_size * (2 if config.bidirectional else 1)
        self.parts = 2 if config.cell == "lstm" else 1
        self.encoder = module(config, config.bidirectional)
        self.decoder = module(config, False)
        self.bridge = nn.Linear(width, config.layers * self.parts * hidden)
        self.attention = Attention(config, width)
        if config.copy:
            self.copy = nn.Linear(width + hidden + config.embedding_size, 1)
        if not config.tie_word_embeddings:
            self.output = nn.Linear(hidden, config.vocab_size, bias=False)

    def begin(self, ends):
        c = self.config
        each = torch.tanh(self.bridge(ends)).reshape(-1, c.layers, self.parts, c.hidden_size).permute(2, 1, 0, 3)
        return tuple(part.contiguous() for part in each) if self.parts == 2 else each[0].contiguous()

    def word(self, query, word, states, ids):
        """Last hidden state, logits (with copying, log-probabilities) and attention weights at one position."""
        weights = self.attention.one(query, states)
        context = weights @ states
        state = torch.tanh(self.attention.combine(torch.cat([context, query])))
        table = self.embedding.weight if self.config.tie_word_embeddings else self.output.weight
        logits = table @ state
        if self.config.copy:
            writes = torch.sigmoid(self.copy(torch.cat([context, query, word])))
            copied = torch.zeros_like(logits).index_add(0, ids, weights)
            logits = torch.log(writes * torch.softmax(logits, 0) + (1 - writes) * copied)
        return state, logits, weights

    def run(self, input_ids, attention_mask, decoder_input_ids, decoder_attention_mask, **_rest):
        read, ends = packed(self.encoder, self.embedding(input_ids), attention_mask)
        words = self.embedding(decoder_input_ids)
        written, _ = packed(self.decoder, words, decoder_attention_mask, self.begin(ends))
        found = []
        for row, length in enumerate(attention_mask.sum(1).tolist()):
            text = read[row, :length], input_ids[row, :length]
            places = [self.word(query, word, *text) for query, word in zip(written[row], words[row])]
            found.append([torch.stack(each) for each in zip(*places)])
        states, logits = (torch.stack([row[i] for row in found]) for i in (0, 1))
        weights = torch.zeros(len(found), 1, states.shape[1], input_ids.shape[1], dtype=states.dtype)
        for row, (_, _, own) in enumerate(found):
            weights[row, 0, :, : own.shape[1]] = own
        return SimpleNamespace(last_hidden_state=states, encoder_states=read, attentions=[weights], logits=logits)

    @property
    def base_model(self):
        return self.run

    def forward(self, labels, **inputs):
        logits = self.run(**inputs).logits
        return SimpleNamespace(logits=logits, loss=nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten()))


def config(architecture, cell, **given):
    plain = dict(bidirectional=False, embedding_size=5, hidden_size=6, tie_word_embeddings=False)
    two = dict(attention="additive", copy=False, decoder_start_token_id=2) if architecture == "encoder-decoder" else {}
    return Config(
        "lstm", architecture=architecture, cell=cell, layers=2, vocab_size=31, dropout=0.0, maximum_length=16,
        **{**plain, **two, **given},
    )  # fmt: skip


def translate(case, cell, **given):
    made = config("encoder-decoder", cell, pad_token_id=0, **given)
    task = SequenceToSequence(made)
    write_case("lstm", case, LstmForConditionalGeneration, made, task, extra=task.extra)


if __name__ == "__main__":
    write_case("lstm", "writer", LstmForCausalLM, config("decoder", "lstm"), CausalModelling)
    tied = config("decoder", "gru", embedding_size=6, tie_word_embeddings=True)
    write_case("lstm", "gru-writer-tied", LstmForCausalLM, tied, CausalModelling)
    write_case("lstm", "rnn-writer", LstmForCausalLM, config("decoder", "rnn"), CausalModelling)
    write_case("lstm", "last-state", LstmForSequenceClassification, config("encoder", "lstm"), Classification)
    for cell in CELLS:
        both = config("encoder", cell, bidirectional=True)
        write_case("lstm", f"{cell}-both-ways", LstmForSequenceClassification, both, Classification)
    translate("additive-copy", "lstm", bidirectional=True, copy=True)
    translate("general", "gru", bidirectional=True, attention="general")
    translate("dot-copy-tied", "lstm", embedding_size=6, attention="dot", copy=True, tie_word_embeddings=True)
