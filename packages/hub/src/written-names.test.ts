import { describe, expect, it } from '@jest/globals'
import type { RepositoryFile } from './listing.js'
import { findConflict } from './path-conflicts.js'
import { checkFileNames } from './written-names.js'

const files = (...paths: readonly string[]): readonly RepositoryFile[] =>
  paths.map((path, i) => ({ path, bytes: 1, blobId: String(i).padStart(40, '0') }))
const codeOf = (act: () => void): unknown => {
  try {
    return act()
  } catch (error) {
    return (error as { readonly code?: unknown }).code
  }
}

describe('checkFileNames', () => {
  const refused = [
    ['aux.json'],
    ['CON'],
    ['folder/nul.tar.gz'],
    ['com1.txt/config.json'],
    ['LPT³'],
    ['conin$'],
    ['config.json.'],
    ['config.json '],
    ['folder./config.json'],
    ['x'.repeat(256)],
    [`${'ü'.repeat(128)}.json`],
    ['config.json', 'Config.json'],
    ['config.json', 'CONFIG.JSON'],
    ['\u00fc.json', 'u\u0308.json'],
    ['stra\u00dfe', 'STRASSE'],
    ['a/b', 'A'],
    ['a', 'a-b', 'A/c'],
    ['Folder', 'folder/x', 'folder-y'],
  ].map((paths): [string, string[]] => [paths.join(' and ').slice(0, 40), paths])
  it.each(refused)('rejects names that are invalid or equal on some systems: %s', (_, paths) =>
    expect(codeOf(() => checkFileNames('org/toy', files(...paths)))).toBe('BAD_REPOSITORY_PATH'),
  )

  it('accepts names of real models', () => {
    const paths = [
      'config.json',
      'configuration.json',
      '1_Pooling/config.json',
      '2_Dense/model.safetensors',
      'null.txt',
    ]
    const more = ['console.json', 'common', 'x'.repeat(255), 'model-00001-of-00002.safetensors', 'a-b', 'a/b', 'é.json']
    expect(codeOf(() => checkFileNames('org/toy', files(...paths, ...more)))).toBeUndefined()
  })

  it('rejects a colon on Windows only, where it starts the name of a stream', () => {
    expect(codeOf(() => checkFileNames('org/toy', files('q4:k.gguf'), 'linux'))).toBeUndefined()
    expect(codeOf(() => checkFileNames('org/toy', files('q4:k.gguf'), 'win32'))).toBe('BAD_REPOSITORY_PATH')
  })

  it('rejects one digest with two sizes', () => {
    const [one, other] = files('a', 'b') as [RepositoryFile, RepositoryFile]
    const same = [one, { ...other, blobId: one.blobId }]
    expect(codeOf(() => checkFileNames('org/toy', same))).toBeUndefined()
    expect(codeOf(() => checkFileNames('org/toy', [one, { ...same[1]!, bytes: 2 }]))).toBe('HUB_BAD_ANSWER')
  })

  it('compares many long names quickly', () => {
    const long = Array.from({ length: 2000 }, (_, i) => `${'\u0390/'.repeat(330)}${i}`)
    const began = process.cpuUsage()
    expect(findConflict(long, (path) => path.normalize('NFD').toUpperCase())).toBeUndefined()
    const { user, system } = process.cpuUsage(began)
    expect((user + system) / 1e6).toBeLessThan(1)
  })
})
