// @ts-check
/**
 * Assembles WebAssembly text files (`src/wasm/*.wat`) into modules that contain the binary as base64, so that packages load no file at run
 * time. `--write` writes the modules; without it, they are compared.
 */
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import wabt from 'wabt'
import { isProgram, packagesIn, report } from '../check/packages.mjs'

/** @param {string} name */
const camel = (name) => name.replace(/-(.)/g, (_, letter) => letter.toUpperCase())

/** Source of the generated module for a WebAssembly text file. @param {string} path */
async function moduleOf(path) {
  const { parseWat } = await wabt()
  const { buffer } = parseWat(path, readFileSync(path, 'utf8'), { simd: true }).toBinary({})
  const name = basename(path, '.wat')
  return `/** ${name}.wat, assembled by tools/wasm/assemble.mjs. */
export const ${camel(name)}Wasm =
  '${Buffer.from(buffer).toString('base64')}'
`
}

/** @param {{ write: boolean }} options */
export async function assembled({ write }) {
  const folders = packagesIn()
    .map(({ directory }) => join(directory, 'src/wasm'))
    .filter(existsSync)
  const sources = folders.flatMap((folder) =>
    readdirSync(folder)
      .filter((file) => file.endsWith('.wat'))
      .map((file) => join(folder, file)),
  )
  const problems = []
  for (const source of sources) {
    const target = source.replace(/\.wat$/, '.ts')
    const text = await moduleOf(source)
    if (write) writeFileSync(target, text)
    else if (readFileSync(target, 'utf8') !== text)
      problems.push(`${target} is not what ${source} assembles to: run node tools/wasm/assemble.mjs --write`)
  }
  return { problems, summary: `${sources.length} WebAssembly modules match their sources` }
}

if (isProgram(import.meta.url)) report(await assembled({ write: process.argv.includes('--write') }))
