// @ts-check
/** Type-checks the tools, which are JavaScript with JSDoc types. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { isProgram, report, root } from './packages.mjs'

const COMPILER = join(root, 'node_modules/typescript-native/bin/tsc')

export function toolsTypes() {
  const { stdout } = spawnSync(process.execPath, [COMPILER, '-p', 'tools', '--pretty', 'false'], {
    cwd: root,
    encoding: 'utf8',
  })
  const problems = stdout.split('\n').filter((line) => /^\S.*: error /.test(line))
  return { problems, summary: 'no type errors' }
}

if (isProgram(import.meta.url)) report(toolsTypes())
