import { describe, expect, it } from '@jest/globals'
import { parsePythonJson } from './parse-python-json.js'

describe('parsePythonJson', () => {
  // Written by json.dumps of Python 3.
  it('reads the numbers that Python writes and JSON does not have', () => {
    const text =
      '{"limits": [0.0, Infinity, -Infinity, NaN], "text": "NaN, \\"Infinity\\"", "NaN": "NaN", "__proto__": [NaN], "n": -1.5e-06}'
    expect(parsePythonJson(text)).toEqual(
      Object.fromEntries([
        ['limits', [0, Infinity, -Infinity, NaN]],
        ['text', 'NaN, "Infinity"'],
        ['NaN', 'NaN'],
        ['__proto__', [NaN]],
        ['n', -1.5e-6],
      ]),
    )
  })

  it.each(['{"a": nan}', '{"a": +Infinity}', '{"a": Infinity', '{"a": NaN1}', 'Infinit'])('rejects %s', (text) =>
    expect(() => parsePythonJson(text)).toThrow(SyntaxError),
  )

  it('rejects deep nesting, and takes linear time for a long text', () => {
    expect(() => parsePythonJson(`${'['.repeat(500)}NaN${']'.repeat(500)}`)).toThrow(/nested/)
    const start = process.cpuUsage().user
    expect(parsePythonJson(`[${'NaN, Infinity, "NaN", '.repeat(50_000)}0]`)).toHaveLength(150_001)
    expect(() => parsePythonJson(`[NaN, "${'\\"'.repeat(500_000)}`)).toThrow(SyntaxError)
    expect((process.cpuUsage().user - start) / 1e6).toBeLessThan(2)
  })
})
