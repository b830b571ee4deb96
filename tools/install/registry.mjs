// @ts-check
/** A registry of this repository's packages, for installs that are tried before anything is published. */
import { execFileSync } from 'node:child_process'
import { createReadStream } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { packagesIn, root } from '../check/packages.mjs'

/** @typedef {{ name: string, version: string, filename: string, integrity: string, shasum: string, size: number }} Packed */

/**
 * Packs packages into a folder, as `npm publish` would: with their prepack scripts, which the settings of this repository skip.
 * @param {string} folder @param {import('../check/packages.mjs').Package[]} packages @returns {Packed[]}
 */
export function packAll(folder, packages = packagesIn()) {
  const chosen = packages.map((each) => `--workspace=${each.folder}`)
  const options = /** @type {const} */ ({
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1e9,
    shell: process.platform === 'win32',
  })
  return JSON.parse(
    execFileSync(
      'npm',
      ['pack', '--json', '--ignore-scripts=false', `--pack-destination=${folder}`, ...chosen],
      options,
    ),
  )
}

/** The document by which a registry describes a package. @param {Record<string, any>} manifest @param {Packed} packed @param {string} address */
const describe = (manifest, { name, version, filename, integrity, shasum }, address) => ({
  name,
  'dist-tags': { latest: version },
  versions: { [version]: { ...manifest, dist: { tarball: `${address}/${filename}`, integrity, shasum } } },
})

/**
 * Serves packed packages on a free port of this machine. Other packages are not served: npm takes these from where it always does, if
 * only the scope is directed here, by the setting `@attune:registry`.
 * @param {string} folder that holds the tarballs @param {Packed[]} packed @returns {Promise<{ address: string, close: () => void }>}
 */
export async function serve(folder, packed) {
  const manifests = new Map(packagesIn().map(({ manifest }) => [manifest.name, manifest]))
  const server = createServer(({ url = '' }, response) => {
    const path = decodeURIComponent(url.slice(1))
    const described = packed.find(({ name }) => name === path)
    const tarball = packed.find(({ filename }) => filename === path)
    if (described !== undefined)
      response
        .setHeader('content-type', 'application/json')
        .end(JSON.stringify(describe(manifests.get(path) ?? {}, described, address)))
    else if (tarball !== undefined) createReadStream(join(folder, tarball.filename)).pipe(response)
    else response.writeHead(404).end('{}')
  })
  await new Promise((listening) => server.listen(0, '127.0.0.1', () => listening(undefined)))
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  const address = `http://127.0.0.1:${port}`
  return { address, close: () => server.close() }
}
