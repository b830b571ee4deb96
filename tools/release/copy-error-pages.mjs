// @ts-check
/** Copies the error pages of docs/errors into packages/cli/errors, so that `attune explain` finds them in the published package. */
import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')
const target = join(root, 'packages/cli/errors')
rmSync(target, { recursive: true, force: true })
cpSync(join(root, 'docs/errors'), target, { recursive: true, filter: (file) => !file.endsWith('README.md') })
