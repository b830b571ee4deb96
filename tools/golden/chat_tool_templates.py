"""Chat templates with tools, modeled on families that print tools and calls as XML, as Python calls or as typed signatures."""

XML_TOOLS = r"""
{%- macro extra_keys(values, handled) -%}
  {%- if values is mapping -%}
    {%- for key in values if key not in handled -%}
      {%- if values[key] is mapping or (values[key] is sequence and values[key] is not string) -%}
        {{- '\n<' ~ key ~ '>' ~ (values[key] | tojson | safe) ~ '</' ~ key ~ '>' -}}
      {%- else -%}
        {{- '\n<' ~ key ~ '>' ~ (values[key] | string) ~ '</' ~ key ~ '>' -}}
      {%- endif -%}
    {%- endfor -%}
  {%- endif -%}
{%- endmacro -%}
{%- if messages[0]["role"] == "system" -%}
  {%- set system = messages[0]["content"] -%}
  {%- set rest = messages[1:] -%}
{%- else -%}
  {%- set rest = messages -%}
{%- endif -%}
{%- if not tools is defined or not tools -%}{%- set tools = [] -%}{%- endif -%}
{%- if system is defined -%}
  {{- "<|im_start|>system\n" + (system if system is string else system | map(attribute='text') | join('\n')) -}}
{%- elif tools | length > 0 -%}
  {{- "<|im_start|>system\nUse the tools." -}}
{%- endif -%}
{%- if tools is iterable and tools | length > 0 -%}
  {{- "\n\n# Tools\n\n<tools>" -}}
  {%- for tool in tools -%}
    {%- if tool.function is defined -%}{%- set tool = tool.function -%}{%- endif -%}
    {{- "\n<function>\n<name>" ~ tool.name ~ "</name>" -}}
    {%- if tool.description is defined -%}{{- '\n<description>' ~ (tool.description | trim) ~ '</description>' -}}{%- endif -%}
    {{- '\n<parameters>' -}}
    {%- if tool.parameters is defined and tool.parameters is mapping and tool.parameters.properties is defined -%}
      {%- for name, fields in tool.parameters.properties | items -%}
        {{- '\n<parameter>\n<name>' ~ name ~ '</name>' -}}
        {%- if fields.type is defined -%}{{- '\n<type>' ~ (fields.type | string) ~ '</type>' -}}{%- endif -%}
        {%- if fields.description is defined -%}{{- '\n<description>' ~ (fields.description | trim) ~ '</description>' -}}{%- endif -%}
        {{- extra_keys(fields, ['name', 'type', 'description']) -}}
        {{- '\n</parameter>' -}}
      {%- endfor -%}
    {%- endif -%}
    {{- extra_keys(tool.parameters, ['type', 'properties']) -}}
    {{- '\n</parameters>' -}}
    {{- extra_keys(tool, ['type', 'name', 'description', 'parameters']) -}}
    {{- '\n</function>' -}}
  {%- endfor -%}
  {{- "\n</tools>" -}}
{%- endif -%}
{%- if system is defined or tools | length > 0 -%}{{- '<|im_end|>\n' -}}{%- endif -%}
{%- for message in rest -%}
  {%- if message.role == "assistant" and message.tool_calls is defined and message.tool_calls is iterable and message.tool_calls | length > 0 -%}
    {{- '<|im_start|>' + message.role -}}
    {%- if message.content is defined and message.content is string and message.content | trim | length > 0 -%}
      {{- '\n' + message.content | trim + '\n' -}}
    {%- endif -%}
    {%- for call in message.tool_calls -%}
      {%- if call.function is defined -%}{%- set call = call.function -%}{%- endif -%}
      {{- '\n<tool_call>\n<function=' + call.name + '>\n' -}}
      {%- if call.arguments is mapping -%}
        {%- for name, value in call.arguments | items -%}
          {{- '<parameter=' + name + '>\n' -}}
          {%- set value = value if value is string else value | string -%}
          {{- value + '\n</parameter>\n' -}}
        {%- endfor -%}
      {%- endif -%}
      {{- '</function>\n</tool_call>' -}}
    {%- endfor -%}
    {{- '<|im_end|>\n' -}}
  {%- elif message.role == "tool" -%}
    {%- if loop.previtem and loop.previtem.role != "tool" -%}{{- '<|im_start|>user' -}}{%- endif -%}
    {{- '\n<tool_response>\n' ~ message.content ~ '\n</tool_response>' -}}
    {%- if loop.last or loop.nextitem.role != "tool" -%}{{- '<|im_end|>\n' -}}{%- endif -%}
  {%- else -%}
    {{- '<|im_start|>' ~ message.role ~ '\n' ~ message.content ~ '<|im_end|>\n' -}}
  {%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\n' -}}{%- endif -%}
"""

