"""Golden values of a tiny random BERT with a classification head, computed with transformers and torch.

Needs torch, transformers, safetensors and numpy. Writes

  plugins/model-bert/golden/tiny-bert/         config.json and model.safetensors, by save_pretrained
  plugins/model-bert/golden/transformers-bert.json   hidden states and pooled outputs with six activations
  plugins/model-bert/golden/bert-config-defaults.json   the numeric defaults of BertConfig
  tools/parity/golden/tiny-bert.json           batches, logits, losses, learning rates
  tools/parity/golden/gradients.safetensors    gradients of the mean loss of the first batch
  tools/parity/golden/trained.safetensors      all weights after six steps of AdamW

The weights are float32; everything is computed from them in float64, so that a comparison only shows the rounding of the tested
implementation.
"""
import copy
import json
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file
from transformers import BertConfig, BertForSequenceClassification, get_linear_schedule_with_warmup

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "plugins/model-bert/golden"
PARITY = ROOT / "tools/parity/golden"
LABELS = ["anger", "joy", "neutral", "sadness", "surprise"]
STEPS, WARMUP, RATE, DECAY = 6, 2, 1e-3, 0.01
SOURCE = f"transformers {transformers.__version__} on torch {torch.__version__}, float64"


def tiny():
    torch.manual_seed(3)
    model = BertForSequenceClassification(
        BertConfig(
            vocab_size=120,
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=4,
            intermediate_size=64,
            max_position_embeddings=40,
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
            id2label=dict(enumerate(LABELS)),
            label2id={label: i for i, label in enumerate(LABELS)},
            attn_implementation="eager",
        )
    )
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            scale = 0.7 if "embeddings" in name else 0.3
            centre = 1.0 if name.endswith("LayerNorm.weight") else 0.0
            parameter.copy_(centre + scale * torch.randn_like(parameter))
        model.bert.embeddings.word_embeddings.weight[0] = 0
    return model.eval()


def batch(lengths, padded, pairs):
    ids = torch.zeros(len(lengths), padded, dtype=torch.long)
    types, mask = torch.zeros_like(ids), torch.zeros_like(ids)
    for row, length in enumerate(lengths):
        ids[row, :length] = torch.randint(1, 120, (length,))
        mask[row, :length] = 1
        if pairs:
            types[row, length // 2 : length] = 1
    return {
        "input_ids": ids,
        "attention_mask": mask,
        "token_type_ids": types,
        "labels": torch.randint(0, len(LABELS), (len(lengths),)),
    }


def array(tensor):
    numbers = tensor.detach().flatten().tolist()
    values = [round(x, 9) for x in numbers] if tensor.is_floating_point() else numbers
    return {"shape": list(tensor.shape), "values": values}


def inputs_of(b):
    names = {"inputIds": "input_ids", "attentionMask": "attention_mask", "tokenTypeIds": "token_type_ids"}
    return {name: array(b[theirs]) for name, theirs in names.items()}


def hidden_states(model, activation, b):
    config = copy.deepcopy(model.config)
    config.hidden_act = activation
    other = BertForSequenceClassification(config).double().eval()
    other.load_state_dict(model.state_dict())
    outputs = other.bert(b["input_ids"], b["attention_mask"], b["token_type_ids"])
    return {
        "options": {"hiddenAct": activation},
        "inputs": inputs_of(b),
        "outputs": {"lastHiddenState": array(outputs.last_hidden_state), "pooled": array(outputs.pooler_output)},
    }


def without_decay(name):
    return name.endswith("bias") or "LayerNorm" in name


def tensors(named):
    return {name: tensor.detach().float().contiguous() for name, tensor in named}


def train(model, batches):
    parameters = dict(model.named_parameters())
    optimizer = torch.optim.AdamW(
        [
            {"params": [p for name, p in parameters.items() if not without_decay(name)], "weight_decay": DECAY},
            {"params": [p for name, p in parameters.items() if without_decay(name)], "weight_decay": 0.0},
        ],
        lr=RATE,
    )
    schedule = get_linear_schedule_with_warmup(optimizer, WARMUP, STEPS)
    rates, losses = [], []
    for step in range(STEPS):
        optimizer.zero_grad()
        loss = model(**batches[step % len(batches)]).loss
        loss.backward()
        rates.append(optimizer.param_groups[0]["lr"])
        losses.append(loss.item())
        optimizer.step()
        schedule.step()
    return rates, losses


MODEL.mkdir(parents=True, exist_ok=True)
PARITY.mkdir(parents=True, exist_ok=True)
model = tiny()
model.save_pretrained(MODEL / "tiny-bert")
model = model.double()
batches = [batch([9, 4, 1], 16, False), batch([8, 8], 8, True), batch([2, 13, 7, 40], 40, True)]

activations = ["gelu", "gelu_new", "gelu_pytorch_tanh", "relu", "silu", "tanh"]
small = batch([6, 3], 8, True)
cases = [hidden_states(model, activation, small) for activation in activations]
cases += [hidden_states(model, "gelu", b) for b in batches[:2]]
(MODEL / "transformers-bert.json").write_text(json.dumps({"source": SOURCE, "cases": cases}))

KEYS = """vocab_size hidden_size num_hidden_layers num_attention_heads intermediate_size hidden_act hidden_dropout_prob
attention_probs_dropout_prob max_position_embeddings type_vocab_size initializer_range layer_norm_eps pad_token_id
model_type""".split()
defaults = BertConfig().to_dict()
(MODEL / "bert-config-defaults.json").write_text(json.dumps({key: defaults[key] for key in KEYS}))

examples = []
for b in batches:
    outputs = model(**b)
    examples.append(
        {"inputs": inputs_of(b), "labels": array(b["labels"]), "logits": array(outputs.logits), "loss": outputs.loss.item()}
    )
model(**batches[0]).loss.backward()
save_file(tensors((name, p.grad) for name, p in model.named_parameters()), PARITY / "gradients.safetensors")
rates, losses = train(model, batches)
save_file(tensors(model.named_parameters()), PARITY / "trained.safetensors")
for folder in (MODEL / "tiny-bert", PARITY):
    for file in folder.glob("*.safetensors"):
        file.chmod(0o644)
golden = {
    "source": SOURCE,
    "examples": examples,
    "training": {"warmupSteps": WARMUP, "learningRate": RATE, "weightDecay": DECAY, "rates": rates, "losses": losses},
}
(PARITY / "tiny-bert.json").write_text(json.dumps(golden))
