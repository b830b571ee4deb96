// @ts-check
/**
 * Everything that guards the project: format, lint and boundaries, types and build, tests, and the checks that no single
 * package can make. What has not changed since it last passed is taken from Nx's cache.
 */
import { spawnSync } from 'node:child_process'
import { globSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { install, nxEnvironment, root } from './ready.mjs'

const TARGETS = ['format', 'lint', 'build', 'test', 'check']

install()
const { status } = spawnSync(
  process.execPath,
  [
    join(root, 'node_modules/nx/dist/bin/nx.js'),
    'run-many',
    '-t',
    ...TARGETS,
    '--outputStyle=static',
    '--nxBail=false',
  ],
  { cwd: root, stdio: 'inherit', env: nxEnvironment },
)