SIGNATURE_TOOLS = r"""
{#- Budgets, typed signatures and docstrings. -#}
{%- set budgets = {0: 0, 512: 128, 1024: 256} -%}
{%- macro py_type(kind) -%}
{%- if kind == "string" -%}str
{%- elif kind in ("number", "integer") -%}{{ 'int' if kind == 'integer' else 'float' }}
{%- elif kind == "boolean" -%}bool
{%- elif kind == "array" -%}list
{%- else -%}Any
{%- endif -%}
{%- endmacro -%}
{%- set ns = namespace(system=none, last_user=-1, limit=none) -%}
{%- for message in messages if message.role == 'user' and message.content is string -%}
  {%- set ns.last_user = loop.index0 -%}
{%- endfor -%}
{%- if messages[0].role in ["system", "developer"] -%}
  {%- set ns.system = messages[0].content -%}{%- set messages = messages[1:] -%}
{%- endif -%}
{%- if thinking_budget is defined -%}
  {%- for most, every in budgets | dictsort if ns.limit is none and thinking_budget <= most -%}
    {%- set ns.limit = every -%}
  {%- endfor -%}
{%- endif -%}
{{ bos_token }}system
{{ ns.system if ns.system is not none else 'none' }}{{ ' limit ' ~ ns.limit if ns['limit'] is not none }}
{% if tools is iterable and tools is not none and tools | length -%}
{% for item in tools if item.type == 'function' and item.function is mapping -%}
{%- set function = item.function -%}
{%- set schema = function.get('parameters', {}) -%}
{%- set required = schema.get('required', []) -%}
{%- set ordered = schema.get('properties', {}).items() | list -%}
Function:
def {{ function.name }}(
{%- for name, field in ordered if name in required -%}
{{ name }}: {{ py_type(field.type) }}{{ ', ' if not loop.last }}
{%- endfor -%}
{%- for name, field in ordered | rejectattr('0', 'in', required) -%}
{{ ', ' if not loop.first or required }}{{ name }}: {{ py_type(field.get('type')) }} = {{ field.get('default', '...') }}
{%- endfor -%}
):
    \"""
    {{ function.description | default('', true) | trim | indent(4) }}
    {% for name, field in ordered -%}
    - {{ name }} ({{ '%s' % field.get('type', 'any') }}){{ ' one of ' ~ field.enum | join('|') if field.enum is defined }}: {{ field.get('description', none) }}
    {% endfor -%}
    \"""
{% endfor %}
{%- endif %}{{ eos_token }}
{% for message in messages -%}
{%- set reasoning = message.get('reasoning_content', none) -%}
{{ bos_token }}{{ message.role }}
{% if reasoning is string and reasoning | trim -%}
<think>{{ reasoning | trim }}</think>
{% endif -%}
{%- if message.tool_calls is defined and message.tool_calls -%}
{{ message.content | trim if message.content is string }}
{%- for call in message.tool_calls %}
{{ call.function.name }}(
{%- if call.function.arguments is mapping -%}
{%- for key, value in call.function.arguments.items() -%}
{{ key }}={{ "'" ~ value ~ "'" if value is string else value }}{{ ', ' if not loop.last }}
{%- endfor -%}
{%- else -%}{{ call.function.arguments }}{%- endif -%}
)
{%- endfor -%}
{%- elif message.content is string -%}
{{ message.content.split('</think>')[-1].lstrip('\n').rstrip() if loop.index0 < ns.last_user else message.content }}
{%- else -%}
{%- for part in message.content | default([], true) -%}
{{ part.get('text', '<' ~ part.type ~ '>') }}
{%- endfor -%}
{%- endif -%}
{{ eos_token }}
{% endfor -%}
{%- if add_generation_prompt -%}{{ bos_token }}assistant
{% if enable_thinking is defined and enable_thinking is false %}<think></think>{% endif -%}
{%- endif -%}
"""

