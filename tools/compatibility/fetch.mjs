// @ts-check
/** Fetches packages of peers from npm. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Downloads a package from npm's registry without installing it. Returns its folder and its version.
 * @param {string} specifier name and version @param {string} folder an existing, empty folder
 */
export function fetchPackage(specifier, folder) {
  const [tarball = ''] = execFileSync('npm', ['pack', specifier, '--silent', '--ignore-scripts'], {
    cwd: folder,
    encoding: 'utf8',
  }).split('\n')
  const path = join(folder, tarball.replace(/\.tgz$/, ''))
  mkdirSync(path)
  execFileSync('tar', ['xzf', tarball, '-C', path, '--strip-components=1'], { cwd: folder })
  const { name, version } = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'))
  return { path, name: `${name} ${version}` }
}
