import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { createBudget } from '@attune/core'
import { describe, expect, it } from '@jest/globals'
import { compile, readVariables } from './render-template.js'

const golden = JSON.parse(gunzipSync(readFileSync('golden/jinja.json.gz')).toString()) as {
  readonly source: string
  readonly variables: Readonly<Record<string, unknown>>
  /** The rendered text; on failure, the error class in a list. */
  readonly cases: readonly (readonly [template: string, wanted: string | readonly string[]])[]
}

/** Python error classes that are merged here: parser errors, and encoding errors. */
const CLASSES: Readonly<Record<string, string>> = {
  TemplateSyntaxError: 'SyntaxError',
  TemplateAssertionError: 'SyntaxError',
  UnicodeEncodeError: 'UnicodeError',
}

function render(template: string): string | readonly string[] {
  const budget = createBudget(template.length, (why) => new Error(why))
  const now = (): Date => new Date(2024, 1, 9, 15, 4, 7, 45)
  try {
    return compile(template, budget)(readVariables(golden.variables, budget), budget, now).text
  } catch (error) {
    return [((error as Error).cause as Error).name]
  }
}

const inPython = (wanted: string | readonly string[]): string | readonly string[] =>
  typeof wanted === 'string' ? wanted : wanted.map((name) => CLASSES[name] ?? name)

describe(`Jinja templates, compared with ${golden.source}`, () => {
  const groups = new Map<string, (readonly [string, string | readonly string[]])[]>()
  for (const each of golden.cases) {
    const [, kind = 'statements'] =
      /^\{\{ .*?(\| [a-z]+|is [a-z]+|\)\.[a-z]+| (?:[-+*/%~]|[=!<>]=?|\/\/|\*\*|in|not in|and|or) ).* \}\}$/s.exec(
        each[0],
      ) ?? []
    groups.set(kind, [...(groups.get(kind) ?? []), each])
  }

  it.each([...groups.keys()].sort())('render the same text or raise the same error: %s', (kind) => {
    const different = groups.get(kind)!.flatMap(([template, wanted]) => {
      const [python, here] = [inPython(wanted), render(template)]
      return JSON.stringify(here) === JSON.stringify(python) ? [] : [{ template, python, here }]
    })
    expect(different).toEqual([])
  })

  it('cover thousands of templates and thousands of errors', () => {
    expect(golden.cases.length).toBeGreaterThan(15_000)
    expect(golden.cases.filter(([, wanted]) => typeof wanted !== 'string').length).toBeGreaterThan(5_000)
  })
})
