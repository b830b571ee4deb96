// @ts-check
/** Chat templates that would exhaust time, memory or the stack without a budget. */
/** @type {(count: number | string, body: string) => string} */
const loop = (count, body) => `{% for i in range(${count}) %}${body}{% endfor %}`
/** Repeats statements as often as the limits allow. @param {string} body */
export const often = (body) => loop(100_000, loop(1000, body))
/** Sets the variable `v` by repeatedly adding it to itself. @param {string} from @param {number} times */
const doubled = (from, times) =>
  `{% set ns = namespace(v=${from}) %}${loop(times, '{% set ns.v = ns.v + ns.v %}')}{% set v = ns.v %}`
/** Sets the variable `v` by repeatedly wrapping it in another value. @param {string} from @param {string} make @param {number} times */
const nested = (from, make, times) =>
  `{% set ns = namespace(v=${from}) %}${loop(times, `{% set ns.v = ${make} %}`)}{% set v = ns.v %}`
/** Sets the variable `v` to a list with a value for each number `i` below a count. @param {number} count @param {string} value */
const built = (count, value) =>
  `{% set ns = namespace(v=[]) %}${loop(count, `{% set ns.v = ns.v + [${value}] %}`)}{% set v = ns.v %}`
const shared = (make = '[ns.v, ns.v]', from = '[1]') => nested(from, make, 40)
const pair = (/** @type {string[]} */ ...given) => `${shared(...given)}{% set w = v %}${shared(...given)}`
const kept = (/** @type {string} */ value) => `{% set ns = namespace(v=1) %}${often(`{% set ns.v = ${value} %}`)}`
const text = doubled("'ab '", 19)
const letters = doubled("'a'", 20)
const [wide, numbers] = [doubled("'é👋'", 18), doubled('[1, 2]', 17)]

