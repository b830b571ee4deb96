"""Conversations rendered with `apply_chat_template` of transformers. Needs transformers, tokenizers and jinja2.

Writes packages/text/golden/chat-families.json.gz: templates modeled on well-known model families, each with conversations and
options. A case contains the rendered text or the class of the error.
"""
import datetime
import gzip
import json
from pathlib import Path

import tokenizers
import transformers
from transformers.utils import chat_template_utils

from chat_family_templates import TEMPLATES as FAMILY_TEMPLATES
from chat_tool_templates import TOOL_TEMPLATES

TEMPLATES = FAMILY_TEMPLATES | TOOL_TEMPLATES
ROOT = Path(__file__).resolve().parents[2]


class FixedTime(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls(2024, 2, 9, 15, 4, 7)


chat_template_utils.datetime = FixedTime

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Weather of a place.",
        "parameters": {
            "type": "object",
            "properties": {
                "place": {"type": "string", "description": "City & country, e.g. \"Bern\""},
                "unit": {"type": "string", "enum": ["celsius", "fahrenheit"], "default": "celsius"},
                "days": {"type": "array", "items": {"type": "integer"}},
                "options": {"type": "object", "properties": {"hourly": {"type": ["boolean", "null"]}, "limit": {"type": "number"}}, "required": ["limit"]},
            },
            "required": ["place"],
        },
        "return": {"type": "string"},
    },
}
CLOCK = {"type": "function", "function": {"name": "clock", "description": "", "parameters": {"type": "object", "properties": {}}}}
SEARCH = {
    "type": "function",
    "function": {
        "name": "search",
        "description": "Finds texts.\nSlowly. ",
        "parameters": {
            "type": "object",
            "properties": {
                "query": {"type": "string", "description": " it's \"quoted\" "},
                "limit": {"type": "integer", "default": None, "minimum": 0},
                "share": {"type": ["number", "null"], "default": 0.1},
                "exact": {"type": "boolean", "default": False, "description": None},
                "kind": {"enum": ["a", 1, 2.5, None, True]},
                "filters": {"type": "array", "items": {"type": "object", "additionalProperties": False}, "default": []},
            },
            "required": ["query"],
            "additionalProperties": False,
        },
        "strict": True,
        "returns": None,
    },
}
DOCUMENTS = [{"title": "Räder", "text": "A wheel\nis round.", "doc_id": 1}, {"title": "Ice", "text": "Water < 0°C.", "doc_id": 2}]
CALL = lambda arguments: {"id": "call00001", "type": "function", "function": {"name": "get_weather", "arguments": arguments}}
TALKS = {
    "question": [{"role": "user", "content": "Hello, who are you?"}],
    "system": [{"role": "system", "content": " Be brief.\n"}, {"role": "user", "content": "2 + 2?\n"}, {"role": "assistant", "content": " 4 "}, {"role": "user", "content": "Sure? é 👋"}],
    "long": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}, {"role": "assistant", "content": "d\n"}],
    "thought": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "<think>\nhm\n</think>\n\nyes"}, {"role": "user", "content": "r"}, {"role": "assistant", "content": "<think>so</think>no"}],
    "reasoned": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "yes", "reasoning_content": "\nlet me see\n"}, {"role": "user", "content": "r /no_think"}],
    "called": [{"role": "user", "content": "Weather in Bern?"}, {"role": "assistant", "content": "", "tool_calls": [CALL({"place": "Bern", "days": [1, 2], "options": {"limit": 1.5, "hourly": None}})]}, {"role": "tool", "name": "get_weather", "tool_call_id": "call00001", "content": "{\"t\": 21}"}, {"role": "assistant", "content": "21 degrees."}, {"role": "user", "content": "Thanks"}],
    "called twice": [{"role": "system", "content": "S"}, {"role": "user", "content": "Weather?"}, {"role": "assistant", "content": None, "tool_calls": [CALL("{\"place\": \"Bern\"}"), CALL({"place": "Chur"})]}, {"role": "tool", "name": "get_weather", "tool_call_id": "call00001", "content": "sun"}, {"role": "tool", "name": "get_weather", "tool_call_id": "call00001", "content": "rain"}],
    "parts": [{"role": "system", "content": [{"type": "text", "text": "S"}]}, {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "What is it?"}]}, {"role": "assistant", "content": [{"type": "text", "text": "A cat "}]}],
    "twice": [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}],
    "developer": [{"role": "developer", "content": "D"}, {"role": "user", "content": "x"}],
    "switch": [{"role": "system", "content": "/no_think\nYou sing.\n/system_override"}, {"role": "user", "content": "   spaces   "}, {"role": "assistant", "content": "\n\nla\n"}],
    "answer first": [{"role": "assistant", "content": "Hi"}, {"role": "user", "content": "y"}],
}  # fmt: skip
OPTIONS = [
    {},
    {"add_generation_prompt": True},
    {"add_generation_prompt": True, "tools": [WEATHER, CLOCK]},
    {"tools": [WEATHER], "documents": DOCUMENTS},
    {"documents": DOCUMENTS, "add_generation_prompt": True},
    {"continue_final_message": True},
    {"add_generation_prompt": True, "enable_thinking": False, "date_string": "1 Jan 2020", "reasoning_effort": "high", "tools_in_user_message": False, "custom_tools": [CLOCK]},
    {"tools": [SEARCH, CLOCK], "add_generation_prompt": True, "thinking_budget": 512, "preserve_thinking": True},
]


def tokenizer_of():
    backend = tokenizers.Tokenizer(tokenizers.models.WordLevel({"<s>": 0, "</s>": 1, "<unk>": 2}, unk_token="<unk>"))
    return transformers.PreTrainedTokenizerFast(tokenizer_object=backend, bos_token="<s>", eos_token="</s>", unk_token="<unk>")


def main():
    tokenizer = tokenizer_of()
    cases = []
    for name, template in TEMPLATES.items():
        for talk, messages in TALKS.items():
            for at, options in enumerate(OPTIONS):
                try:
                    text = tokenizer.apply_chat_template(messages, chat_template=template, tokenize=False, **options)
                except Exception as error:
                    text = [type(error).__name__]
                cases.append([name, talk, at, text])
    failed = {name: sum(isinstance(case[3], list) for case in cases if case[0] == name) for name in TEMPLATES}
    print(len(cases), failed)
    golden = {
        "source": f"transformers {transformers.__version__}",
        "special": tokenizer.special_tokens_map,
        "templates": TEMPLATES,
        "talks": TALKS,
        "options": OPTIONS,
        "cases": cases,
    }
    path = ROOT / "packages/text/golden/chat-families.json.gz"
    path.write_bytes(gzip.compress(json.dumps(golden, ensure_ascii=False, separators=(",", ":")).encode(), 9, mtime=0))
    print(path.stat().st_size)


if __name__ == "__main__":
    main()
