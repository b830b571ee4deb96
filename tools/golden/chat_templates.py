"""Conversations rendered with transformers, with the ranges of the assistant's turns. Needs transformers and jinja2.

Writes packages/text/golden/transformers-chat.json. The templates are modeled on well-known ones.
"""
import json
from pathlib import Path

import transformers
from transformers.utils.chat_template_utils import render_jinja_template

ROOT = Path(__file__).resolve().parents[2]
CHATML = """{% for message in messages %}
{{ '<|im_start|>' + message['role'] + '\n' }}
{% if message['role'] == 'assistant' %}
{% generation %}{{ message['content'] + '<|im_end|>' }}{% endgeneration %}
{{ '\n' }}
{% else %}
{{ message['content'] + '<|im_end|>\n' }}
{% endif %}
{% endfor %}
{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}
"""
STRIPPED = """{{- bos_token }}
{%- for m in messages %}
    {%- if loop.first and m.role == 'system' %}
        {{- '[SYS] ' ~ m.content | trim ~ ' [/SYS]' }}
    {%- elif m.role == 'user' %}
        {{- '[INST] ' ~ m.content ~ ' [/INST]' }}
    {%- else %}
        {%- generation %}
            {{- ' ' ~ m.content ~ eos_token }}
        {%- endgeneration %}
    {%- endif %}
{%- endfor %}
"""
PLAIN = """{% if messages[0]['role'] == 'system' %}{% set rest = messages[1:] %}{% set head = messages[0]['content'] %}
{% else %}{% set rest = messages %}{% set head = 'You help.' %}{% endif %}
{{ head }}
{% for message in rest %}
{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('turns must alternate') }}{% endif %}
{{ '### ' + message['role'] | upper + ':\n' + message['content'] | trim + '\n' }}
{% endfor %}
{% if tools is defined and tools %}Tools: {{ tools | tojson }}{% endif %}
"""
LOOSE = """{% for m in messages %}  {% if m.role == 'assistant' %}
A:  {% generation -%}
   {{ m.content }}
   {%- endgeneration %}

{% else %}U: {{ m.content }}
{% endif %}{% endfor %}"""
TALKS = [
    [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi 👋 there"}],
    [
        {"role": "system", "content": " Be brief.\n"},
        {"role": "user", "content": "What is 2 + 2?"},
        {"role": "assistant", "content": "4"},
        {"role": "user", "content": "Sure?\n"},
        {"role": "assistant", "content": "Yes, é."},
    ],
    [{"role": "user", "content": "only a question"}],
]
TOOLS = [{"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {}}}}]

cases = []
for name, template in [("chatml", CHATML), ("stripped", STRIPPED), ("plain", PLAIN), ("loose", LOOSE)]:
    for talk in TALKS:
        for prompt in (False, True):
            tools = TOOLS if name == "plain" else None
            blocks = "generation" in template
            rendered, spans = render_jinja_template(
                [talk], tools=tools, chat_template=template, add_generation_prompt=prompt,
                return_assistant_tokens_mask=blocks, bos_token="<s>", eos_token="</s>",
            )  # fmt: skip
            cases.append(
                {
                    "template": template,
                    "messages": talk,
                    "addGenerationPrompt": prompt,
                    "tools": tools,
                    "text": rendered[0],
                    "spoken": [rendered[0][start:end] for start, end in spans[0]] if blocks else [],
                }
            )
golden = {"source": f"transformers {transformers.__version__}", "cases": cases}
folder = ROOT / "packages/text/golden"
folder.mkdir(exist_ok=True)
(folder / "transformers-chat.json").write_text(json.dumps(golden, ensure_ascii=False))
