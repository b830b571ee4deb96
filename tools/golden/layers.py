"""Outputs and gradients of single layers with torch and transformers, and the gradient norm from clip_grad_norm_.

Needs torch and transformers. Writes packages/nn/golden/torch-layers.json. Inputs are float32; everything is computed from them in
float64. Each case has inputs, weights, the output, and the gradient of `sum(output * direction)` with respect to every float input.
"""
import json
from pathlib import Path

import torch
from torch.nn import functional as F
from transformers import LlamaConfig
from transformers.activations import ACT2FN
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding, apply_rotary_pos_emb

ROOT = Path(__file__).resolve().parents[2]
torch.manual_seed(11)


def draw(*shape, scale=1.0):
    return (scale * torch.randn(*shape)).double().requires_grad_()


def array(tensor):
    integer = not tensor.is_floating_point()
    values = tensor.detach().flatten().tolist()
    dtype = "int32" if integer else "float32"
    return {"shape": list(tensor.shape), "dtype": dtype, "values": values if integer else [float(f"{x:.9g}") for x in values]}


def case(layer, function, options=None, **inputs):
    output = function(**inputs)
    direction = torch.randn(output.shape).double() if output.dim() else torch.tensor(1.0).double()
    (output * direction).sum().backward()
    gradients = {name: array(x.grad) for name, x in inputs.items() if x.is_floating_point() and x.requires_grad}
    return {
        "layer": layer,
        "options": options or {},
        "inputs": {name: array(x) for name, x in inputs.items()},
        "output": array(output),
        "direction": array(direction),
        "gradients": gradients,
    }


def attention(q, k, v, mask, heads):
    split = lambda x: x.unflatten(-1, (heads, -1)).transpose(1, 2)
    allowed = mask.bool()[:, None, None, :]
    mixed = F.scaled_dot_product_attention(split(q), split(k), split(v), attn_mask=allowed)
    return mixed.transpose(1, 2).flatten(-2)


def shared_heads(q, k, v):
    return F.scaled_dot_product_attention(q, k, v, enable_gqa=True)


def turned(x, positions, theta):
    """Rotary position embeddings (RoPE) as products of complex numbers; the pairs are (i, i + size/2)."""
    half = x.shape[-1] // 2
    angles = positions[:, None, :, None].double() * theta ** (-torch.arange(half).double() / half)
    pairs = torch.complex(x[..., :half], x[..., half:]) * torch.polar(torch.ones_like(angles), angles)
    return torch.cat([pairs.real, pairs.imag], -1)


def activation_inputs():
    spread = torch.tensor([-30.0, -8.0, -3.0, -1e-3, 0.0, 1e-3, 0.5, 3.0, 8.0, 30.0])
    return torch.cat([spread, 2 * torch.randn(14)]).reshape(4, 6).double().requires_grad_()


ACTIVATIONS = {
    "gelu": F.gelu,
    "gelu_new": lambda x: F.gelu(x, approximate="tanh"),
    "gelu_pytorch_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "relu": F.relu,
    "silu": F.silu,
    "tanh": torch.tanh,
}

mask = torch.tensor([[1, 1, 1, 1, 0], [1, 1, 0, 0, 0]])
cases = [
    case("linear", lambda x, weight, bias: F.linear(x, weight, bias), x=draw(2, 3, 4), weight=draw(5, 4), bias=draw(5)),
    case("linear", lambda x, weight, bias: F.linear(x, weight, bias), x=draw(7, 4), weight=draw(1, 4), bias=draw(1)),
    *(
        case(
            "layerNorm",
            lambda x, weight, bias: F.layer_norm(x, (8,), weight, bias, epsilon),
            {"epsilon": epsilon},
            x=x,
            weight=draw(8),
            bias=draw(8),
        )
        for epsilon, x in [(1e-12, draw(2, 3, 8)), (1e-5, draw(4, 8, scale=1e-2)), (1e-5, draw(4, 8, scale=300.0))]
    ),
    *(case("activation", lambda x: f(x), {"name": name}, x=activation_inputs()) for name, f in ACTIVATIONS.items()),
    *(
        case(
            "attention",
            lambda q, k, v, mask: attention(q, k, v, mask, heads),
            {"heads": heads},
            q=draw(2, 5, 8),
            k=draw(2, 5, 8, scale=3.0),
            v=draw(2, 5, 8),
            mask=mask,
        )
        for heads in (1, 2, 8)
    ),
    *(
        case(
            "crossEntropy",
            lambda logits, labels: F.cross_entropy(logits, labels, reduction="none"),
            logits=draw(6, classes, scale=scale),
            labels=torch.randint(0, classes, (6,)),
        )
        for classes, scale in [(5, 1.0), (2, 30.0), (1, 1.0)]
    ),
    case("embedding", lambda weight, ids: F.embedding(ids, weight), weight=draw(7, 3), ids=torch.tensor([[1, 1, 6], [0, 1, 6]])),
    case("embedding", lambda weight, ids: F.embedding(ids, weight), weight=draw(4, 2), ids=torch.tensor([2, 0, 2, 2])),
    *(
        case("rmsNorm", lambda x, weight: F.rms_norm(x, (8,), weight, 1e-5), {"epsilon": 1e-5}, x=x, weight=draw(8))
        for x in (draw(2, 3, 8), draw(4, 8, scale=1e-2), draw(4, 8, scale=300.0))
    ),
    *(
        case("sharedHeads", shared_heads, q=draw(2, heads, 5, 4), k=draw(2, few, 5, 4), v=draw(2, few, 5, 3))
        for heads, few in [(4, 2), (4, 1), (3, 3)]
    ),
    case(
        "rotate",
        lambda x, positions: turned(x, positions, 500.0),
        {"theta": 500.0},
        x=draw(2, 3, 4, 6),
        positions=torch.tensor([[0, 1, 2, 3], [7, 5, 0, 29]]),
    ),
]

