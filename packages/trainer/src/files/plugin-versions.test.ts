import { describe, expect, it } from '@jest/globals'
import { coreVersion } from '@attune/resolve'
import { coreChange, handleVersions, versionChange } from './plugin-versions.js'

const between = (before: string | undefined, after: string | undefined) => {
  const of = (version: string | undefined) => ({ package: 'p', ...(version === undefined ? {} : { version }) })
  return versionChange('metric m', of(before), of(after))
}

describe('versionChange', () => {
  it('returns undefined for equal versions and for plugins without a package', () => {
    for (const version of ['1.2.3', '0.1.0', '1.0.0-rc.1', 'odd', undefined])
      expect(between(version, version)).toBeUndefined()
    expect(versionChange('metric m', {}, {})).toBeUndefined()
  })

  it.each([
    ['1.2.3', '1.2.4', true],
    ['1.2.4', '1.2.3', true],
    ['0.1.0', '0.1.10', true],
    ['0.0.1', '0.0.2', true],
    ['0.1.0', '0.2.0', false],
    ['1.2.3', '1.3.3', false],
    ['1.2.3', '2.2.3', false],
    ['1.2.3', '1.2.4-rc.1', false],
    ['1.2.4-rc.1', '1.2.4', false],
    ['1.2.3-rc.1', '1.2.3-rc.2', false],
    ['1.2.3', '1.2.3+build', false],
    ['1.2', '1.2.1', false],
    ['v1.2.3', '1.2.3', false],
    ['1.2.3\n', '1.2.3', false],
    ['1.2.3', undefined, false],
    [undefined, '1.2.3', false],
  ])('from %p to %p sets isPatch to %p', (before, after, isPatch) => {
    expect(between(before, after)?.isPatch).toBe(isPatch)
  })

  it('returns plugin, packages and versions, and sets isPatch to false for another package', () => {
    expect(between('0.1.0', '0.1.1')?.change).toBe('metric m: p 0.1.0 → 0.1.1')
    expect(between('0.1.0', undefined)?.change).toBe('metric m: p 0.1.0 → p without a version')
    const [one, other] = [{ package: 'p', version: '0.1.0' }, { package: '@a/q' }]
    expect(versionChange('metric m', one, { ...other, version: '0.1.1' })).toEqual({
      change: 'metric m: p 0.1.0 → @a/q 0.1.1',
      isPatch: false,
    })
    expect(versionChange('metric m', {}, one)).toEqual({ change: 'metric m: no package → p 0.1.0', isPatch: false })
    expect(versionChange('metric m', one, {})?.change).toBe('metric m: p 0.1.0 → no package')
  })

  it('quotes and shortens malformed versions', () => {
    const { change } = between('1.0.0\u001b[2J', `1.${'0'.repeat(1000)}`) ?? { change: '' }
    expect(change).toContain('"1.0.0\\u001b[2J"')
    expect(change.length).toBeLessThan(150)
  })
})

describe('coreChange', () => {
  it('compares with the running core, and returns a change for a record without a version', () => {
    expect(coreChange(coreVersion())).toBeUndefined()
    expect(coreChange('99.0.0')).toEqual({ change: `core: @attune/core 99.0.0 → ${coreVersion()}`, isPatch: false })
    expect(coreChange(undefined)?.isPatch).toBe(false)
  })
})

describe('takeVersions', () => {
  const [patch, minor] = [
    { change: 'a', isPatch: true },
    { change: 'b', isPatch: false },
  ]

  it('returns patch differences as warnings, and all differences as accepted if allowed', () => {
    expect(handleVersions('run', [], false)).toEqual({ accepted: [], warnings: [] })
    expect(handleVersions('run', [patch], false)).toEqual({
      accepted: [],
      warnings: ['different patch version than at the start of the run: a'],
    })
    expect(handleVersions('run', [patch, minor], true)).toEqual({ accepted: ['a', 'b'], warnings: [] })
  })

  it('throws one error that lists all differences', () => {
    expect(() => handleVersions('run', [patch, minor], false)).toThrow(
      expect.objectContaining({
        code: 'VERSIONS_CHANGED',
        problem: expect.stringContaining('\n  a\n  b'),
        remedy: expect.stringContaining('attune train --resume run --accept-versions'),
      }),
    )
  })
})
