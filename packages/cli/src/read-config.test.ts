import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from '@jest/globals'
import { readConfig } from './read-config.js'

const folder = mkdtempSync(join(tmpdir(), 'attune-config-'))
afterAll(() => rmSync(folder, { recursive: true }))
const path = join(folder, 'config.yaml')
const read = (content: string) => {
  writeFileSync(path, content)
  return readConfig(path)
}
const badYaml = (problem: string) =>
  expect.objectContaining({ code: 'BAD_YAML', problem: expect.stringContaining(problem) as unknown })

describe('readConfig', () => {
  it('reads a configuration of 20,000 keys in linear time', () => {
    const begun = process.cpuUsage()
    const { config } = read(Array.from({ length: 20_000 }, (_, i) => `k${i}: 1\n`).join(''))
    expect(Object.keys(config)).toHaveLength(20_000)
    expect(process.cpuUsage(begun).user / 1e6).toBeLessThan(5) // a third of a second; in pairs, 20
  })

  it.each([
    ['at the top', 'a: 1\nb: 2\na: 3\n', 'config.yaml:3:1'],
    ['as a number and as a text', '1: a\n"1": b\n', 'config.yaml:2:1'],
    ['in a nested mapping', 'a:\n  b: 1\n  b: 2\n', 'config.yaml:3:3'],
    ['in a flow mapping', 'a: { b: 1, c: 2, "b": 3 }\n', 'config.yaml:1:18'],
    ['in a mapping of a list', 'a:\n  - { x: 1 }\n  - { y: 1, y: 1 }\n', 'config.yaml:3:13'],
  ])('rejects a duplicate key %s, and reports its location', (_, content, where) => {
    expect(() => read(content)).toThrow(badYaml(`unique (${where})`))
  })

  it('accepts equal keys of different mappings and of different types', () => {
    expect(read('a: { x: 1 }\nb: { x: 1 }\nc: { 1: a, "1x": b, true: c }\n').config).toEqual({
      a: { x: 1 },
      b: { x: 1 },
      c: { 1: 'a', '1x': 'b', true: 'c' },
    })
  })

  it.each([
    ['a mapping', `${'{{ '.repeat(100)}${' }}'.repeat(100)}`],
    ['a list', 'a: 1\n? [b, c]\n: 2\n'],
    ['an alias', '&x a: 1\n*x : 2\n'],
  ])('refuses a key that is %s', (_, content) => {
    expect(() => read(content)).toThrow(badYaml('keys must be plain values'))
  })

  it('rejects a file that contains only errors', () => {
    const { stackTraceLimit } = Error
    expect(() => read('}'.repeat(50_000))).toThrow(badYaml('config.yaml:1:1'))
    expect(Error.stackTraceLimit).toBe(stackTraceLimit)
  })

  it('rejects a file over 256 KiB', () => {
    expect(() => read(`a: ${'x'.repeat(256 * 1024)}`)).toThrow(badYaml('larger than 262144 bytes'))
  })
})