clipping = []
for maximum in (0.5, 1.0, 1000.0):
    parameters = {"a.weight": draw(3, 4, scale=2.0), "a.bias": draw(3)}
    for parameter in parameters.values():
        parameter.grad = torch.randn(parameter.shape).double()
    before = {name: array(p.grad) for name, p in parameters.items()}
    norm = torch.nn.utils.clip_grad_norm_(list(parameters.values()), maximum)
    after = {name: array(p.grad) for name, p in parameters.items()}
    clipping.append({"maximumNorm": maximum, "before": before, "norm": norm.item(), "after": after})

LENGTHS = {"short": torch.tensor([[0, 1, 2, 11]]), "long": torch.tensor([[0, 7, 9, 29], [3, 2, 20, 29]])}
ROTARY = [
    dict(rope_type="linear", factor=2.0),
    dict(rope_type="dynamic", factor=3.0),
    dict(rope_type="yarn", factor=4.0, original_max_position_embeddings=12),
    dict(rope_type="yarn", factor=4.0, beta_fast=4.0, beta_slow=0.5, mscale=0.7, mscale_all_dim=0.2, truncate=False),
    dict(rope_type="yarn", factor=8.0, attention_factor=0.9, original_max_position_embeddings=64),
    dict(rope_type="longrope", short_factor=[1.0, 1.5, 2.0], long_factor=[1.0, 4.0, 9.0], factor=4.0),
    dict(rope_type="longrope", short_factor=[1.0, 1.5, 2.0], long_factor=[1.0, 4.0, 9.0], attention_factor=1.25),
    dict(rope_type="llama3", factor=4.0, low_freq_factor=1.0, high_freq_factor=4.0),
]


def as_transformers_turns(x, positions, parameters):
    """RoPE of a Llama with these parameters, trained on sequences of 16 tokens; positions are float32."""
    given = dict(parameters, rope_theta=500.0)
    config = LlamaConfig(hidden_size=6, num_attention_heads=1, max_position_embeddings=16, rope_parameters=given)
    cosine, sine = LlamaRotaryEmbedding(config)(x.detach(), positions)
    turned, _ = apply_rotary_pos_emb(x, x, cosine, sine)
    return turned


cases += [
    case("activation", lambda x: ACT2FN[name](x), {"name": name}, x=activation_inputs())
    for name in "gelu_python gelu_fast gelu_accurate gelu_python_tanh quick_gelu relu2 sigmoid swish linear".split()
]
cases += [
    case(
        "rotate",
        lambda x, positions: as_transformers_turns(x, positions, parameters),
        {"rotary": dict(parameters, rope_theta=500.0, max_position_embeddings=16)},
        x=draw(2, 3, 4, 6),
        positions=positions,
    )
    for parameters in ROTARY
    for positions in LENGTHS.values()
]
cases += [
    case(
        "crossEntropy",
        lambda logits, labels: F.cross_entropy(logits, labels, reduction="none", label_smoothing=smoothing),
        {"smoothing": smoothing},
        logits=draw(6, classes, scale=3.0),
        labels=torch.randint(0, classes, (6,)),
    )
    for classes, smoothing in [(5, 0.1), (2, 0.75), (1, 0.5)]
]

folder = ROOT / "packages/nn/golden"
folder.mkdir(parents=True, exist_ok=True)
golden = {"source": f"torch {torch.__version__}, float64", "layers": cases, "clipping": clipping}
(folder / "torch-layers.json").write_text(json.dumps(golden))