PARTS_AND_TURNS = r"""
{%- macro content_of(content, counts) -%}
  {%- if content is string -%}{{- content -}}
  {%- elif content is iterable and content is not mapping -%}
    {%- for part in content -%}
      {%- if 'image' in part or part.type == 'image' -%}
        {%- set counts.images = counts.images + 1 -%}{{- 'Picture {}: '.format(counts.images) -}}
      {%- elif 'text' in part -%}{{- part.text -}}
      {%- else -%}{{- raise_exception('Unexpected part type in message: ' ~ part.type) -}}
      {%- endif -%}
    {%- endfor -%}
  {%- elif content is none or content is undefined -%}{{- '' -}}
  {%- else -%}{{- raise_exception('Unexpected content type') -}}
  {%- endif -%}
{%- endmacro -%}
{%- set counts = namespace(images=0) -%}
{%- set turns = namespace(searching=true, last=messages | length - 1, prev='') -%}
{%- for message in messages[::-1] -%}
  {%- set index = messages | length - 1 - loop.index0 -%}
  {%- if turns.searching and message.role == 'user' -%}
    {%- set text = content_of(message.content, namespace(images=0)) | trim -%}
    {%- if not (text.startswith('<tool_response>') and text.endswith('</tool_response>')) -%}
      {%- set turns.searching = false -%}{%- set turns.last = index -%}
    {%- endif -%}
  {%- endif -%}
{%- endfor -%}
{%- if turns.searching -%}{{- raise_exception('No user query found in messages.') -}}{%- endif -%}
{%- for message in messages -%}
  {%- set text = content_of(message.content, counts) | trim -%}
  {%- if message.role == 'system' and not loop.first -%}{%- continue -%}{%- endif -%}
  {%- if message.role == 'assistant' -%}
    {%- set reasoning = '' -%}
    {%- if message.reasoning_content is string -%}
      {%- set reasoning = message.reasoning_content -%}
    {%- elif '</think>' in text -%}
      {%- set reasoning = text.split('</think>')[0].rstrip('\n').split('<think>')[-1].lstrip('\n') -%}
      {%- set text = text.split('</think>')[-1].lstrip('\n') -%}
    {%- endif -%}
    {%- set keeps = loop.index0 > turns.last or (preserve_thinking is defined and preserve_thinking is true) -%}
    {{- '[assistant]' -}}
    {%- generation -%}
    {{- ('<think>\n' + reasoning | trim + '\n</think>\n\n' if keeps and reasoning else '') + text -}}
    {%- for call in message.tool_calls or [] -%}
      {%- set call = call.function if call.function is defined else call -%}
      {{- ('\n' if text or not loop.first) ~ '<call>' ~ {'name': call.name, 'arguments': call.arguments} | tojson ~ '</call>' -}}
    {%- endfor -%}
    {{- '[/assistant]' -}}
    {%- endgeneration -%}
  {%- elif message.role == 'tool' -%}
    {{- '[user]' if turns.prev != 'tool' }}<tool_response>{{ text }}</tool_response>{{ '[/user]' if loop.last or loop.nextitem.role != 'tool' -}}
  {%- else -%}
    {{- '[%s]%s[/%s]' % (message.role, text, message.role) -}}
  {%- endif -%}
  {%- set turns.prev = message.role -%}
{%- endfor -%}
{%- if tools -%}{{- '\n' ~ tools | map(attribute='function.name') | map('tojson') | join(', ') -}}{%- endif -%}
{%- if add_generation_prompt -%}{{- '[assistant]' ~ ('<think>\n\n</think>\n\n' if enable_thinking is defined and not enable_thinking else '<think>\n') -}}{%- endif -%}
"""

TOOL_TEMPLATES = {"xml_tools": XML_TOOLS, "signature_tools": SIGNATURE_TOOLS, "parts_and_turns": PARTS_AND_TURNS}
