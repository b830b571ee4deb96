import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { checkedPath, isModelName, parseModelName, printable } from './model-name.js'

/** Validity of names according to the Python library: tools/golden/hub_cache.py. */
const golden = JSON.parse(readFileSync(new URL('../golden/names.json', import.meta.url), 'utf8')) as {
  readonly source: string
  readonly names: Readonly<Record<string, boolean>>
}

describe('model names', () => {
  it(`are valid as in ${golden.source}, except that "@" separates the revision`, () => {
    for (const [name, good] of Object.entries(golden.names))
      if (!name.includes('@')) expect([name, isModelName(name)]).toEqual([name, good])
  })

  it('may include a revision: a branch, a tag, a commit or a pull request', () => {
    expect(parseModelName('org/name')).toEqual({ name: 'org/name', revision: 'main' })
    for (const revision of ['v1.0', 'refs/pr/1', 'a'.repeat(40), 'feature/x-y', 'v1@2'])
      expect(parseModelName(`org/name@${revision}`)).toEqual({ name: 'org/name', revision })
  })

  it.each([
    '',
    '../x',
    'a..b',
    '/a',
    'a/',
    'a b',
    'a\0',
    '-a',
    'a\\b',
    'a/../../b',
    '.hidden',
    'a/.b',
    'a.lock',
    'a@{1',
    '~1',
    'a\n',
  ])('are rejected with the revision %j, which git does not allow or which would leave the cache', (revision) =>
    expect(() => parseModelName(`org/name@${revision}`)).toThrow(/organization\/name@revision/),
  )

  it('are rejected without an organization', () => {
    expect(() => parseModelName('gpt2')).toThrow(/organization\/name/)
    expect(isModelName('./org/name')).toBe(false)
  })
})

describe('checkedPath', () => {
  it('accepts plain relative paths', () => {
    for (const path of ['config.json', '1_Pooling/config.json', '.gitattributes', 'a b/ü.json', '...'])
      expect(checkedPath(path, 'org/name')).toBe(path)
  })
})

describe('printable', () => {
  it('replaces control characters and limits the length', () => {
    expect(printable('\u001b[2Ja\u202eb\n')).toBe('·[2Ja·b·')
    expect(printable('x'.repeat(1000))).toHaveLength(200)
  })
})
