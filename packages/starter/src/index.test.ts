import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { packages } from './index.js'

const read = (path: string): unknown => JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'))
const { dependencies } = read('../package.json') as { readonly dependencies: Readonly<Record<string, string>> }
/** Dependencies that plugins need as peers. */
const peers = ['@attune/core', '@tensorflow/tfjs-core']

describe('packages', () => {
  it('lists the dependencies, but for the peers of plugins', () => {
    expect([...peers, ...packages].sort()).toEqual(Object.keys(dependencies).sort())
  })

  it('lists the command, and packages that declare a plugin of the kind and name that they are called by', () => {
    expect(packages).toContain('@attune/cli')
    for (const name of packages.filter((each) => each !== '@attune/cli')) {
      const short = name.replace('@attune/', '')
      const { attune } = read(`../../../plugins/${short}/package.json`) as { readonly attune: Record<string, string> }
      expect(`${attune['kind']}-${attune['name']}`).toBe(short)
    }
  })
})
