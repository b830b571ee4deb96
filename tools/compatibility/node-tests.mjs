// @ts-check
/** Suites that stand as tests in the repository, since they compare with golden files or start another library. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../check/packages.mjs'

/** @param {string} text */
const plain = (text) =>
  text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&apos;', "'")
    .replaceAll('&amp;', '&')

/**
 * Runs files of Node's test runner. A skipped test counts as failed, with its reason, since it was not shown to pass.
 * @param {string} suite @param {string} against @param {readonly string[]} files relative to the root
 * @returns {import('./suite.mjs').Suite}
 */
export const nodeTests = (suite, against, files) => async (folder) => {
  const report = join(folder, 'report.xml')
  spawnSync(
    process.execPath,
    [
      '--test',
      '--test-reporter=junit',
      `--test-reporter-destination=${report}`,
      ...files.map((file) => join(root, file)),
    ],
    { cwd: join(root, files[0] ?? '', '..'), stdio: ['ignore', 'ignore', 'inherit'] },
  )
  const cases = [
    ...readFileSync(report, 'utf8').matchAll(/<testcase name="([^"]*)"[^>]*?(?:\/>|>([\s\S]*?)<\/testcase>)/g),
  ]
  const failed = cases.flatMap(([, name = '', body = '']) => {
    const [, kind, message = ''] = /<(failure|skipped)[^>]*message="([^"]*)"/.exec(body) ?? []
    if (kind === undefined && !body.includes('<skipped')) return []
    const reason = `${kind === 'failure' ? '' : 'not run: '}${plain(message).split('\n')[0]}`
    return [{ name: plain(name), reason }]
  })
  return [{ suite, against, cases: cases.length, failed }]
}

/**
 * Runs tests of a package whose names match, which compare with golden files of another library.
 * @param {string} suite @param {string} against @param {string} folder of the package @param {string} files pattern of test files
 * @param {string} [names] pattern of test names
 * @returns {import('./suite.mjs').Suite}
 */
export const goldenTests = (suite, against, folder, files, names) => async () => {
  const { status } = spawnSync(
    process.execPath,
    [join(root, 'tools/run/jest.mjs'), files, ...(names === undefined ? [] : ['-t', names])],
    { cwd: join(root, folder), stdio: ['ignore', 'ignore', 'ignore'] },
  )
  /** @type {{ testResults: { assertionResults: { status: string, fullName: string, failureMessages: string[] }[] }[] }} */
  const { testResults } = JSON.parse(readFileSync(join(root, folder, 'test-results.json'), 'utf8'))
  const ran = testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ status: each }) => each !== 'pending')
  const failed = ran
    .filter(({ status: each }) => each !== 'passed')
    .map(({ fullName, failureMessages }) => ({
      name: fullName,
      reason: failureMessages[0]?.split('\n')[0] ?? 'failed',
    }))
  if (status !== 0 && failed.length === 0) throw new Error(`the tests of ${folder} could not be run`)
  return [{ suite, against, cases: ran.length, failed }]
}