/** Templates with a short description. @type {readonly (readonly [name: string, template: string])[]} */
export const ATTACKS = [
  ['ranges in ranges', '{% for a in range(100000) %}'.repeat(4) + '{% endfor %}'.repeat(4)],
  ['forty ranges in ranges', '{% for a in range(100000) %}'.repeat(40) + 'x' + '{% endfor %}'.repeat(40)],
  ['repeated list(range)', often('{% set x = range(100000) | list %}')],
  ['an endless range', '{{ range(3000000000) }}{{ range(0, 1, 0) }}'],
  ['a text that doubles', `${doubled("'x'", 60)}{{ v }}`],
  ['a text that doubles by ~', `${nested("'x'", 'ns.v ~ ns.v', 60)}{{ v }}`],
  ['a list that doubles', doubled('[1]', 60)],
  ['a shared list that is printed', `${shared()}{{ v }}`],
  ['a shared list as JSON', `${shared()}{{ v | tojson(indent=1) }}`],
  ['a shared list that is printed in lines', `${shared()}{{ v | pprint }}`],
  ['shared lists that are compared', `${pair()}{{ v == w }}`],
  ['shared lists that are ordered', `${pair()}{{ v < w }}`],
  ['shared lists that are sorted', `${pair()}{{ [v, w, v, w] | sort }}`],
  ['a shared list that is searched for', `${pair()}{{ v in [w, w] }}{{ [w].index(v) }}`],
  ['shared tuples as keys', `${shared('(ns.v, ns.v)', '(1,)')}{{ {v: 1} }}`],
  ['shared tuples under unique', `${shared('(ns.v, ns.v)', '(1,)')}{{ [v, v] | unique | list }}`],
  ['shared dicts that are compared', `${pair("{'a': ns.v, 'b': ns.v}")}{{ v == w }}`],
  ['shared dicts as sorted JSON', `${shared("{'a': ns.v, 'b': ns.v}")}{{ v | tojson(sort_keys=true) }}`],
  ['shared namespaces', `${shared('namespace(a=ns.v, b=ns.v)')}{{ v }}`],
  ['lists that are grouped by shared lists', `${pair()}{{ [[v], [w]] | groupby(0) }}`],
  ['a shared list in loop.changed', `${pair()}{% for x in [v, w] %}{{ loop.changed(x) }}{% endfor %}`],
  ['a deep list that is printed', `${nested('1', '[ns.v]', 90_000)}{{ v }}`],
  ['a deep list as JSON', `${nested('1', '[ns.v]', 90_000)}{{ v | tojson }}`],
  [
    'deep lists that are compared',
    `${nested('1', '[ns.v]', 40_000)}{% set w = v %}${nested('1', '[ns.v]', 40_000)}{{ v == w }}`,
  ],
  ['a long text in a long text', `${letters}{% set n = v[500000:] ~ 'b' %}${often('{% if n in v %}{% endif %}')}`],
  ['a short text in a long text', letters + often("{% if 'aaaaaaaaaaaaaaab' in v %}{% endif %}")],
  ['numbers among numbers', `{% set l = range(100000) | list %}{% for i in l %}{% if i in l %}{% endif %}{% endfor %}`],
  [
    'numbers among the values of a dict',
    `{% set d = dict(range(100000) | batch(2)) %}${often('{{ -1 in d.values() }}')}`,
  ],
  ['long texts that are equal', `${letters}{% set w = v[1:] ~ 'a' %}${often('{% if v == w %}{% endif %}')}`],
  ['long lists that are equal', `${numbers}{% set w = v + [] %}${often('{% if v == w %}{% endif %}')}`],
  ['title', text + often('{% set y = v.title() %}')],
  ['the filter title', text + often('{% set y = v | title %}')],
  [
    'letter case',
    text + often('{% set y = v | upper | lower | capitalize %}{% set y = v.swapcase() ~ v.casefold() %}'),
  ],
  ['classes of characters', wide + often('{{ v.isalpha() }}{{ v.istitle() }}{{ v.isprintable() }}')],
  ['lengths and positions', wide + often('{{ v | length }}{{ v[i] }}{% set y = v[i:] %}{% set y = v[::-1] %}')],
  ['slices that are kept', `${numbers}${often('{% set ns.v = [ns.v, v[1:]] %}')}`],
  ['sorted numbers', often('{% set y = range(100000) | reverse | sort %}')],
  ['sorted long texts', `${letters}{{ ([v ~ 'a', v ~ 'b'] * 1000) | sort(case_sensitive=true) | length }}`],
  ['sorting by many attributes', `{{ ([{'a': 1}] * 50000) | sort(attribute='${'a,'.repeat(20_000)}a') }}`],
  ['an attribute of an attribute', `{{ [{'a': 1}] | map(attribute='${'a.'.repeat(80_000)}a') | list }}`],
  ['minima, maxima and sums', numbers + often('{{ v | max }}{{ v | min }}{{ v | sum }}')],
  ['a sum of lists', '{{ ([[1, 2, 3]] * 100000) | sum(start=[]) | length }}'],
  [
    'unique and groups',
    often('{{ range(100000) | unique | list | length }}{{ ([[1], [2]] * 9999) | groupby(0) | length }}'),
  ],
  ['every letter replaced', `${letters}{{ v.replace('a', v) }}`],
  ['the same by a filter', `${letters}{{ v | replace('', v) }}`],
  ['the same by a filter block', `${letters}{% filter replace('a', v) %}{{ v }}{% endfilter %}`],
  ['the same by a computed name', `${letters}{{ v['repl' ~ 'ace']('a', v) }}`],
  ['the same by a function that is kept', `${letters}{% set f = v.replace %}{{ f(*['a', v]) }}`],
  ['repeated replacing', text + often("{% set y = v | replace('ab', 'ba') %}")],
  ['a long separator', `${letters}{{ range(100000) | join(v) }}`],
  ['long texts that are joined', `${letters}{{ ([v] * 100000) | join }}{{ v.join(['a'] * 100000) }}`],
  [
    'repeated splitting',
    text + often("{% set y = v.split(' ') %}{% set y = v.rsplit('b') %}{% set y = v.splitlines() %}"),
  ],
  ['parts that are kept', `${text}${often("{% set ns.v = [ns.v, v.split('b')] %}")}`],
  ['counting and finding', text + often("{{ v.count('a') }}{{ v.find('x') }}{{ v.rfind('x') }}{{ v.partition('x') }}")],
  ['stripping', `${doubled("' '", 20)}${often("{{ v | trim }}{{ v.strip(' ') }}{{ v.startswith(v) }}")}`],
  ['tabs', `${doubled("'\\t'", 20)}{{ v.expandtabs(1000000) }}`],
  ['wide fields', "{{ 'a'.center(1000000000) }}{{ 'a' | center(1000000000) }}{{ 'a'.zfill(1000000000) }}"],
  ['a wide indentation', "{{ 'a\\nb' | indent(500000000) }}"],
  ['many lines that are indented', `${doubled("'a\\n'", 20)}{{ v | indent(v) }}`],
  ['a wide indentation of JSON', '{{ [1, 2] | tojson(indent=500000000) }}'],
  ['a deep indentation of JSON', `${nested('1', '[ns.v]', 400)}{{ v | tojson(indent=1000000) }}`],
  ['long separators of JSON', `${letters}{{ (range(100000) | list) | tojson(separators=(v, v)) }}`],
  ['repeated JSON', numbers + wide + often('{% set y = v | tojson(ensure_ascii=true) %}')],
  ['repeated printing', `${numbers}${often('{{ v }}')}`],
  ['characters to be escaped', `${doubled("'\\x01&'", 19)}${often('{% set y = [v] ~ (v | e) %}')}`],
  ['wrapping a long word', `${letters}{{ v | wordwrap(1) }}`],
  [
    'wrapping hyphens and dashes',
    `${doubled("'a--b-'", 17)}{{ v | wordwrap(3) | length }}{{ v | wordwrap(3, false, v) }}`,
  ],
  ['batches', `${often('{% set y = range(100000) | batch(1) | list %}')}`],
  ['a batch with a fill value', "{{ [1] | batch(1000000000, 'x') | list }}"],
  ['slices of nothing', '{{ [1] | slice(1000000000) | list }}'],
  ['XML attributes', letters + often("{% set y = {'a': v} | xmlattr %}")],
  ['links', `${doubled("'www.a.com '", 16)}${often('{% set y = v | urlize %}')}`],
  ['brackets around links', `${doubled("'('", 19)}{{ (v ~ v | replace('(', ')')) | urlize | length }}`],
  [
    'words that almost match a link',
    `${doubled("'aa.a@'", 17)}{{ (v ~ '!') | urlize | length }}{{ ('www.' ~ v) | urlize(3) | length }}`,
  ],
  ['link schemes', "{{ ('x ' * 10000) | urlize(extra_schemes=['ab:'] * 100000) }}"],
  ['URL queries', wide + often('{% set y = v | urlencode %}')],
  ['unclosed tags', `${doubled("'<!--'", 17)}${often('{% set y = v | striptags %}')}`],
  ['words', text + often('{{ v | wordcount }}{{ v | truncate(1000) }}')],
  ['a wide number', "{{ '%1000000000d' % 1 }}{{ '%*d' % (1000000000, 1) }}"],
  ['a precise number', "{{ '%.1000000000f' % 0.1 }}"],
  ['many numbers', "{% set f = '%s' * 100000 %}" + often('{% set y = f % ((1,) * 100000) %}')],
  ['a wide format field', "{{ '{:>999999999}'.format(1) }}{{ '{:{}}'.format(1, 1000000000) }}"],
  ['many format fields', "{% set f = '{}' * 100000 %}" + often('{% set y = f.format(*range(100000)) %}')],
  ['nested format fields', `{{ ('{0' ~ '.real' * 40000 ~ '}').format(1) | length }}`],
  ['powers of powers', '{{ 9 ** 9 ** 9 }}{{ 9 ** (9 ** 9) }}'],
  ['squares of squares', nested('3', 'ns.v ** 2', 100)],
  ['large numbers', `{% set x = 2 ** 60000 + 1 %}${often('{% set y = x * 3 // x % 7 %}{% set y = x < x %}')}`],
  [
    'large numbers that are printed and read',
    often("{{ 9 ** 4000 }}{% set y = ('9' * 4000) | int %}{{ ('z' * 9999) | int(0, 36) }}"),
  ],
  [
    'small fractions',
    often("{% set y = 0.1 | round(300) %}{% set y = '%.300f' % 1e-300 %}{{ (5e-324).as_integer_ratio() }}"),
  ],
  ['a macro that calls itself', '{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}'],
  [
    'a macro that calls itself twice',
    '{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(40) }}',
  ],
  [
    'macros in texts',
    '{% macro f(n) %}{% if n %}{{ f(n - 1) ~ f(n - 1) }}{% else %}x{% endif %}{% endmacro %}{{ f(40) }}',
  ],
  [
    'callers of callers',
    '{% macro f() %}{{ caller() }}{% endmacro %}{% macro g() %}{% call f() %}{{ g() }}{% endcall %}{% endmacro %}{{ g() }}',
  ],
  ['a block that includes itself', '{% block b %}{{ self.b() }}{% endblock %}'],
  ['a loop that calls itself', '{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}'],
  [
    'many arguments',
    `{% macro f() %}{{ kwargs | length }}{{ varargs | length }}{% endmacro %}{% set d = dict(range(50000) | map('string') | batch(2)) %}${often('{{ f(*range(100000), **d) }}')}`,
  ],
  ['nested lazy filters', `${nested('range(9)', "ns.v | map('string')", 90_000)}{{ v | list }}`],
  ['filter chains', often("{% set y = range(100000) | map('string') | map('upper') | select('string') | list %}")],
  [
    'cyclers and joiners',
    `{% set c = cycler(*range(100000)) %}{% set j = joiner('x' * 1000000) %}${often('{{ c.next() }}{{ j() }}')}`,
  ],
  ['a namespace that grows', `{% set n = namespace() %}${often('{% set n.a = [n.a, range(1000) | list] %}')}`],
  ['a namespace that contains itself', '{% set n = namespace(a=1) %}{% set n.a = [n, n] %}{{ n }}{{ n | pprint }}'],
  [
    'dicts that are copied',
    `{% set d = dict(range(100000) | batch(2)) %}${often('{% set x = dict(d) %}{% set y = d | dictsort %}')}`,
  ],
  ['long keys', letters + often('{% set d = {v ~ i: 1} %}{{ d[v] }}')],
  ['long cycles', often('{{ loop.cycle(*range(100000)) }}{{ loop.changed(range(100000) | list) }}')],
  [
    'the length of a generator',
    often("{% for x in range(100000) | map('string') %}{{ loop.length }}{% break %}{% endfor %}"),
  ],
  [
    'blocks that are captured',
    letters + often('{% set x %}{{ v }}{% endset %}{% filter upper %}{{ v }}{% endfilter %}'),
  ],
  ['long output', letters + often('{{ v }}')],
  ['much output', often('x{{ i }}{{ 1.5 }}')],
  ['long times', often("{% set y = strftime_now('%c' * 1000) %}{{ strftime_now('%99999999d') }}")],
  [
    'texts that are kept',
    `${wide}${often("{% set t = v ~ i %}{% if 'b' in t %}{% endif %}{% set ns.v = [ns.v, t] %}")}`,
  ],
  ['small texts that are kept', `{% set t = '汉' * 1000 %}${kept("[ns.v, t ~ i, 'b' in t ~ i]")}`],
  ['lists that are kept', kept('[ns.v, i]')],
  ['dicts that are kept', kept("{'a': ns.v}")],
  ['iterators that are kept', kept("[ns.v, [1] | map('string')]")],
  ['cyclers that are kept', kept('[ns.v, cycler(1), joiner(), range(5), namespace(a=1)]')],
  ['methods and missing values that are kept', kept("[ns.v, 'a'.upper, {}.items(), {}.b, 'a' | safe, 1.5]")],
  [
    'loops that are kept',
    `{% set ns = namespace(v=1) %}${often('{% for x in [1] %}{% set ns.v = [ns.v, loop] %}{% endfor %}')}`,
  ],
  ['open parentheses', `{{ ${'('.repeat(199_000)}`],
  ['deep parentheses', `{{ ${'('.repeat(99_000)}1${')'.repeat(99_000)} }}`],
  ['deep lists', `{{ ${'['.repeat(99_000)}1${']'.repeat(99_000)} }}`],
  ['nots and minuses', `{{ ${'not '.repeat(25_000)}${'-'.repeat(90_000)}1 }}`],
  ['chains of operators', `{{ 1${' + 1'.repeat(49_000)} }}`],
  ['chains of filters, attributes and calls', `{{ a${'|e.a()'.repeat(33_000)} }}`],
  ['chains of conditions', `{{ ${'1 if 0 else '.repeat(16_000)}1 }}`],
  ['nested tags', '{% if 1 %}'.repeat(9000) + '{% endif %}'.repeat(9000)],
  ['nested loops', '{% for a in b %}'.repeat(6000) + '{% endfor %}'.repeat(6000)],
  ['many elifs', `{% if 0 %}${'{% elif 0 %}'.repeat(16_000)}{% endif %}`],
  [
    'many names and conditions',
    Array.from({ length: 12_000 }, (_, at) => `{{a${at}}}`).join('') + '{%if b%}{%endif%}'.repeat(4500),
  ],
  [
    'names in nested conditions',
    '{%if b%}'.repeat(90) +
      Array.from({ length: 9000 }, (_, at) => `{%set a${at}=1%}`).join('') +
      '{%endif%}'.repeat(90),
  ],
  ['loops with many names', loop(100_000, Array.from({ length: 15_000 }, (_, at) => `{{a${at}}}`).join(''))],
  [
    'scoped blocks with many names',
    Array.from({ length: 5000 }, (_, at) => `{%set a${at}=1%}`).join('') +
      loop(100_000, '{%block b scoped%}{%endblock%}'),
  ],
  ['large literals', `{{ [${'1,'.repeat(49_000)}] }}{{ {${'1:1,'.repeat(20_000)}} }}`],
  ['long numbers', `{{ 0x${'f'.repeat(99_000)} }}{{ ${'9'.repeat(90_000)} }}`],
  ['unclosed tags and comments', '{% raw '.repeat(14_000) + '{# '.repeat(30_000)],
  [
    'keys of mixed types, printed in order',
    `${built(500, "i, i ~ ''")}${often('{% set y = dict.fromkeys(v) | pprint %}')}`,
  ],
  ['texts that are not numbers', often("{% set y = 'x' | int %}{% set y = 'x' | float %}")],
  [
    'large integer keys with V8 hash collisions',
    `${built(1500, '(i + 1) * 2 ** 64')}${often('{% set y = dict.fromkeys(v) %}')}`,
  ],
  [
    'large float keys with V8 hash collisions',
    `${built(1500, '(i + 1) * 2.0 ** 200')}${often('{% set y = dict.fromkeys(v) %}')}`,
  ],
  [
    'digit string keys with V8 hash collisions',
    `${built(1500, "(i * 4096) ~ ''")}${often('{% set y = dict.fromkeys(v) %}')}`,
  ],
  [
    'digit strings as argument names',
    `${built(1500, "(i * 4096) ~ ''")}{% set d = dict.fromkeys(v) %}${often('{% set y = dict(**d) %}{% set y = namespace(d) %}')}`,
  ],
  [
    'words in the rel attribute of links',
    `${built(1500, "(i * 4096) ~ ''")}{% set r = v | join(' ') %}${often("{% set y = 'a' | urlize(rel=r) %}")}`,
  ],
  [
    'quotients of large integers',
    `{% set x = 2 ** 65000 + 1 %}{% set z = 2 ** 64500 + 1 %}${often('{% set y = x / z %}')}`,
  ],
  ['large integers that are rounded', `{% set x = 2 ** 65000 + 1 %}${often('{% set y = x | round(-4900) %}')}`],
  [
    'floats as JSON, hexadecimal and sizes',
    `${doubled('[1e-300, 1.5e300]', 9)}${often('{% set y = v | tojson %}{{ (0.1).hex() }}{{ 1e26 | filesizeformat }}')}`,
  ],
  ['one long link scheme, many times', `${letters}{{ v | urlize(extra_schemes=[v ~ ':'] * 100000) }}`],
  [
    'long schemes that match a prefix',
    `${doubled("'a'", 17)}{{ (v ~ ':x') | urlize(extra_schemes=[v ~ ':'] * 1000) | length }}`,
  ],
  ['strftime flags without a letter', "{{ strftime_now('%' ~ '0' * 90000 ~ '!') | length }}"],
  ['a huge width with digit groups', "{{ '{:0=14000000,}'.format(1) | length }}"],
  ['long Markup as keys', `${letters}${often('{% set y = {(v ~ i) | safe: 1} %}')}`],
  [
    'starts and ends of long texts',
    `${letters}${often("{% set y = (v ~ i).startswith('b') %}{% set y = (v ~ i).endswith('a') %}")}`,
  ],
  [
    'prefixes and suffixes of long texts',
    `${letters}${often("{% set y = (v ~ i).removeprefix('b') %}{% set y = (v ~ i).removesuffix('a') %}")}`,
  ],
  ['long item and attribute names', `${letters}${often('{% set y = i[v ~ i] %}{% set y = i | attr(v ~ i) %}')}`],
  ['expandtabs without tabs', `${doubled("'ab'", 22)}{{ v.expandtabs() | length }}`],
  [
    'characters that are kept',
    `${doubled("'\u6c49\u5b57'", 21)}{% set a = v | list %}{% set b = (v ~ 'x') | list %}{{ v.translate({1: 2}) | length }}`,
  ],
  [
    'texts that are read from the right',
    `${doubled("'\u6c49\u5b57'", 21)}{{ v.rsplit('x') | length }}{{ v.replace('', '') | length }}`,
  ],
  ['nested lists and iterators', `${nested('[1]', "[ns.v] | map('list')", 90_000)}{{ v | list }}`],
  [
    'many parameters',
    `{% macro f(${Array.from({ length: 20_000 }, (_, at) => `a${at}`).join(',')}) %}{% endmacro %}${often('{% set y = f() %}')}`,
  ],
  [
    'many scoped blocks with many names',
    Array.from({ length: 4000 }, (_, at) => `{%set a${at}=1%}`).join('') +
      Array.from({ length: 3500 }, (_, at) => `{%block b${at} scoped%}{%endblock%}`).join(''),
  ],
  ['mathematical digits', `${doubled("'\\U0001d7ff'", 19)}${often('{% set y = v | int %}')}`],
  ['a long text in nested dicts', `${nested("'a b ' * 40000", "{'a': ns.v}", 300)}{{ v | pprint | length }}`],
]
