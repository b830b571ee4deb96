"""
Outputs of two-layer bidirectional torch.nn.RNN, LSTM and GRU on packed sequences, and the gradients of `sum(output * direction)`. Needs
torch (2.15). Writes packages/nn/golden/torch-recurrent.json. The values are float32; everything is computed from them in float64.
"""
import json
from pathlib import Path

import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

GOLDEN = Path(__file__).resolve().parents[2] / "packages/nn/golden/torch-recurrent.json"
LENGTHS, LENGTH, INPUTS, HIDDEN = [5, 1, 4], 6, 4, 3
CELLS = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}


def array(tensor):
    return {"shape": list(tensor.shape), "values": [round(v, 9) for v in tensor.detach().flatten().tolist()]}


def case(cell):
    layers = CELLS[cell](INPUTS, HIDDEN, num_layers=2, bidirectional=True, batch_first=True).double()
    with torch.no_grad():
        for p in layers.parameters():
            p.copy_(0.7 * torch.randn_like(p).float().double())
    x = torch.randn(len(LENGTHS), LENGTH, INPUTS).double().requires_grad_()
    packed = pack_padded_sequence(x, torch.tensor(LENGTHS), batch_first=True, enforce_sorted=False)
    states, last = layers(packed)
    output, _ = pad_packed_sequence(states, batch_first=True, total_length=LENGTH)
    direction = torch.randn_like(output).float().double()
    (output * direction).sum().backward()
    # Of the top layer, both directions.
    ends = [part[2:] for part in (last if isinstance(last, tuple) else (last,))]
    return {
        "x": array(x),
        "direction": array(direction),
        "params": {name: array(p) for name, p in layers.named_parameters()},
        "output": array(output),
        "last": [array(part) for part in ends],
        "gradients": {"x": array(x.grad), **{name: array(p.grad) for name, p in layers.named_parameters()}},
    }


torch.manual_seed(11)
source = f"torch.nn of torch {torch.__version__}, packed sequences, float64"
GOLDEN.write_text(json.dumps({"source": source, "lengths": LENGTHS, "cells": {cell: case(cell) for cell in CELLS}}) + "\n")
