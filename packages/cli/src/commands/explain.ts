import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { AttuneError, nearest } from '@attune/core'
import { Command } from 'commander'

/** Folders of the error pages: in a published package, and in a clone. */
const FOLDERS = ['../../errors/', '../../../../docs/errors/'].map((path) => new URL(path, import.meta.url))

const pages = (): Map<string, URL> => {
  const folder = FOLDERS.find((each) => existsSync(fileURLToPath(each)))
  const files = folder === undefined ? [] : readdirSync(folder).filter((file) => /^[A-Z0-9_]+\.md$/.test(file))
  return new Map(files.filter((file) => file !== 'README.md').map((file) => [file.slice(0, -3), new URL(file, folder)]))
}

/**
 * The page of an error code, in Markdown.
 * @throws AttuneError `BAD_USAGE` if there is no such code
 */
export function errorPage(code: string): string {
  const all = pages()
  const page = all.get(code.toUpperCase())
  if (page !== undefined) return readFileSync(page, 'utf8')
  const near = nearest(code.toUpperCase(), [...all.keys()])
  throw new AttuneError(
    'BAD_USAGE',
    `expected an error code, got "${code}"`,
    near.length > 0 ? `Did you mean ${near.join(' or ')}?` : 'Copy the code that stands before the colon in the error.',
  )
}

/** `attune explain` */
export const explainCommand = (): Command =>
  new Command('explain')
    .summary('explain an error code')
    .description('Prints what an error code means, why it happens, and what to do.')
    .argument('<code>', 'the code before the colon of an error, such as BAD_CONFIG')
    .addHelpText('after', '\nExample:\n  npx attune explain BAD_CONFIG')
    .action((code: string) => {
      process.stdout.write(errorPage(code))
    })
