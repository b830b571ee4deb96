import { describe, expect, it } from '@jest/globals'
import { Template } from '@huggingface/jinja'
import { renderBounded } from './bounded-template.js'

const twice = (count: number, statement: string): string => statement.repeat(count)
const doubled = "{% set n = namespace(s='x') %}"
const nested = (depth: number): string =>
  `${'{% for a in range(100000) %}'.repeat(depth)}x${'{% endfor %}'.repeat(depth)}`
const chain = Array.from({ length: 60 }, (_, i) => `{% set n${i + 1} = namespace(a=n${i}, b=n${i}) %}`).join('')

describe('a template that would fill the memory or never end is stopped', () => {
  it.each([
    ['a range of three thousand million', '{% for i in range(3000000000) %}{% endfor %}', 'counts'],
    ['a range without end', '{{ range(0, 1, 0) | length }}', 'counts'],
    ['loops in loops', nested(4), 'more than a template may'],
    ['forty loops in loops', nested(40), 'more than a template may'],
    ['a text that doubles', `${doubled}${twice(60, '{% set n.s = n.s ~ n.s %}')}{{ n.s }}`, 'makes a value'],
    ['a list that doubles', `{% set n = namespace(s=[1]) %}${twice(60, '{% set n.s = n.s + n.s %}')}`, 'makes a value'],
    [
      'a list of lists that doubles when it is written',
      `{% set n = namespace(s=[1]) %}${twice(60, '{% set n.s = [n.s, n.s] %}')}{{ n.s | tojson }}`,
      'makes a value',
    ],
    ['namespaces of namespaces', `{% set n0 = namespace(a=1) %}${chain}{{ n60 | tojson }}`, 'makes a value'],
    [
      'a namespace that is changed when it was counted',
      `{% set n0 = namespace(a=1) %}{% set m = namespace(a=1, b=1) %}{{ m | tojson }}${twice(60, '{% set m.a = [m.a, m.a] %}')}{{ m | tojson }}`,
      'makes a value',
    ],
    [
      'a text put in the place of every letter',
      `${doubled}${twice(20, '{% set n.s = n.s ~ n.s %}')}{{ n.s.replace('x', n.s) }}`,
      'replaces',
    ],
    [
      'the same by a filter',
      `${doubled}${twice(20, '{% set n.s = n.s ~ n.s %}')}{{ n.s | replace('x', n.s) }}`,
      'replaces',
    ],
    [
      'the same by a filter around a block',
      `${doubled}${twice(20, '{% set n.s = n.s ~ n.s %}')}{% filter replace('x', n.s) %}{{ n.s }}{% endfilter %}`,
      'replaces',
    ],
    [
      'the same with arguments that are spread',
      `${doubled}${twice(20, '{% set n.s = n.s ~ n.s %}')}{{ n.s.replace(*['x', n.s]) }}`,
      'replaces',
    ],
    [
      'the same by a name that is made',
      `${doubled}${twice(20, '{% set n.s = n.s ~ n.s %}')}{{ n.s['re' ~ 'place']('x', n.s) }}`,
      'replaces',
    ],
    ['the same by a function that is kept', "{% set f = 'x'.replace %}{{ f('x', 'y') }}", 'keeps a function'],
    ['a wide indentation', "{{ 'a\\nb' | indent(500000000) }}", 'indents'],
    ['a wide indentation of JSON', '{{ [1, 2] | tojson(indent=500000000) }}', 'indents'],
    ['a macro that calls itself', '{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}', ''],
    ['very deep brackets', `{{ ${'('.repeat(90_000)}1${')'.repeat(90_000)} }}`, ''],
    ['a namespace that holds itself', '{% set n = namespace(a=1) %}{% set n.a = n %}{{ n | tojson }}', ''],
  ])('%s', (_, template, problem) => expect(() => renderBounded(template, {})).toThrow(problem))
})

describe('a template within its bounds', () => {
  const variables = {
    items: [
      { name: 'a', of: [1, 2] },
      { name: 'b', of: [] },
    ],
    text: 'one two',
  }

  it.each([
    '{% for i in range(3) %}{{ i }}{% endfor %}{{ range(2, 9, 3) | list }}{{ range(5, 1, -2) | list }}',
    '{% for item in items if item.of %}{{ loop.index }} {{ item.name | upper }}{% else %}none{% endfor %}',
    "{{ text.split(' ') | join('-') }} {{ text | replace('one', 'two') }} {{ text.replace('o', '0') }}",
    '{{ items | tojson(indent=2) }} {{ items | tojson }} {{ "a\\nb" | indent(2) }}',
    '{% macro f(x, y=2) %}{{ x }}/{{ y }}{% endmacro %}{{ f(1) }} {{ f(1, y=3) }}',
    '{% set n = namespace(a=1) %}{% for item in items %}{% set n.a = n.a + 1 %}{% endfor %}{{ n.a }}',
    '{{ True }} {{ False }} {{ None }} {{ none is none }} {{ missing is defined }}',
    '{% filter upper %}{{ text }}{% endfilter %}',
  ])('gives what the library gives: %s', (template) =>
    expect(renderBounded(template, variables)).toBe(new Template(template).render(variables)),
  )

  it('may write a long conversation', () => {
    const template =
      "{% for m in messages %}{% if loop.first or messages[loop.index0 - 1].role != m.role %}{{ '<' ~ m.role ~ '>' }}{% endif %}{{ m.content | trim ~ '\\n' }}{% endfor %}"
    const messages = Array.from({ length: 2000 }, (_, i) => ({
      role: i % 2 === 0 ? 'user' : 'assistant',
      content: 'word '.repeat(200),
    }))
    expect(renderBounded(template, { messages }).length).toBeGreaterThan(2_000_000)
  })

  it('knows the time', () => {
    expect(renderBounded("{{ strftime_now('%Y %% %q') }}", {})).toBe(`${new Date().getFullYear()} % %q`)
    const date = renderBounded("{{ strftime_now('%d %b %Y') }}", {})
    expect(new Date(date).toDateString()).toBe(new Date().toDateString())
    const library = new Template("{{ strftime_now('%Y-%m-%d %H:%M %B') }}").render({})
    expect(renderBounded("{{ strftime_now('%Y-%m-%d %H:%M %B') }}", {})).toBe(library)
  })
})
